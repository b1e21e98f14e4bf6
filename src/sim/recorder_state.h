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
	int64_t from_ms; /* stable's past is before the span */
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
	bool over; /* told, or failed and about to be */
	struct err err;
	struct timer *end;
	recorder_fn fn;
	void *arg;
};

/* ---- recorder_counts.c ---- */

struct counted *counted_new(void);
void counted_free(struct counted **counted);
/* {"resultType":"matrix","result":[…]} */
void counted_print(const struct counted *counted, struct buf *out);

#endif
