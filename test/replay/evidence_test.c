/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SLOs of kind evidence, driver and all: a rollout that lives, what is recorded
 * of its journal, and the simulation of that recording decide the same at the
 * same check.
 */
#include <stdlib.h>
#include <string.h>

#include "fake_counters.h"
#include "fake_monitoring.h"
#include "retold.h"
#include "scenario_test.h"
#include "store/event_codec.h"

#define CHECKS_MAX 2048

static const char steps[] = "steps:\n"
			    "  - {percent: 10, bake: 10m}\n"
			    "  - {percent: 50, bake: 10m}\n"
			    "  - {percent: 100, bake: 10m}\n"
			    "settle: 0s\n"
			    "hold_timeout: 2h\n";

/* What the checks of a rollout found, and what was decided after each. */
struct course {
	struct {
		struct answer value; /* of a threshold */
		bool counted;
		struct check_counts counts;
	} check[CHECKS_MAX];
	size_t n;
	char phases[1024]; /* with the number of checks before each */
	struct slo_history history;
};

static struct course lived, simulated;

static void add_check(struct course *c, const struct event *event)
{
	assert_true(c->n < CHECKS_MAX);
	c->check[c->n].value = event->answers.item[QUERY_VALUE];
	c->check[c->n].counted = event->answers.counts != NULL;
	if (event->answers.counts)
		c->check[c->n].counts = *event->answers.counts;
	c->n++;
}

static void add_phase(struct course *c, const char *phase)
{
	size_t len = strlen(c->phases);

	snprintf(c->phases + len, sizeof(c->phases) - len, "%s after %zu\n",
		phase, c->n);
}

/* ---- what lived ---- */

static void take_entry(struct course *c, const struct fake_entry *entry)
{
	struct arena arena;
	struct event event;
	struct err err;
	char to[64];

	if (entry->is_note && strcmp(entry->name, "phase") == 0) {
		const char *at = strstr(entry->data, "\"to\":\"");

		assert_non_null(at);
		snprintf(to, sizeof(to), "%.*s", (int)strcspn(at + 6, "\""),
			at + 6);
		add_phase(c, to);
		return;
	}
	if (entry->is_note || (strcmp(entry->name, "check") != 0 &&
				      strcmp(entry->name, "preflight") != 0))
		return;
	arena_init(&arena);
	if (event_decode(entry->name, entry->data, policy_given(), &arena,
		    &event, &err) < 0)
		fail_msg("%s", err.text);
	if (event.type == EVENT_CHECK)
		add_check(c, &event);
	else if (event.n_histories)
		c->history = event.histories[0];
	arena_fini(&arena);
}

static void read_journal(struct course *c)
{
	struct fake_entry entry;
	size_t i;

	*c = (struct course){.n = 0};
	for (i = 0; i < fake_store_entries(); i++) {
		entry = fake_store_entry(i);
		take_entry(c, &entry);
	}
}

/* ---- and what is simulated of it ---- */

static void take_retold(const struct event *event, const struct note *note)
{
	struct course *c = &simulated;

	if (note && note->type == NOTE_PHASE)
		add_phase(c, phase_name(note->to));
	if (note)
		return;
	if (event->type == EVENT_CHECK)
		add_check(c, event);
	if (event->type == EVENT_PREFLIGHT && event->n_histories)
		c->history = event->histories[0];
}

static void simulate(void)
{
	const char *wrong;

	simulated = (struct course){.n = 0};
	wrong = retell(policy_given(), fake_store_newest(),
		FAKE_EPOCH_MS + fake_now() + HOUR, take_retold);
	if (wrong)
		fail_msg("%s", wrong);
}

static bool are_alike(const struct answer *a, const struct answer *b)
{
	return a->kind == b->kind && a->partial == b->partial &&
	       (a->kind != ANSWER_VALUE || a->value == b->value);
}

