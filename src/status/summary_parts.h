/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the summary share. Not for anybody else.
 *
 *   summary.c           puts it together
 *   summary_slo.c       one SLO: value, limit, verdict, reason
 *   summary_now.c       the sentence that says what is
 *   summary_next.c      … what comes next
 *   summary_command.c   what people can do, and what helps
 *   summary_text.c      times and names inside sentences
 */
#ifndef TIDEGATE_STATUS_SUMMARY_PARTS_H
#define TIDEGATE_STATUS_SUMMARY_PARTS_H

#include "base/buf.h"
#include "status/summary.h"

#define SENTENCE_MAX 16384 /* bytes: 32 SLOs may have something to say */

struct making {
	const struct summary_source *from;
	const struct policy *policy;
	const struct rollout *r;
	struct arena *arena;
	struct summary *s; /* what was made so far */
};

/* ---- summary_text.c ---- */

/* "14:32:10 UTC (in 9m45s)"; of one that nobody drives, or that is over,
 * without how far it is. */
const char *say_when(const struct making *m, int64_t ms);
/* A length of time as the policy has it: "1m30s". */
const char *say_length(const struct making *m, int64_t ms);
/* One that has passed, in whole seconds. */
const char *say_passed(const struct making *m, int64_t ms);
/* The candidate's name, or "the candidate" while it is not known. */
const char *say_candidate(const struct making *m);
const char *say_stable(const struct making *m);
/* "step 2 of 3 (50 %)"; counted from 0. */
const char *say_step(const struct making *m, int step);
/* "alice, bob or carol" */
const char *say_names(const struct making *m, const char *const *names,
	size_t n, const char *last_word);
/* What an action is doing: "action "x" of rollback runs (1 of 3)"; NULL: none
 * is. */
const char *say_action(const struct making *m);
/* The text of a buffer, in the arena; the buffer is finished. */
const char *keep(const struct making *m, struct buf *text);

/* The step of the policy that is served or wanted; NULL: there is none. */
const struct step *step_of(const struct making *m);
bool is_exposed(const struct making *m); /* the candidate has users */
/* The step's load is over: its bake began, or begins, anew. */
bool load_was_made(const struct making *m);

/* ---- summary_slo.c ---- */

void make_slos(struct making *m);
/* "3 of 4 SLOs pass; error-rate: no data: …": those that do not pass are named
 * with their reasons. */
void add_slos(const struct making *m, struct buf *out);
/* "error-rate has too few requests (15.6 of 50 in 2m)", for each SLO whose
 * evidence is missing. False: none is. */
bool add_missing(const struct making *m, struct buf *out);

/* ---- the others ---- */

void make_people(struct making *m);
void make_verbs(struct making *m);
void make_remedies(struct making *m);
const char *make_now(const struct making *m);
const char *make_next(const struct making *m);

#endif
