/* SPDX-License-Identifier: Apache-2.0 */
/* Actions of type kubernetes: a Deployment goes back. */
#include <ctype.h>
#include <string.h>

#include "policy/load_action.h"
#include "policy/policy_plan.h"

#define AT(member) offsetof(struct action, u.kubernetes.member)

static void read_resource(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	static const char *const kinds[] = {"deployment", "deployments",
		"deploy", "deployment.apps", "deployments.apps"};
	struct action *action = into;
	const char *text = plain_text(loader, value), *slash, *p;

	if (!text)
		return;
	slash = strchr(text, '/');
	for (size_t i = 0; slash && i < 5; i++) {
		if (strlen(kinds[i]) != (size_t)(slash - text) ||
			strncmp(kinds[i], text, (size_t)(slash - text)) != 0)
			continue;
		for (p = slash + 1;
			isalnum((unsigned char)*p) || *p == '-' || *p == '.';)
			p++;
		if (*p || !isalnum((unsigned char)slash[1]))
			break;
		action->u.kubernetes.resource = text;
		return;
	}
	problem_at(loader, value,
		"\"%.80s\" is not a Deployment: write deployment/NAME, other "
		"kinds are not supported by this version",
		text);
}

static const struct reader resource_reader = {read_resource, "a Deployment",
	"'type': 'string', 'pattern': "
	"'^(deploy|deployments?(\\\\.apps)?)/[A-Za-z0-9][-.A-Za-z0-9]*$'"};

static const struct key kubernetes_keys[] = {
	IDEMPOTENT("true"), /* it looks whether it is there already */
	{"resource", &resource_reader, .need = KEY_REQUIRED,
		.about = "deployment/NAME"},
	{"namespace", &path_part_reader, AT(namespace), "-",
		.about = "Default: kubectl's own"},
	{"context", &path_part_reader, AT(context), "-_.@:/",
		.about = "Default: kubectl's own"},
	{0},
};

static void plan_kubernetes(struct buf *out, const struct action *action)
{
	const struct action_kubernetes *kubernetes = &action->u.kubernetes;

	plan_named(out, "kubernetes ", kubernetes->resource);
	plan_named(out, " in ", kubernetes->namespace);
	plan_named(out, " of ", kubernetes->context);
	buf_adds(out, " back to the revision found in preflight");
}

const struct policy_action policy_action_kubernetes = {
	.section = {"a kubernetes action", kubernetes_keys,
		.base = &every_action_section, .def = "kubernetes",
		.about = "A Deployment goes back to its revision in preflight",
		.chosen = "kubernetes"},
	.plan = plan_kubernetes,
};
