/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pull scanner for JSON: the caller asks for what it expects next, nothing
 * is built that is not asked for. Made for recordings, where nearly all bytes
 * are pairs of a time and a number in a string: those cost one pass and no
 * allocation. (jansson builds a tree of every value first: about 65 MB/s.)
 * Bytes may come in pieces: then one window of them is held at a time, however
 * long all of it is.
 *
 * The first error sticks, with its place; everything after it does nothing and
 * says no.
 */
#ifndef TIDEGATE_BASE_SCAN_H
#define TIDEGATE_BASE_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"

#define SCAN_WINDOW_MIN 4096 /* bytes */

/* Puts up to `size` more bytes there: how many, 0 at the end, -1 with err_r. */
typedef ssize_t (*scan_fill)(
	char *bytes, size_t size, void *arg, struct err *err_r);

struct scan {
	const char *path; /* for messages */
	const char *begin, *p, *end;
	char *window; /* NULL: all of it is in the caller's memory */
	size_t window_size;
	scan_fill fill; /* NULL: nothing follows `end` */
	void *arg;
	int line; /* of `begin`, and its bytes before `begin` */
	size_t column;
	int depth, depth_max;
	bool failed;
	struct err *err;
};

void scan_init(struct scan *scan, const char *path, const char *bytes,
	size_t len, struct err *err_r);
/* Pieces come from `fill`; a window of at least SCAN_WINDOW_MIN is allocated.
 */
void scan_init_fill(struct scan *scan, const char *path, size_t window,
	scan_fill fill, void *arg, struct err *err_r);
void scan_fini(struct scan *scan);

/* Fails at the current place, which goes into err.pos. Always false. */
bool scan_fail(struct scan *scan, const char *fmt, ...) PRINTFLIKE(2, 3);

/* What comes next: '{' '[' '"' '0' (a number) 't' 'f' 'n' or 0 (none). */
char scan_peek(struct scan *scan);

/* Iterates: `if (scan_open(s, '[')) while (scan_item(s, ']', &first)) …` */
bool scan_open(struct scan *scan, char bracket);
bool scan_item(struct scan *scan, char close, bool *first);

/* A member's name and its colon, in a buffer of `size`; longer names are cut,
 * which no name of ours is. */
bool scan_key(struct scan *scan, char *key, size_t size);

/* A string, unescaped, into the arena; at most `max` bytes. */
bool scan_text(struct scan *scan, struct arena *arena, size_t max,
	const char **text_r);
bool scan_number(struct scan *scan, double *value_r);
/* Unix seconds with a fraction, as whole milliseconds. */
bool scan_seconds(struct scan *scan, int64_t *ms_r);
/* A number in a string, as Prometheus writes samples: "0.5", "+Inf", "NaN". */
bool scan_sample(struct scan *scan, double *value_r);
/* [1767225600,"0.001"] */
bool scan_pair(struct scan *scan, int64_t *ms_r, double *value_r);
bool scan_skip(struct scan *scan); /* any one value */
bool scan_at_end(struct scan *scan); /* only white space follows */

#endif
