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

/* By a name or a key that is theirs still: they may have got another name by a
 * reload since, which the engine cannot know. */
static bool is_own(const struct ruling_case *about)
{
	const struct rollout *r = about->rollout;
	const struct caller *caller = &about->visitor->caller;
	const struct approval *approval;

	if (r->step < 0 || (size_t)r->step >= about->policy->n_steps)
		return false;
	approval = about->policy->steps[r->step].approval;
	return approval && !approval->self_approval &&
	       (visitor_is(about->visitor, r->starter) ||
		       (caller->person && !strcmp(caller->person, r->starter)));
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
		if (verb != VERB_APPROVE || !is_own(about))
			return ruling;
		ruling.why = RULING_REFUSED;
		snprintf(ruling.text, sizeof(ruling.text),
			"%.63s started the rollout, as %.63s, and the policy "
			"does not say self_approval",
			about->visitor->name, about->rollout->starter);
		return ruling;
	}
	ruling.why = verb == VERB_APPROVE && !is_listed(about) ? RULING_UNLISTED
							       : RULING_REFUSED;
	return ruling;
}
