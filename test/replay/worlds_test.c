/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random worlds against the whole driver: for some minutes everything may go
 * wrong – metrics, Cloud Run, the network, the state file, the machine, people
 * – and processes die and are followed by others. The promises of books.h hold
 * all the while, and when the trouble stops, the rollout ends.
 *
 *	worlds_test [WORLDS [SEED [BOTH]]]
 *
 * The first BOTH of them are played twice, by `run` and by the daemon, whose journals
 * must be the same to the byte.
 *
 * A failure prints what happened and the command that plays it again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/rng.h"
#include "books.h"
#include "fake_counters.h"
#include "scenario.h"
#include "workers.h"

#define WORLDS_DEFAULT 500
#define TROUBLES_MAX   12
#define PROCESSES_MAX  40
#define STORY_MAX      8192
#define BOTH_DEFAULT   200 /* that are played by `run` and by the daemon */
#define JOURNAL_MAX    (8 * 1024 * 1024)

static struct {
	struct rng rng;
	uint64_t seed;
	bool by_both, has_evidence;
	char story[STORY_MAX];
	size_t story_len;
} world;

static int pick(int n)
{
	return (int)rng_below(&world.rng, (uint64_t)n);
}

static bool chance(int percent)
{
	return pick(100) < percent;
}

static void tell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static void tell(const char *fmt, ...)
{
	size_t left = STORY_MAX - world.story_len;
	va_list args;
	int n;

	n = snprintf(world.story + world.story_len, left, "\n  %9.3f ",
		(double)fake_now() / 1000);
	va_start(args, fmt);
	n += vsnprintf(world.story + world.story_len + n,
		left - (size_t)n < left ? left - (size_t)n : 0, fmt, args);
	va_end(args);
	if ((size_t)n < left)
		world.story_len += (size_t)n;
}

static void broken(const char *text)
{
	printf("broken promise: %s%s\n", text, world.story);
	printf("  replay: test/replay/worlds_test 1 %llu %d\n",
		(unsigned long long)world.seed, world.by_both);
	if (getenv("TIDEGATE_SHOW_JOURNAL"))
		for (size_t i = 0; i < fake_store_entries(); i++) {
			struct fake_entry entry = fake_store_entry(i);

			printf("  %9.3f %-14s %s %.300s\n",
				(double)entry.time_ms / 1000, entry.phase,
				entry.name, entry.data);
		}
	exit(1);
}

/* ---- the policy ---- */

static const char deeds[] =
	"rollback:\n"
	"  - {name: undo, type: exec, command: [act, undo],\n"
	"     idempotent: false}\n"
	"  - {name: purge, type: http, method: POST,\n"
	"     idempotent: true,\n"
	"     url: \"" FAKE_DEED_ORIGIN "/purge\"}\n";

/* In one world of four the first step has a load, which passes, misses, cannot be
 * made or takes long. By draws of its own: the others stay as they are. */
static const char *random_load(const char *steps, char *text, size_t size)
{
	static const char first[] = "steps:\n  - {percent: 10, ";
	struct rng rng;

	rng_init(&rng, world.seed ^ 0x10ad);
	if (rng_below(&rng, 4))
		return steps;
	if (!rng_below(&rng, 3))
		fake_deed_fails("load", rng_below(&rng, 2));
	fake_deed_takes("load", 1000 + (int64_t)rng_below(&rng, 60000));
	snprintf(text, size,
		"%sload: {name: users, type: load,\n"
		"     idempotent: %s, on_failure: %s,\n"
		"     url: \"" FAKE_DEED_ORIGIN "/x\", allow_host: 127.0.0.1,\n"
		"     stages: [{for: 70s, users: 5}]}, %s",
		first, rng_below(&rng, 2) ? "true" : "false",
		rng_below(&rng, 2) ? "stop" : "continue",
		steps + strlen(first));
	return text;
}

/* In one world of five there is an SLO of kind evidence, too, and users are with the
 * candidate for long enough to go back and ask stable. By draws of its own. */
