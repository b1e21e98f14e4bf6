/*
 * The driver in a world made of paper: loop, store, Cloud Run and Prometheus
 * are replaced by the few lines below, so that time, answers and failures are
 * the test's. The engine, the traffic rules and the templates are real.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "action/action.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "cloudrun/cloudrun.h"
#include "io/loop.h"
#include "jsonapi/jsonapi.h"
#include "live/fleet.h"
#include "live/metrics_pool.h"
#include "live/world.h"
#include "paper_store.h"
#include "prometheus/prometheus.h"

#define T0 INT64_C(1767225600000)

/* ---- time ---- */

struct timer {
	struct timer *next;
	int64_t at_ms;
	loop_fn fn;
	void *arg;
};

static int64_t now_ms;
static int64_t wall_ahead_ms; /* by which the wall clock was set */
static loop_gap_fn gap_fn;
static void *gap_arg;
static struct timer *timers;
static loop_fn deferred_fn;
static void *deferred_arg;

int64_t loop_now(const struct loop *loop)
{
	return now_ms - T0; /* its zero means nothing */
}

int64_t loop_wall_ms(const struct loop *loop)
{
	return now_ms + wall_ahead_ms;
}

struct gap_listener *loop_on_gap(struct loop *loop, loop_gap_fn fn, void *arg)
{
	gap_fn = fn;
	gap_arg = arg;
	return NULL;
}

void loop_gap_cancel(struct gap_listener **listener)
{
	gap_fn = NULL;
}

struct timer *timer_start(
	struct loop *loop, int64_t delay_ms, loop_fn fn, void *arg)
{
	struct timer *timer = xcalloc(1, sizeof(*timer)), **at = &timers;

	timer->at_ms = now_ms + delay_ms;
	timer->fn = fn;
	timer->arg = arg;
	while (*at && (*at)->at_ms <= timer->at_ms)
		at = &(*at)->next;
	timer->next = *at;
	*at = timer;
	return timer;
}

void timer_cancel(struct timer **timer)
{
	for (struct timer **at = &timers; *timer && *at; at = &(*at)->next) {
		if (*at != *timer)
			continue;
		*at = (*timer)->next;
		free(*timer);
		break;
	}
	*timer = NULL;
}

void loop_defer(struct loop *loop, loop_fn fn, void *arg)
{
	deferred_fn = fn;
	deferred_arg = arg;
}

void loop_defer_cancel(struct loop *loop, loop_fn fn, void *arg)
{
	deferred_fn = NULL;
}

static void turn_end(void)
{
	loop_fn fn = deferred_fn;

	deferred_fn = NULL;
	if (fn)
		fn(deferred_arg);
}

/* Runs what is due until `until_ms`, or until nothing is left. */
static void run_until(int64_t until_ms)
{
	struct timer *timer;

	while ((timer = timers) && timer->at_ms <= until_ms) {
		timers = timer->next;
		if (timer->at_ms > now_ms)
			now_ms = timer->at_ms;
		timer->fn(timer->arg);
		free(timer);
		turn_end();
	}
	now_ms = until_ms;
}

static struct driver *driver; /* the one under test */

/* ---- Cloud Run ---- */

struct reply {
	struct timer *timer;
	union {
		cloudrun_service_fn service;
		cloudrun_revision_fn revision;
		cloudrun_write_fn write;
		prometheus_fn sample;
		action_fn action;
	} fn;
	const char *query;
	void *arg;
};

static struct {
	int candidate, other; /* percents */
	bool not_ready, write_hangs;
	int reads, writes, last_written, hurries;
	int64_t written_ms;
} run;

static struct {
	double value;
	bool bad; /* the query does not parse */
	int asked, candidate_asked;
} metrics;

static struct {
	int started, cancelled, captured, renewed, released;
	bool bad, records, knew;
	int64_t lease_ms;
	enum action_result result;
} acts;

/* Nothing may be done that is not durable yet. */
static void assert_durable(void)
{
	if (!store.full && driver_seq(driver))
		assert_int_equal(driver_seq(driver), store.committed);
}

static struct reply *reply_new(loop_fn fn, void *arg)
{
	struct reply *reply = xcalloc(1, sizeof(*reply));

	reply->arg = arg;
	reply->timer = timer_start(NULL, 10, fn, reply);
	return reply;
}

static void reply_cancel(struct reply **reply)
{
	if (!*reply)
		return;
	timer_cancel(&(*reply)->timer);
	free(*reply);
	*reply = NULL;
}

