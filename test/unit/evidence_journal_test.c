/* SPDX-License-Identifier: Apache-2.0 */
/* What a journal says about evidence is all that is needed to decide again. */
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

#include "evidence_fixture.h"
#include "evidence_reference.h"
#include "journal_fixture.h"
#include "report/report.h"
#include "store/fold.h"

#define TOLERANCE 1e-9

static struct evidence_fixture fixture;
static struct journal_fixture journal;
static char folder[64];

static int setup(void **state)
{
	char path[96];

	(void)state;
	evidence_fixture_init(&fixture, 7);
	strcpy(folder, "/tmp/evidence_journal.XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/db", folder);
	journal_fixture_open(&journal, path, "shop-1", "", 0);
	journal_fixture_attach(&journal, &fixture.world);
	return 0;
}

static int teardown(void **state)
{
	char command[96];

	(void)state;
	journal_fixture_close(&journal);
	evidence_fixture_fini(&fixture);
	snprintf(command, sizeof(command), "rm -r %s", folder);
	return system(command);
}

/* ---- the journal, decided again ---- */

struct replayed {
	struct reference reference;
	bool begun;
	int checks, decisions; /* compared; other than "continue" */
	double last[2][2], last_log_e; /* of errors: requests, bad; both arms */
	char told[256]; /* the decisions, each once in a row */
};

static double number(const json_t *of, const char *key)
{
	const json_t *value = json_object_get(of, key);

	if (!json_is_number(value))
		fail_msg("no number \"%s\"", key);
	return json_number_value(value);
}

static int slo_of(const json_t *of)
{
	const char *name = json_string_value(json_object_get(of, "slo"));

	for (size_t i = 0; name && i < fixture.test.policy.n_slos; i++)
		if (!strcmp(fixture.test.slos[i].name, name))
			return (int)i;
	fail_msg("no SLO");
	return -1;
}

static int bins_of(const json_t *list, double bins_r[REFERENCE_BINS])
{
	int n = (int)json_array_size(list);

	assert_true(n <= REFERENCE_BINS);
	for (int i = 0; i < n; i++)
		bins_r[i] = json_number_value(json_array_get(list, (size_t)i));
	return n;
}

static void take_spec(struct reference_slo *s, const json_t *spec)
{
	s->latency = json_object_get(spec, "bound") != NULL;
	s->objective = number(spec, "objective");
	s->tolerance = number(spec, "tolerance");
	s->floor = number(spec, "floor");
	s->past_n = number(spec, "requests");
	s->past_x = number(spec, "bad");
	s->phi = number(spec, "phi");
	s->phi_level = number(spec, "phi_level");
	s->phi_shape = number(spec, "phi_shape");
	s->bins = s->latency ? 0 : 2;
	s->bound = 0;
}

static void take_bounds(
	struct reference_slo *s, const json_t *spec, const json_t *le)
{
	double bounds[REFERENCE_BINS];

	s->bins = bins_of(le, bounds) + 1;
	while (bounds[s->bound] < number(spec, "bound"))
		s->bound++;
}

static void take_preflight(struct replayed *to, const json_t *root)
{
	const json_t *rules = json_object_get(root, "evidence"), *item;
	const json_t *slos = json_object_get(rules, "slos");
	struct reference *r = &to->reference;
	size_t i;

	r->alpha = number(rules, "alpha");
	r->beta = number(rules, "beta");
	r->check_s = number(rules, "check_s");
	r->step_back = json_is_true(json_object_get(rules, "step_back"));
	r->n = (int)number(rules, "objectives");
	assert_int_equal(r->n, json_array_size(slos));
	json_array_foreach(slos, i, item) {
		take_spec(&r->slo[i], item);
	}
	json_array_foreach(json_object_get(root, "history"), i, item) {
		struct reference_slo *s = &r->slo[slo_of(item)];
		const json_t *le = json_object_get(item, "le");

		if (!le)
			continue;
		take_bounds(s, json_array_get(slos, i), le);
		bins_of(json_object_get(item, "buckets"), s->histogram);
	}
	reference_climb(r);
	to->begun = true;
}

/* After a step back, after what was only observed, and when a person overruled
 * it the evidence begins anew. A step back that was only observed is a cross. */
