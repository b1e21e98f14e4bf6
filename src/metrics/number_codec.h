/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One number out of a JSON answer: pure bytes -> answer. Nothing, or null,
 * where the pointer leads is no data; whatever else is not a finite number is
 * an error that says what it is.
 */
#ifndef TIDEGATE_METRICS_NUMBER_CODEC_H
#define TIDEGATE_METRICS_NUMBER_CODEC_H

#include <stddef.h>

#include "base/err.h"
#include "engine/check.h"

#define NUMBER_BODY_MAX ((size_t)128 * 1024) /* of an answer */

struct number_reply {
	int status; /* HTTP's */
	const char *bytes;
	size_t len;
};

/* `release`: whose sessions they must be, for the shapes that want one. Errors
 * tell a wrong question (ERR_INVALID) from trouble of the other side (retryable
 * codes) and from missing rights (ERR_AUTH, ERR_DENIED). */
MUST_CHECK int number_decode(const struct number_reply *reply,
	const struct json_question *question, const char *release,
	struct answer *answer_r, struct err *err_r);

/* What an answer without success says; number_decode has the same error. */
void number_refused(const struct number_reply *reply, struct err *err_r);

#endif