static bool random_evidence(void)
{
	static const char steps[] = "steps:\n"
				    "  - {percent: 10, bake: 20s}\n"
				    "  - {percent: 100, bake: 3m}\n";
	static const char *const rest[] = {
		"settle: 5s\nhold_timeout: 3m\n",
		"settle: 0s\nhold_timeout: 3m\non_drift: reassert\n",
		"settle: 5s\nhold_timeout: 3m\non_interrupt: leave\n",
	};
	static const char slos[] =
		"evidence: {history: 1h}\n"
		"slos:\n"
		"  - {name: errors, query: 'errors{r=\"{{candidate}}\"}',\n"
		"     max: 1%, window: 10s, interval: 5s, min_passes: 2,\n"
		"     fail_after: 2}\n"
		"  - {name: counted, kind: evidence, objective: 1%,\n"
		"     total: "
		"'http_requests_total{revision=\"{{revision}}\"}',\n"
		"     bad: 'http_requests_total{revision=\"{{revision}}\",\n"
		"       code=\"500\"}'}\n";
	struct rng rng;

	rng_init(&rng, world.seed ^ 0xe51d);
	world.has_evidence = rng_below(&rng, 5) == 0;
	if (!world.has_evidence)
		return false;
	given_policy(steps, slos, rest[rng_below(&rng, 3)], deeds, NULL);
	fake_counters_open(500);
	return true;
}

/* People are two in one world of three that has a gate. */
static const char *random_gate(const char *steps, char *text, size_t size)
{
	static const char one[] = "minimum: 1";
	const char *at = strstr(steps, one);
	struct rng rng;

	rng_init(&rng, world.seed ^ 0x9a7e);
	if (!at || rng_below(&rng, 3))
		return steps;
	snprintf(text, size, "%.*sminimum: 2%s", (int)(at - steps), steps,
		at + strlen(one));
	return text;
}

static void random_policy(void)
{
	static const char *const steps[] = {
		"steps:\n  - {percent: 10, bake: 20s}\n"
		"  - {percent: 100, bake: 20s}\n",
		"steps:\n  - {percent: 10, bake: 30s}\n"
		"  - {percent: 50, bake: 10s, approval:\n"
		"     {approvers: [bob, carol], minimum: 1, timeout: 5m}}\n"
		"  - {percent: 100, bake: 20s}\n",
	};
	static const char *const slos[] = {
		"slos:\n"
		"  - {name: errors, query: 'errors{r=\"{{candidate}}\"}',\n"
		"     max: 1%, window: 10s, interval: 5s, min_passes: 2,\n"
		"     fail_after: 1}\n",
		"slos:\n"
		"  - {name: errors, query: 'errors{r=\"{{candidate}}\"}',\n"
		"     max: 1%, critical: 20%, window: 10s, interval: 5s,\n"
		"     min_passes: 2, fail_after: {breaches: 2, of: 3}}\n"
		"  - {name: other, query: 'other{r=\"{{candidate}}\"}',\n"
		"     max: 1%, window: 20s, interval: 10s, min_passes: 1,\n"
		"     fail_after: 2, no_data: pass}\n",
	};
	static const char *const rest[] = {
		"settle: 5s\nhold_timeout: 3m\n",
		"settle: 0s\nhold_timeout: 3m\ntag: next\n",
		"settle: 10s\nhold_timeout: 3m\non_drift: reassert\n",
		"settle: 5s\nhold_timeout: 3m\non_interrupt: leave\n",
		"settle: 5s\nhold_timeout: 3m\nfreeze:\n"
		"  - {from: 2026-01-01 00:01, to: 2026-01-01 00:03, zone: "
		"UTC}\n"
		"  - {from: 2026-01-01 00:04, to: 2026-01-01 00:05, zone: "
		"UTC}\n",
	};
	char loaded[1024], gated[512];
	const char *others = rest[pick(5)], *asked = slos[pick(2)];
	const char *way = random_gate(steps[pick(2)], gated, sizeof(gated));

	way = random_load(way, loaded, sizeof(loaded));
	if (!random_evidence())
		given_policy(way, asked, others, deeds, NULL);
}

