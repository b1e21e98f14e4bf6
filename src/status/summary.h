/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A rollout as people see it: what is, what comes next, why, and what they can
 * do about it. One read model for the live view, `status`, its JSON, reports:
 * the same sentence, the same units, the same reason everywhere. Pure: made out
 * of the engine's state and what the journal tells of the past; what comes and
 * when is asked of the engine, whether a command would be taken as well.
 *
 * Texts are whole and of one line; they may hold what others wrote (reasons,
 * comments), so print them by base/printable.h.
 */
#ifndef TIDEGATE_STATUS_SUMMARY_H
#define TIDEGATE_STATUS_SUMMARY_H

#include "engine/evidence_text.h"
#include "engine/outlook.h"
#include "engine/rollout.h"
#include "status/load_live.h"
#include "status/lookback.h"

#define SUMMARY_TIME_MAX 64 /* bytes of a point in time, with the NUL */

/* Who carries out what is decided. */
enum summary_driver {
	SUMMARY_DRIVEN, /* this process, or one that was seen on this host */
	SUMMARY_UNSEEN, /* on another host, or stopped: it may go on */
	SUMMARY_UNDRIVEN, /* nobody */
};

/* How the journal is, as only the process that drives it knows. */
enum summary_journal {
	SUMMARY_JOURNALED,
	SUMMARY_JOURNAL_LATE, /* entries wait for the state file */
	SUMMARY_UNJOURNALED, /* given up: traffic goes back, then driving ends */
};

/* "14:32:10 UTC", or with the date when it is far from `read_ms`. */
typedef const char *(*summary_clock_fn)(
	int64_t ms, int64_t read_ms, char text[SUMMARY_TIME_MAX]);
const char *summary_clock_utc(
	int64_t ms, int64_t read_ms, char text[SUMMARY_TIME_MAX]);

/* What a summary is made of; all borrowed. */
struct summary_source {
	const struct policy *policy;
	const struct rollout *rollout;
	const struct lookback *lookback; /* NULL: nothing is known */
	const char *id, *service; /* service: short or full */
	const char *candidate, *stable; /* "" while not known */
	const char *starter;
	int64_t started_ms, ended_ms; /* 0: not ended */
	/* The rollout's time; of one that nobody drives that of its last entry,
	 * since its time has stood still since. */
	int64_t now_ms;
	int64_t read_ms; /* when it is read: what is far has a date; 0: now */
	enum summary_driver driver;
	enum summary_journal journal;
	const char
		*holder; /* who drives it, "host pid 123"; NULL: us, nobody */
	const struct load_live *load; /* that is made; NULL: not known */
	/* What people have decided and nobody has taken yet. */
	const struct store_command *waiting;
	size_t n_waiting;
	int64_t renewed_ms; /* unseen: when it last said so, by its clock */
	summary_clock_fn clock; /* how times stand in texts; NULL: UTC */
};

/* ---- commands ---- */

/* One that can be typed as it stands, and what it does now. */
struct summary_command {
	const char *line; /* "tidegate approve backend-20261128-160112-k3fa" */
	bool is_taken; /* verbs: the engine would take it now */
	const char *says; /* what it does; not taken: why not */
};

/* ---- SLOs ---- */

enum slo_verdict {
	SLO_UNDECIDED, /* nothing was asked yet, or not enough is known */
	SLO_PASSES, /* the latest check */
	SLO_BREACHES, /* the latest check, or it has failed for good */
	SLO_NO_DATA,
	SLO_ERROR, /* the metrics could not be read */
	SLO_VERDICTS
};

const char *slo_verdict_name(enum slo_verdict verdict); /* "pass", "no data" */

struct summary_slo {
	const char *name;
	const char *unit; /* of the texts: "%", "ms", "s", …; "": plain */
	/* The latest that were evaluated; NAN: none, and the text is "". A share
	 * is a ratio here (0.05 is 5 %), a duration's unit is the query's. */
	double value, limit, stable;
	const char *value_text, *limit_text, *stable_text;
	enum slo_verdict verdict;
	const char
		*says; /* for a column: "pass", "no data: 31 of 50 requests" */
	const char *reason; /* the same, whole; with the comparison */
	int passes, min_passes; /* in this step, and wanted */
	const char *passes_text; /* "2 of 3", or the meters; "": it is over */
	int breaches, fail_breaches, fail_of; /* of the last fail_of checks */
	bool failed; /* latched: it has failed */
	bool partial; /* the latest answer is incomplete */
	const char *missing; /* before the step may be left; NULL: nothing */
	int64_t checked_ms, next_ms; /* 0: not yet; not to be asked */

	/* Kind evidence. */
	bool counts;
	struct evidence_meter against, in_favour;
	const char *meters_text;
	struct evidence_arms
		arms; /* requests of late, and the bad among them */

	/* The last checks, oldest first. */
	const struct past_check *last;
	size_t n_last;
	const char *query; /* what was asked last; NULL, "": not known */
};

/* ---- people ---- */

struct summary_people {
	const char *starter;
	const struct deed *deeds; /* oldest first */
	size_t n_deeds;
	/* The gate of the step that waits or has just passed; NULL: none. */
	const struct approval *approval;
	int gate_step; /* from 1 */
	bool gate_is_open;
	const char *const *given, *const *missing; /* names */
	size_t n_given, n_missing;
	int64_t gate_ms; /* held then, when they have not come; 0: not open */
	int64_t expires_ms; /* the approvals given; 0: none */
	const struct deed *pause; /* who paused it; NULL: it is not paused */
};

/* ---- all of it ---- */

struct summary {
	const char *id, *service; /* short name of the service */
	const char *candidate, *stable; /* "" while not known */
	int64_t now_ms, read_ms, started_ms, ended_ms;
	enum phase phase;
	bool is_paused, waits_for_people, is_driven;
	enum cause cause;
	const char *reason; /* "": none */

	const char *now; /* what is */
	const char *next; /* what comes next, when, what would change it */
	struct outlook outlook; /* the same, for programs */

	/* Traffic: what serves, in percent. */
	int candidate_percent, stable_percent, other_percent;
	int wanted_percent; /* what the candidate is to have; -1: nothing is */

	int step,
		n_steps; /* from 1; 0: before the first; n_steps + 1: finish */
	int64_t step_ms; /* since when the step's split serves; 0: it does not */
	int64_t bake_ms, baked_ms; /* 0: there is none now */
	int64_t settled_ms; /* when settle is over; 0: no settle runs */
	int64_t over_ms; /* when the bake is over; 0: none runs */

	const struct summary_slo *slos;
	size_t n_slos, n_passing;

	struct summary_people people;
	const struct found_drift *drift; /* NULL: none was found */

	struct summary_command verbs[VERBS];
	/* What helps now, the most useful first. */
	const struct summary_command *remedies;
	size_t n_remedies;

	const char *driver; /* "", or who drives it; nobody: how to go on */
};

/* Everything that it points to lives in `arena`, or is the source's. */
const struct summary *summary_make(
	const struct summary_source *source, struct arena *arena);

#endif
