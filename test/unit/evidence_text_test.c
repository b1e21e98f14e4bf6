/* SPDX-License-Identifier: Apache-2.0 */
/* What people are told of evidence, with the numbers counted once more. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "cli/panel.h"
#include "engine/evidence_text.h"
#include "evidence_fixture.h"
#include "status/status_json.h"
#include "status/summary.h"

#define SEEN_MAX  4096
#define RECENT_MS (120000 + 1000) /* answers come a little late */

/* What was counted of an SLO, check by check, and where the step began. */
struct told {
	struct evidence_arms check[2][SEEN_MAX];
	int64_t at_ms[2][SEEN_MAX];
	size_t n[2], step_from[2];
	double log_e; /* of the last decision */
	char passed[ROLLOUT_TEXT_MAX], aim[ROLLOUT_TEXT_MAX];
};

static struct evidence_fixture fixture;
static struct told told;
static char text[2 * ROLLOUT_TEXT_MAX];

static struct request_sum sum_of(
	const struct evidence_counts *arm, size_t bins, size_t bound)
{
	struct request_sum sum = {0, 0};
	size_t i;

	for (i = 0; arm->known && i < bins; i++) {
		sum.n += arm->bin[i];
		sum.x += i > bound ? arm->bin[i] : 0;
	}
	return sum;
}

static void take_counts(int slo, const struct check_counts *c, int64_t now_ms)
{
	size_t bound = slo == 0 ? 0 : 3;

	assert_true(told.n[slo] < SEEN_MAX);
	told.at_ms[slo][told.n[slo]] = now_ms;
	told.check[slo][told.n[slo]++] =
		(struct evidence_arms){sum_of(&c->candidate, c->bins, bound),
			sum_of(&c->stable, c->bins, bound)};
}

static void fed(struct world *world, const struct event *event,
	const struct outcome_list *out)
{
	size_t i;

	if (event->type == EVENT_CHECK && out->seen.counted)
		take_counts(event->slo, event->answers.counts, world->now_ms);
	if (event->type == EVENT_CHECK && out->seen.decided)
		told.log_e = out->seen.all.log_e;
	for (i = 0; i < out->n_notes; i++) {
		if (out->note[i].type == NOTE_EVIDENCE) {
			memcpy(told.step_from, told.n, sizeof(told.n));
			strcpy(told.aim, out->note[i].text);
		}
		if (out->note[i].type == NOTE_STEP_PASSED)
			strcpy(told.passed, out->note[i].text);
	}
}

static struct evidence_arms add(int slo, size_t from)
{
	struct evidence_arms sum = {{0, 0}, {0, 0}};
	size_t i;

	for (i = from; i < told.n[slo]; i++) {
		sum.candidate.n += told.check[slo][i].candidate.n;
		sum.candidate.x += told.check[slo][i].candidate.x;
		sum.stable.n += told.check[slo][i].stable.n;
		sum.stable.x += told.check[slo][i].stable.x;
	}
	return sum;
}

/* The first check of those that began at most so long ago: each did when the
 * one before it was counted. */
static size_t first_since(int slo, int64_t ms)
{
	size_t i = told.n[slo] - 1;
	int64_t end_ms = told.at_ms[slo][i];

	while (i > 1 && end_ms - told.at_ms[slo][i - 2] <= ms)
		i--;
	return i;
}

/* Of the last two minutes, or of the step when these are few. */
static struct evidence_arms recent(int slo)
{
	struct evidence_arms sum = add(slo, first_since(slo, RECENT_MS));

	return sum.candidate.n < 100 ? add(slo, told.step_from[slo]) : sum;
}

static int setup(void **state)
{
	(void)state;
	memset(&told, 0, sizeof(told));
	evidence_fixture_init(&fixture, 3);
	fixture.world.fed = fed;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	evidence_fixture_fini(&fixture);
	return 0;
}

static double share(const struct request_sum *t)
{
	return 100 * t->x / t->n;
}

static void expect_in_reason(const char *part)
{
	if (!strstr(fixture.world.rollout.reason, part))
		fail_msg("\"%s\" is not in \"%s\"", part,
			fixture.world.rollout.reason);
}

/* ---- against the candidate ---- */

static void a_breach_says_how_many_and_how_often_that_is_chance(void **state)
{
	struct evidence_arms arms;

	(void)state;
	fixture.rate = 20;
	fixture.candidate.errors = 0.02;
	fixture.stable.errors = 0.004;
	evidence_fixture_begin(&fixture);
	evidence_fixture_run_s(&fixture, 7200);
	arms = recent(0);
	snprintf(text, sizeof(text),
		"errors: candidate %.2g %% (%.0f of %.0f), stable %.2g %% "
		"(%.0f of",
		share(&arms.candidate), arms.candidate.x, arms.candidate.n,
		share(&arms.stable), arms.stable.x);
	expect_in_reason(text);
	snprintf(text, sizeof(text),
		", %.2g times as many; a candidate as good as stable shows "
		"this in 1 of %.0f rollouts (limit: 1 of 20)",
		share(&arms.candidate) / share(&arms.stable), exp(told.log_e));
	expect_in_reason(text);
}

