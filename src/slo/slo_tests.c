/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of the rules for promtool: each alert fires, does not, and ends; a quiet
 * night, a new revision, counters that are missing. See slo_print.h.
 */
#include <math.h>
#include <string.h>

#include "base/jsonw.h"
#include "slo/slo_print.h"

#define REQUESTS   600 /* a minute, usually */
#define MARGIN     1.5 /* of what is just enough to fire */
#define STRETCHES  4 /* of one test, at most */
#define EVALUATION 10 /* minutes */

/* So many samples in a row with the same pace. */
struct stretch {
	int minutes;
	double total, bad; /* a minute */
	bool is_missing; /* there are no samples */
};

struct tester {
	const struct slo_rules *rules;
	const struct slo_objective *o;
	struct buf *out;
	struct arena arena;
	/* Series: of one metric the bad and the good ones, of two the part and
	 * all of them. */
	bool is_one_metric;
	struct selector bad, good, part, total;
};

/* ---- series ---- */

static bool find_series(struct tester *t)
{
	const struct slo_objective *o = t->o;

	t->is_one_metric = !strcmp(o->part.metric, o->total.metric);
	if (!t->is_one_metric)
		return selector_example(&o->part, NULL, NULL, &t->part) &&
		       selector_example(&o->total, NULL, NULL, &t->total);
	return selector_example(&o->part, &o->total, NULL,
		       o->part_is_good ? &t->good : &t->bad) &&
	       selector_example(&o->total, NULL, &o->part,
		       o->part_is_good ? &t->bad : &t->good);
}

static void add_number(struct buf *out, double value)
{
	char text[JSONW_NUMBER_MAX];

	buf_adds(out, jsonw_print_number(round(value * 1e6) / 1e6, text));
}

static double pace_of(const struct tester *t, const struct selector *series,
	const struct stretch *stretch)
{
	if (series == &t->bad)
		return stretch->bad;
	if (series == &t->total)
		return stretch->total;
	if (series == &t->part && !t->o->part_is_good)
		return stretch->bad;
	return stretch->total - stretch->bad;
}

/* Samples each `step` minutes, from 0 on; ends with minutes 0. */
static void add_series(struct tester *t, const struct selector *series,
	const struct stretch *stretch, int step)
{
	const char *text = selector_print(series, &t->arena);
	double value = 0, pace;

	buf_adds(t->out, "      - series: '");
	for (; *text; text++)
		buf_addf(t->out, "%s%c", *text == '\'' ? "'" : "", *text);
	buf_adds(t->out, "'\n        values: '");
	for (; stretch->minutes; stretch++) {
		int samples = stretch->minutes / step;

		if (stretch->is_missing) {
			buf_addf(t->out, "_x%d ", samples);
			continue;
		}
		pace = pace_of(t, series, stretch) * step;
		add_number(t->out, value);
		buf_addc(t->out, '+');
		add_number(t->out, pace);
		buf_addf(t->out, "x%d ", samples - 1);
		value += pace * samples;
	}
	buf_truncate(t->out, t->out->len - 1);
	buf_adds(t->out, "'\n");
}

static void add_all_series(
	struct tester *t, const struct stretch *stretch, int step)
{
	if (t->is_one_metric) {
		add_series(t, &t->good, stretch, step);
		add_series(t, &t->bad, stretch, step);
	} else {
		add_series(t, &t->total, stretch, step);
		add_series(t, &t->part, stretch, step);
	}
}

/* ---- tests ---- */

static void begin_test(struct tester *t, const char *what, int step)
{
	buf_addf(t->out,
		"  - name: '%s: %s'\n    interval: %dm\n    input_series:\n",
		t->o->name, what, step);
}

/* How many alerts fire at that minute, of one kind or of all. */
static void expect(struct tester *t, const char *alert,
	const struct slo_tier *tier, int minute, int n)
{
	buf_addf(t->out,
		"      - expr: "
		"count(ALERTS{alertstate=\"firing\",slo=\"%s\"%s%s"
		"%s%s%s%s})\n        eval_time: %dm\n",
		t->o->name, alert ? ",alertname=\"" : "", alert ? alert : "",
		alert ? "\"" : "", tier ? ",window=\"" : "",
		tier ? tier->window : "", tier ? "\"" : "", minute);
	if (n)
		buf_addf(t->out,
			"        exp_samples: [{labels: '{}', value: %d}]\n",
			n);
}

static int round_up(double minutes, int step)
{
	return (int)ceil(minutes / step) * step;
}

static int minutes_of(const char *window)
{
	int n = 0;

	for (; *window >= '0' && *window <= '9'; window++)
		n = 10 * n + (*window - '0');
	return n * (*window == 'd' ? 1440 : *window == 'h' ? 60 : 1);
}

static void test_tier(struct tester *t, const struct slo_tier *tier)
{
	int clean = minutes_of(tier->window);
	int step = tier->pages ? 1 : clean / 144;
	double share = fmin(0.98, MARGIN * tier->factor * t->o->budget);
	int bad = round_up(share * clean + 2 * step,
		step > EVALUATION ? step : EVALUATION);
	int after = round_up(minutes_of(tier->brief) + 3 * step,
		step > EVALUATION ? step : EVALUATION);
	struct stretch stretch[STRETCHES] = {
		{.minutes = clean, .total = REQUESTS},
		{.minutes = bad, .total = REQUESTS, .bad = REQUESTS},
		{.minutes = after + step, .total = REQUESTS}};
	const char *name = slo_alert_name(SLO_ALERT_BURN, tier);

	begin_test(t,
		arena_printf(&t->arena,
			"%s of %s fires, and ends with the "
			"trouble",
			name, tier->window),
		step);
	add_all_series(t, stretch, step);
	buf_adds(t->out, "    promql_expr_test:\n");
	expect(t, name, tier, clean, 0);
	expect(t, name, tier, clean + bad, 1);
	expect(t, name, tier, clean + bad + after, 0);
}

