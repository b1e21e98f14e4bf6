/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Actions of type secret: a new version in Secret Manager, unless the latest
 * one holds the value already. The number of the version before is told and
 * captured, never a value: with `restore` the action gives the secret back what
 * it held in preflight. When a version since preflight held the value, and
 * another one has replaced it, somebody has decided so and it stays.
 *
 *   capture: secret_begin -> secret_accessed -> secret_permitted
 *   drill:   the same
 *   run:     secret_begin [-> secret_wanted_read] -> secret_accessed
 *              [-> secret_earlier_read …] -> secret_added [-> secret_looked]
 */
#include "action/action.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "action/api_call.h"
#include "action/version_codec.h"
#include "base/xalloc.h"

#define ENDPOINT    "https://secretmanager.googleapis.com"
#define REFUSAL_MAX 1024 /* bytes of an error's text */
#define VARIABLE    "CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER"
#define PERMISSION  "secretmanager.versions.add"
#define EARLIER_MAX 8 /* versions before the latest that are looked at */

struct storing {
	struct request *request;
	struct buf value; /* what is wanted; wiped */
	char before[VERSION_NUMBER_MAX]; /* "": not known */
	bool same; /* the latest version holds it already */
	long long earlier; /* the number of the version that is looked at */
	/* What the answer to the write was, while it is not known whether it
	 * has been done, and what that makes of the run. */
	struct buf unclear;
	enum action_result unclear_result;
};

static void secret_wanted_read(const struct http_reply *reply, void *arg);
static void secret_access(struct action_run *run);
static void secret_accessed(const struct http_reply *reply, void *arg);
static void secret_look_back(struct action_run *run);
static void secret_earlier_read(const struct http_reply *reply, void *arg);
static void secret_ask_permission(struct action_run *run);
static void secret_permitted(const struct http_reply *reply, void *arg);
static void secret_add(struct action_run *run);
static void secret_added(const struct http_reply *reply, void *arg);
static void secret_looked(const struct http_reply *reply, void *arg);

static const struct action_secret *secret_of(const struct action_run *run)
{
	return &run->action->u.secret;
}

static char *url_of(
	const struct action *action, const char *project, const char *what)
{
	const struct action_secret *secret = &action->u.secret;
	char *path = xasprintf("/v1/projects/%s/secrets/%s%s",
		secret->project ? secret->project : project, secret->secret,
		what);
	char *url = api_call_google_url(VARIABLE, ENDPOINT, path);

	free(path);
	return url;
}

static int secret_check(const struct action_env *env,
	const struct action *action, struct err *err_r)
{
	char *url = url_of(action, "project", ":addVersion");
	int rc = api_call_check(env, url, &request_google, NULL, err_r);

	free(url);
	return rc;
}

static void secret_stop(struct action_run *run)
{
	struct storing *s = run->data;

	if (!s)
		return;
	request_cancel(&s->request);
	buf_wipe(&s->value);
	buf_fini(&s->value);
	buf_fini(&s->unclear);
	free(s);
	run->data = NULL;
}

static void failed(struct action_run *run, const struct http_reply *reply)
{
	struct buf why;

	buf_init(&why, REFUSAL_MAX);
	google_refusal_decode(reply->body, reply->body_len, &why);
	api_call_failed(run, reply, why.len ? why.data : NULL);
	buf_fini(&why);
}

/* Told while the run goes on: what it knows is still needed. */
static void not_understood(struct action_run *run, const struct err *err)
{
	buf_adds(&run->detail, err->text);
	action_run_end(run, ACTION_FAILED);
}

/* ---- what is wanted ---- */

static void ask(
	struct action_run *run, const char *what, const char *body, http_fn fn)
{
	struct storing *s = run->data;
	char *url = url_of(run->action, run->values->project, what);

	s->request = api_call_start(run,
		&(struct request_spec){.url = url,
			.auth = &request_google,
			.body = body,
			.body_len = body ? strlen(body) : 0,
			.repeatable = true},
		fn);
	free(url);
}

/* What a restore goes back to, in a run; NULL: the policy names the value. */
static const char *recorded(const struct action_run *run)
{
	return run->captured && *run->captured ? run->captured : NULL;
}

static void secret_begin(struct action_run *run)
{
	const struct action_secret *secret = secret_of(run);
	struct storing *s = xcalloc(1, sizeof(*s));
	char what[VERSION_NUMBER_MAX + 32];

	run->data = s;
	buf_init(&s->value, SECRET_VALUE_MAX);
	buf_init(&s->unclear, ACTION_DETAIL_MAX);
	if (!secret->restore) {
		template_render(&s->value, secret_reveal(secret->value),
			run->values, ESCAPE_NONE);
		secret_access(run);
	} else if (recorded(run) && run->job != JOB_CAPTURE) {
		snprintf(what, sizeof(what), "/versions/%s:access",
			recorded(run));
		ask(run, what, NULL, secret_wanted_read);
	} else if (run->job == JOB_RUN) {
		buf_adds(&run->detail,
			"preflight has recorded no version to go back to");
		action_run_end_soon(run, ACTION_FAILED);
	} else {
		secret_access(run);
	}
}

