/* SPDX-License-Identifier: Apache-2.0 */
/* One simulation under way: what the files of src/sim share. Not for anybody
 * else. */
#ifndef TIDEGATE_SIM_SIM_STATE_H
#define TIDEGATE_SIM_SIM_STATE_H

#include "sim/series.h"
#include "sim/sim.h"

#define QUEUE_MAX (ROLLOUT_EFFECTS_MAX + 8)

struct pending {
	int64_t at_ms;
	uint64_t order;
	struct event event;
};

struct chain {
	const struct recording_series *series;
	size_t cursor;
};

/* Checks since the first breach that the SLO's window still remembers. */
struct streak {
	int64_t from_ms; /* 0: the window holds no breach */
	int checks;
	int64_t last_ms; /* kind evidence: of the latest check; 0: none */
};

struct sim {
	const struct policy *policy;
	const struct recording *recording;
	const struct sim_options *options;
	sim_listener listener;
	void *arg;
	struct sim_result *result;

	struct rollout rollout;
	struct outcome_list out;
	int64_t now_ms;
	struct chain chain[POLICY_SLOS_MAX][QUERY_ROLES];
	bool has_outages[POLICY_SLOS_MAX]; /* in one of its chains */

	struct split spec, serving; /* the service */
	bool by_latest, tagged, stable_kept;
	int64_t generation;
	int64_t serve_at_ms; /* 0: settled */
	int version, read_version;
	int64_t shift_ms;

	int64_t wake_ms, gate_ms; /* gate_ms: when the open one is approved */
	bool fault_done[SIM_FAULTS_MAX];
	int64_t counted_ms; /* exposure is summed up to here */
	int64_t served_ms; /* the candidate's first percent; 0: none yet */
	struct streak streak[POLICY_SLOS_MAX];

	struct sim_counters *counters[POLICY_SLOS_MAX]; /* when asked first */
	const struct sim_past *past; /* NULL: no SLO of kind evidence */

	/* What waits comes first; then places to be used, all different. */
	struct pending *queue[QUEUE_MAX];
	struct pending *told; /* what is being told: not in the queue */
	size_t n_queue;
	uint64_t order;
	struct pending place[QUEUE_MAX + 1];
};

/* What the queries of an SLO say now, into answers that are all not asked. */
void sim_answer(struct sim *sim, int slo, struct answers *answers);

/* Asked now, the provider lets the SLO's timeout pass before it fails. */
bool sim_times_out(const struct sim *sim, int slo);

/* The counters of an SLO of kind evidence as of a time, into a check. */
void sim_count(struct sim *sim, int slo, int64_t time_ms, struct event *event);
void sim_counters_forget(struct sim *sim); /* the process died */
void sim_counters_free(struct sim *sim);

/* What `run` is told now is as of so long ago. */
int64_t sim_asked_ms(const struct sim *sim);

void sim_count_check(struct sim *sim, int slo);
void sim_count_revert(struct sim *sim); /* it was just decided */
void sim_count_exposure(struct sim *sim); /* up to now */

#endif
