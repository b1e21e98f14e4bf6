/* Actions of type webhook: a CloudEvent. */
#include <strings.h>

#include "policy/load_action.h"
#include "policy/policy_plan.h"

#define AT(member) offsetof(struct action, u.webhook.member)

static void read_webhook_url(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	struct action *action = into;

	action->u.webhook.url = secret_url(loader, value, true, NULL);
}

static const size_t n_headers_at = AT(n_headers);

static const struct key webhook_keys[] = {
	COMMON_KEYS,
	IDEMPOTENT("true"), /* the event keeps its id */
	{"url", read_webhook_url, .required = true},
	{"headers", read_headers, AT(headers), &n_headers_at},
	{"auth", read_action_auth, AT(auth)},
	{"tls", read_tls, AT(tls)},
	{0},
};

const struct section webhook_section = {"a webhook action", webhook_keys};

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
	.section = &webhook_section,
	.finish = finish_webhook,
	.plan = plan_webhook,
};
