/*
 * Actions of type secret: a new version in Secret Manager, unless the latest
 * one holds the value already. The number of the version before is told and
 * recorded, never a value: with `restore` the action gives the secret back what
 * it held in preflight.
 *
 *   record:  secret_begin -> secret_accessed -> secret_permitted
 *   drill:   the same
 *   run:     secret_begin [-> secret_wanted_read] -> secret_accessed
 *              -> secret_added
 */
#include "action/action.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "action/errand.h"
#include "action/version_codec.h"
#include "base/xalloc.h"

#define ENDPOINT    "https://secretmanager.googleapis.com/"
#define REFUSAL_MAX 1024 /* bytes of an error's text */
#define VARIABLE    "CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER"
#define PERMISSION  "secretmanager.versions.add"

struct storing {
	struct errand *errand;
	struct buf value; /* what is wanted; wiped */
	char before[VERSION_NUMBER_MAX]; /* "": not known */
	bool same; /* the latest version holds it already */
};

static void secret_wanted_read(
	struct action_run *run, const struct http_reply *reply);
static void secret_access(struct action_run *run);
static void secret_accessed(
	struct action_run *run, const struct http_reply *reply);
static void secret_ask_permission(struct action_run *run);
static void secret_permitted(
	struct action_run *run, const struct http_reply *reply);
static void secret_add(struct action_run *run);
static void secret_added(
	struct action_run *run, const struct http_reply *reply);

static const struct action_secret *secret_of(const struct action_run *run)
{
	return &run->action->u.secret;
}

static char *url_of(
	const struct action *action, const char *project, const char *what)
{
	const struct action_secret *secret = &action->u.secret;
	char *path = xasprintf("v1/projects/%s/secrets/%s%s",
		secret->project ? secret->project : project, secret->secret,
		what);
	char *url = errand_google_url(VARIABLE, ENDPOINT, path);

	free(path);
	return url;
}

static int secret_check(const struct action_env *env,
	const struct action *action, struct err *err_r)
{
	char *url = url_of(action, "project", ":addVersion");
	int rc = errand_check(env, url, &errand_google, NULL, err_r);

	free(url);
	return rc;
}

static void secret_stop(struct action_run *run)
{
	struct storing *s = run->data;

	if (!s)
		return;
	errand_cancel(&s->errand);
	buf_wipe(&s->value);
	buf_fini(&s->value);
	free(s);
	run->data = NULL;
}

static void end(struct action_run *run, enum action_result result)
{
	secret_stop(run);
	action_run_end(run, result);
}

static void failed(struct action_run *run, const struct http_reply *reply)
{
	struct buf why;

	secret_stop(run);
	buf_init(&why, REFUSAL_MAX);
	google_refusal_decode(reply->body, reply->body_len, &why);
	errand_failed(run, reply, why.len ? why.data : NULL);
	buf_fini(&why);
}

/* Told while the run goes on: what it knows is still needed. */
static void not_understood(struct action_run *run, const struct err *err)
{
	buf_adds(&run->detail, err->text);
	end(run, ACTION_FAILED);
}

/* ---- what is wanted ---- */

static void ask(struct action_run *run, const char *what, const char *body,
	errand_fn fn)
{
	struct storing *s = run->data;
	char *url = url_of(run->action, run->values->project, what);

	s->errand = errand_start(run,
		&(struct errand_spec){.url = url,
			.auth = &errand_google,
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
		secret_stop(run);
		action_run_end_soon(run, ACTION_FAILED);
	} else {
		secret_access(run);
	}
}

static void secret_wanted_read(
	struct action_run *run, const struct http_reply *reply)
{
	struct storing *s = run->data;
	char number[VERSION_NUMBER_MAX];
	struct err err;

	s->errand = NULL;
	if (reply->status != 200)
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

static int take_latest(
	struct storing *s, const struct http_reply *reply, struct err *err_r)
{
	struct buf latest;
	int rc;

	buf_init(&latest, SECRET_VALUE_MAX);
	rc = secret_access_decode(
		reply->body, reply->body_len, s->before, &latest, err_r);
	s->same = rc == 0 && latest.len == s->value.len &&
		  (!latest.len ||
			  !memcmp(latest.data, s->value.data, latest.len));
	buf_wipe(&latest);
	buf_fini(&latest);
	return rc;
}

static void secret_accessed(
	struct action_run *run, const struct http_reply *reply)
{
	struct storing *s = run->data;
	struct err err;

	s->errand = NULL;
	if (reply->status != 200 && !may_go_on(run, reply)) {
		failed(run, reply);
	} else if (reply->status == 200 && take_latest(s, reply, &err) < 0) {
		not_understood(run, &err);
	} else if (run->job != JOB_RUN) {
		secret_ask_permission(run);
	} else if (s->same) {
		buf_addf(&run->detail,
			"version %s holds the value already: nothing to do",
			s->before);
		end(run, ACTION_OK);
	} else {
		secret_add(run);
	}
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
static void secret_permitted(
	struct action_run *run, const struct http_reply *reply)
{
	struct storing *s = run->data;
	bool granted = false;
	struct err err;

	s->errand = NULL;
	if (reply->status != 200 && reply->status != 403) {
		failed(run, reply);
		return;
	}
	if (reply->status == 200 && granted_decode(reply->body, reply->body_len,
					    PERMISSION, &granted, &err) < 0) {
		not_understood(run, &err);
		return;
	}
	if (reply->status == 200 && !granted) {
		buf_addf(&run->detail,
			"%s does not exist, or these credentials may not add "
			"versions to it: they need " PERMISSION,
			secret_of(run)->secret);
		end(run, ACTION_FAILED);
		return;
	}
	describe_plan(run);
	if (run->job == JOB_CAPTURE)
		snprintf(run->capture, sizeof(run->capture), "%s", s->before);
	end(run, ACTION_OK);
}

/* ---- done ---- */

static void secret_add(struct action_run *run)
{
	struct storing *s = run->data;
	char *url = url_of(run->action, run->values->project, ":addVersion");
	struct buf body;

	buf_init(&body, 2 * SECRET_VALUE_MAX);
	secret_version_encode(s->value.data, s->value.len, &body);
	s->errand = errand_start(run,
		&(struct errand_spec){.url = url,
			.auth = &errand_google,
			.body = body.data,
			.body_len = body.len},
		secret_added);
	buf_wipe(&body);
	buf_fini(&body);
	free(url);
}

static void secret_added(struct action_run *run, const struct http_reply *reply)
{
	struct storing *s = run->data;
	char number[VERSION_NUMBER_MAX];
	struct err err;

	s->errand = NULL;
	if (reply->status != 200) {
		failed(run, reply);
		return;
	}
	if (secret_added_decode(reply->body, reply->body_len, number, &err) <
		0) {
		not_understood(run, &err);
		return;
	}
	buf_addf(&run->detail, "added version %s of %s; before it: %s", number,
		secret_of(run)->secret, *s->before ? s->before : "not known");
	snprintf(run->capture, sizeof(run->capture), "%s", s->before);
	end(run, ACTION_OK);
}

const struct action_type action_type_secret = {
	.name = "secret",
	.check = secret_check,
	.start = {[JOB_RUN] = secret_begin,
		[JOB_DRILL] = secret_begin,
		[JOB_CAPTURE] = secret_begin},
	.cancel = secret_stop,
};
