/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What comes of a load, counted. Knows no request and no clock. Pure.
 */
#ifndef TIDEGATE_LOAD_TALLY_H
#define TIDEGATE_LOAD_TALLY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "load/figures.h"
#include "load/histogram.h"

struct tally {
	/* From the moment that a request was due to its answer. */
	struct histogram times;
	struct histogram recent; /* since the last live line */
	uint64_t requests, failed; /* answered or given up */
	/* Due, and not sent in time: all connections were waiting. */
	uint64_t dropped;
	uint64_t recent_requests, recent_failed;
	uint64_t warmup_requests, warmup_failed; /* not among the others */
	int users_most;
	struct load_reason reason[LOAD_REASONS_MAX];
	uint64_t other_reasons;
	int64_t judged_ms; /* how long it was judged */
	bool stopped; /* before its end */
};

/* An answer; `why` NULL: it is as expected. */
void tally_answer(
	struct tally *tally, int64_t us, bool warmup, const char *why);
void tally_drop(struct tally *tally, uint64_t n, bool warmup);

/* All of it, for judging and printing; texts are borrowed from the tally. */
void tally_figures(const struct tally *tally, struct load_figures *figures_r);

struct tally_now {
	int64_t at_ms, total_ms;
	int users; /* or requests under way */
	int64_t since_ms; /* the last live line */
};

/* A line of JSON for each second, … */
void tally_print_live(const struct tally *tally, const struct tally_now *now,
	struct buf *out);
/* … or of text, without a newline. */
void tally_print_progress(const struct tally *tally,
	const struct tally_now *now, struct buf *out);
void tally_recent_clear(struct tally *tally);

#endif
