/* What happened in a simulation, kept for a picture of it. */
#ifndef TIDEGATE_CLI_SIMULATE_STORY_H
#define TIDEGATE_CLI_SIMULATE_STORY_H

#include "base/arena.h"
#include "sim/sim.h"

#define STORY_POINTS_MAX    200000 /* of one SLO */
#define STORY_DECISIONS_MAX 2000

struct story_point {
	int64_t time_ms;
	double value, limit; /* NaN: none */
	enum outcome outcome;
};

struct story_line {
	struct story_point *point;
	size_t n, size;
};

struct story_step {
	int64_t time_ms;
	int percent; /* from then on */
};

struct story_decision {
	int64_t time_ms;
	int percent;
	enum note_type type;
	enum phase to; /* of NOTE_PHASE */
	const char *what, *text;
};

struct story {
	struct arena arena;
	const struct policy *policy;
	int64_t start_ms, end_ms;
	struct story_line line[POLICY_SLOS_MAX];
	struct story_step *step;
	size_t n_steps, steps_size;
	struct story_decision decision[STORY_DECISIONS_MAX];
	size_t n_decisions;
};

struct story *story_new(const struct policy *policy, int64_t start_ms);
void story_free(struct story **story);
void story_tell(struct story *story, const struct sim *sim,
	const struct event *event, const struct note *note);

#endif
