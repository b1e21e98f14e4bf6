/* SPDX-License-Identifier: Apache-2.0 */
/* What a visitor may decide now; see rulings.h. */
#include "serve/rulings.h"

#include <stdio.h>
#include <string.h>

#include "policy/policy.h"
#include "serve/visitor.h"

bool ruling_needs_comment(
	enum phase phase, enum cause cause, bool is_frozen, enum verb verb)
{
	if (verb == VERB_CONTINUE)
		return is_frozen || (phase == PHASE_HELD && cause == CAUSE_SLO);
	return verb == VERB_REJECT || verb == VERB_ABORT;
}

static bool is_listed(const struct ruling_case *about)
{
	const struct rollout *r = about->rollout;
	const struct approval *approval;

	if (r->step < 0 || (size_t)r->step >= about->policy->n_steps)
		return true; /* there is no list */
	approval = about->policy->steps[r->step].approval;
	for (size_t i = 0; approval && i < approval->n_approvers; i++)
		if (!strcmp(approval->approvers[i], about->visitor->name))
			return true;
	return !approval;
}

struct ruling ruling_of(const struct ruling_case *about, enum verb verb)
{
	struct ruling ruling = {RULING_ALLOWED, ""};
	struct err why;

	if (!access_may(about->access, about->visitor, right_of_verb(verb),
		    about->service, about->policy_name, &why)) {
		ruling.why = RULING_DENIED;
		snprintf(ruling.text, sizeof(ruling.text), "%.200s", why.text);
		return ruling;
	}
	if (!rollout_refuses(about->policy, about->rollout, verb,
		    about->rollout->step, about->visitor->name, ruling.text)) {
		ruling.text[0] = '\0';
		return ruling;
	}
	ruling.why = verb == VERB_APPROVE && !is_listed(about) ? RULING_UNLISTED
							       : RULING_REFUSED;
	return ruling;
}
