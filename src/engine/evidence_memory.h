/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a rollout knows of the SLOs of kind evidence: state of the engine that
 * is made when preflight has passed and lives as long as the rollout's. Folded
 * from the journal like everything else. Pure.
 */
#ifndef TIDEGATE_ENGINE_EVIDENCE_MEMORY_H
#define TIDEGATE_ENGINE_EVIDENCE_MEMORY_H

#include "engine/evidence.h"
#include "engine/evidence_dispersion.h"
#include "policy/policy.h"

#define EVIDENCE_RECENT_MS 120000 /* that people are told about … */
#define EVIDENCE_RECENT    8 /* … in so many parts */

/* What came between two checks, of both arms. */
struct check_counts {
	struct evidence_counts candidate, stable;
	size_t bins; /* of both: 2, or the histogram's buckets */
	double bounds[EVIDENCE_BINS_MAX]; /* upper ones; the last has none */
};

/* Stable's past, as preflight found it; for one SLO. */
struct slo_history {
	int slo;
	double seconds; /* 0: there is none */
	struct request_sum past;
	size_t bins; /* 0: not known */
	double bounds[EVIDENCE_BINS_MAX], histogram[EVIDENCE_BINS_MAX];
	struct dispersion dispersion;
};

struct evidence_slo {
	int slo; /* index in the policy */
	struct evidence_spec spec;
	struct evidence_objective objective;
	struct evidence_numbers numbers; /* see evidence_memory_tell */
	bool is_untold; /* they are those of an earlier check */
	double e; /* objective_e of the latest one */
	double rate; /* requests per second, of the history */

	/* Of the step. */
	double limit; /* see plan_limit */
	struct evidence_arms step;
	unsigned checks; /* with data of the candidate */

	/* Newest first: the latest check, then checks that came before it, several
	 * of them together where they are close. */
	struct evidence_arms recent[EVIDENCE_RECENT];
	uint16_t recent_cs[EVIDENCE_RECENT]; /* how long each took, in 10 ms */
	int64_t counted_ms; /* when it was counted; 0: not yet */
};

/* What a check led to, before what follows: a step back begins anew. */
struct evidence_seen {
	unsigned climb; /* in which it counted */
	bool counted; /* there were counts to take … */
	bool latency;
	struct evidence_numbers own; /* … and what its SLO shows since */
	bool decided; /* all that were asked with it have answered … */
	struct evidence_result all; /* … and what they show together */
};

/* One block: behind the last SLO are the bins that their objectives point to,
 * those of a latency with the bounds. It is therefore never copied, and compared
 * by what the pointers lead to. */
struct evidence_memory {
	struct evidence_rules rules;
	struct bet_rules bets;
	struct evidence_state state;
	struct evidence_limits limits;
	struct evidence_result result; /* of the latest check; … */
	bool is_untold; /* … but for its decision, of an earlier one */
	unsigned climbs; /* begun: evidence starts anew with each */
	size_t step; /* index of the one that it is judged by */
	size_t n;
	struct evidence_slo slo[];
};

/* The upper bounds of a latency's buckets but the last one, once these are
 * known; they lie behind what its objective keeps of each bucket. */
static inline double *evidence_bounds(const struct evidence_slo *slo)
{
	return slo->objective.bins + 2 * slo->spec.bins;
}

/* The bucket whose upper bound is `bound`, or the next higher one. */
size_t evidence_bound(const double *bounds, size_t bins, double bound);

/* Of the policy's SLOs of kind evidence; NULL: it has none. `histories` may
 * leave some out. Free it with free(). */
struct evidence_memory *evidence_memory_new(const struct policy *policy,
	const struct slo_history *histories, size_t n);

/* The SLO with that index in the policy; NULL: it is of another kind. */
struct evidence_slo *evidence_find(struct evidence_memory *memory, int slo);

/* Step `step` of the policy begins: its share, its limits, its evidence. */
void evidence_memory_begin_step(struct evidence_memory *memory,
	const struct policy *policy, size_t step);

/* The climb begins again, with nothing asked for yet. */
void evidence_memory_climb_again(struct evidence_memory *memory);

/* Takes the counts of a check of that SLO, which fit; it was asked at `at_ms`.
 * Whoever reads numbers or the result has them told first. */
void evidence_memory_take(struct evidence_memory *memory,
	const struct policy *policy, struct evidence_slo *slo,
	const struct check_counts *counts, int64_t at_ms);

/* Decides by what all SLOs have shown: to be called when those that were asked
 * at the same time have answered, in whichever order. */
enum evidence_decision evidence_memory_decide(struct evidence_memory *memory);

/* Works out the numbers of all SLOs and the result, as far as they are those of
 * an earlier check; they take as long as the counts. */
void evidence_memory_tell(struct evidence_memory *memory);

/* An SLO shows something against the candidate, told or not: ln E > 0. */
bool evidence_is_against(
	const struct evidence_memory *memory, const struct evidence_slo *slo);

/* Counts cannot be added to what is known: another histogram. */
bool evidence_counts_fit(
	const struct evidence_slo *slo, const struct check_counts *counts);

/* The requests of late: of the checks of the last two minutes, of the latest
 * alone where it covers more, or of the step when those are few. */
struct evidence_arms evidence_recent(const struct evidence_slo *slo);

/* The candidate's share of bad requests of late; NAN: there were none. */
double evidence_share(const struct evidence_slo *slo);

/* The SLO that weighs most against the candidate; memory->n > 0. */
const struct evidence_slo *evidence_heaviest(
	const struct evidence_memory *memory);

#endif
