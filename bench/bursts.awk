# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause

# The table of bursts, for report.awk: instructions of each contender, which are the
# same in each round, and the port's by the others'.

BEGIN {
	contenders = split("rings port checked dpdk", contender, " ")
	burst_metrics = split("receive send send_kick", burst_metric, " ")
	burst_label["receive"] = "receive and free"
	burst_label["send"] = "alloc and send"
	burst_label["send_kick"] = "  with the kick"
}

function bursts()
{
	return ("burst.receive", "rings") in all
}

function burst_value(metric, who,    key)
{
	key = "burst." metric SUBSEP who
	return key in all ? all[key] + 0 : 0
}

function burst_ratio(metric, who,    value)
{
	value = burst_value(metric, who)
	return value ? burst_value(metric, "port") / value : 0
}

function burst_number(value, format)
{
	return value ? sprintf(format, value) : "-"
}

function burst_verdict(metric,    to_rings, to_dpdk)
{
	to_rings = burst_ratio(metric, "rings")
	to_dpdk = burst_ratio(metric, "dpdk")
	return (to_rings <= 1.3 ? "<= 1.3: reached" : "<= 1.3: missed") \
	       (!to_dpdk ? "" : to_dpdk < 1 ? ", < 1: reached" : ", < 1: missed")
}

function json_burst(metric,    i, who, value, text)
{
	text = sprintf("    {\"name\": \"burst.%s\", \"unit\": \"/pkt\"", metric)
	for (i = 1; i <= contenders; i++) {
		who = contender[i]
		value = burst_value(metric, who)
		if (value)
			text = text sprintf(", \"%s\": %.6g", who, value)
		if (value && who != "port" && who != "checked")
			text = text sprintf(", \"port / %s\": %.4f", who, burst_ratio(metric, who))
	}
	return text ", \"result\": \"" burst_verdict(metric) "\"}"
}

function show_burst(metric,    i, line)
{
	line = sprintf("  %-18s", burst_label[metric])
	for (i = 1; i <= contenders; i++)
		line = line sprintf("  %10s", burst_number(burst_value(metric, contender[i]), "%.1f"))
	line = line sprintf("  %10s", burst_number(burst_ratio(metric, "rings"), "%.2f"))
	line = line sprintf("  %9s", burst_number(burst_ratio(metric, "dpdk"), "%.2f"))
	print line "  " burst_verdict(metric)
}

function show_bursts(    i)
{
	printf "instructions per packet, bursts of 64: libxsk %s, DPDK %s, %s\n\n", libxsk, dpdk, machine
	printf "  %-18s  %10s  %10s  %10s  %10s  %10s  %9s  %s\n", "", "bare rings", "port",
	       "checked", "DPDK", "port/rings", "port/DPDK", "target"
	for (i = 1; i <= burst_metrics; i++) {
		show_burst(burst_metric[i])
		burst_text[++burst_texts] = json_burst(burst_metric[i])
	}
}
