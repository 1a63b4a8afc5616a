# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause

# The table of filters, for report.awk: what a program takes beyond an empty one, of the XDP
# program and of the classic one of a socket, for each packet of each case.

function filter_case(name, text, packets)
{
	filter_cases[++filter_count] = name
	filter_text[name] = text
	filter_packets[name] = packets
}

BEGIN {
	filter_case("empty", "only returns", "run")
	filter_case("all", "no filter", "match")
	filter_case("all-counts", "no filter, counters", "match")
	filter_case("udp53", "udp port 53", "first last none")
	filter_case("udp53-counts", "udp port 53, counters", "first last none")
	filter_case("ten", "ten terms", "first last none")
	filter_case("ports", "500 UDP ports", "first last none")
	filter_case("keep", "keep management", "kept-first kept-last not-kept")
	filter_case("keep-udp53", "keep management, udp port 53", "kept-first kept-last not-kept")
}

function filters()
{
	return ("filters.all.match", "xdp") in all
}

# Sets part["low"], ["median"] and ["high"]: quartiles of all samples. 0: there are none.
function filter_quartiles(metric, who,    n)
{
	if (!((metric, who) in all))
		return 0
	n = sort(all[metric, who])
	part["low"] = quantile(n, 0.25)
	part["median"] = quantile(n, 0.5)
	part["high"] = quantile(n, 0.75)
	return n
}

function filter_cell(metric, who)
{
	if (!filter_quartiles(metric, who))
		return "-"
	return sprintf("%.1f (%.1f..%.1f)", part["median"], part["low"], part["high"])
}

# The median of the rounds' own ratios, xdp by classic, or "".
function filter_ratio(metric,    round, list, ours, theirs, n)
{
	if (metric == "filters.empty.run")
		return ""
	for (round = 1; round <= rounds; round++) {
		if (!((metric, "xdp", round) in each) || !((metric, "classic", round) in each))
			continue
		ours = quantile(sort(each[metric, "xdp", round]), 0.5)
		theirs = quantile(sort(each[metric, "classic", round]), 0.5)
		if (theirs > 0)
			list = list " " sprintf("%.4f", ours / theirs)
	}
	n = sort(list)
	return n ? sprintf("%.2f (%.2f..%.2f)", quantile(n, 0.5), sorted[1], sorted[n]) : ""
}

function json_filter(metric,    who, i, text, n)
{
	text = sprintf("    {\"name\": \"%s\", \"unit\": \"ns/pkt\"", metric)
	split("xdp classic", who, " ")
	for (i = 1; i <= 2; i++)
		if (filter_quartiles(metric, who[i]))
			text = text sprintf(", \"%s\": {\"median\": %.6g, \"quartiles\": " \
					    "[%.6g, %.6g]}", who[i], part["median"], part["low"],
					    part["high"])
	return text "}"
}

function show_filter(name,    packets, n, i, metric, line)
{
	n = split(filter_packets[name], packets, " ")
	for (i = 1; i <= n; i++) {
		metric = "filters." name "." packets[i]
		line = sprintf("  %-30s %-11s %-20s %-20s %s", i == 1 ? filter_text[name] : "",
			       name == "empty" ? "" : packets[i], filter_cell(metric, "xdp"),
			       filter_cell(metric, "classic"), filter_ratio(metric))
		sub(/ +$/, "", line)
		print line
		filter_lines[++filter_lines_count] = json_filter(metric)
	}
}

function show_filters(    i)
{
	printf "filters, ns per packet: libxsk %s, Linux %s, %s, rounds: %d\n", libxsk, kernel, machine,
	       rounds
	print "median (quartiles) of all samples, of what the first line takes already less that"
	print ""
	printf "  %-30s %-11s %-20s %-20s %s\n", "", "packet", "XDP program", "classic, of a socket",
	       "XDP/classic"
	for (i = 1; i <= filter_count; i++)
		show_filter(filter_cases[i])
}
