/* SPDX-License-Identifier: Apache-2.0 */
/* The fixture of test/replay; see scenario.h. */
#include "scenario.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/request.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "cloudrun/cloudrun.h"
#include "google/credentials.h"
#include "io/worker.h"
#include "live/fleet.h"
#include "live/world.h"
#include "metrics/metrics_pool.h"
#include "policy/policy_load.h"
#include "serve/driven.h"
#include "serve/shelf.h"

#define SAID_MAX      (256 * 1024)
#define POLICY_MAX    (16 * 1024)
#define POLICIES_MAX  256 /* in one program */
#define SUPERVISOR_MS (20 * SECOND) /* until somebody says resume */
#define NEVER         INT64_MAX
#define TURNS_MAX     1000 /* at one moment */

static const char policy_head[] =
	"version: 1\n"
	"name: replay\n"
	"target: {project: p, region: r, service: shop}\n";

static const char metrics[] =
	"metrics: {url: \"" FAKE_METRICS_ORIGIN "\", timeout: 4s}\n";

const char slo_errors[] = SLO("max: 1%, min_passes: 3,\n"
			      "     fail_after: {breaches: 2, of: 3}");

const char policy_watch[] = "steps:\n"
			    "  - {percent: 20, bake: 1h}\n"
			    "  - {percent: 100, bake: 1h}\n"
			    "settle: 5s\n";

const char policy_gate[] = "steps:\n"
			   "  - {percent: 20, bake: 20s}\n"
			   "  - {percent: 100, bake: 20s, approval:\n"
			   "     {approvers: [bob], minimum: 1}}\n"
			   "settle: 5s\n";

const char policy_long[] = "steps:\n"
			   "  - {percent: 10, bake: 60s}\n"
			   "  - {percent: 50, bake: 60s}\n"
			   "  - {percent: 100, bake: 60s}\n"
			   "settle: 10s\n";

const char policy_short[] =
	"steps:\n"
	"  - {percent: 10, bake: 20s}\n"
	"  - {percent: 100, bake: 20s}\n"
	"slos:\n"
	"  - {name: errors, query: 'errors{r=\"{{candidate}}\"}', max: 1%,\n"
	"     window: 10s, interval: 5s, min_passes: 2, fail_after: 1}\n"
	"settle: 5s\n"
	"rollback:\n"
	"  - {name: undo, type: exec, command: [act, undo],\n"
	"     idempotent: false}\n"
	"  - {name: purge, type: http, method: POST, idempotent: true,\n"
	"     url: \"" FAKE_DEED_ORIGIN "/purge\"}\n";

/* The process under test, and what is told of it. */
static struct {
	const struct policy *policy;
	struct world world;
	struct fleet *fleet;
	const struct driver *driver;
	/* By the daemon, when it is one. */
	bool by_daemon, drops_at_end;
	struct shelf *shelf;
	struct driven_set *driven;
	bool is_up;
	int64_t process_ms; /* since when */
	int64_t charge_ms; /* its first entry is durable; NEVER: none is */
	int64_t away_ms, up_ms; /* NEVER: nobody resumes */
	struct run_options options;
	int status; /* -1: has not ended */
	enum phase ended; /* by the daemon: the phase in which it was let go */
	size_t told; /* entries */
	int64_t told_seq; /* the last one of this process; 0: none */
	char end_text[ERR_TEXT_MAX];
	bool broken; /* a promise was */
	struct seen seen;
	char said[SAID_MAX];
	size_t said_len;
	uint64_t seed;
} sc;

/* All that were given. Loading one takes longer than many a rollout. */
static struct {
	char *text;
	struct policy *policy;
} policies[POLICIES_MAX];
static int n_policies;

/* ---- promises ---- */

static void broken_default(const char *text)
{
	printf("broken promise: %s\n", text);
	exit(1);
}

void (*promise_broken)(const char *text) = broken_default;
void (*scenario_watch)(void);

void promise(bool kept, const char *fmt, ...)
{
	char text[2048];
	va_list args;
	size_t len;

	if (kept)
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	len = strlen(text);
	snprintf(text + len, sizeof(text) - len,
		" (at %.3f s, phase %s, seed %llu)", (double)fake_now() / 1000,
		phase_now() == PHASES ? "none" : phase_name(phase_now()),
		(unsigned long long)sc.seed);
	sc.broken = true;
	promise_broken(text);
}

/* ---- a process ---- */

