/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a load goes while it is made: the line that its generator tells each
 * second, read and shown. Never journaled. Pure.
 */
#ifndef TIDEGATE_STATUS_LOAD_LIVE_H
#define TIDEGATE_STATUS_LOAD_LIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "status/journal_print.h"

/* Of the last second, but for `dropped`. */
struct load_live {
	int64_t at_ms,
		total_ms; /* from its start; 0 in all: nothing is known */
	int users; /* or requests under way */
	double rate; /* per second */
	double p95_ms, failed; /* a share */
	int64_t dropped; /* not sent in time */
};

struct json_t;
struct jsonw;

/* The line comes from another process. False: it is none of these. */
bool load_live_read(const char *line, size_t len, struct load_live *live_r);
/* The same line. */
void load_live_print(const struct load_live *live, struct buf *out);

/* The same as a member of an object; NULL: null. */
void load_live_put(
	struct jsonw *w, const char *key, const struct load_live *live);
/* Such a member, of a daemon that may be anybody. False: it is none. */
bool load_live_take(const struct json_t *member, struct load_live *live_r);

/* "20 users, 198/s, p95 12.3 ms, 0 % failed" */
void load_live_add(const struct load_live *live, struct buf *out);
/* "1m20s of 5m: 20 users, …" */
void load_live_add_course(const struct load_live *live, struct buf *out);
/* The same as a line for people, with the time. */
void load_live_print_text(
	int64_t now_ms, const struct load_live *live, struct buf *out);
/* A line for programs, with what every line has: it is no entry, and stands
 * behind that at `place`. */
void load_live_print_json(const struct journal_place *place, int64_t now_ms,
	const struct load_live *live, struct buf *out);

#endif
