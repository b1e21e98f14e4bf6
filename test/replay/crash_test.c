/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process can die between any two things it does. Each story is played once
 * to count its instants, then again with a death at each of them: pending
 * callbacks are dropped, what is not committed is lost, requests that have left
 * arrive, and another process resumes after a while. Whatever the instant, the
 * story ends as it should, and what actions do was done as often as it should.
 *
 *	crash_test [POINTS [SEED]]
 *	crash_test 0 STORY AWAY_MS INSTANT AGAIN SEED
 *
 * $TIDEGATE_CRASH_POINTS stands for POINTS.
 *
 * A failure prints the command that plays it again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenario.h"
#include "workers.h"

#define POINTS_DEFAULT 5000
#define PROCESSES_MAX  4
#define SLOW_DISK_MS   40 /* before a commit, and until it is heard of */

struct story {
	const char *name;
	void (*begin)(void); /* policy, and what will happen */
	const char *end; /* the phase it ends in */
	int undo, hook; /* how often the deed is done; -1: it does not matter */
};

/* One death, or two. */
struct death {
	int64_t away_ms; /* until another process resumes */
	long instant;
	long again; /* the next process dies so many instants later; 0: not */
};

static struct {
	const struct story *story;
	struct death death;
	bool died_again;
	uint64_t seed;
} now;

/* ---- what will happen ---- */

static void become_bad(void *arg)
{
	errors_of(FAKE_NEW, 0.5);
}

static void heal(void *arg)
{
	the_world_heals();
}

static bool has_begun(void)
{
	return fake_store_newest() != NULL;
}

/* Bob looks now and then, until it has ended. */
static void say_approve(void *arg)
{
	if (has_begun() && fake_store_has_ended(fake_store_newest()))
		return;
	if (has_begun())
		approve("bob");
	fake_world_after(2 * MINUTE, say_approve, NULL);
}

static void say_abort(void *arg)
{
	if (!has_begun())
		fake_world_after(SECOND, say_abort, NULL);
	else
		command("abort", "bob");
}

/* ---- the stories ---- */

static void good(void)
{
	given_policy(policy_short, NULL);
}

static void bad_at_ten(void)
{
	given_policy(policy_short, NULL);
	fake_world_after(12 * SECOND, become_bad, NULL);
}

static void bad_at_hundred(void)
{
	given_policy(policy_short, NULL);
	fake_world_after(40 * SECOND, become_bad, NULL);
}

static void with_a_gate(void)
{
	given_policy("steps:\n"
		     "  - {percent: 10, bake: 20s}\n"
		     "  - {percent: 100, bake: 20s, approval:\n"
		     "     {approvers: [bob], minimum: 1, timeout: 1h}}\n"
		     "settle: 0s\n",
		slo_errors, NULL);
	fake_world_after(MINUTE, say_approve, NULL);
}

static void aborted(void)
{
	given_policy(policy_short, NULL);
	fake_world_after(15 * SECOND, say_abort, NULL);
}

static void with_a_tag(void)
{
	given_policy(policy_short, "tag: next\nfinish: pinned\n", NULL);
	given_traffic("shop-1=100 shop-1=0#debug");
}

static void bad_and_refused(void)
{
	given_policy(policy_short, NULL);
	fake_world_after(12 * SECOND, become_bad, NULL);
	writes_are_refused(503);
	fake_run_heal();
	fake_run_fault("{'kind': 'status', 'method': 'PATCH', 'status': 503,"
		       " 'skip': 1, 'times': 3}");
	fake_world_after(30 * SECOND, heal, NULL);
	fake_world_after(30 * SECOND, become_bad, NULL);
}

static void with_hooks(void)
{
	given_policy(policy_short,
		"hooks:\n"
		"  started: [{name: hello, type: exec, command: [act, hello],\n"
		"             idempotent: false}]\n"
		"  promoted: [{name: hook, type: exec, command: [act, hook],\n"
		"              idempotent: false}]\n",
		NULL);
}

/* A switch that is turned back, and alerts that are silenced meanwhile. */
static void with_apis(void)
{
	given_policy(STEPS("20s", "5s"), slo_errors,
		"rollback:\n"
		"  - {name: quiet, type: alertmanager-silence, lease: 1m,\n"
		"     url: \"" FAKE_ALERTS_ORIGIN
		"\", matchers: ['job=\"shop\"']}\n"
		"  - {name: switch, type: secret, secret: switch,\n"
		"     restore: true}\n",
		NULL);
	fake_world_after(12 * SECOND, become_bad, NULL);
}

static const struct story stories[] = {
	{"good", good, "promoted", 0, 0},
	{"bad-at-ten", bad_at_ten, "rolled-back", 1, 0},
	{"bad-at-hundred", bad_at_hundred, "rolled-back", 1, 0},
	{"gate", with_a_gate, "promoted", 0, 0},
	{"aborted", aborted, "rolled-back", 1, 0},
	{"tag", with_a_tag, "promoted", 0, 0},
	{"bad-and-refused", bad_and_refused, "rolled-back", 1, 0},
	{"hooks", with_hooks, "promoted", 0, 1},
	{"apis", with_apis, "rolled-back", 0, 0},
};

#define N_STORIES ((int)(sizeof(stories) / sizeof(stories[0])))

/* ---- one play ---- */

