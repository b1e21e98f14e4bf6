/* SPDX-License-Identifier: Apache-2.0 */
/* Actions of type webhook: a CloudEvent. */
#include <strings.h>

#include "policy/load_action.h"
#include "policy/policy_plan.h"

#define AT(member) offsetof(struct action, u.webhook.member)

static const size_t n_headers_at = AT(n_headers);

static const struct key webhook_keys[] = {
	IDEMPOTENT("true"), /* the event keeps its id */
	{"url", &webhook_url_reader, AT(url), .need = KEY_REQUIRED,
		.about = "With ${VAR} and {{templates}}"},
	{"headers", &headers_reader, AT(headers), &n_headers_at,
		.about = "May hold ${VAR}"},
	{"auth", &action_auth_reader, AT(auth),
		.about = "How to identify; default: not"},
	{"tls", &tls_reader, AT(tls), .about = "Of https"},
	{0},
};

static void finish_webhook(
	struct loader *loader, const struct node *node, struct action *action)
{
	const struct action_webhook *webhook = &action->u.webhook;
	const struct node *auth = node_get(node, "auth"), *name;

	for (size_t i = 0; i < webhook->n_headers; i++) {
		name = node_get(
			node_get(node, "headers"), webhook->headers[i].name);
		if (!strcasecmp(webhook->headers[i].name, "content-type"))
			problem_at(loader, name->key,
				"the Content-Type is that of a CloudEvent: "
				"remove it");
		if (auth &&
			!strcasecmp(webhook->headers[i].name, "authorization"))
			problem_at(loader, auth->key,
				"both auth and an Authorization header: remove "
				"one");
	}
}

static void plan_webhook(struct buf *out, const struct action *action)
{
	buf_adds(out, "webhook CloudEvent to ");
	plan_url(out, action->u.webhook.url);
}

const struct policy_action policy_action_webhook = {
	.section = {"a webhook action", webhook_keys,
		.base = &every_action_section, .def = "webhook",
		.about = "A CloudEvent 1.0 in structured JSON",
		.chosen = "webhook"},
	.finish = finish_webhook,
	.plan = plan_webhook,
};