static void hear_line(const char *line, size_t len, void *arg)
{
	if (sc.said_len + len + 2 > SAID_MAX)
		return;
	memcpy(sc.said + sc.said_len, line, len);
	sc.said_len += len;
	memcpy(sc.said + sc.said_len++, "\n", 2);
}

static void hear_end(
	struct driver *driver, int status, const struct err *err, void *arg)
{
	sc.status = status;
	snprintf(sc.end_text, sizeof(sc.end_text), "%s", err ? err->text : "");
	if (!sc.drops_at_end || sc.by_daemon)
		return;
	sc.ended = driver_state(driver)->phase;
	sc.driver = NULL;
	fleet_drop(sc.fleet, &driver);
}

/* Told once, in order, and only of what is durable. */
static void hear_entry(
	struct driver *driver, const struct store_event *entry, void *arg)
{
	sc.told++;
	if (sc.charge_ms == NEVER)
		sc.charge_ms = fake_now();
	promise(entry->seq == sc.told_seq + 1 || !sc.told_seq,
		"entry %lld is told after %lld", (long long)entry->seq,
		(long long)sc.told_seq);
	promise(entry->seq <= fake_store_last_seq(driver_id(driver)),
		"entry %lld is told and not durable", (long long)entry->seq);
	sc.told_seq = entry->seq;
}

static const struct observer observer = {hear_entry, hear_end, NULL};

/* The daemon's own observer is told first. */
static void hear_driven(
	const struct driven *driven, const struct store_event *entry, void *arg)
{
	hear_entry((struct driver *)driven_driver(driven), entry, arg);
}

static void hear_driven_end(
	const struct driven *driven, const struct err *err, void *arg)
{
	const struct driver *driver = driven_driver(driven);

	hear_end((struct driver *)driver,
		err ? err_exit_status(err->code)
		    : rollout_exit_status(driver_state(driver)),
		err, arg);
	sc.ended = driver_state(driver)->phase;
	sc.driver = NULL; /* it is let go of at once */
}

static const struct driven_listener listener = {
	hear_driven, hear_driven_end, NULL};

static void must(bool good, const struct err *err)
{
	if (good)
		return;
	fprintf(stderr, "scenario: %s\n", err->text);
	abort();
}

static void process_up(void)
{
	static const struct cloudrun_config config = {
		FAKE_RUN_ORIGIN, FAKE_PROJECT, FAKE_REGION};
	struct world *world = &sc.world;
	struct api api = {0};
	struct err err;

	assert(!sc.is_up);
	*world = (struct world){.store = store_open("", STORE_EDIT, &err),
		.worker = worker_new(NULL, 1, &err)};
	world->credentials = credentials_new(NULL, NULL, &err);
	must(world->credentials, &err);
	api.credentials = world->credentials;
	world->cloudrun = cloudrun_new(&api, &config, &err);
	must(world->cloudrun, &err);
	world->metrics = metrics_pool_new(&api);
	sc.fleet = fleet_new(world, &err);
	must(sc.fleet, &err);
	if (sc.by_daemon) {
		sc.shelf = shelf_new("");
		sc.driven = driven_new(sc.fleet, sc.shelf);
		driven_listen(sc.driven, &listener);
	}
	sc.is_up = true;
	sc.process_ms = fake_now();
	sc.charge_ms = NEVER;
	sc.told_seq = 0;
	sc.status = -1;
	sc.end_text[0] = '\0';
}

static void process_down(void)
{
	if (!sc.is_up)
		return;
	if (sc.by_daemon)
		driven_free(&sc.driven);
	else
		fleet_drop(sc.fleet, (struct driver **)&sc.driver);
	sc.driver = NULL;
	fleet_free(&sc.fleet);
	(void)worker_free(&sc.world.worker);
	shelf_free(&sc.shelf);
	metrics_pool_free(&sc.world.metrics);
	cloudrun_free(&sc.world.cloudrun);
	credentials_free(&sc.world.credentials);
	sc.is_up = false;
}

void crash(void)
{
	fake_die();
	process_down();
	fake_store_crash();
	fake_live_again();
	sc.up_ms = sc.away_ms == NEVER ? NEVER : fake_now() + sc.away_ms;
}

/* Frees a process whose end was told: what it left pending is looked at. */
static void process_end(void)
{
	process_down();
	fake_loop_turn(fake_now()); /* what was deferred */
	promise(!fake_loop_pending(), "%d timers are left behind",
		fake_loop_pending());
	fake_store_crash();
}

/* It was left in the midst of what it did, in no state in which anything of it
 * could be freed or written. */
