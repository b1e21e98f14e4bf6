/* SPDX-License-Identifier: Apache-2.0 */
/* What `run` was asked for, kept with the rollout so that `resume` asks for
 * the same. Pure: JSON text <-> struct. */
#ifndef TIDEGATE_LIVE_OPTIONS_CODEC_H
#define TIDEGATE_LIVE_OPTIONS_CODEC_H

#include "live/release.h"

/* The caller's to free. */
char *options_encode(const struct release_wish *wish);

/* Texts are in the arena. */
MUST_CHECK int options_decode(const char *text, struct arena *arena,
	struct release_wish *wish_r, struct err *err_r);

#endif