static void climb_to(struct reference *r, int climb)
{
	if (climb > r->climb) {
		r->failed = false;
		r->decision = NULL;
		reference_climb(r);
	} else if (r->decision && !strcmp(r->decision, "step-back")) {
		r->failed = true;
	}
}

static void take_step(struct replayed *to, const json_t *root)
{
	bool final = json_is_true(json_object_get(root, "final"));
	struct reference *r = &to->reference;
	const json_t *item;
	size_t i;

	climb_to(r, (int)number(root, "climb"));
	json_array_foreach(json_object_get(root, "limits"), i, item) {
		reference_begin(r, slo_of(item), number(item, "share"),
			number(item, "limit"), final);
		assert_true(fabs(r->slo[i].level - number(item, "below")) <
			    TOLERANCE);
		assert_true(
			fabs(r->slo[i].low - number(item, "low")) < TOLERANCE);
	}
}

static void expect(int64_t seq, const json_t *of, const char *key, double value)
{
	double said = number(of, key);

	if (fabs(said - value) > TOLERANCE * fmax(1, fabs(value)))
		fail_msg("entry %lld: %s is %.17g, recomputed %.17g",
			(long long)seq, key, said, value);
}

static void expect_truth(
	int64_t seq, const json_t *of, const char *key, bool value)
{
	if (json_is_true(json_object_get(of, key)) != value)
		fail_msg(
			"entry %lld: %s is not %d", (long long)seq, key, value);
}

static void expect_all(struct replayed *to, int64_t seq, const json_t *all)
{
	const char *said = json_string_value(json_object_get(all, "decision"));
	const struct reference *r = &to->reference;
	size_t len = strlen(to->told);

	expect(seq, all, "log_e", r->log_e);
	expect(seq, all, "log_pass", r->log_pass);
	expect_truth(seq, all, "calm", r->calm);
	if (strcmp(said, r->decision) != 0)
		fail_msg("entry %lld: \"%s\", recomputed \"%s\"",
			(long long)seq, said, r->decision);
	if (!strcmp(said, "continue"))
		return;
	to->decisions++;
	if (len < strlen(said) ||
		strcmp(to->told + len - strlen(said), said) != 0)
		snprintf(to->told + len, sizeof(to->told) - len, " %s", said);
}

static void take_counts(struct replayed *to, int64_t seq, const json_t *root)
{
	const json_t *said = json_object_get(root, "evidence");
	const json_t *counts = json_object_get(root, "counts");
	const json_t *c = json_object_get(counts, "candidate");
	const json_t *st = json_object_get(counts, "stable");
	double candidate[REFERENCE_BINS], stable[REFERENCE_BINS];
	struct reference *r = &to->reference;
	int slo = slo_of(root);
	struct reference_slo *s = &r->slo[slo];

	reference_check(r, slo, bins_of(c, candidate) ? candidate : NULL,
		bins_of(st, stable) ? stable : NULL);
	expect(seq, said, "log_e", s->log_e);
	expect(seq, said, "ratio", s->ratio);
	expect(seq, said, "level", s->abs);
	if (s->latency)
		expect(seq, said, "shape", s->curve);
	expect(seq, said, "log_pass", s->log_pass);
	expect_truth(seq, said, "calm", s->calm);
	to->checks++;
	if (slo != 0)
		return;
	to->last[0][0] = candidate[0] + candidate[1];
	to->last[0][1] = candidate[1];
	to->last[1][0] = stable[0] + stable[1];
	to->last[1][1] = stable[1];
	to->last_log_e = s->log_e;
}

static void take_check(struct replayed *to, int64_t seq, const json_t *root)
{
	const json_t *said = json_object_get(root, "evidence");
	const json_t *all = json_object_get(said, "all");

	if (!said)
		return; /* it was not taken */
	climb_to(&to->reference, (int)number(said, "climb"));
	if (json_object_get(said, "log_e"))
		take_counts(to, seq, root);
	if (!all)
		return;
	reference_decide(&to->reference);
	expect_all(to, seq, all);
}

static int replay_entry(
	const struct store_event *entry, void *arg, struct err *err_r)
{
	json_t *root = json_loads(entry->data, 0, NULL);
	struct replayed *to = arg;

	(void)err_r;
	assert_non_null(root);
	if (!strcmp(entry->name, "preflight"))
		take_preflight(to, root);
	else if (!strcmp(entry->name, "evidence"))
		take_step(to, root);
	else if (!strcmp(entry->name, "check") && to->begun)
		take_check(to, entry->seq, root);
	json_decref(root);
	return 0;
}