static void process_abandon(void)
{
	sc.driver = NULL;
	sc.fleet = NULL;
	sc.shelf = NULL;
	sc.driven = NULL;
	sc.world = (struct world){0};
	sc.is_up = false;
}

static void fail_to_start(const struct err *err)
{
	sc.status = err_exit_status(err->code);
	snprintf(sc.end_text, sizeof(sc.end_text), "%s", err->text);
}

static const struct policy *shelved(void)
{
	struct buf problems;
	const struct policy *policy;
	struct err err;

	buf_init(&problems, 65536);
	policy = shelf_take_text(sc.shelf, sc.policy->path, sc.policy->source,
		&policy_env_real, &problems, &err);
	must(policy, &err);
	buf_fini(&problems);
	return policy;
}

static const struct driver *newest_driven(void)
{
	const struct driven *driven = driven_first(sc.driven);

	return driven ? driven_driver(driven) : NULL;
}

void scenario_by_daemon(bool by_daemon)
{
	sc.by_daemon = by_daemon;
}

void scenario_drop_at_end(bool drops)
{
	sc.drops_at_end = drops;
}

static const struct driver *start_it(
	const struct driver_options *wanted, struct err *err_r)
{
	if (!sc.by_daemon)
		return fleet_run(sc.fleet, sc.policy, wanted, &observer, err_r);
	if (driven_start(sc.driven, shelved(), wanted, NULL, NULL, err_r) < 0)
		return NULL;
	return newest_driven();
}

static const struct driver *resume_it(const char *rollout,
	const struct driver_options *wanted, struct err *err_r)
{
	const struct driven_left left = {.rollout = rollout,
		.service = FAKE_SERVICE,
		.starter = wanted->starter};

	if (!sc.by_daemon)
		return fleet_resume(
			sc.fleet, sc.policy, rollout, wanted, &observer, err_r);
	if (driven_resume(sc.driven, shelved(), &left, wanted->starter, err_r) <
		0)
		return NULL;
	return newest_driven();
}

void run_with(const struct run_options *options)
{
	struct driver_options wanted = {
		.service = FAKE_SERVICE,
		.starter = "alice",
		.wish = options->wish,
		.wait_ms = options->wait_ms ? options->wait_ms : -1,
	};
	struct err err;

	if (sc.is_up)
		process_end();
	sc.options = *options;
	process_up();
	sc.driver = start_it(&wanted, &err);
	if (!sc.driver)
		fail_to_start(&err);
}

void run(void)
{
	static const struct run_options none;

	run_with(&none);
}

void resume(void)
{
	struct driver_options options = {.starter = "alice", .wait_ms = -1};
	const char *rollout = fake_store_newest();
	struct err err;

	if (!rollout) { /* it died before there was one */
		run_with(&sc.options);
		return;
	}
	if (sc.is_up)
		process_end();
	process_up();
	sc.driver = resume_it(rollout, &options, &err);
	if (!sc.driver)
		fail_to_start(&err);
}

void resume_after(int64_t away_ms)
{
	sc.away_ms = away_ms;
}

void interrupt(const char *signal_name)
{
	if (sc.driver)
		driver_interrupt((struct driver *)sc.driver, signal_name);
}

/* ---- time ---- */

static bool step(int64_t at_ms)
{
	bool more;

	if (!sc.is_up && sc.up_ms <= fake_now()) {
		sc.up_ms = NEVER;
		resume();
		return true;
	}
	if (!sc.is_up && sc.up_ms < at_ms)
		at_ms = sc.up_ms;
	more = fake_loop_turn(at_ms);
	promise(fake_loop_turns_now() < TURNS_MAX, "time stands still");
	if (fake_is_dead())
		crash();
	if (scenario_watch)
		scenario_watch();
	return more || (!sc.is_up && sc.up_ms != NEVER);
}

void until(int64_t at_ms)
{
	while (fake_now() < at_ms)
		step(at_ms);
}

enum phase phase_now(void)
{
	if ((sc.by_daemon || sc.drops_at_end) && !sc.driver && sc.status >= 0)
		return sc.ended;
	return sc.driver ? driver_state(sc.driver)->phase : PHASES;
}

bool write_is_decided(void)
{
	return driver_state(sc.driver)->traffic.write.out_ms != 0;
}

bool journal_is_late(void)
{
	return driver_is_late(sc.driver);
}

bool journal_is_given_up(void)
{
	return driver_is_unjournaled(sc.driver);
}

