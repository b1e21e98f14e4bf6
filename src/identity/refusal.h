/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why a proof was not taken: a code that does not change, and a reason for the
 * log, which names claims and what was expected and never quotes the proof.
 */
#ifndef TIDEGATE_IDENTITY_REFUSAL_H
#define TIDEGATE_IDENTITY_REFUSAL_H

#include <stdint.h>

#include "base/err.h"

#define REFUSAL_REASON_MAX 256 /* bytes with the NUL */

enum refusal_code {
#define R(constant, name, status) constant,
#include "identity/refusal.def"
#undef R
	REFUSAL_CODES
};

struct refusal {
	enum refusal_code code;
	char reason[REFUSAL_REASON_MAX]; /* one printable line */
	int64_t retry_after_ms; /* 0: not told */
};

/* Returns -1. What comes from outside is made printable. */
int refuse(struct refusal *refusal_r, enum refusal_code code, const char *fmt,
	...) PRINTFLIKE(3, 4);

const char *refusal_name(enum refusal_code code); /* "proof-expired" */
int refusal_status(enum refusal_code code); /* 401, 403, 415, 429, 503 */

#endif
