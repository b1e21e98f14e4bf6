/* SPDX-License-Identifier: Apache-2.0 */
/* What requests that begin a rollout share; see starting.h. */
#include "serve/starting.h"

#include <stdio.h>
#include <string.h>

#include "base/jsonw.h"
#include "base/log.h"
#include "base/service_name.h"
#include "policy/policy.h"
#include "serve/daemon.h"
#include "serve/driven.h"
#include "serve/once.h"
#include "serve/sent_policy.h"
#include "serve/shelf.h"
#include "serve/visit.h"

void starting_init(struct starting *s, struct visit *visit)
{
	*s = (struct starting){.visit = visit, .daemon = visit->daemon};
}

void starting_fini(struct starting *s)
{
	if (s->is_new && !s->is_kept)
		once_keep(daemon_desk(s->daemon), s->work.key, 0, NULL);
	once_work_end(&s->work); /* after that: it comes before who is next */
	if (s->policy)
		shelf_give_back(daemon_shelf(s->daemon), &s->policy);
}

void starting_fail(struct starting *s, const struct err *err)
{
	visit_fail(&s->visit, err);
}

/* ---- what is asked for ---- */

static const char *first_of(
	const char *given, const char *of_policy, const char *otherwise)
{
	return given       ? given
	       : of_policy ? of_policy
	       : otherwise ? otherwise
			   : "";
}

/* The full name; NULL with err_r. */
static const char *service_of(struct visit *visit,
	const struct starting_names *names, const struct policy *policy,
	struct err *err_r)
{
	const char *service = first_of(names->service, policy->service, NULL);
	const char *name = service;

	if (!strchr(service, '/'))
		name = arena_printf(&visit->arena, SERVICE_NAME_FORMAT,
			first_of(names->project, policy->project,
				names->default_project),
			first_of(names->region, policy->region,
				names->default_region),
			service);
	if (resource_name_is(name, "services"))
		return name;
	err_set(err_r, ERR_USAGE,
		"%.200s does not name a service: project, region and service "
		"are needed, here or in the policy's target",
		name);
	return NULL;
}

static int take_key(struct starting *s, struct err *err_r)
{
	int keyed = once_of(s->visit, &s->once, err_r);

	if (keyed < 0)
		return -1;
	s->has_key = keyed;
	return 0;
}

static bool take_named(struct starting *s, const char *name)
{
	struct err err;

	s->policy_name = name;
	s->policy = shelf_take(daemon_shelf(s->daemon), name, &err);
	if (!s->policy)
		starting_fail(s, &err);
	return s->policy != NULL;
}

/* `service` NULL: who is trusted with one of them. */
static bool take_sent(struct starting *s, const char *text, enum right right,
	const char *service)
{
	const struct access *access = daemon_access(s->daemon);
	bool trusted =
		access_trusts_sent(access, s->visit->visitor, right, service);
	struct buf problems;
	struct err err;

	buf_init(&problems, VISIT_ANSWER_MAX);
	s->policy = sent_policy_take(
		daemon_shelf(s->daemon), text, trusted, &problems, &err);
	if (!s->policy)
		visit_problem_more(&s->visit, 422, "policy-invalid", err.text,
			problems.data);
	buf_fini(&problems);
	return s->policy != NULL;
}

/* Before it is looked at: nobody else may make us read one. */
static bool may_send(struct starting *s, enum right right)
{
	s->policy_name = "";
	return visit_may(&s->visit, right, NULL, "");
}

static bool name_service(struct starting *s, const struct starting_names *names)
{
	struct err err;

	/* What is sent is taken anew below. */
	s->service = arena_strdup(
		&s->visit->arena, service_of(s->visit, names, s->policy, &err));
	s->policy_title = *s->policy_name ? s->policy_name
					  : arena_strdup(&s->visit->arena,
						    s->policy->name);
	if (!s->service)
		starting_fail(s, &err);
	return s->service != NULL;
}

/* Again, by what may be for this service. */
static bool take_sent_for_service(
	struct starting *s, const char *text, enum right right)
{
	shelf_give_back(daemon_shelf(s->daemon), &s->policy);
	return take_sent(s, text, right, s->service);
}

/* One at a time with a key. */
static bool begin_work(struct starting *s)
{
	if (s->has_key && !once_work_begin(daemon_once_works(s->daemon),
				  &s->work, &s->once, &s->known))
		once_answer_again(&s->visit, &s->once, &s->known);
	return s->visit != NULL;
}

bool starting_read(struct starting *s, const struct starting_names *names,
	enum right right)
{
	bool is_text = sent_policy_is_text(names->policy);
	struct err err;

