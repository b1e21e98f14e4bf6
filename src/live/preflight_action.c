/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The actions, one after the other: their check, what they want to capture,
 * and, for advice, their drill. All read only. See preflight_parts.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "io/loop.h"
#include "live/action_io.h"
#include "live/preflight_parts.h"

struct preflight_actions {
	int list;
	size_t index;
	struct action_env env;
	struct release_values values;
	char captured[ACTION_CAPTURED_MAX]; /* by this action's record */
	struct action_run *run;
};

static void look_at_next(struct preflight *preflight);
static void action_captured(const struct action_end *end, void *arg);
static void capture_add(struct preflight *preflight,
	const struct action *action, const char *text);
static void drill(struct preflight *preflight);
static void drilled(const struct action_end *end, void *arg);

/* ---- one after the other ---- */

static const struct action *current(const struct preflight *preflight)
{
	const struct preflight_actions *at = preflight->actions;

	return at->list == ACTION_LISTS
		       ? NULL
		       : &preflight->release->policy->lists[at->list]
				  .item[at->index];
}

/* Steps over the lists that have no more actions. */
static void settle(struct preflight *preflight)
{
	struct preflight_actions *at = preflight->actions;

	while (at->list < ACTION_LISTS &&
		at->index >= preflight->release->policy->lists[at->list].n) {
		at->list++;
		at->index = 0;
	}
}

void preflight_actions(struct preflight *preflight)
{
	struct preflight_actions *at = xcalloc(1, sizeof(*at));

	preflight->actions = at;
	at->env = action_io_env(preflight->world, preflight->release->policy);
	at->env.programs = preflight->release->programs;
	release_values(preflight->release, preflight->what.state,
		preflight->release->candidate, 0, &at->values);
	look_at_next(preflight);
}

static void finding(
	struct preflight *preflight, enum finding_kind kind, const char *detail)
{
	const char *list =
		action_list_name((enum action_list)preflight->actions->list);
	const char *name = current(preflight)->name;
	struct finding *told = finding_tell(preflight, kind, list, name,
		kind == FINDING_FAIL ? "mend what is named, there or in the "
				       "policy"
				     : NULL,
		"%s", detail);

	finding_refuse(
		preflight, told, "%s: action \"%s\": %s", list, name, detail);
	preflight->actions->index++;
}

static void unfit(struct preflight *preflight, const struct err *err)
{
	const char *list =
		action_list_name((enum action_list)preflight->actions->list);
	size_t n = preflight->n;

	finding(preflight, FINDING_FAIL, err->text);
	finding_refuse(
		preflight, &preflight->finding[n], "%s: %s", list, err->text);
}

static void start(
	struct preflight *preflight, enum action_job job, action_fn fn)
{
	struct preflight_actions *at = preflight->actions;
	struct action_order order = {
		.env = &at->env,
		.action = current(preflight),
		.values = &at->values.values,
		.job = job,
		.captured = *at->captured ? at->captured : NULL,
	};

	at->run = action_job_start(&order, fn, preflight);
}

/* A release that is refused anyway captures nothing. */
static bool captures_now(
	const struct preflight *preflight, const struct action *action)
{
	return action_has_job(action, JOB_CAPTURE) && !preflight->n_fails;
}

/* An action is about revisions, which only the service tells. */
static void look_at_next(struct preflight *preflight)
{
	const struct action *action;
	struct err err;

	for (;;) {
		settle(preflight);
		action = current(preflight);
		if (!action)
			break;
		preflight->actions->captured[0] = '\0';
		if (action_check(&preflight->actions->env, action, &err) < 0) {
			unfit(preflight, &err);
		} else if (!preflight_gives_advice(preflight)) {
			if (captures_now(preflight, action)) {
				start(preflight, JOB_CAPTURE, action_captured);
				return;
			}
			preflight->actions->index++;
		} else if (preflight_asks_url(action) &&
			   !*preflight->release->candidate_url) {
			finding(preflight, FINDING_SKIP,
				"not asked: {{candidate_url}} is there only "
				"when the candidate has its tag");
		} else if (!preflight->snapshot) {
			finding(preflight, FINDING_SKIP,
				"checked, not tried: that takes the service");
		} else {
			if (action_has_job(action, JOB_CAPTURE))
				start(preflight, JOB_CAPTURE, action_captured);
			else
				drill(preflight);
			return;
		}
	}
	preflight_next(preflight);
}

static void action_captured(const struct action_end *end, void *arg)
{
	struct preflight *preflight = arg;
	struct preflight_actions *at = preflight->actions;

	at->run = NULL;
	if (end->result != ACTION_OK) {
		finding(preflight, FINDING_FAIL, end->detail);
		look_at_next(preflight);
		return;
	}
	if (end->captured)
		snprintf(at->captured, sizeof(at->captured), "%s",
			end->captured);
	if (preflight_gives_advice(preflight)) {
		drill(preflight);
		return;
	}
	if (*at->captured)
		capture_add(preflight, current(preflight), at->captured);
	at->index++;
	look_at_next(preflight);
}

static void capture_add(struct preflight *preflight,
	const struct action *action, const char *text)
{
	preflight->capture = xrealloc(preflight->capture,
		preflight->n_captures + 1, sizeof(*preflight->capture));
	preflight->capture[preflight->n_captures++] =
		(struct capture){action, arena_strdup(&preflight->arena, text)};
}

static void drill(struct preflight *preflight)
{
	start(preflight, JOB_DRILL, drilled);
}

static void drilled(const struct action_end *end, void *arg)
{
	struct preflight *preflight = arg;
	bool good = end->result == ACTION_OK || end->result == ACTION_SKIPPED;

	preflight->actions->run = NULL;
	finding(preflight, good ? FINDING_OK : FINDING_FAIL, end->detail);
	look_at_next(preflight);
}

void preflight_actions_cancel(struct preflight *preflight)
{
	if (!preflight->actions)
		return;
	action_cancel(&preflight->actions->run);
	free(preflight->actions);
	preflight->actions = NULL;
}