/* ---- troubles ---- */

static void run_trouble(void)
{
	static const char *const kinds[] = {
		"'kind': 'hang', 'method': 'GET'",
		"'kind': 'hang', 'method': 'PATCH'",
		"'kind': 'hang', 'method': 'PATCH', 'when': 'after'",
		"'kind': 'status', 'status': 503, 'method': 'PATCH'",
		"'kind': 'status', 'status': 429, 'retryAfter': '7s'",
		"'kind': 'status', 'status': 500, 'method': 'PATCH',"
		" 'when': 'after'",
		"'kind': 'status', 'status': 503, 'method': 'GET'",
		"'kind': 'reset', 'method': 'PATCH', 'when': 'after'",
		"'kind': 'reset'",
		"'kind': 'slow', 'delay': '3s'",
		"'kind': 'operation-error', 'method': 'PATCH', 'code': 13",
		"'kind': 'operation-error', 'method': 'PATCH', 'code': 14,"
		" 'when': 'after'",
		"'kind': 'operation-stuck', 'method': 'PATCH'",
		"'kind': 'operation-stuck', 'method': 'PATCH',"
		" 'when': 'after'",
		"'kind': 'stale', 'method': 'GET', 'delay': '4s'",
	};
	const char *kind = kinds[pick((int)(sizeof(kinds) / sizeof(*kinds)))];
	char fault[256];

	if (chance(50))
		snprintf(fault, sizeof(fault), "{%s, 'times': %d}", kind,
			1 + pick(3));
	else
		snprintf(fault, sizeof(fault), "{%s, 'for': '%ds'}", kind,
			1 + pick(40));
	tell("Cloud Run: %s", fault);
	fake_run_fault(fault);
}

static void metrics_trouble(void)
{
	static const double values[] = {0, 0, 0.005, 0.5};
	enum fake_said said =
		chance(60) ? SAYS_VALUE : (enum fake_said)(1 + pick(3));
	const char *who = chance(70) ? "errors" : "other";
	double value = values[pick(4)];

	if (chance(10))
		said = HANGS;
	tell("metrics: %s says %d (%g)", who, said, value);
	fake_metrics_say(who, said, value);
	if (!world.has_evidence)
		return;
	fake_counters_errors(FAKE_NEW, value > 0.1 ? 0.1 : 0.001);
	fake_counters_away(chance(30));
}

static void foreign_trouble(void)
{
	static const char *const tables[] = {
		"shop-1=100 shop-1=0#debug",
		"shop-3=100 shop-1=0#debug",
		"shop-1=80 shop-2=10 shop-3=10 shop-1=0#debug",
		"shop-1=90 shop-2=10 shop-1=0#debug shop-3=0#debug-3",
	};
	const char *table = tables[pick(4)];
	bool ready = chance(50);

	switch (pick(5)) {
	case 4:
		tell(FAKE_STABLE " is %sready", ready ? "" : "not ");
		fake_run_set_ready(FAKE_STABLE, ready);
		break;
	case 0:
		tell("a deployment of somebody else fails");
		fake_run_failed_deployment();
		break;
	case 1:
		tell("somebody else writes %s before us", table);
		fake_run_foreign_before_write(table);
		break;
	case 2:
		tell("somebody else writes %s, in vain", table);
		fake_run_foreign_failing(table);
		break;
	default:
		tell("somebody else writes %s", table);
		fake_run_foreign(table);
	}
}

static void machine_trouble(void)
{
	int64_t ms = 10 + pick(chance(70) ? 3000 : 120000);

	switch (pick(4)) {
	case 0:
		tell("the machine sleeps for %lld ms", (long long)ms);
		the_machine_sleeps(ms);
		break;
	case 1:
		ms = chance(50) ? ms * 100 : -ms * 100;
		tell("the clock is set by %lld ms", (long long)ms);
		fake_loop_set_clock(ms);
		break;
	case 2:
		tell("the network is cut");
		fake_http_cut(true);
		break;
	default:
		tell("the network is there");
		fake_http_cut(false);
	}
}