static void a_shift_is_told_as_one(void **state)
{
	struct evidence_arms arms;

	(void)state;
	fixture.candidate.slower = 1.6;
	evidence_fixture_begin(&fixture);
	evidence_fixture_run_s(&fixture, 7200);
	arms = recent(1);
	/* The heaviest alternative is the one that is nearest: 1.1 x 1.6. */
	snprintf(text, sizeof(text),
		"latency: slower: %.*f %% of the candidate's requests take "
		"more than 500ms, stable %.2g %%; its whole distribution is "
		"shifted by about +76 %%; a candidate as good",
		share(&arms.candidate) >= 9.95 ? 0 : 1, share(&arms.candidate),
		share(&arms.stable));
	expect_in_reason(text);
}

/* The sentence that people read; in `text`. */
static const char *summed_up(void)
{
	struct summary_source source = {.policy = &fixture.test.policy,
		.rollout = &fixture.world.rollout,
		.id = "shop-1",
		.service = "shop",
		.candidate = "new",
		.stable = "old",
		.starter = "alice",
		.now_ms = fixture.world.now_ms};
	struct arena arena;

	arena_init(&arena);
	snprintf(text, sizeof(text), "%s", summary_make(&source, &arena)->now);
	arena_fini(&arena);
	return text;
}

static void without_a_control_stable_is_asked(void **state)
{
	struct evidence_arms arms;

	(void)state;
	evidence_fixture_begin(&fixture);
	evidence_fixture_reach(&fixture, 100);
	evidence_fixture_run_s(&fixture, 60);
	fixture.candidate.errors = fixture.stable.errors = 0.2;
	while (fixture.world.rollout.step == 2)
		evidence_fixture_run_s(&fixture, 1);
	arms = recent(0);
	snprintf(text, sizeof(text), "errors: candidate %.2g %% (%.0f of ",
		share(&arms.candidate), arms.candidate.x);
	expect_in_reason(text);
	expect_in_reason("more than is normal (");
	expect_in_reason("; there is nothing to compare with: back to 10 % to "
			 "ask stable; if stable has it too, the rollout goes "
			 "on by itself");
	assert_true(strncmp(summed_up(), "Stepped back: errors: candidate ",
			    strlen("Stepped back: errors: candidate ")) == 0);
}

/* ---- for it ---- */

/* At 500 requests/s 10 bad ones are so few that all of the objective is to be
 * shown at once; at 5/s, the history's rate, 10 within a minute at 50 % are 6.7 %
 * of them. */
static void a_passed_step_says_what_it_has_shown(void **state)
{
	(void)state;
	evidence_fixture_begin(&fixture);
	evidence_fixture_reach(&fixture, 50);
	assert_non_null(strstr(told.passed, "step 1 has passed after "));
	assert_non_null(strstr(told.passed,
		": errors is below 1 %, and not twice stable's; latency is "
		"below 5 %, and not twice stable's (95 % sure)"));
	evidence_fixture_run_s(&fixture, 20);
	assert_non_null(strstr(summed_up(),
		"; no SLO is against it so far; errors: candidate "));
}

static void a_step_that_costs_little_says_how_little(void **state)
{
	(void)state;
	fixture.rate = 5;
	fixture.histories[0].seconds *= 10;
	fixture.histories[1].seconds *= 10;
	snprintf(text, sizeof(text),
		"errors is to be below %.2g %%: more would cost at most 10 "
		"requests at 50 %%; latency is to be below %.0f %%: more would "
		"cost at most 50 slow requests at 50 %%",
		100 * 10 / (5 * 0.5 * 60), 100 * 50 / (5 * 0.5 * 60));
	evidence_fixture_begin(&fixture);
	evidence_fixture_reach(&fixture, 10);
	evidence_fixture_run_s(&fixture, 10);
	assert_string_equal(told.aim, text);
}

/* ---- two minutes ---- */

static bool is_of(const struct evidence_arms *a, const struct evidence_arms *b)
{
	return a->candidate.n == b->candidate.n &&
	       a->candidate.x == b->candidate.x && a->stable.n == b->stable.n &&
	       a->stable.x == b->stable.x;
}

/* Counted once more, the requests are those of the checks from one on that began
 * at most two minutes ago, and not much later. */
