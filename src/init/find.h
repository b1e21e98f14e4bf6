/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which of the metrics of a service tell how its requests end: counters with a
 * label for the status, histograms of their duration, each with a label that
 * names the revision. All that was found is kept, with what speaks against it.
 * Pure.
 */
#ifndef TIDEGATE_INIT_FIND_H
#define TIDEGATE_INIT_FIND_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "metrics/listing_codec.h"

#define FIND_METRICS_MAX 64

enum find_kind { FIND_COUNTER, FIND_HISTOGRAM };

struct found_metric {
	const char *name; /* of a histogram: without _bucket */
	enum find_kind kind;
	const char *style; /* whose names these are */
	int rank; /* of two that may be used the higher one is taken */
	const char *why_not; /* NULL: it may be used */

	const char *revision, *service, *code; /* labels; NULL: there is none */
	const char *failures; /* as a regular expression of `code` */
	const char *unit; /* "s", "ms"; NULL: its name does not tell */
	size_t of_stable; /* series */
	const struct listed_series *sample; /* one of stable's; NULL: none */
};

/* Borrowed. */
struct find_what {
	const char *service, *stable;
	const char *counter, *histogram; /* asked for by name; NULL: the best */
};

struct found {
	struct found_metric metric[FIND_METRICS_MAX]; /* the best ones first */
	size_t n;
	const struct found_metric *counter, *histogram; /* NULL: none */
	/* As good as the one that was chosen: somebody has to say which. */
	const struct found_metric *other_counter, *other_histogram;
};

/* Matchers of what to list, as match[]: counters, or histograms, of which one
 * bucket will do. */
struct find_match {
	enum find_kind kind;
	const char *selector; /* more matchers, or "" */
	const char *label, *value; /* one that it must have; NULL: none */
};

void find_match_print(const struct find_match *match, struct buf *out);

/* Labels that usually have the revision, up to a NULL. */
extern const char *const find_revision_labels[];

/* The texts live in the arena, or in the listing. */
void find_metrics(const struct listing *listing, const struct find_what *what,
	struct arena *arena, struct found *found_r);

/* Whether all five labels of Cloud Run's own metrics are there, so that they
 * can be asked by the presets for them. */
bool find_is_cloud_run(const struct found_metric *metric);

#endif