static void add_target(struct service *service, const char *name, int percent)
{
	struct traffic *spec = &service->spec;

	if (percent)
		spec->item[spec->n++] = (struct target){
			.type = TARGET_REVISION,
			.revision = name,
			.percent = percent,
		};
}

static void service_reply(void *arg)
{
	struct reply *reply = arg;
	struct service *service = xcalloc(1, sizeof(*service));

	arena_init(&service->arena);
	service->name = SERVICE;
	service->uri = "https://shop.example";
	service->green = true;
	service->latest_ready = "shop-2";
	service->spec.item =
		arena_alloc(&service->arena, 3 * sizeof(struct target));
	add_target(service, "shop-1", 100 - run.candidate - run.other);
	add_target(service, "shop-2", run.candidate);
	add_target(service, "shop-9", run.other);
	service->statuses = service->spec;
	reply->fn.service(service, NULL, reply->arg);
	free(reply);
}

bool service_is_settled(const struct service *service)
{
	return true;
}

void service_free(struct service **service)
{
	if (!*service)
		return;
	arena_fini(&(*service)->arena);
	free(*service);
	*service = NULL;
}

void traffic_encode_array(const struct traffic *traffic, struct buf *out)
{
	buf_adds(out, "[]");
}

struct cloudrun_call *cloudrun_get_service_start(struct cloudrun *cloudrun,
	const char *service, int64_t timeout_ms, cloudrun_service_fn fn,
	void *arg)
{
	struct reply *reply = reply_new(service_reply, arg);

	assert_durable();
	run.reads++;
	reply->fn.service = fn;
	return (struct cloudrun_call *)reply;
}

struct cloudrun_call *cloudrun_look_again_start(struct cloudrun *cloudrun,
	const struct service *known, int64_t timeout_ms, cloudrun_service_fn fn,
	void *arg)
{
	return cloudrun_get_service_start(cloudrun, SERVICE, 0, fn, arg);
}

static void revision_reply(void *arg)
{
	static char name[] = "shop-2", service[] = "shop", why[] = "no image";
	struct reply *reply = arg;
	struct revision revision = {
		name, service, !run.not_ready, run.not_ready ? why : NULL};

	reply->fn.revision(&revision, NULL, reply->arg);
	free(reply);
}

struct cloudrun_call *cloudrun_get_revision_start(struct cloudrun *cloudrun,
	const char *service, const char *revision, cloudrun_revision_fn fn,
	void *arg)
{
	struct reply *reply = reply_new(revision_reply, arg);

	reply->fn.revision = fn;
	return (struct cloudrun_call *)reply;
}

static void write_reply(void *arg)
{
	struct reply *reply = arg;

	run.candidate = run.last_written;
	reply->fn.write(WRITE_DONE, NULL, reply->arg);
	free(reply);
}

struct cloudrun_call *cloudrun_write_traffic_start(struct cloudrun *cloudrun,
	const struct service *service, const struct traffic *traffic,
	int64_t patience_ms, cloudrun_write_fn fn, void *arg)
{
	struct reply *reply = reply_new(write_reply, arg);

	assert_durable();
	run.writes++;
	run.written_ms = now_ms;
	run.last_written =
		traffic_split(traffic, "shop-2", "shop-1", "shop-2").candidate;
	reply->fn.write = fn;
	return (struct cloudrun_call *)reply;
}

void cloudrun_write_hurry(struct cloudrun_call *call)
{
	run.hurries++;
}

void cloudrun_cancel(struct cloudrun_call **call)
{
	reply_cancel((struct reply **)call);
}

/* ---- Prometheus ---- */

struct metrics prometheus_metrics(
	const struct policy *policy, const char *project)
{
	return policy->metrics;
}

struct prometheus *prometheus_new(struct loop *loop, struct http *http,
	struct credentials *credentials, const struct metrics *what,
	struct err *err_r)
{
	return xcalloc(1, 1);
}

void prometheus_free(struct prometheus **prometheus)
{
	free(*prometheus);
	*prometheus = NULL;
}

static void sample_reply(void *arg)
{
	struct reply *reply = arg;
	struct sample sample = {
		.kind = SAMPLE_VALUE, .value = metrics.value, .series = 1};
	struct err err;

	err_set(&err, ERR_INVALID, "parse error");
	reply->fn.sample(metrics.bad ? NULL : &sample, 1000,
		metrics.bad ? &err : NULL, reply->arg);
	free(reply);
}

