/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an ID token says of itself: a JWT, whose signature is for others to
 * verify. It came over TLS from whom it was asked of.
 */
#ifndef TIDEGATE_GOOGLE_CLAIMS_CODEC_H
#define TIDEGATE_GOOGLE_CLAIMS_CODEC_H

#include <stdint.h>

#include "base/err.h"
#include "base/secret.h"

/* Whether it is a JWT for this audience, and when it ends, in Unix seconds.
 * ERR_PROTOCOL; ERR_AUTH when it is for another audience. */
MUST_CHECK int claims_check(const struct secret *jwt, const char *audience,
	int64_t *exp_s_r, struct err *err_r);

#endif
