/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `expect.json` of an http action: JSON pointers (RFC 6901) into an answer.
 * Pure: bytes in, verdict out. Numbers are equal by value: 1 equals 1.0.
 */
#ifndef TIDEGATE_ACTION_EXPECT_CODEC_H
#define TIDEGATE_ACTION_EXPECT_CODEC_H

#include <stddef.h>

#include "base/err.h"
#include "policy/policy.h"

#define EXPECT_JSON_MAX (64 * 1024) /* bytes of a body: the loop waits */

/* The pointer is one, the value is JSON: ERR_POLICY otherwise. */
MUST_CHECK int json_expect_check(
	const struct json_expect *expect, struct err *err_r);

/* 0: all of them are met; -1: ERR_ACTION names the first that is not, and
 * what is there instead. */
MUST_CHECK int json_expect_meet(const struct json_expect *expects, size_t n,
	const char *body, size_t len, struct err *err_r);

#endif
