/*
 * What a recorder holds while it asks. Private to recorder.c, which fills it,
 * and recorder_print.c, which writes the recording.
 */
#ifndef TIDEGATE_SIM_RECORDER_STATE_H
#define TIDEGATE_SIM_RECORDER_STATE_H

#include "metrics/range_codec.h"
#include "sim/recorder.h"
#include "sim/remembered.h"

struct track {
	struct recorder *recorder;
	size_t slo;
	enum query_role kind;
	char *query;
	struct range range;
	bool is_remembered; /* nobody is asked: `remembered` is all there is */
	struct remembered remembered;
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

#endif