static struct replayed replay(void)
{
	struct replayed to = {.begun = false};
	struct err err;

	assert_int_equal(store_each_event(journal.store, "shop-1", 0,
				 replay_entry, &to, &err),
		0);
	return to;
}

static void expect_replayed(int checks_min, const char *told)
{
	struct replayed to = replay();

	assert_true(to.checks >= checks_min);
	assert_string_equal(to.told, told);
}

/* ---- rollouts ---- */

static void a_good_release_is_decided_again(void **state)
{
	(void)state;
	evidence_fixture_begin(&fixture);
	evidence_fixture_run_s(&fixture, 3600);
	assert_int_equal(fixture.world.rollout.phase, PHASE_PROMOTED);
	expect_replayed(40, " pass");
}

static void errors_are_decided_again(void **state)
{
	(void)state;
	fixture.candidate.errors = 0.02;
	evidence_fixture_begin(&fixture);
	evidence_fixture_run_s(&fixture, 3600);
	assert_int_equal(fixture.world.rollout.phase, PHASE_ROLLED_BACK);
	expect_replayed(6, " fail");
}

static void slow_requests_are_decided_again(void **state)
{
	(void)state;
	fixture.candidate.slower = 1.8;
	evidence_fixture_begin(&fixture);
	evidence_fixture_run_s(&fixture, 3600);
	assert_int_equal(fixture.world.rollout.phase, PHASE_ROLLED_BACK);
	assert_int_equal(fixture.world.rollout.failed_slo, 1);
	expect_replayed(6, " fail");
}

/* Both arms are missing now and then, and stable for a while. */
static void missing_arms_are_decided_again(void **state)
{
	(void)state;
	evidence_fixture_begin(&fixture);
	for (int i = 0; i < 40; i++) {
		fixture.candidate.silent = i % 5 == 1;
		fixture.stable.silent = i % 7 < 3;
		evidence_fixture_run_s(&fixture, 20);
	}
	fixture.candidate.silent = fixture.stable.silent = false;
	fixture.candidate.errors = 0.05;
	evidence_fixture_run_s(&fixture, 3600);
	assert_int_equal(fixture.world.rollout.phase, PHASE_ROLLED_BACK);
	assert_true(replay().checks > 60);
}

static void a_step_back_is_decided_again(void **state)
{
	(void)state;
	evidence_fixture_begin(&fixture);
	evidence_fixture_reach(&fixture, 100);
	fixture.candidate.errors = fixture.stable.errors = 0.1;
	evidence_fixture_reach(&fixture, 10);
	evidence_fixture_run_s(&fixture, 120);
	fixture.candidate.errors = fixture.stable.errors = 0.001;
	evidence_fixture_run_s(&fixture, 2 * 3600);
	assert_int_equal(fixture.world.rollout.phase, PHASE_PROMOTED);
	expect_replayed(60, " pass step-back pass");
}

static void what_was_only_observed_is_decided_again(void **state)
{
	(void)state;
	fixture.test.policy.on_breach = ON_BREACH_OBSERVE;
	fixture.candidate.errors = 0.03;
	evidence_fixture_begin(&fixture);
	evidence_fixture_run_s(&fixture, 2 * 3600);
	assert_int_equal(fixture.world.rollout.phase, PHASE_PROMOTED);
	assert_true(replay().decisions > 20);
}

static void what_was_overruled_is_decided_again(void **state)
{
	(void)state;
	fixture.test.policy.on_breach = ON_BREACH_HOLD;
	fixture.test.policy.hold_timeout_ms = 3600000;
	fixture.candidate.errors = 0.03;
	evidence_fixture_begin(&fixture);
	evidence_fixture_run_s(&fixture, 300);
	assert_int_equal(fixture.world.rollout.phase, PHASE_HELD);
	fixture.candidate.errors = 0.001;
	world_command(&fixture.world, VERB_CONTINUE, "alice");
	evidence_fixture_run_s(&fixture, 2 * 3600);
	assert_int_equal(fixture.world.rollout.phase, PHASE_PROMOTED);
	expect_replayed(60, " fail pass");
}

