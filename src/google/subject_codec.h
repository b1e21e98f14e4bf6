/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Subject tokens: who we are to somebody else, before it is exchanged for who
 * we are to Google. Pure; never quotes one.
 */
#ifndef TIDEGATE_GOOGLE_SUBJECT_CODEC_H
#define TIDEGATE_GOOGLE_SUBJECT_CODEC_H

#include <stdint.h>

#include "base/err.h"
#include "base/secret.h"

#define SUBJECT_BYTES_MAX (32 * 1024) /* a SAML response is longer than a JWT */

/* The text without blanks at its ends, or the member `field` of the JSON
 * object it is. ERR_PROTOCOL. */
MUST_CHECK int subject_decode(const char *bytes, size_t len, const char *field,
	struct secret **token_r, struct err *err_r);

/* What an executable prints, or keeps in its file. ERR_PROTOCOL; ERR_AUTH when
 * it says itself that it failed. exp_s 0: it does not say. */
MUST_CHECK int executable_decode(const char *bytes, size_t len,
	struct secret **token_r, int64_t *exp_s_r, struct err *err_r);

#endif
