/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON pointers (RFC 6901): where in a document a value stands. Pure.
 */
#ifndef TIDEGATE_POLICY_JSON_POINTER_H
#define TIDEGATE_POLICY_JSON_POINTER_H

#include "base/err.h"

#define POINTER_BYTES_MAX 1024

struct json_t;

/* It is one, and not too long: ERR_POLICY otherwise. */
MUST_CHECK int pointer_check(const char *pointer, struct err *err_r);

/* What it points to, borrowed from the document; NULL: nothing stands there.
 * The pointer has passed pointer_check; "" is the document itself. */
struct json_t *pointer_get(struct json_t *document, const char *pointer);

#endif