struct prometheus_call *prometheus_query_start(struct prometheus *prometheus,
	const char *query, int64_t timeout_ms, prometheus_fn fn, void *arg)
{
	struct reply *reply = reply_new(sample_reply, arg);

	assert_durable();
	metrics.asked++;
	metrics.candidate_asked += !strcmp(query, "errors{r=\"shop-2\"}");
	reply->fn.sample = fn;
	return (struct prometheus_call *)reply;
}

void prometheus_cancel(struct prometheus_call **call)
{
	reply_cancel((struct reply **)call);
}

/* ---- JSON APIs: none of the policies here asks one ---- */

void jsonapi_free(struct jsonapi **api)
{
	assert_null(*api);
}

struct jsonapi *jsonapi_new(
	struct loop *loop, struct http *http, struct credentials *credentials)
{
	return NULL;
}

struct jsonapi_call *jsonapi_start(struct jsonapi *api,
	const struct jsonapi_question *question, jsonapi_fn fn, void *arg,
	struct err *err_r)
{
	return NULL;
}

void jsonapi_cancel(struct jsonapi_call **call)
{
}

/* ---- actions ---- */

int action_check(const struct action_env *env, const struct action *action,
	struct err *err_r)
{
	if (acts.bad)
		return err_set(err_r, ERR_POLICY, "no such program");
	return 0;
}

static void action_reply(void *arg)
{
	struct reply *reply = arg;
	struct action_end end = {acts.result, "it was run", 10, "revision 7"};

	reply->fn.action(&end, reply->arg);
	free(reply);
}

struct action_run *action_job_start(
	const struct action_order *order, action_fn fn, void *arg)
{
	struct reply *reply = reply_new(action_reply, arg);

	if (order->job != JOB_RENEW) /* which no event asks for */
		assert_durable();
	switch (order->job) {
	case JOB_CAPTURE:
		acts.captured++;
		break;
	case JOB_RENEW:
		acts.renewed++;
		break;
	case JOB_RELEASE:
		acts.released++;
		break;
	default:
		acts.started++;
		acts.knew = order->captured &&
			    !strcmp(order->captured, "revision 7");
	}
	reply->fn.action = fn;
	return (struct action_run *)reply;
}

bool action_has_job(const struct action *a, enum action_job job)
{
	return job == JOB_CAPTURE ? acts.records : acts.lease_ms > 0;
}

int64_t action_lease_ms(const struct action *a)
{
	return acts.lease_ms;
}

void action_cancel(struct action_run **action)
{
	acts.cancelled += *action != NULL;
	reply_cancel((struct reply **)action);
}

/* ---- a rollout ---- */

static const char *approvers[] = {"bob"};
static const struct approval approval = {approvers, 1, 1, 3600000, false};
static struct step steps[2];
static struct slo slo;
static struct action action;
static struct policy policy;
static struct world world;
static struct fleet *fleet;

static struct {
	int status; /* -1: not ended */
	struct err err;
	int entries;
} heard;

static void hear_entry(
	struct driver *teller, const struct store_event *entry, void *arg)
{
	assert_true(entry->seq <= store.committed);
	assert_int_equal(entry->seq, ++heard.entries);
	assert_int_equal(heard.status, -1);
}

static void hear_end(
	struct driver *teller, int status, const struct err *err, void *arg)
{
	heard.status = status;
	if (err)
		heard.err = *err;
}

static void silence(const char *line, size_t len, void *arg)
{
}

