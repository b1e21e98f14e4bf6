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

/* What a silence is made of; matchers with their templates filled in. */
struct silence_spec {
	const struct matcher *matchers;
	size_t n_matchers;
	const char *author, *comment;
	int64_t ends_ms;
};

/* One that is there. */
struct silence_found {
	char id[SILENCE_ID_MAX];
	char starts[40]; /* as written there: it has to be repeated */
};

/* The body of a POST; `renewed` (may be NULL) is the one to be changed. */
void silence_encode(const struct silence_spec *spec, int64_t now_ms,
	const struct silence_found *renewed, struct buf *out);

/* The query of a GET that finds ours, and maybe others: "filter=…&…". */
void silence_filter(const struct silence_spec *spec, struct buf *out);

/* Ours out of the list of a GET, those that are over left out. */
MUST_CHECK int silence_find(const struct silence_spec *spec, const char *bytes,
	size_t len, struct silence_found found_r[SILENCES_OURS_MAX],
	size_t *n_r, struct err *err_r);

/* The id in the answer to a POST. */
MUST_CHECK int silence_decode_id(const char *bytes, size_t len,
	char id_r[SILENCE_ID_MAX], struct err *err_r);

#endif
