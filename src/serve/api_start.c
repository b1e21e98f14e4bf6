/* SPDX-License-Identifier: Apache-2.0 */
/* POST /api/v1/rollouts: a rollout that the daemon drives from now on. */
#include <stdlib.h>

#include "base/xalloc.h"
#include "serve/daemon.h"
#include "serve/driven.h"
#include "serve/handlers.h"
#include "serve/sent_policy.h"
#include "serve/starting.h"

#define NAME_MAX_BYTES STARTING_NAME_MAX

enum {
	BODY_SERVICE,
	BODY_PROJECT,
	BODY_REGION,
	BODY_DEFAULT_PROJECT,
	BODY_DEFAULT_REGION,
	BODY_POLICY,
	BODY_CANDIDATE,
	BODY_AGAIN,
	BODY_ADOPT,
	BODY_COMMITTED
};

const struct field rollouts_start_body[] = {
	[BODY_SERVICE] = {"service", FIELD_TEXT, .max = NAME_MAX_BYTES,
		.about = "What is released, by its short or full name; the "
			 "policy's target when it is not given"},
	[BODY_PROJECT] = {"project", FIELD_TEXT, .max = NAME_MAX_BYTES,
		.about = "Where a service with a short name is; the policy's "
			 "when it is not given"},
	[BODY_REGION] = {"region", FIELD_TEXT, .max = NAME_MAX_BYTES,
		.about = "The same"},
	[BODY_DEFAULT_PROJECT] = {"default_project", FIELD_TEXT,
		.max = NAME_MAX_BYTES,
		.about = "The project when neither `project` nor the policy "
			 "says one"},
	[BODY_DEFAULT_REGION] = {"default_region", FIELD_TEXT,
		.max = NAME_MAX_BYTES, .about = "The same"},
	[BODY_POLICY] = {"policy", FIELD_TEXT, true, .max = SENT_POLICY_MAX,
		.about = STARTING_POLICY},
	[BODY_CANDIDATE] = {"candidate", FIELD_TEXT, .max = NAME_MAX_BYTES,
		.about = "The revision to release; the latest ready one when "
			 "it is not given"},
	[BODY_AGAIN] = {"again", FIELD_FLAG,
		.about = "Accept a candidate that was rolled back before"},
	[BODY_ADOPT] = {"adopt", FIELD_FLAG,
		.about = "Accept that the candidate has a part of the traffic "
			 "already"},
	[BODY_COMMITTED] = {"committed", FIELD_TIME,
		.about = "When what is released was committed, for the lead "
			 "time"},
	{0},
};

/* ---- the start ---- */

/* Its first member is the desk's job. */
struct release_ask {
	struct starting starting;
	struct field_value value[FIELDS_MAX];
};

static void ask_free(struct release_ask *ask)
{
	starting_fini(&ask->starting);
	free(ask);
}

static bool there_is_room(struct release_ask *ask)
{
	struct starting *s = &ask->starting;
	const struct serve_config *config = daemon_config(s->daemon);
	const struct driven_set *set = daemon_driven(s->daemon);

	if (!starting_is_free(s))
		return false;
	if (driven_count(set) >= (size_t)config->rollouts_max)
		visit_problem(&s->visit, 429, "limit",
			"%d rollouts are being driven: more are not allowed",
			config->rollouts_max);
	else if (driven_count_of(set, s->visit->visitor->starter) >=
		 (size_t)config->person_rollouts_max)
		visit_problem(&s->visit, 429, "limit",
			"%.100s has %d rollouts going: more are not allowed",
			s->visit->visitor->name, config->person_rollouts_max);
	return s->visit != NULL;
}

static void rollouts_begun(
	const char *rollout, const struct err *err, void *arg)
{
	struct release_ask *ask = arg;

	if (err)
		starting_fail(&ask->starting, err);
	else
		starting_answer_begun(&ask->starting, rollout);
	ask_free(ask);
}

static void begin(struct release_ask *ask)
{
	const struct field_value *value = ask->value;
	const struct driver_options options = {
		.service = ask->starting.service,
		.starter = ask->starting.visit->visitor->starter,
		.wish = {.candidate = value[BODY_CANDIDATE].text,
			.again = value[BODY_AGAIN].number,
			.adopt = value[BODY_ADOPT].number,
			.committed_ms = value[BODY_COMMITTED].number},
		.wait_ms = -1,
	};

	if (!there_is_room(ask) || !starting_drive(&ask->starting, &options,
					   "start", rollouts_begun, ask))
		ask_free(ask);
}

static int asked_once(
	struct desk_job *job, struct store *store, struct err *err_r)
{
	return starting_begin_once((struct starting *)job, store, err_r);
}

static void asked(struct desk_job *job, const struct err *err)
{
	struct release_ask *ask = (struct release_ask *)job;

	if (err)
		starting_fail(&ask->starting, err);
	else if (starting_is_first(&ask->starting)) {
		begin(ask);
		return;
	}
	ask_free(ask);
}

void rollouts_start(struct visit *visit)
{
	struct release_ask *ask = xcalloc(1, sizeof(*ask));
	struct starting *s = &ask->starting;
	struct starting_names names;
	struct err err;

	starting_init(s, visit);
	s->job.run = asked_once;
	s->job.done = asked;
	if (fields_of_body(visit, rollouts_start_body, ask->value, &err) < 0) {
		starting_fail(s, &err);
		ask_free(ask);
		return;
	}
	names = (struct starting_names){
		.policy = ask->value[BODY_POLICY].text,
		.service = ask->value[BODY_SERVICE].text,
		.project = ask->value[BODY_PROJECT].text,
		.region = ask->value[BODY_REGION].text,
		.default_project = ask->value[BODY_DEFAULT_PROJECT].text,
		.default_region = ask->value[BODY_DEFAULT_REGION].text,
	};
	if (!starting_read(s, &names, RIGHT_START))
		ask_free(ask);
	else if (s->has_key)
		desk_give(daemon_desk(s->daemon), &s->job);
	else
		begin(ask);
}
