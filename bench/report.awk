# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause

# Reads samples, one a line: metric, library, round, value. Prints the tables (those of
# bursts and filters by bursts.awk and filters.awk), and with -v json=FILE writes the same
# as JSON. Each library's median and quartiles are those of all its samples. Each round has
# a ratio of its own, that of its medians; shown are the median of the rounds' ratios, the
# least and the greatest.

function metric(name, label, unit, scale, digits, better, target)
{
	names[++count] = name
	labels[name] = label
	units[name] = unit
	scales[name] = scale
	formats[name] = "%." digits "f"
	betters[name] = better
	targets[name] = target
	groups[name] = group
}

function open_metrics(kind, text)
{
	group = text
	metric("open." kind ".umem_create", "create the UMEM", "ms", 1e6, 3, "less", "")
	metric("open." kind ".create", "create the socket", "ms", 1e6, 3, "less", 0.1)
	metric("open." kind ".create_cpu", "  of that CPU time", "ms", 1e6, 3, "less", "")
	metric("open." kind ".first", "  the first in a process", "ms", 1e6, 3, "less", "")
	metric("open." kind ".delete", "delete the two", "ms", 1e6, 3, "less", "")
}

BEGIN {
	open_metrics("default", "open, RX and TX, default program")
	open_metrics("joined", "open, RX and TX, program attached by another socket")
	open_metrics("retry", "open, RX and TX, zero-copy refused, then copy")
	open_metrics("tx", "open, TX only")

	group = "traffic, the sender exchanged"
	metric("traffic.send.received", "received", "Mpkt/s", 1e6, 3, "more", 1)
	metric("traffic.send.sent", "sent", "Mpkt/s", 1e6, 3, "more", "")
	metric("traffic.send.cpu", "CPU time of the sender", "ns/pkt", 1, 0, "less", "")
	group = "traffic, the receiver exchanged"
	metric("traffic.receive.received", "received", "Mpkt/s", 1e6, 3, "more", 1)
	metric("traffic.receive.cpu", "CPU time of the receiver", "ns/pkt", 1, 0, "less", "")

	group = "ring verbs, instructions"
	metric("rings.receive_refill.64.64", "receive and refill, batch 64", "/pkt", 1, 3, "less", 1)
	metric("rings.receive_refill.64.96", "  of 96 that wait", "/pkt", 1, 3, "less", 1)
	metric("rings.receive_refill.1.1", "receive and refill, batch 1", "/pkt", 1, 3, "less", 1)
	metric("rings.receive_refill.1.64", "  of 64 that wait", "/pkt", 1, 3, "less", 1)
	metric("rings.alloc_send.64.64", "alloc and send, batch 64", "/pkt", 1, 3, "less", 1)
	metric("rings.alloc_send.1.1", "alloc and send, batch 1", "/pkt", 1, 3, "less", 1)
	metric("rings.get_data.64.64", "xsk_umem__get_data", "/pkt", 1, 3, "less", "")
}

{
	key = $1 SUBSEP $2
	all[key] = all[key] " " $4
	each[key, $3] = each[key, $3] " " $4
	if ($3 > rounds)
		rounds = $3
}

# Puts the numbers of a list in order into sorted[]; returns how many.
function sort(list,    n, i, j, value)
{
	split("", sorted)
	n = split(list, sorted, " ")
	for (i = 2; i <= n; i++) {
		value = sorted[i] + 0
		for (j = i - 1; j >= 1 && sorted[j] + 0 > value; j--)
			sorted[j + 1] = sorted[j]
		sorted[j + 1] = value
	}
	return n
}

# Of the n numbers in sorted[], with the neighbours' mean where it falls between.
function quantile(n, part,    at, low)
{
	at = 1 + (n - 1) * part
	low = int(at)
	if (low >= n)
		return sorted[n]
	return sorted[low] + (at - low) * (sorted[low + 1] - sorted[low])
}

function summary(name, library,    n, scale)
{
	n = sort(all[name, library])
	scale = scales[name]
	median[library] = quantile(n, 0.5) / scale
	low[library] = quantile(n, 0.25) / scale
	high[library] = quantile(n, 0.75) / scale
}

# The ratio of each round as a list.
function ratios(name,    round, list, ours)
{
	for (round = 1; round <= rounds; round++) {
		if (!((name, "libxsk", round) in each) || !((name, "libxdp", round) in each))
			continue
		ours = quantile(sort(each[name, "libxsk", round]), 0.5)
		list = list " " sprintf("%.4f", ours / quantile(sort(each[name, "libxdp", round]), 0.5))
	}
	return list
}

