/*
 * Actions that tell people and programs: Slack, webhooks, PagerDuty. Reads
 * what the policy says of them.
 */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "policy/load_action.h"
#include "policy/url.h"

#define ROUTING_KEY_LEN 32

#define AT(member) offsetof(struct draft, action.u.member)

/* KEY: ${VAR}, or KEY_file: PATH. Which of them is in `detail`: a flag. */
static const int from_file = 1;

static struct secret *variable_or_file(struct loader *loader,
	const struct node *value, const struct key *key, const char *file_key)
{
	if (key->detail == &from_file)
		return secret_file(loader, value);
	return secret_variable(loader, value, file_key);
}

/* One of the two, and only one. */
static void need_one_of(struct loader *loader, const struct node *node,
	const char *key, const char *file_key)
{
	const struct node *value = node_get(node, key);
	const struct node *file = node_get(node, file_key);

	if (value && file)
		problem_at(loader, file->key, "both %s and %s: remove one", key,
			file_key);
	else if (!value && !file)
		problem_at(loader, node,
			"this action needs %s: ${VAR}, or %s: PATH", key,
			file_key);
}

/* ---- slack ---- */

static void read_slack_url(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	struct draft *draft = into;
	struct secret *secret =
		variable_or_file(loader, value, key, "webhook_file");
	struct url url;
	struct err err;

	draft->action.u.slack.webhook = secret;
	if (secret && url_parse(secret_reveal(secret), &url, &err) < 0)
		problem_at(loader, value, "%s", err.text);
}

static const struct key slack_keys[] = {
	COMMON_KEYS,
	{"webhook", read_slack_url},
	{"webhook_file", read_slack_url, .detail = &from_file},
	{"text", read_template, AT(slack.text)},
	{0},
};

const struct section slack_section = {"a slack action", slack_keys};

void finish_slack(
	struct loader *loader, const struct node *node, struct action *action)
{
	need_one_of(loader, node, "webhook", "webhook_file");
}

/* ---- webhook ---- */

static void read_webhook_url(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	struct draft *draft = into;

	draft->action.u.webhook.url = secret_url(loader, value, true, NULL);
}

static const size_t n_headers_at = AT(webhook.n_headers);

static const struct key webhook_keys[] = {
	COMMON_KEYS,
	{"url", read_webhook_url, .required = true},
	{"headers", read_headers, AT(webhook.headers), &n_headers_at},
	{"auth", read_action_auth, AT(webhook.auth)},
	{"tls", read_tls, AT(webhook.tls)},
	{0},
};

const struct section webhook_section = {"a webhook action", webhook_keys};

void finish_webhook(
	struct loader *loader, const struct node *node, struct action *action)
{
	const struct action_webhook *webhook = &action->u.webhook;
	const struct node *auth = node_get(node, "auth"), *name;

	action->idempotent = true; /* the event keeps its id */
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

/* ---- pagerduty ---- */

static void read_routing_key(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	struct draft *draft = into;
	struct secret *secret =
		variable_or_file(loader, value, key, "routing_key_file");
	const char *p;

	draft->action.u.pagerduty.routing_key = secret;
	if (!secret)
		return;
	for (p = secret_reveal(secret); isalnum((unsigned char)*p);)
		p++;
	if (*p || secret_len(secret) != ROUTING_KEY_LEN)
		problem_at(loader, value,
			"this is not an Events API v2 routing key, which has "
			"%d letters and digits",
			ROUTING_KEY_LEN);
}

static void read_pagerduty_url(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	struct draft *draft = into;

	draft->action.u.pagerduty.url = secret_url(loader, value, false, NULL);
}

static void read_severity(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	static const struct choice severities[] = {{"critical", 0},
		{"error", 1}, {"warning", 2}, {"info", 3}, {0}};
	struct draft *draft = into;
	int severity;

	if (choose(loader, value, severities, &severity))
		draft->action.u.pagerduty.severity = severities[severity].name;
}

static const struct key pagerduty_keys[] = {
	COMMON_KEYS,
	{"routing_key", read_routing_key},
	{"routing_key_file", read_routing_key, .detail = &from_file},
	{"severity", read_severity},
	{"url", read_pagerduty_url},
	{0},
};

const struct section pagerduty_section = {"a pagerduty action", pagerduty_keys};

void begin_pagerduty(struct action *action)
{
	action->u.pagerduty.severity = "critical";
}

void finish_pagerduty(
	struct loader *loader, const struct node *node, struct action *action)
{
	action->idempotent = true; /* the incident keeps its dedup_key */
	need_one_of(loader, node, "routing_key", "routing_key_file");
}

/* ---- report ---- */

static const struct key report_keys[] = {
	COMMON_KEYS,
	{"path", read_template, AT(report.path), .required = true},
	{0},
};

const struct section report_section = {"a report action", report_keys};

void begin_report(struct action *action)
{
	action->idempotent = true; /* the file is written anew */
}
