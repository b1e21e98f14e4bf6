/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plan's lists of actions: what each will do, which its type says in one
 * line, and what a failure or a crash means. Never prints what is secret.
 */
#include <string.h>

#include "base/duration.h"
#include "base/printable.h"
#include "base/secret.h"
#include "policy/load_action.h"
#include "policy/policy_plan.h"
#include "policy/url.h"

void plan_url(struct buf *out, const struct secret *secret)
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

void plan_argv(struct buf *out, const char *const *argv, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		bool quote = !*argv[i] || strpbrk(argv[i], " \t\n\"'\\");

		buf_adds(out, quote ? " '" : " ");
		printable_add(out, argv[i]);
		buf_adds(out, quote ? "'" : "");
	}
}

void plan_named(struct buf *out, const char *label, const char *text)
{
	if (!text)
		return;
	buf_adds(out, label);
	printable_add(out, text);
}

static void plan_when(struct buf *out, unsigned when)
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

/* Depends on where it stands: what fails before anything moved is no accident
 * of a rollback. */
static const char *failure_text(enum action_list list, const struct action *a)
{
	bool stop = a->stop_on_failure;

	switch (list) {
	case LIST_PREFLIGHT:
		return stop ? "refuses the rollout, the rest is not run"
			    : "refuses the rollout";
	case LIST_STARTED:
	case LIST_STEP_PASSED:
		return stop ? "holds the rollout" : "is reported";
	case LIST_ROLLBACK:
		return stop ? "stops here: rollback-failed" : "is reported";
	case LIST_HEALTH:
		return "makes rollback-failed";
	case LIST_LOAD:
		return stop ? "is a breach of the step" : "is reported";
	default:
		return stop ? "stops here" : "is reported";
	}
}

static void plan_action(struct buf *out, int indent, enum action_list list,
	const struct action *a)
{
	printable_add(out, a->name);
	buf_adds(out, ": ");
	policy_actions[a->kind]->plan(out, a);
	buf_addf(out, "\n%*stimeout ", indent, "");
	duration_add(out, a->timeout_ms);
	if (a->retries)
		buf_addf(out, ", %d more %s", a->retries,
			a->retries == 1 ? "try" : "tries");
	buf_addf(out, "; a failure %s; after a crash it %s",
		failure_text(list, a),
		a->idempotent ? "is run again" : "is left to a person");
	plan_when(out, a->when);
	buf_addc(out, '\n');
}

void plan_actions(struct buf *out, const struct policy *p,
	enum action_list list, const char *title)
{
	const struct actions *actions = &p->lists[list];

	if (!actions->n)
		return;
	buf_addf(out, "\n%s, %s\n", action_list_name(list), title);
	for (size_t i = 0; i < actions->n; i++) {
		buf_addf(out, "  %2zu. ", i + 1);
		plan_action(out, 6, list, &actions->item[i]);
	}
}

void plan_one_action(struct buf *out, const struct policy *p,
	enum action_list list, size_t index)
{
	plan_action(out, 8, list, &p->lists[list].item[index]);
}
