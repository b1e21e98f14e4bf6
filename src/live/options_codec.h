/* What `run` was asked for, kept with the rollout so that `resume` asks for
 * the same. Pure: JSON text <-> struct. */
#ifndef TIDEGATE_LIVE_OPTIONS_CODEC_H
#define TIDEGATE_LIVE_OPTIONS_CODEC_H

#include <stdbool.h>

#include "base/err.h"

struct rollout_options {
	char *candidate; /* NULL: the latest ready revision */
	bool adopt, again;
	char *undo, *stable, *after; /* see live_options; NULL: not said */
};

char *options_encode(const struct rollout_options *options); /* owned */

/* On success the caller owns the texts. */
MUST_CHECK int options_decode(
	const char *text, struct rollout_options *options_r, struct err *err_r);

void options_fini(struct rollout_options *options);

#endif