static void expect_two_minutes(int interval_s)
{
	const struct evidence_memory *memory = fixture.world.rollout.evidence;
	struct evidence_arms said = evidence_recent(&memory->slo[0]), sum;
	size_t from = first_since(0, RECENT_MS);
	size_t upto = first_since(0, interval_s < 15 ? 100000 : RECENT_MS);

	for (; from <= upto; from++) {
		sum = add(0, from);
		if (is_of(&sum, &said))
			return;
	}
	fail_msg("every %d s: the last two minutes have %.0f requests and not "
		 "%.0f",
		interval_s, sum.candidate.n, said.candidate.n);
}

static void the_last_two_minutes_are_so_at_every_interval(void **state)
{
	static const int intervals_s[] = {5, 6, 7, 8, 10, 15, 20, 30, 60};
	size_t i, k;

	(void)state;
	for (i = 0; i < sizeof(intervals_s) / sizeof(intervals_s[0]); i++) {
		teardown(NULL);
		setup(NULL);
		fixture.rate = 500; /* the step alone is never told of */
		fixture.test.slos[0].interval_ms = intervals_s[i] * 1000;
		fixture.test.slos[1].interval_ms = intervals_s[i] * 1000;
		evidence_fixture_begin(&fixture);
		evidence_fixture_run_s(&fixture, 130);
		for (k = 0; k < 100; k++) {
			evidence_fixture_run_s(&fixture, 5);
			expect_two_minutes(intervals_s[i]);
		}
	}
}

/* ---- undecided ---- */

/* The numbers of the plan: 10 times 0.1 % at 5 requests/s, 10 % of them and two
 * objectives are found nine of ten times within 2610 s, with phi 1.1. */
static void an_undecided_step_says_how_much_is_missing(void **state)
{
	struct check_counts counts = {.bins = 2};
	struct evidence_memory *memory;
	double n = 412, checks = 55;
	int i;

	(void)state;
	fixture.test.steps[1].percent = 100;
	fixture.test.policy.n_steps = 2;
	fixture.histories[0].dispersion = (struct dispersion){1.1, 1.1, 1.1};
	memory =
		evidence_memory_new(&fixture.test.policy, fixture.histories, 2);
	evidence_memory_begin_step(memory, &fixture.test.policy, 0);
	counts.candidate.known = counts.stable.known = true;
	for (i = 0; i < checks; i++) {
		counts.candidate.bin[1] = i == 20;
		counts.candidate.bin[0] = n / checks - (i == 20);
		counts.stable.bin[0] = 9 * n / checks * 0.999;
		counts.stable.bin[1] = 9 * n / checks * 0.001;
		evidence_memory_take(memory, &fixture.test.policy,
			&memory->slo[0], &counts, i * 15000);
	}
	evidence_memory_tell(memory);
	assert_non_null(evidence_print_missing(memory, &memory->slo[0], text));
	assert_string_equal(text,
		"undecided: 412 requests and 1 error; telling 1 % from 0.1 % "
		"takes about 900 more, 30 min at this rate");
	free(memory);
}

static void a_step_that_waits_for_stable_says_so(void **state)
{
	const struct evidence_memory *memory;
	double n = 0, x = 0, kept = exp(-15.0 / 120);
	char missing[ROLLOUT_TEXT_MAX];
	size_t i;

	(void)state;
	evidence_fixture_begin(&fixture);
	evidence_fixture_reach(&fixture, 50);
	fixture.candidate.errors = fixture.stable.errors = 0.03;
	evidence_fixture_run_s(&fixture, 480);
	assert_int_equal(fixture.world.serving.candidate, 50);
	for (i = 0; i < told.n[0]; i++) {
		if (told.check[0][i].stable.n <= 0)
			continue;
		n = n * kept + told.check[0][i].stable.n;
		x = x * kept + told.check[0][i].stable.x;
	}
	memory = fixture.world.rollout.evidence;
	assert_non_null(
		evidence_print_missing(memory, &memory->slo[0], missing));
	snprintf(text, sizeof(text),
		"waiting: stable has errors itself (%.2g %%, normal ",
		100 * x / n);
	assert_non_null(strstr(missing, text));
	assert_non_null(strstr(missing, "; no step to a share without a "
					"control before it is calm"));
}

/* ---- meters ---- */

static void meters_are_full_where_it_is_decided(void **state)
{
	struct evidence_memory *memory;

	(void)state;
	evidence_fixture_begin(&fixture);
	evidence_fixture_run_s(&fixture, 100);
	memory = fixture.world.rollout.evidence;
	memory->slo[0].numbers.log_e = 1.25;
	memory->slo[0].numbers.log_pass = -0.3;
	evidence_print_meters(memory, &memory->slo[0], text);
	/* ln(2 / 0.05) and ln(1 / 0.05) */
	assert_string_equal(text, "against 1.2 of 3.7, for 0.0 of 3.0");
}

