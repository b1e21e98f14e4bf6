/*
 * The doctor: could a rollout run now? Looks at everything that one needs and
 * changes nothing, neither over there nor in the state file. All that is wrong
 * is told at once, each with what to do about it.
 */
#ifndef TIDEGATE_LIVE_DOCTOR_H
#define TIDEGATE_LIVE_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "engine/check.h"

enum finding_kind {
	FINDING_OK,
	FINDING_WARN, /* a rollout could run, but look at this */
	FINDING_FAIL, /* it could not, or not to its end */
	FINDING_SKIP, /* not looked at: something else has to be right first */
	FINDING_KINDS
};

const char *finding_name(enum finding_kind kind); /* "ok", "warn", … */

/* What an SLO's queries say now about one revision. */
struct finding_arm {
	const char *revision; /* NULL: it was not asked about */
	struct judgement judgement;
	struct answers answers;
	size_t series[3]; /* of query, baseline and requests */
	const char *query[3]; /* resolved; NULL: not asked */
	const char *trouble; /* "": none */
	int64_t latency_us;
};

struct finding {
	enum finding_kind kind;
	const char *what, *name; /* "slo", "error-rate" */
	const char *detail;
	const char *remedy; /* "" when there is none */
	const struct finding_arm *arms; /* SLOs: of stable and candidate */
};

struct doctor_report {
	const struct finding *finding;
	size_t n, counts[FINDING_KINDS];
	const char *candidate, *stable; /* "" while not known */
};

struct doctor_options {
	const char *service; /* full name */
	const char *candidate; /* NULL: the latest ready revision */
	const char *starter; /* who would start it */
	const char *state_path;
	const struct err *state_err; /* the file cannot be opened; NULL: it can,
				      * or there is none yet */
	const struct err *credentials_err; /* none were found; NULL: some were,
					    * and the world has a cloudrun */
	bool adopt, again;
};

struct doctor;
struct policy;
struct world;

/* Once, later; the report is borrowed for the call. */
typedef void (*doctor_fn)(const struct doctor_report *report, void *arg);

/* The store of the world is NULL when there is no state file yet. The texts of
 * the options are borrowed until the end. */
MUST_CHECK struct doctor *doctor_start(struct world *world,
	const struct policy *policy, const struct doctor_options *options,
	doctor_fn fn, void *arg, struct err *err_r);
void doctor_free(struct doctor **doctor);

#endif