static void expect_checks_alike(void)
{
	size_t i;

	assert_memory_equal(
		&lived.history, &simulated.history, sizeof(lived.history));
	for (i = 0; i < lived.n && i < simulated.n; i++) {
		if (!are_alike(
			    &lived.check[i].value, &simulated.check[i].value))
			fail_msg("check %zu was answered otherwise", i);
		assert_int_equal(
			lived.check[i].counted, simulated.check[i].counted);
		if (memcmp(&lived.check[i].counts, &simulated.check[i].counts,
			    sizeof(lived.check[i].counts)) != 0)
			fail_msg("check %zu counted something else", i);
	}
}

static void expect_alike(void)
{
	read_journal(&lived);
	simulate();
	expect_checks_alike();
	assert_string_equal(lived.phases, simulated.phases);
	assert_int_equal(lived.n, simulated.n);
}

/* What came after a step back was not recorded. */
static void expect_alike_up_to_a_step_back(void)
{
	read_journal(&lived);
	simulate();
	expect_checks_alike();
	assert_true(simulated.n > 0 && simulated.n < lived.n);
	if (strncmp(lived.phases, simulated.phases, strlen(simulated.phases)))
		fail_msg("%s!=\n%s", lived.phases, simulated.phases);
}

static void begin(const char *more)
{
	given_policy(steps, "pace: evidence\n", slo_counted, more, NULL);
	fake_counters_open(50);
	run();
}

static void a_good_release_ends_its_steps_on_evidence(void **state)
{
	begin(NULL);
	until_the_end();
	expect_exit(0);
	expect_serving(FAKE_NEW, 100);
	/* Fixed steps would take half an hour. */
	assert_true(fake_now() < 20 * MINUTE);
	expect_alike();
	assert_true(lived.history.seconds == 3600);
	assert_true(lived.history.past.n > 49.9 * 3600);
}

static void ten_times_the_errors_go_back(void **state)
{
	begin(NULL);
	fake_counters_errors(FAKE_NEW, 0.01);
	until_the_end();
	expect_exit(5);
	expect_serving(FAKE_STABLE, 100);
	assert_true(fake_now() < 6 * MINUTE);
	expect_reason("errors: candidate 1 %");
	expect_alike();
}

/* Trouble that comes late, and for both, before it is the candidate's own. */
static void what_both_suffer_is_waited_out(void **state)
{
	begin(NULL);
	until(2 * MINUTE);
	fake_counters_errors(FAKE_NEW, 0.05);
	fake_counters_errors(FAKE_STABLE, 0.05);
	until(6 * MINUTE);
	expect_never_above(50);
	fake_counters_errors(FAKE_STABLE, 0.001);
	until_the_end();
	expect_exit(5);
	expect_alike();
}

/* What came while the metrics were away is counted when they are back. */
static void the_metrics_are_away_for_a_while(void **state)
{
	begin(NULL);
	until(2 * MINUTE);
	fake_counters_away(true);
	until(2 * MINUTE + 40 * SECOND);
	fake_counters_away(false);
	until_the_end();
	expect_exit(0);
	expect_alike();
}

/* At 100 % nobody can tell whose trouble it is: back to 10 %, and up again. */
static void an_incident_at_the_end_steps_back(void **state)
{
	begin(NULL);
	until_step(2);
	fake_counters_errors(FAKE_NEW, 0.2);
	fake_counters_errors(FAKE_STABLE, 0.2);
	until(fake_now() + 2 * MINUTE);
	expect_serving(FAKE_NEW, 10);
	/* The check that decided says by what, not what is left of that. */
	expect_journal("check", "; against 4.");
	fake_counters_errors(FAKE_NEW, 0.001);
	fake_counters_errors(FAKE_STABLE, 0.001);
	until_the_end();
	expect_exit(0);
	expect_alike_up_to_a_step_back();
}

static double counted_by(const struct course *c)
{
	double sum = 0;
	size_t i;

	for (i = 0; i < c->n; i++)
		sum += c->check[i].counts.candidate.bin[0];
	return sum;
}

/* A process that takes over has seen no counter before, so that its first look
 * counts nothing; what it lost is lost to the simulation, too, which checks
 * meanwhile. */
