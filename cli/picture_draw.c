/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */

/* The histogram as SVG: time, by its logarithm, to the right; how many of all took it, upward. */
#include "picture.h"

#include <math.h>
#include <string.h>

#include "histogram.h"
#include "units.h"

#define WIDTH 800
#define HEIGHT 420
/* The axes' field. */
#define LEFT 70
#define RIGHT 770
#define TOP 110
#define BOTTOM 360
/* So far apart two texts can be read. */
#define TEXT_GAP 62

struct drawing {
	FILE *to;
	struct picture_bar bars[PICTURE_BARS];
	int count;
	double most;		/* share of the highest bar */
	double from, until;	/* logarithms of the ends */
};

static void put_text(const char *text, FILE *to)
{
	for (; *text; text++) {
		if (*text == '<')
			fputs("&lt;", to);
		else if (*text == '&')
			fputs("&amp;", to);
		else
			fputc(*text >= ' ' && *text <= '~' ? *text : '?', to);
	}
}

static double x_of(const struct drawing *drawing, double ns)
{
	double part = (log(ns + 1) - drawing->from) / (drawing->until - drawing->from);

	return LEFT + part * (RIGHT - LEFT);
}

static double y_of(const struct drawing *drawing, double share)
{
	return BOTTOM - share / drawing->most * (BOTTOM - TOP);
}

static void begin(const struct drawing *drawing, const char *title, const char *subtitle)
{
	FILE *to = drawing->to;

	fprintf(to, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
		"viewBox=\"0 0 %d %d\" font-family=\"sans-serif\" font-size=\"12\">\n<title>",
		WIDTH, HEIGHT, WIDTH, HEIGHT);
	put_text(title, to);
	fprintf(to, "</title>\n<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>\n"
		"<text x=\"%d\" y=\"28\" font-size=\"18\" fill=\"#111\">", WIDTH, HEIGHT, LEFT);
	put_text(title, to);
	fprintf(to, "</text>\n<text x=\"%d\" y=\"48\" fill=\"#555\">", LEFT);
	put_text(subtitle, to);
	fputs("</text>\n", to);
}

/* 1, 2 or 5 of a power of ten, so that there are not many of them. */
static double find_step(double most)
{
	double step = pow(10, floor(log10(most / 4)));

	return most / step > 4 * 5 ? 5 * step : most / step > 4 * 2 ? 2 * step : step;
}

static void draw_shares(const struct drawing *drawing)
{
	double step = find_step(drawing->most * 100);

	for (int i = 0; i * step <= drawing->most * 100 * 1.0001; i++) {
		double y = y_of(drawing, i * step / 100);

		fprintf(drawing->to, "<line x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\" "
			"stroke=\"#ddd\"/>\n<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\" "
			"fill=\"#333\">%g %%</text>\n", LEFT, y, RIGHT, y, LEFT - 8, y + 4,
			i * step);
	}
}

static void draw_time(const struct drawing *drawing, double ns)
{
	double x = x_of(drawing, ns);
	char text[UNITS_TEXT];

	fprintf(drawing->to, "<line x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\" "
		"stroke=\"#333\"/>\n<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\" "
		"fill=\"#333\">%s</text>\n", x, BOTTOM, x, BOTTOM + 5, x, BOTTOM + 20,
		units_say_time(text, ns));
}

/* Round numbers, as many as there is room for; returns how many. */
static int draw_round_times(const struct drawing *drawing, bool draws)
{
	static const double digits[] = { 1, 2, 5 };
	double first = exp(drawing->from) - 1, last = exp(drawing->until) - 1, before = -TEXT_GAP;
	int count = 0;

	for (int i = 0; i < 3 * 13; i++) {
		double ns = digits[i % 3] * pow(10, i / 3);

		if (ns < first || ns > last || x_of(drawing, ns) - before < TEXT_GAP)
			continue;
		before = x_of(drawing, ns);
		if (draws)
			draw_time(drawing, ns);
		count++;
	}
	return count;
}

