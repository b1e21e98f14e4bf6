/* SPDX-License-Identifier: Apache-2.0 */
/* What a session remembers of its caller, as JSON for the state file. Pure. */
#ifndef TIDEGATE_IDENTITY_SESSION_CODEC_H
#define TIDEGATE_IDENTITY_SESSION_CODEC_H

#include "base/arena.h"
#include "identity/caller.h"

#define SESSION_BYTES_MAX (16 * 1024)

/* The text is the caller's to free. */
char *session_encode(const struct caller *caller);

/* keys has room for CALLER_KEYS_MAX; caller_r->keys is set to it. ERR_STORE. */
MUST_CHECK int session_decode(const char *text, struct arena *arena,
	const char **keys, struct caller *caller_r, struct err *err_r);

#endif
