/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preflight: could a rollout run now? Looks at what it needs and changes
 * nothing, neither in the world nor in the state file. All that is wrong is
 * found at once, each finding with its level and what to do about it.
 *
 * A release refuses on a finding that fails and tells of one that warns; `check
 * --live` prints them all.
 */
#ifndef TIDEGATE_LIVE_PREFLIGHT_H
#define TIDEGATE_LIVE_PREFLIGHT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "engine/check.h"

struct action;
struct preflight;
struct release;
struct rollout;
struct service;
struct slo_history;
struct world;

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
	size_t series[QUERY_ROLES]; /* of query, baseline and requests */
	const char *query[QUERY_ROLES]; /* resolved; NULL: not asked */
	const char *trouble; /* "": none */
	const char *warnings; /* of the provider; "": none */
	int64_t latency_us;
};

struct finding {
	enum finding_kind kind;
	const char *what, *name; /* "slo", "error-rate" */
	const char *detail;
	const char *remedy; /* "" when there is none */
	const char *refusal; /* the same where no column says what and which */
	const struct finding_arm *arms; /* SLOs: of stable and candidate */
	const struct slo_history *history; /* stable's; NULL: none */
};

/* What an action will want to know later. */
struct capture {
	const struct action *action;
	const char *text;
};

struct preflight_report {
	const struct finding *finding;
	size_t n, counts[FINDING_KINDS];
	const struct capture *capture;
	size_t n_captures;
	const struct slo_history *histories; /* of stable, where there are */
	size_t n_histories;
};

enum preflight_part {
	PREFLIGHT_SERVICE = 1, /* with its traffic, revisions and tag */
	PREFLIGHT_SLOS = 2, /* every query, for stable and candidate */
	PREFLIGHT_ACTIONS = 4, /* with what they capture */
	PREFLIGHT_PEOPLE = 8, /* who may approve */
	/* What a rollout does not refuse by: credentials, permissions, clock,
	 * the URL, how long stable is kept, drills, who is told, the state file
	 * and the lease in it. */
	PREFLIGHT_ADVICE = 16,
	PREFLIGHT_HISTORY = 32, /* stable's past, for SLOs that count */
};
/* Neither metrics nor actions may keep the users of a rollback waiting. */
#define PREFLIGHT_OF_ROLLBACK PREFLIGHT_SERVICE
#define PREFLIGHT_OF_RELEASE                                      \
	(PREFLIGHT_SERVICE | PREFLIGHT_SLOS | PREFLIGHT_HISTORY | \
		PREFLIGHT_ACTIONS | PREFLIGHT_PEOPLE)
#define PREFLIGHT_OF_CHECK (PREFLIGHT_OF_RELEASE | PREFLIGHT_ADVICE)

struct preflight_what {
	unsigned parts; /* of enum preflight_part */
	struct release *release; /* learns candidate, stable and the URL */
	const struct rollout *state;
	int tries_max; /* of each request that may succeed later */
	int64_t patient_until_ms; /* of the loop; until then it tries again */
	/* For the advice. */
	const char *state_path;
	const struct err *state_err; /* the file cannot be opened; NULL: it can,
				      * or there is none yet */
	const struct err *credentials_err; /* none were found; NULL: some were,
					    * and the world has a cloudrun */
};

/* Once, later; the report is borrowed for the call. */
typedef void (*preflight_fn)(const struct preflight_report *report, void *arg);

/* The store of the world is NULL when there is no state file yet. What `what`
 * points to is borrowed until the end. */
struct preflight *preflight_start(struct world *world,
	const struct preflight_what *what, preflight_fn fn, void *arg);
void preflight_free(struct preflight **preflight); /* also in the callback */

/* The service as it was read, now the caller's; NULL: it was not. */
struct service *preflight_take_service(struct preflight *preflight);

#endif
