/* SPDX-License-Identifier: Apache-2.0 */
/* What the files that print the plan share. Private to them. */
#ifndef TIDEGATE_POLICY_POLICY_PLAN_H
#define TIDEGATE_POLICY_POLICY_PLAN_H

#include "base/buf.h"
#include "policy/policy.h"

/* ---- policy_plan_action.c ---- */

/* One list of actions with its title; nothing when it is empty. */
void plan_actions(struct buf *out, const struct policy *policy,
	enum action_list list, const char *title);

/* One of them, on lines that go on from where they are. */
void plan_one_action(struct buf *out, const struct policy *policy,
	enum action_list list, size_t index);

/* For the lines of the types: a URL without what is secret in it, … */
void plan_url(struct buf *out, const struct secret *url);
/* … a program and its arguments, a blank before each, … */
void plan_argv(struct buf *out, const char *const *argv, size_t n);
/* … and a text after its label; nothing when it is NULL. */
void plan_named(struct buf *out, const char *label, const char *text);

#endif
