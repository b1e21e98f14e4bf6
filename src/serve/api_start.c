/* POST /api/v1/rollouts: a rollout that the daemon drives from now on. */
#include <stdlib.h>
#include <string.h>

#include "base/jsonw.h"
#include "base/log.h"
#include "base/service_name.h"
#include "base/xalloc.h"
#include "io/server.h"
#include "policy/policy.h"
#include "serve/daemon.h"
#include "serve/driven.h"
#include "serve/handlers.h"
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
	else if (driven_count_of(set, (*visit)->visitor->name) >=
		 (size_t)config->person_rollouts_max)
		visit_problem(visit, 429, "limit",
			"%.100s has %d rollouts going: more are not allowed",
			(*visit)->visitor->name, config->person_rollouts_max);
	return *visit != NULL;
}

/* ---- the start ---- */

static void rollouts_begun(
	const char *rollout, const struct err *err, void *arg)
{
	struct visit *visit = arg;
	struct buf body;
	struct jsonw w = {.out = &body};

	if (err) {
		visit_fail(&visit, err);
		return;
	}
	buf_init(&body, VISIT_ANSWER_MAX);
	jsonw_object(&w, NULL);
	jsonw_text(&w, "rollout", rollout);
	jsonw_end(&w, '}');
	buf_addc(&body, '\n');
	visit_answer(&visit, 201, VISIT_JSON, &body);
	buf_fini(&body);
}

static void start(struct visit *visit, const struct field_value *value,
	const struct policy *policy, const char *service)
{
	const struct driver_options options = {
		.service = service,
		.starter = visit->visitor->name,
		.wish = {.candidate = value[BODY_CANDIDATE].text,
			.again = value[BODY_AGAIN].number,
			.adopt = value[BODY_ADOPT].number},
		.wait_ms = -1,
	};
	struct err err;

	log_line(LOG_INFO,
		"event=start service=%s policy=\"%s\" who=\"%s\" method=%s",
		service, policy->name, visit->visitor->name,
		visit->visitor->caller.method);
	if (driven_start(daemon_driven(visit->daemon), policy, &options,
		    rollouts_begun, visit, &err) < 0)
		visit_fail(&visit, &err);
}

void rollouts_start(struct visit *visit)
{
	struct shelf *shelf = daemon_shelf(visit->daemon);
	struct field_value value[FIELDS_MAX];
	const struct policy *policy = NULL;
	const char *service = NULL;
	struct err err;

	if (fields_of_body(visit, rollouts_start_body, value, &err) == 0)
		policy = shelf_take(shelf, value[BODY_POLICY].text, &err);
	if (policy)
		service = service_of(visit, value, policy, &err);
	if (!service)
		visit_fail(&visit, &err);
	else if (visit_may(&visit, RIGHT_START, service,
			 value[BODY_POLICY].text) &&
		 there_is_room(&visit, service)) {
		start(visit, value, policy, service);
		return;
	}
	if (policy)
		shelf_give_back(shelf, &policy);
}
