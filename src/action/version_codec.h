/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Versions of secrets: the JSON of Secret Manager v1, and the refusals of any
 * of Google's APIs. Pure: bytes in, struct out. Never shows a value.
 */
#ifndef TIDEGATE_ACTION_VERSION_CODEC_H
#define TIDEGATE_ACTION_VERSION_CODEC_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

#define SECRET_VALUE_MAX   65536 /* bytes */
#define VERSION_NUMBER_MAX 24 /* bytes with the NUL */

/* The body of :addVersion. */
void secret_version_encode(const char *value, size_t len, struct buf *out);

/* The answer to :access: the number of the version, and its bytes, which must
 * fit their checksum, into `value` (initialized and empty; holds a secret). */
MUST_CHECK int secret_access_decode(const char *bytes, size_t body_len,
	char number_r[VERSION_NUMBER_MAX], struct buf *value,
	struct err *err_r);
/* The answer to :addVersion: its number. It must say that the checksum was
 * looked at. */
MUST_CHECK int secret_added_decode(const char *bytes, size_t len,
	char number_r[VERSION_NUMBER_MAX], struct err *err_r);
/* The answer to :testIamPermissions. */
MUST_CHECK int granted_decode(const char *bytes, size_t len,
	const char *permission, bool *granted_r, struct err *err_r);

/* What a refusal of Google's says, "NOT_FOUND: …", appended; nothing when the
 * body is none of theirs. */
void google_refusal_decode(const char *bytes, size_t len, struct buf *out);

#endif