static void secret_wanted_read(const struct http_reply *reply, void *arg)
{
	struct action_run *run = arg;
	struct storing *s = run->data;
	char number[VERSION_NUMBER_MAX];
	struct err err;

	s->request = NULL;
	if (!api_call_succeeded(reply))
		failed(run, reply);
	else if (secret_access_decode(reply->body, reply->body_len, number,
			 &s->value, &err) < 0)
		not_understood(run, &err);
	else
		secret_access(run);
}

/* ---- what is there ---- */

static void secret_access(struct action_run *run)
{
	ask(run, "/versions/latest:access", NULL, secret_accessed);
}

/* Not to know what was there is no reason to leave it: a switch that is to be
 * off may be write-only for us, or its latest version be disabled. What is to
 * be restored has to be known. */
static bool may_go_on(
	const struct action_run *run, const struct http_reply *reply)
{
	if (run->job == JOB_CAPTURE && secret_of(run)->restore)
		return false;
	return reply->status == 400 || reply->status == 403 ||
	       reply->status == 404;
}

static bool holds(const struct storing *s, const struct buf *value)
{
	return value->len == s->value.len &&
	       (!value->len || !memcmp(value->data, s->value.data, value->len));
}

static int take_latest(
	struct storing *s, const struct http_reply *reply, struct err *err_r)
{
	struct buf latest;
	int rc;

	buf_init(&latest, SECRET_VALUE_MAX);
	rc = secret_access_decode(
		reply->body, reply->body_len, s->before, &latest, err_r);
	s->same = rc == 0 && holds(s, &latest);
	buf_wipe(&latest);
	buf_fini(&latest);
	return rc;
}

static void secret_accessed(const struct http_reply *reply, void *arg)
{
	struct action_run *run = arg;
	struct storing *s = run->data;
	struct err err;

	s->request = NULL;
	if (!api_call_succeeded(reply) && !may_go_on(run, reply)) {
		failed(run, reply);
	} else if (api_call_succeeded(reply) &&
		   take_latest(s, reply, &err) < 0) {
		not_understood(run, &err);
	} else if (run->job != JOB_RUN) {
		secret_ask_permission(run);
	} else if (s->same) {
		buf_addf(&run->detail,
			"version %s holds the value already: nothing to do",
			s->before);
		action_run_end(run, ACTION_OK);
	} else {
		s->earlier = atoll(s->before);
		secret_look_back(run);
	}
}

/* ---- whether it was done, and undone since ---- */

static const char *project_of(
	const struct action_run *run, const struct action_secret *secret)
{
	return secret->project ? secret->project : run->values->project;
}

/* Another action of the policy sets this secret, too: what replaced a value
 * was the policy. */
static bool is_set_twice(const struct action_run *run)
{
	const struct action_secret *ours = secret_of(run), *other;
	const struct actions *list;
	int times = 0;

	for (int i = 0; i < ACTION_LISTS; i++) {
		list = &run->env->policy->lists[i];
		for (size_t j = 0; j < list->n; j++) {
			other = &list->item[j].u.secret;
			times += list->item[j].kind == ACTION_SECRET &&
				 !strcmp(other->secret, ours->secret) &&
				 !strcmp(project_of(run, other),
					 project_of(run, ours));
		}
	}
	return times > 1;
}

/* Down to the version that preflight saw, the latest ones only. Actions of
 * hooks may run several times on purpose. */
static void secret_look_back(struct action_run *run)
{
	struct storing *s = run->data;
	long long first = recorded(run) ? atoll(recorded(run)) : 0;
	char what[VERSION_NUMBER_MAX + 32];

	s->earlier--;
	if (!first || s->earlier <= first ||
		s->earlier < atoll(s->before) - EARLIER_MAX ||
		policy_list_of(run->env->policy, run->action) !=
			LIST_ROLLBACK ||
		is_set_twice(run)) {
		secret_add(run);
		return;
	}
	snprintf(what, sizeof(what), "/versions/%lld:access", s->earlier);
	ask(run, what, NULL, secret_earlier_read);
}

static bool holds_value(const struct storing *s, const struct http_reply *reply)
{
	char number[VERSION_NUMBER_MAX];
	struct buf value;
	struct err err;
	bool same;

	buf_init(&value, SECRET_VALUE_MAX);
	same = api_call_succeeded(reply) &&
	       secret_access_decode(reply->body, reply->body_len, number,
		       &value, &err) == 0 &&
	       holds(s, &value);
	buf_wipe(&value);
	buf_fini(&value);
	return same;
}

