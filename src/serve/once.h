/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests with an Idempotency-Key: each is carried out once, and whoever sends
 * it again is given the answer that it had.
 */
#ifndef TIDEGATE_SERVE_ONCE_H
#define TIDEGATE_SERVE_ONCE_H

#include "store/store_once.h"

struct desk;
struct visit;

#define ONCE_KEY_MAX 255 /* bytes of what is sent */

/* Reads the header. 1: there is a key, `once_r` is what is kept of it (texts
 * in the visit's arena); 0: none; -1: it is not a key. */
MUST_CHECK int once_of(
	struct visit *visit, struct store_once *once_r, struct err *err_r);

/* Answers by what is kept when that is the same request and has an answer, or
 * says why not. */
void once_answer_again(struct visit **visit, const struct store_once *once,
	const struct store_once *known);

/* Keeps the answer, beside the loop; `answer` NULL: forgets the key, since
 * nothing was done. */
void once_keep(
	struct desk *desk, const char *key, int status, const char *answer);

#endif