/* A candidate that is suspected, and what is known of it. */
static void suspect(void)
{
	evidence_fixture_begin(&fixture);
	evidence_fixture_run_s(&fixture, 200);
	fixture.world.rollout.evidence->slo[0].numbers.log_e = 2.5;
	fixture.world.rollout.evidence->slo[0].numbers.log_pass = -0.3;
}

static void the_live_view_has_meters(void **state)
{
	struct evidence_arms arms;
	struct arena arena;
	struct summary_source source = {.policy = &fixture.test.policy,
		.rollout = &fixture.world.rollout,
		.id = "shop-1",
		.service = "shop",
		.candidate = "new",
		.stable = "old"};
	struct panel panel = {.policy = &fixture.test.policy,
		.service = "shop",
		.columns = 120,
		.rows = 24,
		.selected = -1};
	struct buf out;

	(void)state;
	fixture.candidate.errors = 0.004;
	suspect();
	arms = recent(0);
	source.now_ms = fixture.world.now_ms;
	arena_init(&arena);
	panel.summary = summary_make(&source, &arena);
	buf_init(&out, 65536);
	panel_render(&panel, &out);
	snprintf(text, sizeof(text), "errors        %.3g %%",
		share(&arms.candidate));
	assert_non_null(strstr(out.data, text));
	assert_non_null(strstr(out.data, "against 2.5 of 3.7, for 0.0 of 3.0"));
	buf_fini(&out);
	arena_fini(&arena);
}

/* tidegate(1) has what comes after this. */
static char *manual_after(const char *begin)
{
	static char page[256 * 1024];
	const char *top = getenv("srcdir");
	char path[256], *from;
	FILE *file;
	size_t len;

	snprintf(path, sizeof(path), "%s/contrib/man/tidegate.1",
		top ? top : ".");
	file = fopen(path, "r");
	assert_non_null(file);
	len = fread(page, 1, sizeof(page) - 1, file);
	fclose(file);
	page[len] = '\0';
	from = strstr(page, begin);
	assert_non_null(from);
	return from;
}

static void expect_members_described(json_t *value, const char *manual)
{
	const char *name;
	char word[64];
	json_t *inner;

	json_object_foreach(value, name, inner) {
		snprintf(word, sizeof(word), ".Li %s\n", name);
		if (!strstr(manual, word)) {
			snprintf(word, sizeof(word), ".Li %s ,\n", name);
			if (!strstr(manual, word))
				fail_msg("tidegate(1) lacks \"%s\"", name);
		}
		expect_members_described(inner, manual);
	}
}

/* Every member that the status has of evidence is in the manual. */
static void expect_described(const char *status)
{
	json_t *root = json_loads(status, 0, NULL);
	json_t *slo = json_array_get(json_object_get(root, "slos"), 0);
	char *manual = manual_after(".Li evidence\nis what an SLO");
	json_t *evidence = json_object_get(slo, "evidence");

	assert_int_equal(json_object_size(evidence), 6);
	*strstr(manual, ".It Cm list") = '\0';
	expect_members_described(evidence, manual);
	json_decref(root);
}

static void the_status_has_them_as_numbers(void **state)
{
	struct rollout_snapshot snapshot = {.policy = &fixture.test.policy,
		.row = {.id = "shop-1",
			.service = "shop",
			.candidate = "new",
			.stable = "old",
			.policy_name = "p",
			.starter = "alice"}};
	struct evidence_arms arms;
	struct buf out;

	(void)state;
	suspect();
	arms = recent(0);
	snapshot.fold.state = fixture.world.rollout;
	buf_init(&out, 65536);
	status_json_print(&snapshot, NULL, fixture.world.now_ms, &out);
	assert_non_null(strstr(
		out.data, "\"against\":{\"now\":2.5,\"full\":3.688879454"));
	assert_non_null(
		strstr(out.data, "\"for\":{\"now\":0,\"full\":2.995732273"));
	snprintf(text, sizeof(text),
		"\"candidate\":{\"requests\":%.0f,\"bad\":%.0f},\"stable\":{"
		"\"requests\":%.0f,\"bad\":%.0f}",
		arms.candidate.n, arms.candidate.x, arms.stable.n,
		arms.stable.x);
	assert_non_null(strstr(out.data, text));
	expect_described(out.data);
	buf_fini(&out);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_breach_says_how_many_and_how_often_that_is_chance),
		T(a_shift_is_told_as_one),
		T(without_a_control_stable_is_asked),
		T(a_passed_step_says_what_it_has_shown),
		T(a_step_that_costs_little_says_how_little),
		T(the_last_two_minutes_are_so_at_every_interval),
		T(an_undecided_step_says_how_much_is_missing),
		T(a_step_that_waits_for_stable_says_so),
		T(the_live_view_has_meters),
		T(the_status_has_them_as_numbers),
		T(meters_are_full_where_it_is_decided),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
