/*
 * The plan's lists of actions: what each will do, in one line, and what a
 * failure or a crash means. Never prints what is secret.
 */
#include <string.h>

#include "base/duration.h"
#include "base/printable.h"
#include "base/secret.h"
#include "policy/policy_plan.h"
#include "policy/url.h"

static void add_url(struct buf *out, const struct secret *secret)
{
	struct url url;
	struct err err;
	struct buf shown;

	buf_init(&shown, URL_BYTES_MAX);
	if (url_parse(secret_reveal(secret), &url, &err) == 0)
		url_show(&url, &shown);
	printable_add(out, shown.data);
	buf_fini(&shown);
}

static void add_expect(struct buf *out, const struct http_expect *e)
{
	static const char *const relations[] = {" = ", " < ", " > "};

	buf_adds(out, ", expects ");
	for (size_t i = 0; i < e->n_statuses; i++)
		buf_addf(out, "%s%d", i ? " or " : "", e->statuses[i]);
	if (!e->n_statuses)
		buf_adds(out, "2xx");
	if (e->body) {
		buf_adds(out, ", a body that matches ");
		printable_add(out, e->body);
	}
	for (size_t i = 0; i < e->n_json; i++) {
		buf_adds(out, ", ");
		printable_add(out, e->json[i].pointer);
		buf_adds(out, e->json[i].exists
				      ? " to exist"
				      : relations[e->json[i].relation]);
		if (!e->json[i].exists)
			printable_add(out, e->json[i].value);
	}
	if (e->max_latency_ms) {
		buf_adds(out, " within ");
		duration_add(out, e->max_latency_ms);
	}
}

static void add_http(struct buf *out, const struct action_http *http)
{
	buf_addf(out, "http %s ", http->method);
	add_url(out, http->url);
	add_expect(out, &http->expect);
	if (http->attempts <= 1)
		return;
	buf_addf(out, ", up to %d attempts every ", http->attempts);
	duration_add(out, http->every_ms);
}

static void add_argv(struct buf *out, const char *const *argv, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		bool quote = !*argv[i] || strpbrk(argv[i], " \t\n\"'\\");

		buf_adds(out, quote ? " '" : " ");
		printable_add(out, argv[i]);
		buf_adds(out, quote ? "'" : "");
	}
}

static void add_named(struct buf *out, const char *label, const char *text)
{
	if (!text)
		return;
	buf_adds(out, label);
	printable_add(out, text);
}

static void add_silence(struct buf *out, const struct action_silence *silence)
{
	static const char *const ops[2][2] = {{"!=", "="}, {"!~", "=~"}};
	const struct matcher *m = silence->matchers;

	buf_adds(out, "silence at ");
	add_url(out, silence->url);
	for (size_t i = 0; i < silence->n_matchers; i++, m++) {
		add_named(out, i ? ", " : " what has ", m->name);
		add_named(out, ops[m->is_regex][m->is_equal], m->value);
	}
	buf_adds(out, " for ");
	duration_add(out, silence->lease_ms);
	buf_adds(out, ", renewed until the end");
}

static void add_redis(struct buf *out, const struct action_redis *redis)
{
	struct buf shown;
	struct err err;
	struct url url;

	buf_init(&shown, URL_BYTES_MAX);
	if (url_parse_redis(secret_reveal(redis->url), &url, &err) == 0)
		url_show(&url, &shown);
	add_named(out, "redis ", shown.data);
	buf_fini(&shown);
	for (size_t i = 0; i < redis->n_patterns; i++)
		add_named(out, i ? ", " : " remove ", redis->patterns[i]);
}

static void add_database(struct buf *out, const struct action_database *db)
{
	buf_adds(out, "database");
	add_argv(out, db->exec.command, db->exec.n_command);
	if (!db->guard)
		return;
	buf_adds(out, ", only if this succeeds:");
	add_argv(out, db->guard, db->n_guard);
}

static void add_kubernetes(
	struct buf *out, const struct action_kubernetes *kubernetes)
{
	add_named(out, "kubernetes ", kubernetes->resource);
	add_named(out, " in ", kubernetes->namespace);
	add_named(out, " of ", kubernetes->context);
	buf_adds(out, " back to the revision found in preflight");
}

static void add_what(struct buf *out, const struct action *a)
{
	switch (a->kind) {
	case ACTION_HTTP:
		add_http(out, &a->u.http);
		break;
	case ACTION_EXEC:
		buf_adds(out, "exec");
		add_argv(out, a->u.exec.command, a->u.exec.n_command);
		break;
	case ACTION_SILENCE:
		add_silence(out, &a->u.silence);
		break;
	case ACTION_REPORT:
		add_named(out, "report into ", a->u.report.path);
		break;
	case ACTION_REDIS:
		add_redis(out, &a->u.redis);
		break;
	case ACTION_DATABASE:
		add_database(out, &a->u.database);
		break;
	case ACTION_SLACK: /* its address is a secret */
		add_named(out, "slack message ",
			a->u.slack.text ? a->u.slack.text : "{{reason}}");
		break;
	case ACTION_WEBHOOK:
		buf_adds(out, "webhook CloudEvent to ");
		add_url(out, a->u.webhook.url);
		break;
	case ACTION_PAGERDUTY:
		add_named(out, "pagerduty ", a->u.pagerduty.severity);
		break;
	case ACTION_SECRET:
		add_named(out,
			a->u.secret.restore ? "secret restore "
					    : "secret new version of ",
			a->u.secret.secret);
		add_named(out, " in ", a->u.secret.project);
		break;
	case ACTION_FIREBASE:
		add_named(out, "firebase-hosting previous version of ",
			a->u.firebase.site);
		break;
	case ACTION_KUBERNETES:
		add_kubernetes(out, &a->u.kubernetes);
		break;
	case ACTION_KINDS:
		break;
	}
}

static void add_when(struct buf *out, unsigned when)
{
	static const struct {
		unsigned bit;
		const char *name;
	} reasons[] = {
		{WHEN_SLO, "slo"},
		{WHEN_ABORT, "abort"},
		{WHEN_INTERRUPT, "interrupt"},
		{WHEN_TIMEOUT, "timeout"},
	};
	const char *comma = "; only when ";

	if (when == WHEN_ALL)
		return;
	for (size_t i = 0; i < 4; i++) {
		if (!(when & reasons[i].bit))
			continue;
		buf_addf(out, "%s%s", comma, reasons[i].name);
		comma = ", ";
	}
}

static void add_action(struct buf *out, size_t number, const struct action *a)
{
	buf_addf(out, "  %2zu. ", number);
	printable_add(out, a->name);
	buf_adds(out, ": ");
	add_what(out, a);
	buf_addf(out, "\n%*stimeout ", 6, "");
	duration_add(out, a->timeout_ms);
	if (a->retries)
		buf_addf(out, ", %d more %s", a->retries,
			a->retries == 1 ? "try" : "tries");
	buf_addf(out, "; a failure %s; after a crash it %s",
		a->stop_on_failure ? "stops here" : "is reported",
		a->idempotent ? "is run again" : "is left to a person");
	add_when(out, a->when);
	buf_addc(out, '\n');
}

void plan_actions(struct buf *out, const struct policy *p,
	enum action_list list, const char *title)
{
	const struct actions *actions = &p->lists[list];

	if (!actions->n)
		return;
	buf_addf(out, "\n%s, %s\n", action_list_name(list), title);
	for (size_t i = 0; i < actions->n; i++)
		add_action(out, i + 1, &actions->item[i]);
}
