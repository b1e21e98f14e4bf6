/* SPDX-License-Identifier: Apache-2.0 */
/* POST /api/v1/rollouts: a rollout that the daemon drives from now on. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/jsonw.h"
#include "base/log.h"
#include "base/service_name.h"
#include "base/xalloc.h"
#include "io/digest.h"
#include "policy/policy.h"
#include "serve/daemon.h"
#include "serve/desk.h"
#include "serve/driven.h"
#include "serve/handlers.h"
#include "serve/once.h"
#include "serve/shelf.h"

#define NAME_MAX_BYTES 256

enum {
	BODY_SERVICE,
	BODY_PROJECT,
	BODY_REGION,
	BODY_POLICY,
	BODY_CANDIDATE,
	BODY_AGAIN,
	BODY_ADOPT
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
	[BODY_POLICY] = {"policy", FIELD_TEXT, true, .max = NAME_MAX_BYTES,
		.about = "The name of a policy that the daemon has"},
	[BODY_CANDIDATE] = {"candidate", FIELD_TEXT, .max = NAME_MAX_BYTES,
		.about = "The revision to release; the latest ready one when "
			 "it is not given"},
	[BODY_AGAIN] = {"again", FIELD_FLAG,
		.about = "Accept a candidate that was rolled back before"},
	[BODY_ADOPT] = {"adopt", FIELD_FLAG,
		.about = "Accept that the candidate has a part of the traffic "
			 "already"},
	{0},
};

/* ---- what is to be released ---- */

static const char *first_of(const char *given, const char *of_policy)
{
	return given ? given : of_policy ? of_policy : "";
}

/* The full name; NULL with err_r. */
static const char *service_of(struct visit *visit,
	const struct field_value *value, const struct policy *policy,
	struct err *err_r)
{
	const char *service =
		first_of(value[BODY_SERVICE].text, policy->service);
	const char *name = service;

	if (!strchr(service, '/'))
		name = arena_printf(&visit->arena, SERVICE_NAME_FORMAT,
			first_of(value[BODY_PROJECT].text, policy->project),
			first_of(value[BODY_REGION].text, policy->region),
			service);
	if (resource_name_is(name, "services"))
		return name;
	err_set(err_r, ERR_USAGE,
		"%.200s does not name a service: project, region and service "
		"are needed, here or in the policy's target",
		name);
	return NULL;
}

/* ---- what may be ---- */

static bool there_is_room(struct visit **visit, const char *service)
{
	const struct serve_config *config = daemon_config((*visit)->daemon);
	const struct driven_set *set = daemon_driven((*visit)->daemon);
	const struct driven *rival = driven_of_service(set, service);

	if (daemon_is_draining((*visit)->daemon))
		visit_problem(visit, 503, "draining",
			"the daemon is being stopped: try again in a moment");
	else if (rival)
		visit_problem(visit, 409, "busy",
			"%.160s has a rollout that has not ended: %s", service,
			driver_id(driven_driver(rival)));
	else if (driven_count(set) >= (size_t)config->rollouts_max)
		visit_problem(visit, 429, "limit",
			"%d rollouts are being driven: more are not allowed",
			config->rollouts_max);
	else if (driven_count_of(set, (*visit)->visitor->starter) >=
		 (size_t)config->person_rollouts_max)
		visit_problem(visit, 429, "limit",
			"%.100s has %d rollouts going: more are not allowed",
			(*visit)->visitor->name, config->person_rollouts_max);
	return *visit != NULL;
}

/* ---- the start ---- */

struct starting {
	struct desk_job job;
	struct visit *visit;
	struct field_value value[FIELDS_MAX];
	const struct policy
		*policy; /* taken from the shelf; NULL: given back */
	const char *service;
	struct store_once once, known;
	char key[DIGEST_TEXT_MAX]; /* outlives the visit */
	bool has_key, is_new, has_begun;
};

static void starting_free(struct starting *starting, struct daemon *daemon)
{
	if (starting->is_new && !starting->has_begun)
		once_keep(daemon_desk(daemon), starting->key, 0, NULL);
	if (starting->policy)
		shelf_give_back(daemon_shelf(daemon), &starting->policy);
	free(starting);
}