static void draw_times(const struct drawing *drawing)
{
	double range = drawing->until - drawing->from;

	if (draw_round_times(drawing, false) > 1) {
		draw_round_times(drawing, true);
		return;
	}
	for (int i = 0; i <= 4; i++)
		draw_time(drawing, exp(drawing->from + range * i / 4) - 1);
}

static void draw_bars(const struct drawing *drawing, const struct histogram *histogram)
{
	for (int i = 0; i < drawing->count; i++) {
		const struct picture_bar *bar = &drawing->bars[i];
		double x = x_of(drawing, (double)bar->first_ns);
		double share = (double)bar->count / (double)histogram->count;
		double width = x_of(drawing, (double)bar->last_ns + 1) - x;
		double y = y_of(drawing, share);

		if (!bar->count)
			continue;
		/* What there is, is seen. */
		if (BOTTOM - y < 1)
			y = BOTTOM - 1;
		fprintf(drawing->to, "<rect x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\" "
			"fill=\"#2a78b8\"/>\n", x, y, width > 1.5 ? width - 0.5 : width,
			BOTTOM - y);
	}
}

/* Each a dashed line; the texts stand below one another, so that none covers another. */
static void draw_percentiles(const struct drawing *drawing, const struct histogram *histogram)
{
	for (int i = 0; i < PICTURE_PERCENTILES; i++) {
		uint64_t ns = histogram_percentile(histogram, picture_percentiles[i].share);
		double x = x_of(drawing, (double)ns);
		int y = TOP - 44 + 13 * i;
		char text[UNITS_TEXT];
		bool is_right = x > RIGHT - 110;

		fprintf(drawing->to, "<line x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\" "
			"stroke=\"#c0392b\" stroke-dasharray=\"4 3\"/>\n<text x=\"%.1f\" "
			"y=\"%d\" font-size=\"11\" text-anchor=\"%s\" fill=\"#c0392b\">%s %s"
			"</text>\n",
			x, y - 8, x, BOTTOM, is_right ? x - 4 : x + 4, y,
			is_right ? "end" : "start", picture_percentiles[i].name,
			units_say_time(text, (double)ns));
	}
}

static void end(const struct drawing *drawing)
{
	fprintf(drawing->to, "<path d=\"M%d %dV%dH%d\" fill=\"none\" stroke=\"#333\"/>\n"
		"<text x=\"%d\" y=\"%d\" text-anchor=\"middle\" fill=\"#333\">round trip</text>\n"
		"<text x=\"20\" y=\"%d\" text-anchor=\"middle\" fill=\"#333\" "
		"transform=\"rotate(-90 20 %d)\">packets</text>\n</svg>\n", LEFT, TOP, BOTTOM,
		RIGHT, (LEFT + RIGHT) / 2, BOTTOM + 42, (TOP + BOTTOM) / 2, (TOP + BOTTOM) / 2);
}

void picture_draw(const struct histogram *histogram, const char *title, const char *subtitle,
		  FILE *to)
{
	struct drawing drawing = { .to = to };
	uint64_t most = 1;

	drawing.count = picture_gather(histogram, histogram->min_ns, histogram->max_ns,
				       drawing.bars, PICTURE_BARS);
	for (int i = 0; i < drawing.count; i++)
		most = drawing.bars[i].count > most ? drawing.bars[i].count : most;
	drawing.most = (double)most / (double)histogram->count;
	drawing.from = log((double)drawing.bars[0].first_ns + 1);
	drawing.until = log((double)drawing.bars[drawing.count - 1].last_ns + 2);
	begin(&drawing, title, subtitle);
	draw_shares(&drawing);
	draw_bars(&drawing, histogram);
	draw_percentiles(&drawing, histogram);
	draw_times(&drawing);
	end(&drawing);
}
