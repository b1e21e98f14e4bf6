/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Silences of Alertmanager's API v2: JSON <-> struct. Pure. A silence is ours
 * when its author and its matchers are those of the action.
 */
#ifndef TIDEGATE_ACTION_SILENCE_CODEC_H
#define TIDEGATE_ACTION_SILENCE_CODEC_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "policy/policy.h"

#define SILENCES_OURS_MAX 16 /* of one action; more are an error */
#define SILENCE_ID_MAX    64 /* bytes with the NUL */
/* Bytes of those that name the rollout: parsed in one turn. */
#define SILENCES_PARSED_MAX (256 * 1024)
#define SILENCES_LISTED_MAX 250000

/* What a silence is made of; matchers with their templates filled in. */
struct silence_spec {
	const struct matcher *matchers;
	size_t n_matchers;
	const char *rollout; /* part of the author, and of most comments */
	const char *author, *comment;
	int64_t ends_ms;
};

/* One that is there. */
struct silence_found {
	char id[SILENCE_ID_MAX];
	char starts[40]; /* as written there: it has to be repeated */
	int64_t ends_ms; /* 0: not known */
};

struct silences_found {
	struct silence_found item[SILENCES_OURS_MAX]; /* ours, not over */
	size_t n;
	/* Somebody has ended one of ours before its time, or has made it his
	 * own; by "ID". "": not so. */
	char ended[SILENCE_ID_MAX], taken[SILENCE_ID_MAX];
};

/* The body of a POST; `renewed` (may be NULL) is the one to be changed. */
void silence_encode(const struct silence_spec *spec, int64_t now_ms,
	const struct silence_found *renewed, struct buf *out);

/* The query of a GET that finds ours, and maybe others: "filter=…&…". */
void silence_filter(const struct silence_spec *spec, struct buf *out);

/* What the list of a GET has of ours. However long it is, only those that name
 * the rollout are parsed. */
MUST_CHECK int silence_find(const struct silence_spec *spec, const char *bytes,
	size_t len, struct silences_found *found_r, struct err *err_r);

/* The id in the answer to a POST. */
MUST_CHECK int silence_decode_id(const char *bytes, size_t len,
	char id_r[SILENCE_ID_MAX], struct err *err_r);

#endif