void until_phase(enum phase phase)
{
	int64_t limit = fake_now() + 24 * HOUR;

	while (phase_now() != phase && fake_now() < limit)
		if (!step(limit))
			break;
	promise(phase_now() == phase, "%s was never reached",
		phase_name(phase));
}

void until_step(int number)
{
	int64_t limit = fake_now() + 24 * HOUR;

	while (fake_now() < limit && step(limit))
		if (phase_now() == PHASE_BAKING &&
			driver_state(sc.driver)->step == number)
			return;
	promise(false, "step %d was never reached: %s", number,
		fake_store_newest() ? fake_store_reason(fake_store_newest())
				    : "nothing began");
}

static bool is_over(void)
{
	return sc.is_up && sc.status >= 0;
}

void until_the_end(void)
{
	int64_t limit = fake_now() + 24 * HOUR;

	while (!is_over() && fake_now() < limit)
		if (!step(limit))
			break;
	promise(is_over(), "it did not end within a day");
}

void until_the_rollout_ends(int processes)
{
	for (;; processes--) {
		until_the_end();
		if (!fake_store_newest() ||
			fake_store_has_ended(fake_store_newest()))
			return;
		promise(processes > 0, "exit %d (%s) and no end", sc.status,
			sc.end_text);
		until(fake_now() + SUPERVISOR_MS);
		resume();
	}
}

/* ---- given ---- */

static struct policy *policy_make(const char *text)
{
	struct buf problems;
	struct policy *policy;
	struct err err;

	buf_init(&problems, POLICY_MAX);
	policy = policy_parse("replay.yaml", text, strlen(text),
		&policy_env_real, &problems, &err);
	if (!policy) {
		fprintf(stderr, "%s\n%s\n", err.text, problems.data);
		abort();
	}
	buf_fini(&problems);
	return policy;
}

static const struct policy *policy_of(const char *text)
{
	for (int i = 0; i < n_policies; i++)
		if (strcmp(policies[i].text, text) == 0)
			return policies[i].policy;
	assert(n_policies < POLICIES_MAX);
	policies[n_policies].text = xstrdup(text);
	policies[n_policies].policy = policy_make(policies[n_policies].text);
	return policies[n_policies++].policy;
}

static void part_add(char text[POLICY_MAX], const char *part)
{
	size_t len = strlen(text);

	assert(len + strlen(part) < POLICY_MAX);
	strcpy(text + len, part);
}

void given_policy(const char *part, ...)
{
	char text[POLICY_MAX] = "";
	bool has_metrics = false;
	va_list parts;

	part_add(text, policy_head);
	va_start(parts, part);
	for (; part; part = va_arg(parts, const char *)) {
		has_metrics = has_metrics || strncmp(part, "metrics:", 8) == 0;
		part_add(text, part);
	}
	va_end(parts);
	if (!has_metrics)
		part_add(text, metrics);
	sc.policy = policy_of(text);
}

void given_traffic(const char *table)
{
	fake_run_set_traffic(table);
}

/* ---- what is seen ---- */

static void see_split(void)
{
	int serving = fake_run_serves(FAKE_NEW);
	int wanted = fake_run_wants(FAKE_NEW);

	if (serving > 0 && !sc.seen.exposed_ms)
		sc.seen.exposed_ms = fake_now();
	if (wanted > sc.seen.highest)
		sc.seen.highest = wanted;
}

static void see_query(const char *query)
{
	if (!strstr(query, FAKE_NEW))
		return;
	if (sc.seen.n_checks < SEEN_CHECKS_MAX)
		sc.seen.check_ms[sc.seen.n_checks++] = fake_now();
}

size_t entries_told(void)
{
	return sc.told;
}

const struct policy *policy_given(void)
{
	return sc.policy;
}

int64_t process_up_ms(void)
{
	return sc.is_up ? sc.process_ms : -1;
}

int64_t in_charge_ms(void)
{
	return sc.is_up ? sc.charge_ms : NEVER;
}

int64_t entry_made_ms(const struct fake_entry *entry)
{
	int64_t ahead_ms =
		!sc.driver ? 0
			   : driver_now(sc.driver) - FAKE_EPOCH_MS - fake_now();

	return entry->time_ms - ahead_ms;
}

bool is_driven(void)
{
	return sc.is_up && sc.status < 0;
}

const struct seen *seen(void)
{
	return &sc.seen;
}

