/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A policy whose whole text comes with a request: bounded, and, unless a row of
 * access trusts who sends it, without anything that is the daemon's own. Its
 * actions run on the daemon's machine: a local program in such a text would be
 * the sender's.
 */
#ifndef TIDEGATE_SERVE_SENT_POLICY_H
#define TIDEGATE_SERVE_SENT_POLICY_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

/* Bytes of the text; as JSON it still has to fit into a body. */
#define SENT_POLICY_MAX (48 * 1024)

struct policy;
struct shelf;

/* A text and no name: it has more than one line, or is a mapping in one. */
bool sent_policy_is_text(const char *text);

/* Takes it from the shelf, to be given back. NULL with err_r, and into
 * `problems_r` the members of a JSON object: {"problems": [{line, column,
 * text}]}, each line and column those of the text. */
MUST_CHECK const struct policy *sent_policy_take(struct shelf *shelf,
	const char *text, bool trusted, struct buf *problems_r,
	struct err *err_r);

#endif
