/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A world small enough to see at once, for tests of the engine: it answers
 * every effect by itself, on a virtual clock, and can be told to misbehave.
 */
#ifndef TIDEGATE_TEST_ENGINE_FIXTURE_H
#define TIDEGATE_TEST_ENGINE_FIXTURE_H

#include "engine/rollout.h"

#define WORLD_QUEUE_MAX 256

struct arena;
struct summary;
struct world;

/* What an SLO's query is answered at a time; the default is 0. */
typedef struct answers (*world_answer_fn)(struct world *world, int slo);
/* How an action ends; the default is ACTION_OK. */
typedef enum action_result (*world_action_fn)(
	struct world *world, enum action_list list, int index, int attempt);

struct world_event {
	int64_t at_ms;
	uint64_t order;
	struct event event;
};

struct world {
	const struct policy *policy;
	struct rollout rollout;
	int64_t now_ms, start_ms;

	/* The service. */
	struct split spec, serving;
	bool by_latest, candidate_is_latest, tagged, settled, stable_kept;
	int64_t generation;
	enum stable_state stable_state;
	int64_t serve_delay_ms; /* from a write to its split being served */
	int64_t serve_at_ms;
	int version, read_version; /* of the traffic: the etag */
	bool lax; /* a stale etag is accepted, as the real one may */

	/* Of SLOs of kind evidence, as preflight finds it; borrowed. */
	const struct slo_history *histories;
	size_t n_histories;

	/* Misbehaviour. */
	world_answer_fn answer;
	world_action_fn action;
	enum write_result write_result; /* of the next writes … */
	int write_trouble; /* … this many of them; < 0: all */
	bool write_applies; /* although the result says otherwise */
	int read_trouble; /* this many reads fail; < 0: all */
	bool read_refused; /* … in a way that no other read mends */
	int64_t retry_after_ms; /* which troubles ask for */
	int old_reads; /* so many are of before the last change */
	struct event past; /* what those say, … */
	int past_version; /* … and their etag */
	bool deployed; /* somebody has, says the next read */
	int64_t latency_ms; /* of every answer */
	int64_t load_ms; /* how long a load takes beyond that */
	/* The journal cannot be written: what the driver does then is
	 * driver_carry_out_early's. */
	bool store_fails;
	struct rollout durable; /* as it was when that began */
	struct effect kept[ROLLOUT_EFFECTS_MAX];
	size_t n_kept;

	/* Told of everything the engine was fed; NULL: nobody. */
	void (*fed)(struct world *world, const struct event *event,
		const struct outcome_list *out);
	void *fed_arg;

	/* What was seen. */
	int writes, reads, asks, highest_percent;
	char actions[1024]; /* names in the order they were started */
	char phases[2048]; /* "preflight shifting baking …" */
	char notes[16384];
	bool refused; /* the last command */
	char refusal[ROLLOUT_TEXT_MAX];
	int64_t breach_ms,
		reverted_ms; /* first breaching answer, stable again */

	/* Called after each step of the engine; NULL: nobody looks. */
	void (*watch)(struct world *world, const struct event *event,
		const struct outcome_list *out);
	void *watcher;

	struct world_event queue[WORLD_QUEUE_MAX];
	size_t n_queue;
	uint64_t order;
	int64_t wake_ms;
};

void world_init(struct world *world, const struct policy *policy);
void world_start(struct world *world); /* by "alice" */
void world_undo(struct world *world); /* the same, straight back */
void world_push(
	struct world *world, int64_t delay_ms, const struct event *event);
void world_command(struct world *world, enum verb verb, const char *who);
void world_feed(struct world *world, const struct event *event); /* now */
/* Somebody else writes the traffic. */
void world_drift(struct world *world, struct split split);
/* Runs until the virtual time, or until the rollout has ended. */
void world_run(struct world *world, int64_t for_ms);
/* Nothing happens for a while: the process was suspended. */
void world_sleep(struct world *world, int64_t for_ms);
/* The journal cannot be written, or can be again. */
void world_store(struct world *world, bool fails);
/* Everything that is out is lost, and what is not in the journal; another
 * process takes over later. */
void world_crash(struct world *world, int64_t away_ms);
/* The same, and meanwhile the wall clock was set, forwards or back: the rollout
 * takes that for time, but never goes back. */
void world_crash_and_step(struct world *world, int64_t away_ms, int64_t by_ms);
/* Where it stands, in words for people, of the arena. */
const struct summary *world_summary(const struct world *world, struct arena *);

/* A policy of 10, 50, 100 % with 60 s bakes, one SLO, settle 10 s. */
struct test_policy {
	struct policy policy;
	struct step steps[3];
	struct slo slos[2];
	struct approval approval;
	const char *approvers[3];
	struct action actions[ACTION_LISTS][4];
};

void test_policy_init(struct test_policy *test);
/* Adds an action to a list and returns it for changes. */
struct action *test_policy_add(
	struct test_policy *test, enum action_list list, const char *name);

#endif