# Within noise: a quarter of the rounds reach the target.
function verdict(name, n,    target, usual, best)
{
	target = targets[name]
	if (target == "")
		return ""
	best = quantile(n, betters[name] == "less" ? 0.25 : 0.75)
	usual = quantile(n, 0.5)
	if ((betters[name] == "less") ? (usual <= target) : (usual >= target))
		return "reached"
	if ((betters[name] == "less") ? (best <= target) : (best >= target))
		return "reached within noise"
	return "missed"
}

function show(name, library,    format)
{
	format = formats[name]
	return sprintf(format, median[library]) " (" sprintf(format, low[library]) ".." \
	       sprintf(format, high[library]) ")"
}

function json_library(name, library)
{
	return sprintf("\"%s\": {\"median\": %.6g, \"quartiles\": [%.6g, %.6g]}", library,
		       median[library], low[library], high[library])
}

function json_metric(name, list, n, result,    text)
{
	text = sprintf("    {\"name\": \"%s\", \"unit\": \"%s\", \"better\": \"%s\", ", name,
		       units[name], betters[name])
	text = text json_library(name, "libxsk") ", " json_library(name, "libxdp")
	text = text sprintf(", \"ratio\": {\"median\": %.4f, \"min\": %.4f, \"max\": %.4f, ",
			    quantile(n, 0.5), sorted[1], sorted[n])
	text = text "\"rounds\": ["
	gsub(/^ /, "", list)
	gsub(/ /, ", ", list)
	text = text list "]}"
	if (result != "")
		text = text sprintf(", \"target\": %s, \"result\": \"%s\"", targets[name], result)
	return text "}"
}

function print_line(label, unit, ours, theirs, ratio, good, aim,    line)
{
	line = sprintf("  %-30s %-6s  %-24s  %-24s  %-21s  %-4s  %s", label, unit, ours, theirs,
		       ratio, good, aim)
	sub(/ +$/, "", line)
	print line
}

function show_metric(name,    list, n, result, aim)
{
	summary(name, "libxsk")
	summary(name, "libxdp")
	list = ratios(name)
	n = sort(list)
	result = verdict(name, n)
	if (groups[name] != shown) {
		shown = groups[name]
		printf "\n%s\n", shown
	}
	aim = ""
	if (result != "")
		aim = (betters[name] == "less" ? "<= " : ">= ") targets[name] ": " result
	print_line(labels[name], units[name], show(name, "libxsk"), show(name, "libxdp"),
		   sprintf("%.3f (%.3f..%.3f)", quantile(n, 0.5), sorted[1], sorted[n]),
		   betters[name], aim)
	text[++texts] = json_metric(name, list, n, result)
}

function show_comparison(    where)
{
	where = "roles not pinned, for want of a second CPU"
	if (pinned == "true")
		where = "roles pinned to CPU 0 and 1"
	printf "libxsk %s against libxdp %s, Linux %s, %s, rounds: %d, %s\n", libxsk, libxdp,
	       kernel, machine, rounds, where
	print "median (quartiles) of all samples; ratio libxsk/libxdp: median (least..most) of the rounds"
	print ""
	print_line("", "", "libxsk", "libxdp", "ratio", "good", "target")
	for (i = 1; i <= count; i++)
		if ((names[i], "libxsk") in all)
			show_metric(names[i])
}

function json_list(name, list, n)
{
	printf "  \"%s\": [\n", name > json
	for (i = 1; i <= n; i++)
		printf "%s%s\n", list[i], (i < n ? "," : "") > json
	printf "  ]" > json
}

END {
	for (i = 1; i <= count; i++)
		if ((names[i], "libxsk") in all)
			compared = 1
	if (compared)
		show_comparison()
	if (compared && bursts())
		print ""
	if (bursts())
		show_bursts()
	if ((compared || bursts()) && filters())
		print ""
	if (filters())
		show_filters()

	if (json == "")
		exit
	printf "{\n  \"libxsk\": \"%s\", \"libxdp\": \"%s\", \"kernel\": \"%s\", ", libxsk, libxdp,
	       kernel > json
	printf "\"machine\": \"%s\",\n  \"rounds\": %d, \"pinned\": %s, \"quick\": %s,\n", machine,
	       rounds, pinned, quick > json
	printf "  \"ratio\": \"libxsk / libxdp\",\n" > json
	json_list("results", text, texts)
	printf ",\n" > json
	json_list("bursts", burst_text, burst_texts)
	printf ",\n" > json
	json_list("filters", filter_lines, filter_lines_count)
	printf "\n}\n" > json
}