static void a_process_that_died_is_followed(void **state)
{
	begin(NULL);
	until(2 * MINUTE);
	resume_after(20 * SECOND);
	crash();
	until_the_rollout_ends(1);
	expect_exit(0);
	read_journal(&lived);
	simulate();
	assert_non_null(strstr(simulated.phases, "promoted"));
	assert_true(counted_by(&simulated) == counted_by(&lived));
}

/* ---- Google's metrics: each minute, four of them late ---- */

static void begin_by_the_minute(void)
{
	given_policy("steps:\n"
		     "  - {percent: 10, bake: 30m}\n"
		     "  - {percent: 100, bake: 20m}\n"
		     "pace: evidence\n"
		     "evidence: {history: 1h}\n",
		"metrics: {provider: google}\n",
		"slos: [{use: cloud-run/error-rate, kind: evidence}]\n", NULL);
	fake_monitoring_open(500);
	run();
}

static void minutes_of_a_good_release_are_retold(void **state)
{
	begin_by_the_minute();
	until_the_end();
	expect_exit(0);
	expect_alike();
}

static void minutes_of_a_bad_release_are_retold(void **state)
{
	begin_by_the_minute();
	fake_monitoring_errors(FAKE_NEW, 0.01);
	until_the_end();
	expect_exit(5);
	expect_alike();
}

/* ---- thresholds: what Prometheus has forgotten the checks have seen ---- */

static void begin_forgotten(void)
{
	given_policy(
		"steps: [{percent: 10, bake: 3m}, "
		"{percent: 100, bake: 3m}]\n"
		"settle: 20s\n"
		"slos:\n"
		"  - {name: errors, query: 'errors{r=\"{{candidate}}\"}',\n"
		"     interval: 15s, window: 30s, max: 1%}\n",
		NULL);
	run();
}

static void a_breach_is_retold_at_its_check(void **state)
{
	begin_forgotten();
	until(47 * SECOND);
	errors_of(FAKE_NEW, 0.05);
	until_the_end();
	expect_exit(5);
	expect_alike();
}

static void values_that_come_and_go_are_retold(void **state)
{
	begin_forgotten();
	until(47 * SECOND);
	errors_of(FAKE_NEW, 0.05);
	until(62 * SECOND);
	errors_of(FAKE_NEW, 0.005);
	until(100 * SECOND);
	metrics_of(FAKE_NEW, SAYS_NOTHING);
	until(195 * SECOND);
	the_world_heals();
	until_the_end();
	expect_exit(0);
	expect_alike();
}

/* ---- late samples: the first checks ask about the time before ---- */

static void begin_late(const char *keys)
{
	given_policy("metrics: {url: 'http://127.0.0.1:9090', delay: 1m}\n"
		     "steps: [{percent: 100, bake: 2m}]\n"
		     "settle: 2m\n"
		     "slos:\n"
		     "  - {name: errors, scope: service, query: errors,\n"
		     "     interval: 15s, window: 30s, max: 1%, ",
		keys, "}\n", NULL);
	run();
}

static void what_was_critical_before_is_retold(void **state)
{
	begin_late("critical: 10%");
	until(1);
	errors_of("errors", 0.5);
	until_the_end();
	expect_exit(5);
	expect_alike();
}

static void metrics_that_were_away_at_first_are_retold(void **state)
{
	begin_late("critical: 10%");
	until(10 * SECOND);
	metrics_of("errors", SAYS_503);
	until(40 * SECOND);
	the_world_heals();
	until_the_end();
	expect_exit(0);
	expect_alike();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENARIO(a_good_release_ends_its_steps_on_evidence),
		SCENARIO(ten_times_the_errors_go_back),
		SCENARIO(what_both_suffer_is_waited_out),
		SCENARIO(the_metrics_are_away_for_a_while),
		SCENARIO(an_incident_at_the_end_steps_back),
		SCENARIO(a_process_that_died_is_followed),
		SCENARIO(minutes_of_a_good_release_are_retold),
		SCENARIO(minutes_of_a_bad_release_are_retold),
		SCENARIO(a_breach_is_retold_at_its_check),
		SCENARIO(values_that_come_and_go_are_retold),
		SCENARIO(what_was_critical_before_is_retold),
		SCENARIO(metrics_that_were_away_at_first_are_retold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
