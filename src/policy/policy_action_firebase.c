/* SPDX-License-Identifier: Apache-2.0 */
/* Actions of type firebase-hosting: a site's version in preflight. */
#include "policy/load_action.h"
#include "policy/policy_plan.h"

#define AT(member) offsetof(struct action, u.firebase.member)

static const struct key firebase_keys[] = {
	IDEMPOTENT("true"), /* it looks what is live */
	{"site", &path_part_reader, AT(site), "-", .need = KEY_REQUIRED,
		.about = "Its name"},
	{0},
};

static void plan_firebase(struct buf *out, const struct action *action)
{
	plan_named(out, "firebase-hosting ", action->u.firebase.site);
	buf_adds(out, " back to its version in preflight");
}

const struct policy_action policy_action_firebase = {
	.section = {"a firebase-hosting action", firebase_keys,
		.base = &every_action_section, .def = "firebase",
		.about = "A site goes back to its version in preflight",
		.chosen = "firebase-hosting"},
	.plan = plan_firebase,
};