static int setup(void **state)
{
	static char source[] = "version: 1";

	log_set_sink(silence, NULL);
	now_ms = T0;
	wall_ahead_ms = 0;
	memset(&store, 0, sizeof(store));
	buf_init(&store.journal, 1024 * 1024);
	buf_init(&store.pending, 1024 * 1024);
	memset(&run, 0, sizeof(run));
	memset(&metrics, 0, sizeof(metrics));
	memset(&acts, 0, sizeof(acts));
	memset(&heard, 0, sizeof(heard));
	heard.status = -1;
	steps[0] = (struct step){.percent = 10, .bake_ms = 60000};
	steps[1] = (struct step){.percent = 100, .bake_ms = 60000};
	slo = (struct slo){.name = "errors",
		.query = "errors{r=\"{{revision}}\"}",
		.has_max = true,
		.max = 0.01,
		.window_ms = 60000,
		.interval_ms = 10000,
		.timeout_ms = 5000,
		.fail_breaches = 1,
		.fail_of = 1,
		.min_passes = 1};
	action = (struct action){.name = "purge",
		.kind = ACTION_EXEC,
		.timeout_ms = 1000,
		.when = WHEN_ALL};
	policy = (struct policy){.path = "p.yaml",
		.source = source,
		.source_len = sizeof(source) - 1,
		.name = "p",
		.steps = steps,
		.n_steps = 2,
		.slos = &slo,
		.n_slos = 1,
		.settle_ms = 5000,
		.hold_timeout_ms = 1800000,
		.revert_timeout_ms = 600000};
	policy.lists[LIST_ROLLBACK] = (struct actions){&action, 1};
	world.metrics = metrics_pool_new(NULL, NULL, NULL);
	fleet = fleet_new(&world);
	return 0;
}

static int teardown(void **state)
{
	fleet_drop(fleet, &driver);
	fleet_free(&fleet);
	metrics_pool_free(&world.metrics);
	turn_end();
	assert_null(timers);
	buf_fini(&store.journal);
	buf_fini(&store.pending);
	return 0;
}

static void begin(int64_t wait_ms)
{
	struct driver_options options = {
		.service = SERVICE, .starter = "alice", .wait_ms = wait_ms};
	struct observer observer = {hear_entry, hear_end, NULL};
	struct err err;

	driver = fleet_run(fleet, &policy, &options, &observer, &err);
	assert_non_null(driver);
}

static void until_phase(enum phase phase)
{
	int64_t limit = now_ms + 3600000;

	while (driver_state(driver)->phase != phase && now_ms < limit)
		run_until(now_ms + 10);
	assert_int_equal(driver_state(driver)->phase, phase);
}

static void until_end(void)
{
	int64_t limit = now_ms + 7200000;

	while (heard.status < 0 && now_ms < limit)
		run_until(now_ms + 1000);
	assert_int_not_equal(heard.status, -1);
}

/* ---- the tests ---- */

static void a_good_rollout_is_promoted_and_told_entry_by_entry(void **state)
{
	begin(-1);
	until_end();
	assert_int_equal(heard.status, 0);
	assert_int_equal(run.candidate, 100);
	assert_int_equal(heard.entries, store.committed);
	assert_non_null(strstr(store.journal.data, "started\n"));
	assert_non_null(strstr(store.journal.data, ".\n")); /* its end */
	assert_int_equal(store.drops, 1);
	assert_true(store.renewals >= 20); /* one in 5 s of more than 2 min */
	assert_true(metrics.candidate_asked > 10);
	assert_int_equal(acts.started, 0);
}

static void a_breach_is_reverted_in_the_turn_it_arrives_in(void **state)
{
	int64_t asked_ms;
	int asked;

	begin(-1);
	until_phase(PHASE_BAKING);
	run_until(now_ms + 20000);
	metrics.value = 0.5;
	asked = metrics.asked;
	while (metrics.asked == asked)
		run_until(now_ms + 10);
	asked_ms = now_ms;
	until_end();
	assert_int_equal(heard.status, 5);
	assert_int_equal(run.candidate, 0);
	assert_int_equal(acts.started, 1);
	assert_true(run.written_ms <= asked_ms + 10); /* of the answer */
}

static bool journal_has(const char *text)
{
	return strstr(store.journal.data, text) != NULL;
}

static void a_wall_clock_that_is_set_is_no_time_that_passed(void **state)
{
	struct loop_gap gap = {.stepped_ms = 3600000};
	int64_t before_ms;

	begin(-1);
	until_phase(PHASE_BAKING);
	run_until(now_ms + 10000);
	before_ms = driver_now(driver);
	wall_ahead_ms = gap.stepped_ms;
	gap_fn(&gap, gap_arg);
	assert_int_equal(driver_now(driver), before_ms);
	until_end();
	assert_int_equal(heard.status, 0);
	assert_false(journal_has("warning\n"));
	assert_in_range(now_ms - T0, 120000, 200000); /* and both bakes were */
}

static void a_standstill_is_seen_before_the_answers_that_waited(void **state)
{
	struct loop_gap gap = {.stood_ms = 3600000};

	begin(-1);
	until_phase(PHASE_BAKING);
	run_until(now_ms + 20005); /* a check has been asked, not answered */
	turn_end();
	now_ms += gap.stood_ms;
	assert_false(journal_has("warning\n"));
	gap_fn(&gap, gap_arg);
	turn_end();
	assert_true(journal_has("warning\n"));
}

