/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What of a rollout's past people are shown: the last checks of each SLO, who
 * decided what, whose changes were found. Read from the journal, entry by entry,
 * beside the fold, which keeps the present only. Pure.
 */
#ifndef TIDEGATE_STATUS_LOOKBACK_H
#define TIDEGATE_STATUS_LOOKBACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/event.h"
#include "store/store.h"

#define LOOKBACK_CHECKS 20 /* of each SLO */
#define LOOKBACK_DEEDS  64 /* the newest */

struct past_check {
	int64_t time_ms; /* of the answer */
	enum outcome outcome;
	double value, limit, stable; /* NAN: none */
};

/* What a person did, or had done. */
struct deed {
	int64_t time_ms;
	const char *who, *comment; /* comment: "" when there is none */
	enum verb verb;
	int step; /* approve, reject: whose gate, from 1; 0: not known */
	enum phase phase; /* before it */
	bool refused;
	const char *refusal; /* "": it was taken */
};

/* What others were found to have done with the traffic, the latest time. */
struct found_drift {
	int64_t time_ms; /* 0: nothing was found */
	const char *text; /* which split, and what was done about it */
	const char
		*entries; /* who was to serve what: "b-2 10 %, b-9 90 %"; "" */
	const char *modifier; /* who changed the service last; "": not known */
};

struct lookback;

/* `policy` is borrowed. */
struct lookback *lookback_new(const struct policy *policy);
void lookback_free(struct lookback **lookback); /* NULL inside is accepted */

/* The next entry of the journal; one that makes no sense is passed over. */
void lookback_take(struct lookback *lookback, const struct store_event *entry);

/* The last checks of an SLO, oldest first: writes up to LOOKBACK_CHECKS, says
 * how many. */
size_t lookback_checks(const struct lookback *lookback, size_t slo,
	struct past_check checks[LOOKBACK_CHECKS]);
/* What an SLO's check asked last, templates filled in; "": not known. Borrowed
 * until the next entry is taken. */
const char *lookback_query(const struct lookback *lookback, size_t slo);
/* Oldest first; borrowed until the next entry is taken. */
const struct deed *lookback_deeds(const struct lookback *lookback, size_t *n_r);
const struct found_drift *lookback_drift(const struct lookback *lookback);
/* Why the action that failed last did so, "" when none did. */
const char *lookback_action_trouble(const struct lookback *lookback);

#endif
