/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a visitor may decide about a rollout now, verb by verb: by their rights,
 * by the gate's list, and by what the engine would take. Pure.
 */
#ifndef TIDEGATE_SERVE_RULINGS_H
#define TIDEGATE_SERVE_RULINGS_H

#include <stdbool.h>

#include "engine/outlook.h"
#include "serve/access.h"

struct policy;

enum ruling_why {
	RULING_ALLOWED,
	RULING_DENIED, /* a right is missing */
	RULING_UNLISTED, /* approve: they are not among the approvers */
	RULING_REFUSED, /* the engine would not take it from them now */
};

struct ruling {
	enum ruling_why why;
	char text[ROLLOUT_TEXT_MAX]; /* why not; "" when it is allowed */
};

/* The rollout that is decided about. All borrowed. */
struct ruling_case {
	const struct access *access;
	const struct visitor *visitor;
	const struct policy *policy;
	const struct rollout *rollout;
	const char *service; /* full name */
	const char *policy_name; /* NULL: it does not matter */
};

struct ruling ruling_of(const struct ruling_case *about, enum verb verb);

/* Whether people have to say why. */
bool ruling_needs_comment(
	enum phase phase, enum cause cause, bool is_frozen, enum verb verb);

#endif
