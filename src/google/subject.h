/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gets one subject token: out of a file, from a URL, or by running a program.
 * Each time anew: files rotate, and what GitHub hands out ends after minutes.
 */
#ifndef TIDEGATE_GOOGLE_SUBJECT_H
#define TIDEGATE_GOOGLE_SUBJECT_H

#include "base/err.h"
#include "base/secret.h"
#include "google/external_codec.h"
#include "google/retry_request.h"

#define EXECUTABLES_VARIABLE "GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES"

struct subject;

/* token NULL: err says why, and at which step. It belongs to the callee. */
typedef void (*subject_fn)(
	struct secret *token, const struct err *err, void *arg);

/* The callback runs exactly once, later. `account` is borrowed till then. */
struct subject *subject_start(const struct retry_env *env,
	const struct external_account *account, subject_fn fn, void *arg);
void subject_cancel(struct subject **subject); /* NULL inside is accepted */

/* What can be known before: the program is allowed and there, the URL is one
 * that would be sent. ERR_AUTH. */
MUST_CHECK int subject_check(
	const struct subject_source *source, struct err *err_r);

#endif