static void what_preflight_captures_is_journaled_and_handed_to_the_run(
	void **state)
{
	acts.records = true;
	begin(-1);
	until_phase(PHASE_BAKING);
	assert_int_equal(acts.captured, 1);
	metrics.value = 0.5;
	until_end();
	assert_int_equal(acts.started, 1);
	assert_true(acts.knew);
}

static void what_cannot_be_captured_refuses_the_rollout(void **state)
{
	acts.records = true;
	acts.result = ACTION_FAILED;
	begin(-1);
	until_end();
	assert_int_equal(heard.status, 4);
	assert_non_null(strstr(store.refusal, "rollback: action \"purge\""));
	assert_int_equal(run.writes, 0);
}

static void what_an_action_opened_is_renewed_and_closed_at_the_end(void **state)
{
	acts.lease_ms = 30000;
	policy.lists[LIST_STARTED] = (struct actions){&action, 1};
	begin(-1);
	until_phase(PHASE_BAKING);
	run_until(now_ms + 31000);
	assert_int_equal(acts.renewed, 3);
	assert_int_equal(acts.released, 0);
	until_end();
	assert_int_equal(heard.status, 0);
	assert_int_equal(acts.released, 1);
}

static void what_never_opened_is_not_closed(void **state)
{
	acts.lease_ms = 30000;
	begin(-1);
	until_end();
	assert_int_equal(acts.started + acts.renewed + acts.released, 0);
}

static void a_full_disk_at_baking_takes_the_traffic_back(void **state)
{
	begin(-1);
	until_phase(PHASE_BAKING);
	assert_int_equal(run.candidate, 10);
	store.full = true;
	until_end();
	assert_int_equal(heard.status, 1);
	assert_int_equal(run.candidate, 0);
	assert_int_equal(acts.started, 0);
	assert_non_null(strstr(heard.err.text, "no space left on device"));
	assert_non_null(strstr(heard.err.text, "given back to stable"));
}

static void a_full_disk_before_the_first_write_moves_nothing(void **state)
{
	begin(-1);
	store.full = true;
	until_end();
	assert_int_equal(heard.status, 1);
	assert_int_equal(run.writes, 0);
	assert_int_equal(run.reads, 0);
}

static void a_full_disk_keeps_a_decided_step_from_being_written(void **state)
{
	begin(-1);
	until_phase(PHASE_BAKING);
	store.full_at = "shift\n"; /* the note in front of the next write */
	while (!store.full) {
		assert_int_equal(run.last_written, 10);
		run_until(now_ms + 10);
	}
	until_end();
	assert_int_equal(run.last_written, 0);
	assert_int_equal(run.candidate, 0);
	assert_int_equal(run.writes, 2);
}

static void who_lost_the_lease_does_nothing_more(void **state)
{
	int writes;

	begin(-1);
	until_phase(PHASE_BAKING);
	writes = run.writes;
	store.taken_over = true;
	metrics.value = 0.5;
	until_end();
	assert_int_equal(heard.status, 1);
	assert_int_equal(run.writes, writes);
	assert_int_equal(run.candidate, 10);
	assert_int_equal(store.drops, 0);
	assert_non_null(strstr(heard.err.text, "another process"));
}

static void a_lease_that_stays_taken_is_refused_with_its_holder(void **state)
{
	store.held_by_other = true;
	begin(-1);
	run_until(now_ms + 29000);
	assert_int_equal(heard.status, -1);
	until_end();
	assert_int_equal(heard.status, 4);
	assert_int_equal(heard.err.code, ERR_LEASE);
	assert_non_null(strstr(heard.err.text, "ci-7 pid 4242"));
	assert_int_equal(store.appended, 0);
}

static void waiting_for_people_ends_when_wait_runs_out(void **state)
{
	steps[1].approval = &approval;
	begin(300000);
	until_phase(PHASE_AWAITING_APPROVAL);
	run_until(now_ms + 299000);
	assert_int_equal(heard.status, -1);
	run_until(now_ms + 2000);
	assert_int_equal(heard.status, 8);
	assert_int_equal(run.candidate, 10);
	assert_non_null(strstr(heard.err.text, "tidegate resume shop-2026"));
}

