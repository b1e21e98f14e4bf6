/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks: from answers to an outcome, and from outcomes to a verdict. Pure.
 *
 * The kinds of SLO share this seam (check_kind.h): a kind turns the answers of
 * one check into an outcome (check_judge) and, over time, keeps what it needs in
 * `struct check_state`. The state machine only ever sees outcomes and verdicts.
 */
#ifndef TIDEGATE_ENGINE_CHECK_H
#define TIDEGATE_ENGINE_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/policy.h"

#define CHECK_TEXT_MAX 384

/* What one query said. */
enum answer_kind {
	ANSWER_NOT_ASKED,
	ANSWER_VALUE, /* one series; the value may be an infinity */
	ANSWER_NO_DATA, /* no series, or NaN */
	ANSWER_ERROR, /* the provider is in trouble, or several series */
};

struct answer {
	enum answer_kind kind;
	double value;
	bool partial; /* it says itself that it is incomplete */
};

/* What a query of an SLO is for. */
enum query_role {
	QUERY_VALUE,
	QUERY_BASELINE, /* the same of the other side */
	QUERY_REQUESTS, /* how many requests the value rests on */
	/* Kind evidence: raw counters, many series each. */
	QUERY_TOTAL, /* all requests, or a histogram's buckets */
	QUERY_TOTAL_STABLE,
	QUERY_BAD, /* the bad ones among them */
	QUERY_BAD_STABLE,
	QUERY_ROLES
};

struct answers {
	struct answer item[QUERY_ROLES]; /* by role */
	const struct check_counts *counts; /* kind evidence; borrowed */
};

enum outcome {
	OUTCOME_NONE,
	OUTCOME_PASS,
	OUTCOME_BREACH,
	OUTCOME_NO_DATA,
	OUTCOME_ERROR
};

#define CHECK_ERRORS_MAX 4 /* in a row; then the rollout is held */

const char *outcome_name(enum outcome outcome); /* "pass", … "none" */
enum outcome outcome_find(const char *name); /* OUTCOME_NONE: unknown */

/* Which of an SLO's limits. */
enum limit_kind {
	LIMIT_NONE,
	LIMIT_MAX,
	LIMIT_MIN,
	LIMIT_CRITICAL,
	LIMIT_INCREASE, /* the baseline plus max_increase */
	LIMIT_RATIO, /* so many times the baseline */
	LIMIT_ANY /* it is not known which */
};

struct judgement {
	enum outcome outcome;
	bool critical; /* above `critical`: one is enough */
	bool partial; /* what there is may be all or a part: no data */
	double value; /* NaN when there is none */
	double limit; /* the one that decided, or the nearest; NaN: none */
	double baseline; /* that it was compared with; NaN: with none */
	double requests, requests_min; /* when they were too few; else NaN */
	const char *sign; /* "<=": how they compare; NULL: they do not */
	enum limit_kind by; /* whose limit that is */
	const char *why; /* why there is no data; NULL: there is */
};

/* "3.4 % > max 1 %", "no data: the query has no value"; returns `text`. */
const char *judgement_print(const struct slo *slo,
	const struct judgement *judgement, char text[CHECK_TEXT_MAX]);

enum verdict { VERDICT_UNDECIDED, VERDICT_PASS, VERDICT_FAIL };

/* What an SLO remembers. Plain data: may be copied. */
struct check_state {
	int64_t due_ms; /* next check; INT64_MAX: none */
	int64_t asked_ms; /* 0: not being asked */
	int64_t last_ms; /* time of the last answer, 0: none yet */
	int64_t latest_ms; /* when that answer had been asked for; 0: none, or
			    * another process did */
	int64_t covered_ms; /* until when this step was watched */
	int64_t lost_ms; /* of this step's bake, that was not watched */
	uint64_t breaches; /* last fail_of decisive outcomes, newest in bit 0 */
	int decisive; /* how many of those bits are in use */
	int passes; /* in this step */
	int settle_checks, settle_breaches; /* of the last settle */
	int errors; /* in a row */
	int silent; /* kind evidence: in this step in a row without a sample */
	enum outcome outcome; /* the latest */
	struct judgement latest; /* all that is known of it */
	bool partial; /* it rests on an incomplete answer */
	double value, limit; /* of the latest that had one; NaN: none */
	bool latest_passes; /* the latest counts as a pass */
	bool failed; /* latched */
	bool put_off; /* it was due in a standstill: not answered since */
};

/* An answer is in, or has timed out, by then; what is older is no evidence. */
static inline int64_t check_look_ms_max(const struct slo *slo)
{
	return 2 * slo->interval_ms;
}

/* `state` is what the SLO remembers from before; it is not changed. */
void check_judge(const struct slo *slo, const struct check_state *state,
	const struct answers *answers, struct judgement *judgement_r);

/* Takes the judgement into the state; says what it means over time. In a settle
 * only what cannot be an after-effect of the shift is a verdict. */
enum verdict check_apply(const struct slo *slo, struct check_state *state,
	const struct judgement *judgement, bool settling);

/* A settle begins; it is over: a breach in all of its checks is a verdict for
 * an SLO that has nothing quicker. */
void check_begin_settle(const struct slo *slo, struct check_state *state);
enum verdict check_end_settle(const struct slo *slo, struct check_state *state);

/* A new step begins: its evidence starts anew; the memory of breaches stays. */
void check_begin_step(const struct slo *slo, struct check_state *state);

/* The step may be left as far as this SLO is concerned. */
bool check_is_satisfied(const struct slo *slo, const struct check_state *state);

/* A person overrides a latched breach: the SLO has to earn its step again. */
void check_reset(const struct slo *slo, struct check_state *state);

/* on_breach observe: what was just applied is an evaluation like any other, and
 * a breach does not latch. */
void check_observe(const struct slo *slo, struct check_state *state);

/* The answer just applied belongs to no step: it is no evidence for this one.
 * `before` is the state before it was applied. */
void check_discard(const struct slo *slo, struct check_state *state,
	const struct check_state *before);

/* What was seen is too old to go by: only a new answer is a pass. */
void check_expire(const struct slo *slo, struct check_state *state);

#endif