static void broken(const char *text)
{
	printf("%s: died at instant %ld, resumed after %lld ms: %s\n",
		now.story->name, now.death.instant,
		(long long)now.death.away_ms, text);
	printf("  deeds: %s\n", fake_deeds_order());
	for (size_t i = 0; i < fake_store_entries(); i++) {
		struct fake_entry entry = fake_store_entry(i);

		if (entry.is_note)
			printf("  %9.3f %-14s %s %.100s\n",
				(double)entry.time_ms / 1000, entry.phase,
				entry.name, entry.data);
	}
	printf("  replay: test/replay/crash_test 0 %s %lld %ld %ld %llu\n",
		now.story->name, (long long)now.death.away_ms,
		now.death.instant, now.death.again,
		(unsigned long long)now.seed);
	exit(1);
}

/* A program that was cut off and may not be run again leaves a person. */
static bool is_unknown(const char *phase)
{
	return strcmp(phase, "rollback-failed") == 0 &&
	       fake_store_count("warning", "is not known");
}

static void check_end(const struct story *story)
{
	const char *phase = fake_store_phase(fake_store_newest());
	bool unknown = is_unknown(phase);
	bool is_promoted = strcmp(story->end, "promoted") == 0;

	/* Who aborts before anything moved refuses. */
	if (strcmp(phase, "refused") == 0 && !seen()->highest) {
		promise(story->begin == aborted, "it is refused");
		return;
	}
	promise(strcmp(phase, story->end) == 0 || unknown, "it is %s: %s",
		phase, fake_store_reason(fake_store_newest()));
	expect_serving(FAKE_NEW, is_promoted ? 100 : 0);
	expect_serving(FAKE_STABLE, is_promoted ? 0 : 100);
	promise(fake_deeds("undo") == story->undo || unknown,
		"undo was done %d times", fake_deeds("undo"));
	promise(fake_deeds("undo") <= 1, "undo was done again");
	promise((fake_deeds("purge") > 0) == (story->undo > 0) || unknown,
		"purge was done %d times", fake_deeds("purge"));
	promise(fake_deeds("hook") <= story->hook, "the hook ran again");
	until(fake_now() + MINUTE); /* what nobody closed runs out */
	promise(fake_secret_is_on() && !fake_alerts_are_silenced(),
		"the switch is %s, and alerts are %ssilenced",
		fake_secret_is_on() ? "on" : "off",
		fake_alerts_are_silenced() ? "" : "not ");
}

/* The process that resumed dies, too. */
static void look_for_next(void)
{
	if (now.died_again || !is_driven() ||
		fake_instants() < now.death.instant)
		return;
	now.died_again = true;
	fake_die_at(fake_instants() + now.death.again);
}

/* How many instants there were. */
static long play(
	const struct story *story, const struct death *death, uint64_t seed)
{
	long instants;

	now.story = story;
	now.death = *death;
	now.died_again = !death->again;
	now.seed = seed;
	scenario_open(seed);
	/* Half of the stories on a slow disk, taking turns. */
	if (((uint64_t)(story - stories) + seed) % 2)
		fake_worker_slow(SLOW_DISK_MS);
	story->begin();
	resume_after(death->away_ms);
	fake_die_at(death->instant);
	if (death->again)
		scenario_watch = look_for_next;
	run();
	until_the_rollout_ends(PROCESSES_MAX);
	check_end(story);
	instants = fake_instants();
	scenario_close();
	return instants;
}

static const struct story *story_named(const char *name)
{
	for (int i = 0; i < N_STORIES; i++)
		if (strcmp(stories[i].name, name) == 0)
			return &stories[i];
	printf("no story is called %s\n", name);
	exit(2);
}

static long points = POINTS_DEFAULT;
static uint64_t first_seed = 1;

/* The deaths at one instant: three absences, and one that is followed by
 * another death while the next process takes over. */
static long play_deaths(const struct story *story, long instant, uint64_t seed)
{
	const struct death deaths[] = {
		{500, instant, 0},
		{20 * SECOND, instant, 0},
		{5 * MINUTE, instant, 0},
		{500, instant, 1 + instant * 7 % 29},
	};
	long n = sizeof(deaths) / sizeof(*deaths);

	for (long i = 0; i < n; i++)
		play(story, &deaths[i], seed);
	return n;
}

/* Plays its share of the instants until the points are used up. */
static int play_share(int worker, int n_workers)
{
	static const struct death none;
	long left = points / n_workers + 1;

	for (uint64_t seed = first_seed; left > 0; seed++)
		for (int i = 0; i < N_STORIES && left > 0; i++) {
			long n;

			workers_do(seed);
			n = play(&stories[i], &none, seed);

			for (long k = 1 + worker; k <= n && left > 0;
				k += n_workers)
				left -= play_deaths(&stories[i], k, seed);
		}
	return 0;
}

static int play_one(char **argv)
{
	const struct death death = {
		atol(argv[3]), atol(argv[4]), atol(argv[5])};

	play(story_named(argv[2]), &death, strtoull(argv[6], NULL, 10));
	return 0;
}

int main(int argc, char **argv)
{
	promise_broken = broken;
	if (argc == 7)
		return play_one(argv);
	if (getenv("TIDEGATE_CRASH_POINTS"))
		points = atol(getenv("TIDEGATE_CRASH_POINTS"));
	if (argc > 1)
		points = atol(argv[1]);
	if (argc > 2)
		first_seed = strtoull(argv[2], NULL, 10);
	if (workers_run(play_share) != 0)
		return 1;
	printf("%ld crash points of %d stories end right\n", points, N_STORIES);
	return 0;
}