static void rollouts_begun(
	const char *rollout, const struct err *err, void *arg)
{
	struct starting *starting = arg;
	struct daemon *daemon = starting->visit->daemon;
	struct buf body;
	struct jsonw w = {.out = &body};

	if (err) {
		visit_fail(&starting->visit, err);
		starting_free(starting, daemon);
		return;
	}
	starting->has_begun = true;
	buf_init(&body, VISIT_ANSWER_MAX);
	jsonw_object(&w, NULL);
	jsonw_text(&w, "rollout", rollout);
	jsonw_text(&w, "service", starting->service);
	jsonw_text(&w, "policy", starting->value[BODY_POLICY].text);
	jsonw_text(&w, "starter", starting->visit->visitor->name);
	jsonw_end(&w, '}');
	buf_addc(&body, '\n');
	if (starting->has_key)
		once_keep(daemon_desk(daemon), starting->once.key, 201,
			body.data);
	visit_answer(&starting->visit, 201, VISIT_JSON, &body);
	buf_fini(&body);
	starting_free(starting, daemon);
}

static void begin(struct starting *starting)
{
	struct visit *visit = starting->visit;
	struct daemon *daemon = visit->daemon;
	const struct policy *policy = starting->policy;
	const struct field_value *value = starting->value;
	const struct driver_options options = {
		.service = starting->service,
		.starter = visit->visitor->starter,
		.wish = {.candidate = value[BODY_CANDIDATE].text,
			.again = value[BODY_AGAIN].number,
			.adopt = value[BODY_ADOPT].number},
		.wait_ms = -1,
	};
	struct err err;

	log_line(LOG_INFO,
		"event=start service=%s policy=\"%s\" who=\"%s\" "
		"starter=\"%s\" method=%s proof=\"%s\" peer=\"%s\"",
		starting->service, policy->name, visit->visitor->name,
		visit->visitor->starter, visit->visitor->caller.method,
		visit->visitor->caller.proof, visit->visitor->caller.peer);
	starting->policy = NULL; /* the set gives it back */
	if (driven_start(daemon_driven(daemon), policy, &options,
		    rollouts_begun, starting, &err) < 0) {
		visit_fail(&starting->visit, &err);
		starting_free(starting, daemon);
	}
}

/* With a key: whether it was sent before. */
static int starting_run(
	struct desk_job *job, struct store *store, struct err *err_r)
{
	struct starting *starting = (struct starting *)job;
	int rc = store_once_begin(store, &starting->once,
		&starting->visit->arena, &starting->known, err_r);

	starting->is_new = rc > 0;
	return rc < 0 ? -1 : 0;
}

static void starting_done(struct desk_job *job, const struct err *err)
{
	struct starting *starting = (struct starting *)job;
	struct daemon *daemon = starting->visit->daemon;

	if (err)
		visit_fail(&starting->visit, err);
	else if (!starting->is_new)
		once_answer_again(
			&starting->visit, &starting->once, &starting->known);
	else if (there_is_room(&starting->visit, starting->service)) {
		begin(starting);
		return;
	}
	starting_free(starting, daemon);
}

static int read_order(struct starting *starting, struct err *err_r)
{
	struct visit *visit = starting->visit;
	int keyed;

	if (fields_of_body(visit, rollouts_start_body, starting->value, err_r) <
		0)
		return -1;
	keyed = once_of(visit, &starting->once, err_r);
	if (keyed < 0)
		return -1;
	starting->has_key = keyed;
	snprintf(starting->key, sizeof(starting->key), "%s",
		keyed ? starting->once.key : "");
	starting->policy = shelf_take(daemon_shelf(visit->daemon),
		starting->value[BODY_POLICY].text, err_r);
	if (!starting->policy)
		return -1;
	starting->service =
		service_of(visit, starting->value, starting->policy, err_r);
	return starting->service ? 0 : -1;
}

void rollouts_start(struct visit *visit)
{
	struct starting *starting = xcalloc(1, sizeof(*starting));
	struct daemon *daemon = visit->daemon;
	struct err err;

	starting->visit = visit;
	starting->job.run = starting_run;
	starting->job.done = starting_done;
	if (read_order(starting, &err) < 0) {
		visit_fail(&starting->visit, &err);
	} else if (!visit_may(&starting->visit, RIGHT_START, starting->service,
			   starting->value[BODY_POLICY].text)) {
		/* It was answered. */
	} else if (starting->has_key) {
		desk_give(daemon_desk(daemon), &starting->job);
		return;
	} else if (there_is_room(&starting->visit, starting->service)) {
		begin(starting);
		return;
	}
	starting_free(starting, daemon);
}
