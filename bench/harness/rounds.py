# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""One scenario: contenders in turn, the order another one each round."""

from .figures import median, ratios, summary, verdict
from .machine import say
from .report import number, span, table
from .world import Failed


class Outcome:
    """What came of a scenario: contender -> round -> result."""

    def __init__(self, scenario, contenders):
        self.scenario = scenario
        self.contenders = contenders
        self.results = {contender.name: {} for contender in contenders}
        self.left_out = {}
        self.failures = []

    def values(self, name, key):
        return {round_: result[key] for round_, result in self.results[name].items()
                if result.get(key) is not None}

    def measured(self):
        return [contender for contender in self.contenders if self.results[contender.name]]

    def ratio(self, key, name, ours=None):
        """Of ours by that one's, round by round."""
        ours = ours or self.scenario.ours
        if ours not in self.results or name not in self.results or name == ours:
            return []
        return ratios(self.values(ours, key), self.values(name, key))

    def best(self, key, better, names):
        """By its median; None where none was measured."""
        medians = [(median(list(self.values(name, key).values())), name)
                   for name in names if self.results.get(name)]
        if not medians:
            return None
        return (min(medians) if better == "less" else max(medians))[1]

    def hardest(self, key, better, peers):
        """The peer beside which ours does worst, by the rounds' own ratios: what disturbs one
        round makes nobody the best."""
        found = [(median(values), name) for name in peers if (values := self.ratio(key, name))]
        if not found:
            return None
        return (max(found) if better == "less" else min(found))[1]


def measure_rounds(world, scenario, contenders, options):
    outcome = Outcome(scenario, contenders)
    for contender in contenders:
        reason = contender.missing(world)
        if reason:
            outcome.left_out[contender.name] = reason
            say(f"{scenario.name}: {contender.title} is left out: {reason}")
    for round_ in range(1, options.rounds + 1):
        say(f"{scenario.name}: round {round_} of {options.rounds}")
        turn = (round_ - 1) % len(contenders)
        for contender in contenders[turn:] + contenders[:turn]:
            if contender.name not in outcome.left_out:
                measure_one(world, outcome, contender, round_, options)
    return outcome


def measure_one(world, outcome, contender, round_, options):
    """Who fails without ever having worked is left out; of another this round is missing."""
    wanted = options.profile and not outcome.results[contender.name]
    try:
        options.profiled = None
        result = outcome.scenario.measure(world, contender, options)
        if wanted:      # once more, of which nothing else counts
            options.profiled = f"{outcome.scenario.name}-{contender.name}"
            outcome.scenario.measure(world, contender, options)
    except Failed as reason:
        say(f"{outcome.scenario.name}: {contender.title}: round {round_}: {reason}")
        outcome.failures.append({"contender": contender.name, "round": round_,
                                 "reason": str(reason)})
        if not outcome.results[contender.name]:
            outcome.left_out[contender.name] = str(reason)
        return
    outcome.results[contender.name][round_] = result
    if options.verbose:
        say(f"  {contender.title}: " + outcome.scenario.brief(result))


# ---- what is said of it ----

def judge(outcome):
    """The ratios that have a target."""
    judged = []
    for key, ours, peer, target, better in outcome.scenario.pairs(outcome):
        values = outcome.ratio(key, peer, ours)
        if values:
            judged.append({"key": key, "ours": ours, "peer": peer, "target": target,
                           "better": better, "ratio": summary(values),
                           "result": verdict(values, target, better)})
    return judged


def show(outcome, options):
    scenario = outcome.scenario
    print(f"\n{scenario.title}")
    if outcome.measured():
        print(f"  {options.size} bytes, rounds: {options.rounds}; median (quartiles), and of "
              f"{scenario.ours} / this one: median (least..most) of the rounds\n")
        table(scenario.head(), [scenario.row(outcome, contender)
                                for contender in outcome.measured()])
    for name, reason in outcome.left_out.items():
        print(f"  left out: {name}: {reason.splitlines()[0] if reason else ''}")
    for line in judge(outcome):
        sign = "<=" if line["better"] == "less" else ">="
        print(f"  {scenario.labels[line['key']]}, {line['ours']} / {line['peer']}: "
              f"{span(line['ratio']['rounds'])}; target {sign} {line['target']}: {line['result']}")
    busy = [result["others"] for results in outcome.results.values()
            for result in results.values() if "others" in result]
    if busy and max(busy) > 0.05:
        print(f"  mind: other programs took up to {max(busy):.2f} of a CPU meanwhile")


def as_json(outcome):
    contenders = {}
    for contender in outcome.measured():
        results = outcome.results[contender.name]
        contenders[contender.name] = {
            "title": contender.title,
            **{key: summary(list(outcome.values(contender.name, key).values()))
               for key in outcome.scenario.labels},
            "ratio": {key: summary(outcome.ratio(key, contender.name))
                      for key in outcome.scenario.labels},
            "rounds": {str(round_): result for round_, result in results.items()},
        }
    return {"title": outcome.scenario.title, "contenders": contenders,
            "left_out": outcome.left_out, "failures": outcome.failures, "judged": judge(outcome)}


def rate_row(outcome, contender, scale=1e6):
    """Of those that are measured in packets a second."""
    name = contender.name
    rates = list(outcome.values(name, "pps").values())
    costs = list(outcome.values(name, "cost").values())
    roles = outcome.results[name].values()
    return [contender.title, number(rates, scale, 3), span(outcome.ratio("pps", name)),
            number(costs, 1, 0), span(outcome.ratio("cost", name)),
            number([result["softirq"] for result in roles if "softirq" in result], 1, 0),
            role_share(list(roles))]


def role_share(results):
    """CPUs that each role's process took, softirqs on its back included."""
    shares = {}
    for result in results:
        for role, used in result["roles"].items():
            shares.setdefault(role, []).append((used["user"] + used["system"]) / result["ns"])
    return ", ".join(f"{role} {median(values):.2f}" for role, values in shares.items())


def trip_row(outcome, contender):
    name = contender.name
    cells = [contender.title]
    for key in ("p50", "p99", "p999"):
        cells += [number(list(outcome.values(name, key).values()), 1000, 1),
                  span(outcome.ratio(key, name))]
    results = list(outcome.results[name].values())
    lost = sum(result["lost"] for result in results)
    return [*cells, number([result["cost"] for result in results], 1000, 1), str(lost),
            role_share(results)]


TRIP_HEAD = ["", "p50 us", "ratio", "p99 us", "ratio", "p99.9 us", "ratio", "us CPU/trip", "lost",
             "CPUs of the roles"]
RATE_HEAD = ["", "Mpkt/s", "ratio", "ns CPU/pkt", "ratio", "softirq", "CPUs of the roles"]