static void store_trouble(void)
{
	int64_t ms = 10 + pick(9000);

	switch (pick(3)) {
	case 0:
		tell("the state file is locked for %lld ms", (long long)ms);
		fake_store_lock(ms);
		break;
	case 1:
		tell("the disk is full");
		fake_store_full(true);
		break;
	default:
		tell("the disk has room");
		fake_store_full(false);
	}
}

static void people_trouble(void)
{
	static const char *const verbs[] = {
		"approve", "approve", "pause", "continue", "continue", "abort"};
	const char *verb = verbs[pick(6)];

	if (!fake_store_newest())
		return;
	/* The daemon's signals are no rollout's business. */
	if (is_driven() && chance(10) && !world.by_both) {
		tell("SIGTERM");
		interrupt("SIGTERM");
		return;
	}
	tell("bob says %s", verb);
	command(verb, "bob");
}

static void process_trouble(void)
{
	int64_t away_ms = 100 + pick(60000);

	if (!is_driven())
		return;
	tell("the process dies; another one comes in %lld ms",
		(long long)away_ms);
	resume_after(away_ms);
	crash();
}

static void one_trouble(void)
{
	static void (*const troubles[])(void) = {run_trouble, run_trouble,
		run_trouble, metrics_trouble, metrics_trouble, foreign_trouble,
		machine_trouble, store_trouble, people_trouble,
		process_trouble};

	troubles[pick((int)(sizeof(troubles) / sizeof(*troubles)))]();
}

/* ---- a world ---- */

static bool has_ended(void)
{
	return fake_store_newest() && fake_store_has_ended(fake_store_newest());
}

/* People look now and then. */
static void say_continue(void *arg)
{
	if (has_ended())
		return;
	command("continue", "bob");
	command("approve", "carol");
	command("approve", "bob");
	fake_world_after(100 * SECOND, say_continue, NULL);
}

/* Somebody says resume when the process has ended and the rollout has not. */
static void look_after(void)
{
	if (process_up_ms() < 0 || is_driven() || has_ended())
		return;
	tell("exit %d (%.80s): another process", exit_status(), end_text());
	resume();
}

static void trouble(void)
{
	int n = 1 + pick(TROUBLES_MAX);

	for (int i = 0; i < n; i++) {
		until(fake_now() + 1 + pick(chance(50) ? 2000 : 15000));
		if (has_ended())
			return; /* what comes later is not its business */
		one_trouble();
		look_after();
	}
}

/* What others did before there was a rollout may refuse it. */
static void until_it_has_begun(void)
{
	int64_t limit = fake_now() + HOUR;

	while (!fake_store_newest() && fake_now() < limit) {
		look_after();
		until(fake_now() + SECOND);
	}
	promise(fake_store_newest(), "it does not begin");
}

static void calm(void)
{
	tell("the trouble is over");
	fake_store_full(false);
	fake_store_lock(0);
	fake_run_set_ready(FAKE_STABLE, true);
	the_world_heals();
	fake_metrics_say("errors", SAYS_VALUE, chance(80) ? 0 : 0.5);
	fake_metrics_say("other", SAYS_VALUE, 0);
	if (world.has_evidence) {
		fake_counters_errors(FAKE_NEW, chance(50) ? 0.001 : 0.1);
		fake_counters_away(false);
	}
	resume_after(SECOND);
	until_it_has_begun();
	fake_world_after(SECOND, say_continue, NULL);
	for (int i = 0; i < PROCESSES_MAX && !has_ended(); i++) {
		look_after();
		until_the_end();
	}
	promise(has_ended(), "it does not end");
}