static void test_half_the_pace(struct tester *t)
{
	struct stretch stretch[STRETCHES] = {{.minutes = 180,
		.total = REQUESTS,
		.bad = REQUESTS * t->o->budget / 2}};

	begin_test(t, "half the pace that is allowed is no alert", 1);
	add_all_series(t, stretch, 1);
	buf_adds(t->out, "    promql_expr_test:\n");
	expect(t, NULL, NULL, 60, 0);
	expect(t, NULL, NULL, 170, 0);
}

/* One of six an hour: a large share, and one request. */
static void test_quiet_night(struct tester *t)
{
	struct stretch stretch[STRETCHES] = {{.minutes = 117, .total = 0.1},
		{.minutes = 2, .total = 1, .bad = 0.5},
		{.minutes = 120, .total = 0.1}};

	begin_test(t, "one bad request in a quiet night is no alert", 1);
	add_all_series(t, stretch, 1);
	buf_adds(t->out, "    promql_expr_test:\n");
	for (int minute = 120; minute <= 180; minute += 10)
		expect(t, NULL, NULL, minute, 0);
}

/* A series that is born with a count has not counted that within any window. */
static void test_new_revision(struct tester *t)
{
	struct selector *bad = t->is_one_metric ? &t->bad : &t->part;
	struct stretch old[STRETCHES] = {{.minutes = 240, .total = REQUESTS}};
	struct err err;

	begin_test(
		t, "a new revision whose counters begin high is no alert", 1);
	add_all_series(t, old, 1);
	if (selector_add(bad,
		    &(struct slo_matcher){
			    "tidegate_test", MATCHER_EQUALS, "new"},
		    &err) == 0) {
		buf_addf(t->out,
			"      - series: '%s'\n        values: '_x120 "
			"50000+%dx119'\n",
			selector_print(bad, &t->arena),
			t->o->part_is_good && !t->is_one_metric ? REQUESTS : 0);
		bad->n--;
	}
	buf_adds(t->out, "    promql_expr_test:\n");
	for (int minute = 120; minute <= 150; minute += 10)
		expect(t, NULL, NULL, minute, 0);
}

static void test_missing_part(struct tester *t)
{
	struct stretch there[STRETCHES] = {{.minutes = 240, .total = REQUESTS}};
	struct stretch late[STRETCHES] = {{.minutes = 120, .is_missing = true},
		{.minutes = 120, .total = REQUESTS}};
	const char *name = slo_alert_name(SLO_ALERT_PART_MISSING, NULL);

	begin_test(t,
		arena_printf(&t->arena,
			"%s fires until there is a counter of the good ones",
			name),
		1);
	if (t->is_one_metric) {
		add_series(t, &t->bad,
			(struct stretch[]){{.minutes = 240,
						   .total = REQUESTS,
						   .bad = REQUESTS},
				{0}},
			1);
		add_series(t, &t->good, late, 1);
	} else {
		add_series(t, &t->total, there, 1);
		add_series(t, &t->part, late, 1);
	}
	buf_adds(t->out, "    promql_expr_test:\n");
	expect(t, name, NULL, 5, 0);
	expect(t, name, NULL, 60, 1);
	expect(t, name, NULL, 180, 0);
}

static void test_no_data(struct tester *t)
{
	struct stretch late[STRETCHES] = {{.minutes = 60, .is_missing = true},
		{.minutes = 120, .total = REQUESTS}};
	const char *name = slo_alert_name(SLO_ALERT_TOTAL_MISSING, NULL);

	begin_test(t,
		arena_printf(
			&t->arena, "%s fires until there are counters", name),
		1);
	add_all_series(t, late, 1);
	buf_adds(t->out, "    promql_expr_test:\n");
	expect(t, name, NULL, 5, 0);
	expect(t, name, NULL, 30, 1);
	expect(t, name, NULL, 120, 0);
}

static void test_objective(struct tester *t)
{
	if (!find_series(t)) {
		buf_addf(t->out,
			"  # %s is not tested: no series is found that its "
			"selectors take.\n",
			t->o->name);
		return;
	}
	for (size_t i = 0; i < t->o->n_tiers; i++)
		test_tier(t, &t->o->tier[i]);
	test_half_the_pace(t);
	test_quiet_night(t);
	test_new_revision(t);
	if (t->o->part_is_good)
		test_missing_part(t);
	test_no_data(t);
}

/* What is recorded is there when alerts look at it. */
static void add_order(struct tester *t)
{
	const char *service = t->rules->wish.service;

	buf_adds(t->out, "group_eval_order:\n");
	for (size_t i = 0; i < t->rules->n; i++) {
		const char *name = t->rules->objective[i].name;

		buf_addf(t->out, "  - slo-%s-%s-long\n  - slo-%s-%s\n", service,
			name, service, name);
	}
}

void slo_print_tests(const struct slo_rules *rules, struct buf *out)
{
	struct tester t = {.rules = rules, .out = out};
	const char *service = rules->wish.service;

	arena_init(&t.arena);
	buf_addf(out,
		"# Tests of the rules that `tidegate slo` writes for %s, which "
		"are looked for in\n# %s-slo.yml beside this file: promtool "
		"test rules %s-slo.test.yml\n"
		"rule_files: [%s-slo.yml]\nevaluation_interval: %dm\n",
		service, service, service, service, EVALUATION);
	add_order(&t);
	buf_adds(out, "tests:\n");
	for (size_t i = 0; i < rules->n; i++) {
		t.o = &rules->objective[i];
		test_objective(&t);
	}
	arena_fini(&t.arena);
}