/* At 100 %, where the first cross would go a step back. */
static void what_is_held_at_the_end_is_decided_again(void **state)
{
	(void)state;
	fixture.test.policy.on_breach = ON_BREACH_HOLD;
	fixture.test.policy.hold_timeout_ms = 3600000;
	evidence_fixture_one_slo(&fixture);
	evidence_fixture_begin(&fixture);
	evidence_fixture_reach(&fixture, 100);
	fixture.candidate.errors = 0.2;
	while (fixture.world.rollout.phase != PHASE_HELD)
		evidence_fixture_run_s(&fixture, 1);
	fixture.candidate.errors = 0.001;
	world_command(&fixture.world, VERB_CONTINUE, "alice");
	evidence_fixture_run_s(&fixture, 2 * 3600);
	assert_int_equal(fixture.world.rollout.phase, PHASE_PROMOTED);
	expect_replayed(30, " pass step-back pass");
}

/* Without a history the first counts say which buckets there are. */
static void a_release_without_history_is_decided_again(void **state)
{
	(void)state;
	fixture.world.n_histories = 0;
	evidence_fixture_one_slo(&fixture);
	fixture.world.n_histories = 0;
	fixture.candidate.errors = 0.03;
	evidence_fixture_begin(&fixture);
	evidence_fixture_run_s(&fixture, 3600);
	assert_int_equal(fixture.world.rollout.phase, PHASE_ROLLED_BACK);
	expect_replayed(3, " fail");
}

/* ---- the report ---- */

static void a_report_has_the_counts_that_decided(void **state)
{
	struct replayed to;
	struct report *report;
	char row[128];
	struct err err;
	struct buf out;

	(void)state;
	fixture.candidate.errors = 0.02;
	evidence_fixture_begin(&fixture);
	evidence_fixture_run_s(&fixture, 3600);
	to = replay();
	report = report_load(
		journal.store, "shop-1", &fixture.test.policy, &err);
	assert_non_null(report);
	buf_init(&out, REPORT_BYTES_MAX);
	report_write(report, PAGE_MARKDOWN, &out);
	snprintf(row, sizeof(row), "| %.0f of %.0f | %.0f of %.0f | %.2f |",
		to.last[0][1], to.last[0][0], to.last[1][1], to.last[1][0],
		to.last_log_e);
	if (!strstr(out.data, row))
		fail_msg("no \"%s\" in %s", row, out.data);
	/* How full the meters are, and what the policy was to find. */
	snprintf(row, sizeof(row), "- against: %.1f of ", to.last_log_e);
	assert_non_null(strstr(out.data, row));
	assert_non_null(strstr(out.data, "### What was planned"));
	assert_non_null(strstr(out.data, "- requests of the candidate: "));
	assert_non_null(strstr(out.data, "- decided by: errors (an SLO)"));
	/* The plan of the step, when it began. */
	assert_non_null(strstr(out.data, "errors is to be below "));
	buf_fini(&out);
	report_free(&report);
}

/* ---- the fold ---- */

static void a_journal_folded_twice_is_the_same_bit_by_bit(void **state)
{
	struct fold fold[2];
	struct err err;

	(void)state;
	evidence_fixture_begin(&fixture);
	evidence_fixture_reach(&fixture, 100);
	evidence_fixture_run_s(&fixture, 300);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(fold_rollout(journal.store, "shop-1",
					 &fixture.test.policy, &fold[i], &err),
			0);
		assert_int_equal(fold[i].differs_seq, 0);
		journal_fixture_expect_evidence(
			fixture.world.rollout.evidence, fold[i].state.evidence);
	}
	for (int i = 0; i < 2; i++)
		fold_fini(&fold[i]);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_good_release_is_decided_again),
		T(errors_are_decided_again),
		T(slow_requests_are_decided_again),
		T(missing_arms_are_decided_again),
		T(a_step_back_is_decided_again),
		T(what_was_only_observed_is_decided_again),
		T(what_was_overruled_is_decided_again),
		T(what_is_held_at_the_end_is_decided_again),
		T(a_release_without_history_is_decided_again),
		T(a_report_has_the_counts_that_decided),
		T(a_journal_folded_twice_is_the_same_bit_by_bit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