static void check_end(void)
{
	const char *phase = fake_store_phase(fake_store_newest());

	promise(fake_deeds("undo") <= 1, "undo was done %d times",
		fake_deeds("undo"));
	/* What nobody told it of cannot be known. */
	if (fake_run.foreign_ms >= books_told_ms())
		return;
	if (strcmp(phase, "promoted") == 0)
		promise(fake_run_wants(FAKE_NEW) == 100, "promoted with %d %%",
			fake_run_wants(FAKE_NEW));
	if (strcmp(phase, "rolled-back") == 0)
		promise(fake_run_wants(FAKE_NEW) == 0,
			"rolled back, and the candidate has %d %%",
			fake_run_wants(FAKE_NEW));
}

/* The journal of a world, without what is drawn anew for each rollout. */
static void keep_journal(struct buf *journal)
{
	for (size_t i = 0; journal && i < fake_store_entries(); i++) {
		struct fake_entry entry = fake_store_entry(i);

		buf_addf(journal, "%lld %s %s %s\n", (long long)entry.time_ms,
			entry.phase, entry.name, entry.data);
	}
}

static void play(uint64_t seed, struct buf *journal)
{
	struct run_options options = {.wish = {.candidate = FAKE_NEW}};

	workers_do(seed);
	rng_init(&world.rng, seed);
	world.seed = seed;
	world.story_len = 0;
	world.story[0] = '\0';
	scenario_open(seed);
	random_policy();
	fake_loop_late(chance(50) ? 0 : 1 + pick(20));
	fake_worker_slow(chance(50) ? 0 : 1 + pick(100));
	fake_run_deploy("shop-3");
	given_traffic("shop-1=100 shop-1=0#debug");
	fake_run.cloud.rules.etag_is_strict = chance(70);
	books_open();
	run_with(&options);
	trouble();
	calm();
	check_end();
	keep_journal(journal);
	scenario_close();
}

/* Who drives makes no difference: `run`, or the daemon. */
static void play_both(uint64_t seed)
{
	struct buf by_run, by_daemon;

	buf_init(&by_run, JOURNAL_MAX);
	buf_init(&by_daemon, JOURNAL_MAX);
	world.by_both = true;
	scenario_drop_at_end(true);
	play(seed, &by_run);
	scenario_by_daemon(true);
	play(seed, &by_daemon);
	scenario_by_daemon(false);
	scenario_drop_at_end(false);
	world.by_both = false;
	if (!by_run.len || strcmp(by_run.data, by_daemon.data) != 0) {
		printf("seed %llu, by run:\n%s\nand by the daemon:\n%s\n",
			(unsigned long long)seed, by_run.data, by_daemon.data);
		broken("the daemon decides otherwise");
	}
	buf_fini(&by_run);
	buf_fini(&by_daemon);
}

static long worlds = WORLDS_DEFAULT, both_worlds = BOTH_DEFAULT;
static uint64_t first_seed = 1;

/* Rare moments in which something went wrong once: a rollout that was promoted by
 * an old answer, a signal as a journal was written again. */
static const uint64_t once_wrong[] = {6444389, 6695480};

static int play_share(int worker, int n_workers)
{
	for (size_t i = 0; !worker && first_seed == 1 &&
			   i < sizeof(once_wrong) / sizeof(once_wrong[0]);
		i++)
		play(once_wrong[i], NULL);
	for (long i = worker; i < worlds; i += n_workers)
		if (i < both_worlds)
			play_both(first_seed + (uint64_t)i);
		else
			play(first_seed + (uint64_t)i, NULL);
	return 0;
}

int main(int argc, char **argv)
{
	promise_broken = broken;
	if (argc > 1)
		worlds = atol(argv[1]);
	if (argc > 2)
		first_seed = strtoull(argv[2], NULL, 10);
	if (argc > 3)
		both_worlds = atol(argv[3]);
	if (workers_run(play_share) != 0)
		return 1;
	printf("%ld worlds end, and all promises hold\n", worlds);
	return 0;
}