static void commands_are_taken_once_and_answered(void **state)
{
	steps[1].approval = &approval;
	begin(-1);
	until_phase(PHASE_AWAITING_APPROVAL);
	store.command = (struct store_command){
		.id = 1, .verb = "approve", .who = "alice", .step = -1};
	store.counter++;
	run_until(now_ms + 1000);
	assert_int_equal(store.settled, 2);
	store.settled = 0;
	store.command.id = 2;
	store.command.who = "bob";
	store.counter++;
	run_until(now_ms + 1000);
	assert_int_equal(store.settled, 1);
	until_end();
	assert_int_equal(heard.status, 0);
}

static void preflight_names_all_that_is_wrong_at_once(void **state)
{
	steps[0].approval = &approval;
	approvers[0] = "alice";
	run.not_ready = true;
	metrics.bad = true;
	acts.bad = true;
	begin(-1);
	until_end();
	approvers[0] = "bob";
	assert_int_equal(heard.status, 4);
	assert_int_equal(run.writes, 0);
	assert_non_null(strstr(store.refusal, "shop-2 is not ready: no image"));
	assert_non_null(strstr(store.refusal, "SLO \"errors\": query: parse"));
	assert_non_null(strstr(store.refusal, "no such program"));
	assert_non_null(strstr(store.refusal, "step 1 needs 1 approval"));
}

static void traffic_of_others_is_refused_with_nothing_moved(void **state)
{
	run.other = 30;
	begin(-1);
	until_end();
	assert_int_equal(heard.status, 4);
	assert_int_equal(run.writes, 0);
	assert_non_null(strstr(store.refusal, "shop-9"));
}

static void an_interrupt_reverts_or_leaves_as_the_policy_says(void **state)
{
	begin(-1);
	until_phase(PHASE_BAKING);
	driver_interrupt(driver, "SIGTERM");
	until_end();
	assert_int_equal(heard.status, 6);
	assert_int_equal(run.candidate, 0);
	fleet_drop(fleet, &driver);

	heard.status = -1;
	store.appended = store.committed = heard.entries = 0;
	policy.on_interrupt = ON_INTERRUPT_LEAVE;
	begin(-1);
	until_phase(PHASE_BAKING);
	driver_interrupt(driver, "SIGTERM");
	turn_end();
	until_end();
	assert_int_equal(heard.status, 8);
	assert_int_equal(run.candidate, 10);
}

static void an_interrupted_shift_does_not_wait_for_its_operation(void **state)
{
	begin(-1);
	while (!run.writes)
		run_until(now_ms + 1);
	driver_interrupt(driver, "SIGINT");
	turn_end();
	assert_int_equal(run.hurries, 1);
	until_end();
	assert_int_equal(heard.status, 6);
	assert_int_equal(run.candidate, 0);
}

static void a_freed_rollout_leaves_nothing_behind(void **state)
{
	begin(-1);
	until_phase(PHASE_SHIFTING);
	fleet_drop(
		fleet, &driver); /* teardown looks for timers that are left */
	assert_int_equal(store.drops, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_good_rollout_is_promoted_and_told_entry_by_entry),
		TEST(a_breach_is_reverted_in_the_turn_it_arrives_in),
		TEST(a_wall_clock_that_is_set_is_no_time_that_passed),
		TEST(a_standstill_is_seen_before_the_answers_that_waited),
		TEST(what_preflight_captures_is_journaled_and_handed_to_the_run),
		TEST(what_cannot_be_captured_refuses_the_rollout),
		TEST(what_an_action_opened_is_renewed_and_closed_at_the_end),
		TEST(what_never_opened_is_not_closed),
		TEST(a_full_disk_at_baking_takes_the_traffic_back),
		TEST(a_full_disk_before_the_first_write_moves_nothing),
		TEST(a_full_disk_keeps_a_decided_step_from_being_written),
		TEST(who_lost_the_lease_does_nothing_more),
		TEST(a_lease_that_stays_taken_is_refused_with_its_holder),
		TEST(waiting_for_people_ends_when_wait_runs_out),
		TEST(commands_are_taken_once_and_answered),
		TEST(preflight_names_all_that_is_wrong_at_once),
		TEST(traffic_of_others_is_refused_with_nothing_moved),
		TEST(an_interrupt_reverts_or_leaves_as_the_policy_says),
		TEST(an_interrupted_shift_does_not_wait_for_its_operation),
		TEST(a_freed_rollout_leaves_nothing_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
