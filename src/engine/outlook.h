/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What comes next when nobody interferes, and when, by the rules that decide
 * (rollout.c and what it asks). Pure: nothing is changed.
 *
 * There are at most two ways: where it goes if what it waits for comes (`phase`,
 * `at_ms`, `waits_for`), and where it goes if that does not come (`late`,
 * `late_ms`).
 */
#ifndef TIDEGATE_ENGINE_OUTLOOK_H
#define TIDEGATE_ENGINE_OUTLOOK_H

#include "engine/state.h"

enum outlook_wait {
	OUTLOOK_OVER, /* it has ended: nothing comes */
	OUTLOOK_PERSON, /* a person's decision, nothing else */
	OUTLOOK_LOOK, /* preflight's look, or the first one of a resume */
	OUTLOOK_ACTION, /* an action that runs or is to be tried again */
	OUTLOOK_APPROVALS, /* they are missing */
	OUTLOOK_CHECKS, /* checks that pass */
	OUTLOOK_TRAFFIC, /* the split that is wanted serves */
	OUTLOOK_SETTLE, /* time, and then the bake begins */
	OUTLOOK_BAKE, /* time, while all SLOs pass */
	OUTLOOK_SAMPLES, /* samples of the candidate; then as OUTLOOK_BAKE */
	OUTLOOK_METRICS, /* the provider answers again */
	OUTLOOK_STABLE, /* the stable revision is there again */
	OUTLOOK_LAST_LOOK, /* the read that verifies a rollback */
	OUTLOOK_FREEZE, /* its end, or a person's `continue` */
};

struct outlook {
	enum outlook_wait waits_for;
	enum phase phase; /* where it goes then; the same: it stays */
	/* When, at the earliest, if it is time or checks that it waits for; 0:
	 * as soon as it comes. */
	int64_t at_ms;
	enum phase late; /* where it goes when that does not come */
	int64_t late_ms; /* when; 0: it waits for as long as it takes */
	int64_t check_ms; /* the next check of any SLO; 0: none is asked */
};

/* Of the rollout as it is driven; `now_ms` is its time. */
struct outlook rollout_outlook(const struct policy *policy,
	const struct rollout *rollout, int64_t now_ms);

/* Why a command would not be taken now, by the rules that take it; NULL: it
 * would be. `who` NULL: whether anybody's would. Returns `text`. */
const char *rollout_refuses(const struct policy *policy,
	const struct rollout *rollout, enum verb verb, int step,
	const char *who, char text[ROLLOUT_TEXT_MAX]);

#endif