void scenario_open(uint64_t seed)
{
	setenv("CLOUDSDK_AUTH_ACCESS_TOKEN", "token", 1);
	unsetenv("GOOGLE_CLOUD_QUOTA_PROJECT");
	fake_loop_reset(seed);
	fake_http_reset();
	fake_store_reset();
	fake_worker_slow(0);
	fake_worker_hang(false);
	fake_run_open();
	fake_metrics_open();
	fake_deeds_open();
	fake_apis_open();
	fake_run.on_change = see_split;
	fake_metrics.on_query = see_query;
	memset(&sc.seen, 0, sizeof(sc.seen));
	log_set_sink(hear_line, NULL);
	scenario_watch = NULL;
	sc.told = 0;
	sc.said_len = 0;
	sc.said[0] = '\0';
	sc.away_ms = sc.up_ms = NEVER;
	sc.status = -1;
	sc.broken = false;
	sc.seed = seed;
	given_policy(policy_long, slo_errors, NULL);
}

void scenario_close(void)
{
	if (sc.broken)
		process_abandon();
	else if (sc.is_up)
		process_end();
	sc.by_daemon = false;
	fake_run_close();
	fake_deeds_close();
	fake_apis_close();
	fake_loop_reset(0);
	fake_http_reset();
	fake_store_reset();
}

/* ---- what happens ---- */

void errors_of(const char *revision, double value)
{
	fake_metrics_say(revision, SAYS_VALUE, value);
}

void metrics_of(const char *revision, enum fake_said said)
{
	fake_metrics_say(revision, said, 0);
}

void reads_hang(void)
{
	fake_run_fault("{'kind': 'hang', 'method': 'GET', 'for': '24h'}");
}

void writes_hang(void)
{
	fake_run_fault("{'kind': 'hang', 'method': 'PATCH', 'for': '24h'}");
}

void writes_are_refused(int status)
{
	char fault[128];

	snprintf(fault, sizeof(fault),
		"{'kind': 'status', 'method': 'PATCH', 'status': %d, "
		"'for': '24h'}",
		status);
	fake_run_fault(fault);
}

void operations_fail(void)
{
	fake_run_fault("{'kind': 'operation-error', 'method': 'PATCH', "
		       "'code': 13, 'for': '24h'}");
}

void the_world_heals(void)
{
	fake_run_heal();
	fake_http_cut(false);
	metrics_of("", SAYS_VALUE);
}

void the_machine_sleeps(int64_t ms)
{
	fake_loop_stand_still(ms);
}

void approve(const char *who)
{
	command("approve", who);
}

void command(const char *verb, const char *who)
{
	fake_store_command(verb, who, "as agreed", -1);
}

/* ---- what must be ---- */

int exit_status(void)
{
	return sc.status;
}

const char *end_text(void)
{
	return sc.end_text;
}

void expect_exit(int status)
{
	const char *rollout = fake_store_newest();

	promise(sc.status == status, "exit %d instead of %d: %s; %s", sc.status,
		status, sc.end_text, rollout ? fake_store_reason(rollout) : "");
}

void expect_serving(const char *revision, int percent)
{
	promise(fake_run_serves(revision) == percent,
		"%s serves %d %% instead of %d", revision,
		fake_run_serves(revision), percent);
}

void expect_reverted_by(int64_t at_ms)
{
	while (fake_run_wants(FAKE_STABLE) != 100 && fake_now() < at_ms)
		step(at_ms);
	promise(fake_run_wants(FAKE_STABLE) == 100,
		"stable is asked for with %d %%", fake_run_wants(FAKE_STABLE));
}

void expect_writes_at_most(int n)
{
	promise(fake_run.patches <= n, "%d writes, more than %d",
		fake_run.patches, n);
}

void expect_never_above(int percent)
{
	promise(sc.seen.highest <= percent,
		"the candidate was to get %d %%, more than %d", sc.seen.highest,
		percent);
}

void expect_said(const char *part)
{
	promise(strstr(sc.said, part), "nobody said \"%s\"", part);
}

void expect_journal(const char *name, const char *part)
{
	promise(fake_store_count(name, part) > 0, "no entry %s has \"%s\"",
		name, part ? part : "");
}

void expect_not_journaled(const char *name, const char *part)
{
	promise(fake_store_count(name, part) == 0, "an entry %s has \"%s\"",
		name, part ? part : "");
}

void expect_reason(const char *part)
{
	const char *rollout = fake_store_newest();
	const char *reason = rollout ? fake_store_reason(rollout) : "";

	promise(strstr(reason, part), "the reason is \"%s\", without \"%s\"",
		reason, part);
}
