/* What the files that print the plan share. Private to them. */
#ifndef TIDEGATE_POLICY_POLICY_PLAN_H
#define TIDEGATE_POLICY_POLICY_PLAN_H

#include "base/buf.h"
#include "policy/policy.h"

/* ---- policy_plan_action.c ---- */

/* One list of actions with its title; nothing when it is empty. */
void plan_actions(struct buf *out, const struct policy *policy,
	enum action_list list, const char *title);

#endif