/* One that cannot be read, as it is disabled or destroyed, says nothing. */
static void secret_earlier_read(const struct http_reply *reply, void *arg)
{
	struct action_run *run = arg;
	struct storing *s = run->data;

	s->request = NULL;
	if (!holds_value(s, reply)) {
		secret_look_back(run);
		return;
	}
	buf_addf(&run->detail,
		"version %lld held the value, and version %s has replaced it "
		"since: that stays",
		s->earlier, s->before);
	action_run_end(run, ACTION_SKIPPED);
}

/* ---- whether it may be done ---- */

static void secret_ask_permission(struct action_run *run)
{
	ask(run, ":testIamPermissions",
		"{\"permissions\":[\"" PERMISSION "\"]}", secret_permitted);
}

static void describe_plan(struct action_run *run)
{
	const struct storing *s = run->data;
	const struct action_secret *secret = secret_of(run);
	struct buf *out = &run->detail;

	if (run->job == JOB_CAPTURE)
		buf_addf(out, "is at version %s",
			*s->before ? s->before : "not known");
	else if (secret->restore && !recorded(run))
		buf_addf(out,
			"is at version %s, which a rollout would record and "
			"restore",
			s->before);
	else if (s->same)
		buf_addf(out, "version %s holds the value already", s->before);
	else
		buf_addf(out, "would add a version to %s, after version %s",
			secret->secret, *s->before ? s->before : "not known");
}

/* Whoever may not even ask is not told: the write itself will tell. */
static void secret_permitted(const struct http_reply *reply, void *arg)
{
	struct action_run *run = arg;
	struct storing *s = run->data;
	bool granted = false;
	struct err err;

	s->request = NULL;
	if (!api_call_succeeded(reply) && reply->status != 403) {
		failed(run, reply);
		return;
	}
	if (api_call_succeeded(reply) &&
		granted_decode(reply->body, reply->body_len, PERMISSION,
			&granted, &err) < 0) {
		not_understood(run, &err);
		return;
	}
	if (api_call_succeeded(reply) && !granted) {
		buf_addf(&run->detail,
			"%s does not exist, or these credentials may not add "
			"versions to it: they need " PERMISSION,
			secret_of(run)->secret);
		action_run_end(run, ACTION_FAILED);
		return;
	}
	describe_plan(run);
	if (run->job == JOB_CAPTURE)
		snprintf(run->capture, sizeof(run->capture), "%s", s->before);
	action_run_end(run, ACTION_OK);
}

/* ---- done ---- */

static void secret_add(struct action_run *run)
{
	struct storing *s = run->data;
	char *url = url_of(run->action, run->values->project, ":addVersion");
	struct buf body;

	buf_init(&body, 2 * SECRET_VALUE_MAX);
	secret_version_encode(s->value.data, s->value.len, &body);
	s->request = api_call_start(run,
		&(struct request_spec){.url = url,
			.auth = &request_google,
			.body = body.data,
			.body_len = body.len},
		secret_added);
	buf_wipe(&body);
	buf_fini(&body);
	free(url);
}

static void secret_done(struct action_run *run, const char *number)
{
	const struct storing *s = run->data;

	buf_addf(&run->detail, "added version %s of %s; before it: %s", number,
		secret_of(run)->secret, *s->before ? s->before : "not known");
	snprintf(run->capture, sizeof(run->capture), "%s", s->before);
	action_run_end(run, ACTION_OK);
}

static void secret_added(const struct http_reply *reply, void *arg)
{
	struct action_run *run = arg;
	struct storing *s = run->data;
	char number[VERSION_NUMBER_MAX];
	struct err err;

	s->request = NULL;
	if (api_call_succeeded(reply) &&
		secret_added_decode(
			reply->body, reply->body_len, number, &err) == 0) {
		secret_done(run, number);
	} else if (api_call_may_be_done(reply)) {
		api_call_describe(&s->unclear, reply,
			api_call_succeeded(reply) ? err.text : NULL);
		s->unclear_result = reply->status ? ACTION_FAILED
						  : action_cut_off(run->action);
		ask(run, "/versions/latest:access", NULL, secret_looked);
	} else {
		failed(run, reply);
	}
}

/* The latest version tells what became of a write whose answer did not. */
static void secret_looked(const struct http_reply *reply, void *arg)
{
	struct action_run *run = arg;
	struct storing *s = run->data;
	char before[VERSION_NUMBER_MAX], number[VERSION_NUMBER_MAX];
	struct err err;

	s->request = NULL;
	snprintf(before, sizeof(before), "%s", s->before);
	if (api_call_succeeded(reply) && take_latest(s, reply, &err) == 0 &&
		s->same) {
		snprintf(number, sizeof(number), "%s", s->before);
		snprintf(s->before, sizeof(s->before), "%s", before);
		secret_done(run, number);
		return;
	}
	buf_adds(&run->detail, s->unclear.data);
	action_run_end(run, s->unclear_result);
}

const struct action_type action_type_secret = {
	.check = secret_check,
	.start = {[JOB_RUN] = secret_begin,
		[JOB_DRILL] = secret_begin,
		[JOB_CAPTURE] = secret_begin},
	.cancel = secret_stop,
};
