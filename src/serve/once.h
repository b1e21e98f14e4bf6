/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests with an Idempotency-Key: each is carried out once, and whoever sends
 * it again is given the answer that it had.
 */
#ifndef TIDEGATE_SERVE_ONCE_H
#define TIDEGATE_SERVE_ONCE_H

#include <stdbool.h>
#include <sys/queue.h>

#include "io/digest.h"
#include "store/store_once.h"

struct desk;
struct visit;

/* A request that this daemon is at work on. */
struct once_work {
	LIST_ENTRY(once_work) link;
	char key[DIGEST_TEXT_MAX], digest[DIGEST_TEXT_MAX];
	bool is_listed;
};
LIST_HEAD(once_works, once_work);

#define ONCE_KEY_MAX 255 /* bytes of what is sent */

/* Reads the header. 1: there is a key, `once_r` is what is kept of it (texts
 * in the visit's arena); 0: none; -1: it is not a key. */
MUST_CHECK int once_of(
	struct visit *visit, struct store_once *once_r, struct err *err_r);

/* From now on it is worked on; false: it is already, and `known_r` is what is
 * known of that. */
MUST_CHECK bool once_work_begin(struct once_works *works,
	struct once_work *work, const struct store_once *once,
	struct store_once *known_r);
void once_work_end(struct once_work *work); /* also one that did not begin */

/* Answers by what is kept when that is the same request and has an answer, or
 * says why not. */
void once_answer_again(struct visit **visit, const struct store_once *once,
	const struct store_once *known);

/* Keeps the answer, beside the loop; `answer` NULL: forgets the key, since
 * nothing was done. */
void once_keep(
	struct desk *desk, const char *key, int status, const char *answer);

#endif
