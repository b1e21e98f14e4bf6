/*
 * Actions of type secret: a new version in Secret Manager, unless the latest
 * one holds the value already. The number of the version before is told, never
 * a value.
 *
 *   secret_begin -> secret_accessed -> secret_added
 */
#include "action/action.h"

#include <stdio.h>
#include <stdlib.h>

#include "action/errand.h"
#include "action/version_codec.h"
#include "base/xalloc.h"

#define ENDPOINT    "https://secretmanager.googleapis.com/"
#define REFUSAL_MAX 1024 /* bytes of an error's text */
#define VARIABLE    "CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER"

struct storing {
	struct errand *errand;
	struct buf value; /* wiped */
	char before[VERSION_NUMBER_MAX]; /* "": not known */
};

static void secret_accessed(
	struct action_run *run, const struct http_reply *reply);
static void secret_add(struct action_run *run);
static void secret_added(
	struct action_run *run, const struct http_reply *reply);

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

static void secret_begin(struct action_run *run)
{
	const struct action_secret *secret = &run->action->u.secret;
	struct storing *s = xcalloc(1, sizeof(*s));
	char *url = url_of(
		run->action, run->values->project, "/versions/latest:access");

	run->data = s;
	buf_init(&s->value, SECRET_VALUE_MAX);
	template_render(&s->value, secret_reveal(secret->value), run->values,
		ESCAPE_NONE);
	s->errand = errand_start(run,
		&(struct errand_spec){
			.url = url, .auth = &errand_google, .repeatable = true},
		secret_accessed);
	free(url);
}

/* Not to know what was there is no reason to leave it: a switch that is to be
 * off may be write-only for us, or its latest version be disabled. */
static bool may_go_on(const struct http_reply *reply)
{
	return reply->status == 400 || reply->status == 403 ||
	       reply->status == 404;
}

static void secret_accessed(
	struct action_run *run, const struct http_reply *reply)
{
	struct storing *s = run->data;
	bool same = false;
	struct err err;

	s->errand = NULL;
	if (reply->status != 200 && !may_go_on(reply)) {
		failed(run, reply);
		return;
	}
	if (reply->status == 200 &&
		secret_access_decode(reply->body, reply->body_len, &s->value,
			s->before, &same, &err) < 0) {
		buf_adds(&run->detail, err.text);
		end(run, ACTION_FAILED);
	} else if (same) {
		buf_addf(&run->detail,
			"version %s holds the value already: nothing to do",
			s->before);
		end(run, ACTION_OK);
	} else if (run->job == JOB_DRILL && reply->status == 200) {
		buf_addf(&run->detail,
			"would add a version to %s, after version %s",
			run->action->u.secret.secret, s->before);
		end(run, ACTION_OK);
	} else if (run->job == JOB_DRILL) {
		failed(run, reply);
	} else {
		secret_add(run);
	}
}

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
		buf_adds(&run->detail, err.text);
		end(run, ACTION_FAILED);
		return;
	}
	buf_addf(&run->detail, "added version %s of %s; before it: %s", number,
		run->action->u.secret.secret,
		*s->before ? s->before : "not known");
	snprintf(run->kept, sizeof(run->kept), "%s", s->before);
	end(run, ACTION_OK);
}

const struct action_type action_type_secret = {
	.name = "secret",
	.check = secret_check,
	.start = {[JOB_RUN] = secret_begin, [JOB_DRILL] = secret_begin},
	.cancel = secret_stop,
};
