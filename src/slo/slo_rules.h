/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a policy to rules for its service's error budgets: recording rules,
 * alerts on how fast a budget burns, and companions that tell when there is
 * nothing to go by. Pure; how they are written down is slo_print.h's.
 *
 * Revisions are summed away, so that a release neither begins a new budget nor
 * looks like a fall of counters. A budget burns by b when b times as many
 * requests are bad as the objective allows; an alert looks at a long window, to
 * be sure, and at a twelfth of it, so that it ends when the trouble does.
 */
#ifndef TIDEGATE_SLO_SLO_RULES_H
#define TIDEGATE_SLO_SLO_RULES_H

#include "base/arena.h"
#include "policy/policy.h"
#include "slo/slo_selector.h"

#define SLO_TIERS 4
/* An alert takes at least so many bad requests: one failure in a quiet night is
 * a large share, but no reason to wake anybody. */
#define SLO_BAD_MIN 3
/* An objective below is no budget that can burn: half of the requests may be
 * bad. */
#define SLO_OBJECTIVE_MIN 0.9

struct slo_wish {
	const char *project, *region; /* NULL: not known */
	const char *service; /* short name */
	double objective, latency_objective; /* 0.999 */
	int64_t period_ms;
};

/* One pair of windows. */
struct slo_tier {
	const char *window, *brief; /* "1h", "5m" */
	int64_t window_ms;
	double share; /* of the budget, gone in the window */
	bool pages;
	double factor; /* of the declared period */
};

struct slo_objective {
	const char *name;
	bool is_latency;
	double target; /* 0.999 */
	double budget; /* 0.001 */
	double bound; /* of latency, seconds; 0: only its label is known */
	/* Those that count among all: the bad ones, or the good ones. */
	struct selector part, total;
	bool part_is_good;
	struct slo_tier tier[SLO_TIERS];
	size_t n_tiers; /* those that can fire */
};

/* What there are no rules for, and why. */
struct slo_left_out {
	const char *name, *why;
};

struct slo_rules {
	struct slo_wish wish;
	struct slo_objective objective[POLICY_SLOS_MAX];
	size_t n;
	struct slo_left_out left_out[POLICY_SLOS_MAX];
	size_t n_left_out;
};

/* Texts live in `arena`. Fails when what a selector asks for is not known. */
MUST_CHECK int slo_rules_make(struct slo_rules *rules_r,
	const struct policy *policy, const struct slo_wish *wish,
	struct arena *arena, struct err *err_r);

/* ---- expressions over a window, "1h" ---- */

/* The share of bad requests. Where the counters of the good ones are not there
 * it has no value; bad ones that are not there are none. */
const char *slo_ratio(const struct slo_objective *objective, const char *window,
	struct arena *arena);
/* How many were bad. */
const char *slo_bad(const struct slo_objective *objective, const char *window,
	struct arena *arena);
/* There is traffic, and nothing that says how much of it was good. */
const char *slo_part_is_missing(
	const struct slo_objective *objective, struct arena *arena);
const char *slo_total_is_missing(
	const struct slo_objective *objective, struct arena *arena);

/* "99.9%", as it was meant. */
const char *slo_share_print(double share, struct arena *arena);

#endif