	if (take_key(s, &err) < 0) {
		starting_fail(s, &err);
		return false;
	}
	if (is_text ? !may_send(s, right) ||
				!take_sent(s, names->policy, right, NULL)
		    : !take_named(s, names->policy))
		return false;
	if (!name_service(s, names) ||
		!visit_may(&s->visit, right, s->service, s->policy_name))
		return false;
	return (!is_text || take_sent_for_service(s, names->policy, right)) &&
	       begin_work(s);
}

/* ---- whether it may begin ---- */

static bool was_cut_off(const struct starting *s)
{
	return !s->known.status && !strcmp(s->known.digest, s->once.digest);
}

static bool has_left_command(const struct starting *s)
{
	return !s->is_new && was_cut_off(s) && !s->known.is_held &&
	       s->known.command_id && !*s->known.rollout;
}

static bool is_phase(const struct store_rollout *row, enum phase phase)
{
	return !strcmp(row->phase, phase_name(phase));
}

/* It goes on as the first, with what became of its command. */
static int recall(struct starting *s, struct store *store, struct err *err_r)
{
	struct arena *arena = &s->visit->arena;
	struct store_rollout row = {0};
	struct store_command command;

	if (store_command_get(
		    store, s->known.command_id, arena, &command, err_r) < 0 ||
		store_rollout_find(store, command.rollout, arena, &row, err_r) <
			0)
		return -1;
	s->is_new = true;
	if (command.state != 1 || !row.ended_ms)
		return 0;
	s->ended = row.id;
	s->went_back = is_phase(&row, PHASE_ROLLED_BACK) ||
		       is_phase(&row, PHASE_ROLLBACK_FAILED);
	return 0;
}

int starting_begin_once(
	struct starting *s, struct store *store, struct err *err_r)
{
	int rc;

	if (!s->has_key)
		return 0;
	rc = store_once_begin(
		store, &s->once, &s->visit->arena, &s->known, err_r);
	if (rc < 0)
		return -1;
	s->is_new = rc;
	return has_left_command(s) ? recall(s, store, err_r) : 0;
}

bool starting_is_first(struct starting *s)
{
	if (!s->has_key || s->is_new)
		return true;
	if (was_cut_off(s) && *s->known.rollout)
		starting_answer_begun(s, s->known.rollout);
	else
		once_answer_again(&s->visit, &s->once, &s->known);
	return false;
}

bool starting_is_free(struct starting *s)
{
	const struct driven *rival =
		driven_of_service(daemon_driven(s->daemon), s->service);

	if (daemon_is_draining(s->daemon))
		visit_problem(&s->visit, 503, "draining",
			"the daemon is being stopped: try again in a moment");
	else if (rival)
		visit_problem(&s->visit, 409, "busy",
			"%.160s has a rollout that has not ended: %s",
			s->service, driver_id(driven_driver(rival)));
	return s->visit != NULL;
}

/* ---- the rollout ---- */

bool starting_drive(struct starting *s, const struct driver_options *options,
	const char *event,
	void (*fn)(const char *rollout, const struct err *err, void *arg),
	void *arg)
{
	const struct visitor *visitor = s->visit->visitor;
	const struct policy *policy = s->policy;
	struct driver_options kept = *options;
	struct err err;

	log_line(LOG_INFO,
		"event=%s service=%s policy=\"%s\" who=\"%s\" starter=\"%s\" "
		"method=%s proof=\"%s\" peer=\"%s\"",
		event, s->service, policy->name, visitor->name,
		visitor->starter, visitor->caller.method, visitor->caller.proof,
		visitor->caller.peer);
	s->policy = NULL; /* the set gives it back */
	if (s->has_key)
		kept.wish.once = s->work.key;
	if (driven_start(daemon_driven(s->daemon), policy, &kept, fn, arg,
		    &err) == 0)
		return true;
	starting_fail(s, &err);
	return false;
}

/* ---- the answer ---- */

void starting_answer(struct starting *s, int status, const struct buf *body)
{
	if (s->has_key)
		once_keep(daemon_desk(s->daemon), s->work.key, status,
			body->data);
	s->is_kept = true;
	visit_answer(&s->visit, status, VISIT_JSON, body);
}

void starting_answer_begun(struct starting *s, const char *rollout)
{
	struct buf body;
	struct jsonw w = {.out = &body};

	buf_init(&body, VISIT_ANSWER_MAX);
	jsonw_object(&w, NULL);
	jsonw_text(&w, "rollout", rollout);
	jsonw_text(&w, "service", s->service);
	jsonw_text(&w, "policy", s->policy_title);
	jsonw_text(&w, "starter", s->visit->visitor->name);
	jsonw_end(&w, '}');
	buf_addc(&body, '\n');
	starting_answer(s, 201, &body);
	buf_fini(&body);
}
