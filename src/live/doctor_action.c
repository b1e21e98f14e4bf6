/*
 * The doctor's look at the actions, one after the other: what preflight has
 * each of them look at and record, then its drill. Both read only. See
 * doctor_parts.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "io/loop.h"
#include "live/action_io.h"
#include "live/doctor_parts.h"

struct doctor_actions {
	int list;
	size_t index;
	struct action_env env;
	struct release_values values;
	char captured[ACTION_CAPTURED_MAX]; /* by this action's record */
	struct action_run *run;
};

static void look_at_next(struct doctor *doctor);
static void doctor_captured(const struct action_end *end, void *arg);
static void drill(struct doctor *doctor);
static void drilled(const struct action_end *end, void *arg);

/* ---- one after the other ---- */

static const struct action *current(const struct doctor *doctor)
{
	const struct doctor_actions *at = doctor->actions;

	return at->list == ACTION_LISTS
		       ? NULL
		       : &doctor->release->policy->lists[at->list]
				  .item[at->index];
}

/* Goes to the next one that there is, from where it is. */
static void settle(struct doctor *doctor)
{
	struct doctor_actions *at = doctor->actions;

	while (at->list < ACTION_LISTS &&
		at->index >= doctor->release->policy->lists[at->list].n) {
		at->list++;
		at->index = 0;
	}
}

void doctor_actions(struct doctor *doctor)
{
	struct doctor_actions *at = xcalloc(1, sizeof(*at));

	doctor->actions = at;
	at->env = action_io_env(doctor->world, doctor->release->policy);
	release_values(doctor->release, &doctor->state,
		doctor->release->candidate, 0, &at->values);
	look_at_next(doctor);
}

static void finding(
	struct doctor *doctor, enum finding_kind kind, const char *detail)
{
	const char *list =
		action_list_name((enum action_list)doctor->actions->list);

	doctor_tell(doctor, kind, list, current(doctor)->name,
		kind == FINDING_FAIL ? "mend what is named, there or in the "
				       "policy"
				     : NULL,
		"%s", detail);
	doctor->actions->index++;
}

static void start(struct doctor *doctor, enum action_job job, action_fn fn)
{
	struct doctor_actions *at = doctor->actions;
	struct action_order order = {
		.env = &at->env,
		.action = current(doctor),
		.values = &at->values.values,
		.job = job,
		.captured = *at->captured ? at->captured : NULL,
	};

	at->run = action_job_start(&order, fn, doctor);
}

/* Without a snapshot nobody knows whom an action would be about. */
static void look_at_next(struct doctor *doctor)
{
	const struct action *action;
	struct err err;

	for (;;) {
		settle(doctor);
		action = current(doctor);
		if (!action)
			break;
		doctor->actions->captured[0] = '\0';
		if (action_check(&doctor->actions->env, action, &err) < 0) {
			finding(doctor, FINDING_FAIL, err.text);
		} else if (doctor_asks_url(action) && !doctor_has_url(doctor)) {
			finding(doctor, FINDING_SKIP,
				"not asked: {{candidate_url}} is there only "
				"when the candidate has its tag");
		} else if (!doctor->snapshot) {
			finding(doctor, FINDING_SKIP,
				"checked, not tried: that takes the service");
		} else {
			if (action_has_job(action, JOB_CAPTURE))
				start(doctor, JOB_CAPTURE, doctor_captured);
			else
				drill(doctor);
			return;
		}
	}
	doctor_next(doctor);
}

static void doctor_captured(const struct action_end *end, void *arg)
{
	struct doctor *doctor = arg;
	struct doctor_actions *at = doctor->actions;

	at->run = NULL;
	if (end->result != ACTION_OK) {
		finding(doctor, FINDING_FAIL, end->detail);
		look_at_next(doctor);
		return;
	}
	if (end->captured)
		snprintf(at->captured, sizeof(at->captured), "%s",
			end->captured);
	drill(doctor);
}

static void drill(struct doctor *doctor)
{
	start(doctor, JOB_DRILL, drilled);
}

static void drilled(const struct action_end *end, void *arg)
{
	struct doctor *doctor = arg;
	bool good = end->result == ACTION_OK || end->result == ACTION_SKIPPED;

	doctor->actions->run = NULL;
	finding(doctor, good ? FINDING_OK : FINDING_FAIL, end->detail);
	look_at_next(doctor);
}

void doctor_actions_cancel(struct doctor *doctor)
{
	if (!doctor->actions)
		return;
	action_cancel(&doctor->actions->run);
	free(doctor->actions);
	doctor->actions = NULL;
}
