/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a recorder holds while it asks. Private to recorder.c, which fills it,
 * recorder_counts.c, and recorder_print.c, which writes the recording.
 */
#ifndef TIDEGATE_SIM_RECORDER_STATE_H
#define TIDEGATE_SIM_RECORDER_STATE_H

#include "metrics/range_codec.h"
#include "sim/recorder.h"
#include "sim/remembered.h"

/* Counters as the checks of a rollout counted them: values so far, as the
 * `values` of series, one for each bound of a histogram. */
struct counted {
	size_t bins; /* 0: no check yet */
	double bounds[EVIDENCE_BINS_MAX];
	double value[EVIDENCE_BINS_MAX]; /* cumulated over bounds and time */
	bool known; /* the latest had a sample */
	int64_t asked_ms, next_ms; /* of the latest; no sample is there yet */
	struct buf text[EVIDENCE_BINS_MAX];
};

struct track {
	struct recorder *recorder;
	size_t slo;
	enum query_role kind;
	char *query;
	struct range range;
	bool is_remembered; /* nobody is asked: `remembered` is all there is */
	struct remembered remembered;
	struct counted *counted; /* nobody is asked, either; NULL: not so */
	int64_t from_ms; /* before the span where that is asked about … */
	bool is_longer; /* … and stable's past is a day of it */
	size_t chunk_points; /* fewer when an answer was too large */
	int64_t next_ms; /* what is not there yet begins here */
	int64_t chunk_to_ms; /* of the one that is asked */
	int tries;
	bool running;
	struct provider_call *call;
	struct timer *timer;
	struct recorder_outage *outages;
	size_t n_outages;
};

struct recorder {
	struct recorder_plan plan;
	struct loop *loop;
	struct prometheus *prometheus;
	struct part *part; /* NULL: none */
	struct track *tracks;
	size_t n_tracks, n_running;
	bool past_is_read; /* then the span is asked about */
	bool over; /* told, or failed and about to be */
	struct err err;
	struct timer *end;
	recorder_fn fn;
	void *arg;
};

/* ---- recorder_past.c ---- */

/* How far before the span the track begins; 0: it is not of stable's past. */
int64_t recorder_past_ms(const struct track *track);
/* How far before the span everything else does, in whole steps. */
int64_t recorder_lead_ms(const struct recorder_plan *plan);
/* The time of the track's first point. */
int64_t recorder_begin_ms(const struct track *track);
/* From the point there to the next one. */
int64_t recorder_step_ms(const struct track *track, int64_t ms);
/* The time of the last point of the chunk that begins there. */
int64_t recorder_chunk_end_ms(const struct track *track, int64_t from_ms);
/* The past of this SLO is there, and has few bad requests: more is wanted. */
bool recorder_past_wants_longer(const struct recorder *recorder, size_t slo);
/* A part file has a chunk from before the track: more was wanted then. */
bool recorder_past_is_kept_longer(const struct track *track, int64_t to_ms);

/* ---- recorder_counts.c ---- */

struct counted *counted_new(void);
void counted_free(struct counted **counted);
/* {"resultType":"matrix","result":[…]} */
void counted_print(const struct counted *counted, struct buf *out);

#endif
