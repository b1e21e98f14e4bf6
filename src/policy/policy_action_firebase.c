/* Actions of type firebase-hosting: a site's version in preflight. */
#include "policy/load_action.h"
#include "policy/policy_plan.h"

#define AT(member) offsetof(struct action, u.firebase.member)

static const struct key firebase_keys[] = {
	COMMON_KEYS,
	IDEMPOTENT("true"), /* it looks what is live */
	{"site", read_path_part, AT(site), "-", .required = true},
	{0},
};

const struct section firebase_section = {
	"a firebase-hosting action", firebase_keys};

static void plan_firebase(struct buf *out, const struct action *action)
{
	plan_named(out, "firebase-hosting ", action->u.firebase.site);
	buf_adds(out, " back to its version in preflight");
}

const struct policy_action policy_action_firebase = {
	.section = &firebase_section,
	.plan = plan_firebase,
};
