/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine against a recorded world: a virtual clock, metrics from a
 * recording, a service that does what it is told, and faults on request. The
 * same engine, policy and rules as live/; only what answers the effects
 * differs. Deterministic: the same inputs give the same bytes.
 */
#ifndef TIDEGATE_SIM_SIM_H
#define TIDEGATE_SIM_SIM_H

#include "engine/rollout.h"
#include "policy/policy.h"
#include "sim/recording.h"
#include "sim/sim_looks.h"
#include "sim/sim_past.h"

#define SIM_FAULTS_MAX 32

enum fault_type {
	FAULT_METRICS_DOWN, /* every query fails */
	FAULT_PATCH_503, /* every traffic write fails, undone */
	FAULT_PATCH_LOST, /* writes are done, but their answers are lost */
	FAULT_DRIFT, /* somebody else writes the traffic: once */
	FAULT_CRASH, /* the process dies and is resumed after a while: once */
	FAULTS
};

struct fault {
	enum fault_type type;
	int64_t at_ms; /* after the start */
	int64_t for_ms; /* metrics-down, patch-…: how long; crash: away */
};

/* "metrics-down@12m+5m", "drift@15m" */
MUST_CHECK int fault_parse(
	const char *text, struct fault *fault_r, struct err *err_r);

enum sim_approve { SIM_APPROVE_ALWAYS, SIM_APPROVE_NEVER, SIM_APPROVE_AFTER };

struct sim_options {
	enum sim_approve approve;
	int64_t approve_after_ms; /* after the gate opened */
	const struct fault *faults;
	size_t n_faults;
	/* A write serves so much later; < 0: what the recording says, else 2 s. */
	int64_t shift_ms;
	/* Stable's past, of this recording; NULL: it is read from it. */
	const struct sim_past *past;
	/* What runs of this recording before have seen of its counters, and
	 * where this one adds to it; see sim_looks.h. NULL: all is read. */
	struct sim_looks *looks;
};

struct sim;

/* Told of every event (note NULL) and every note, in order. */
typedef void (*sim_listener)(const struct sim *sim, const struct event *event,
	const struct note *note, void *arg);

struct sim_result {
	enum phase phase; /* an end, or where it stood when data ran out */
	enum cause cause;
	char reason[ROLLOUT_TEXT_MAX];
	int exit_status;
	int64_t start_ms, end_ms; /* virtual */
	int failed_slo; /* -1: none */
	int64_t revert_ms; /* when the revert was decided; 0: never */
	bool stepped_back; /* what came then was not recorded: it ended there */
	/* Of the SLO that failed: the first sample of those that led to it, how
	 * many checks there were from then on. 0: no SLO failed. */
	int64_t first_bad_ms;
	int checks_to_revert;
	int checks; /* of all SLOs */
	double exposure_s; /* integral of candidate percent / 100 */
	size_t events;
};

/* Every series the policy asks for is there: -1 with ERR_POLICY names the
 * first that is missing. */
MUST_CHECK int sim_check(const struct policy *policy,
	const struct recording *recording, struct err *err_r);

/* Runs to an end, or until the recording has no more to say. The inputs have
 * passed sim_check. `listener` may be NULL. */
void sim_run(const struct policy *policy, const struct recording *recording,
	const struct sim_options *options, sim_listener listener, void *arg,
	struct sim_result *result_r);

/* "promoted", …; "waiting" when the data ran out first. */
const char *sim_outcome(const struct sim_result *result);

/* For listeners. */
int64_t sim_now(const struct sim *sim);
const struct rollout *sim_rollout(const struct sim *sim);
const struct judgement *sim_judgement(const struct sim *sim);
const struct evidence_seen *sim_seen(const struct sim *sim);
int sim_percent(const struct sim *sim); /* what the candidate serves */

#endif
