/*
 * Actions of type firebase-hosting: releases the version again that was live
 * before the current one. The release carries the rollout's id, so that it is
 * never done twice: the second time would bring the bad one back.
 *
 *   record, drill:  firebase_begin -> firebase_listed
 *   run:            firebase_begin -> firebase_listed -> firebase_released
 */
#include "action/action.h"

#include <stdlib.h>
#include <string.h>

#include "action/errand.h"
#include "action/version_codec.h"
#include "base/jsonw.h"
#include "base/xalloc.h"

#define ENDPOINT    "https://firebasehosting.googleapis.com/"
#define REFUSAL_MAX 1024 /* bytes of an error's text */
#define VARIABLE    "CLOUDSDK_API_ENDPOINT_OVERRIDES_FIREBASEHOSTING"
#define PAGE        100 /* releases that are looked at */
#define BODY_MAX    4096

struct going_back {
	struct errand *errand;
	struct site_releases releases;
	bool untyped; /* a release with a type was refused */
};

static void firebase_listed(
	struct action_run *run, const struct http_reply *reply);
static void firebase_release(struct action_run *run);
static void firebase_released(
	struct action_run *run, const struct http_reply *reply);

static const char *site_of(const struct action *action)
{
	return action->u.firebase.site;
}

static char *url_of(const struct action *action, const char *query)
{
	char *path = xasprintf("v1beta1/sites/%s/channels/live/releases?%s",
		site_of(action), query);
	char *url = errand_google_url(VARIABLE, ENDPOINT, path);

	free(path);
	return url;
}

static int firebase_check(const struct action_env *env,
	const struct action *action, struct err *err_r)
{
	char *url = url_of(action, "");
	int rc = errand_check(env, url, &errand_google, NULL, err_r);

	free(url);
	return rc;
}

static void firebase_stop(struct action_run *run)
{
	struct going_back *g = run->data;

	if (!g)
		return;
	errand_cancel(&g->errand);
	free(g);
	run->data = NULL;
}

static void end(struct action_run *run, enum action_result result)
{
	firebase_stop(run);
	action_run_end(run, result);
}

static void failed(struct action_run *run, const struct http_reply *reply)
{
	struct buf why;

	firebase_stop(run);
	buf_init(&why, REFUSAL_MAX);
	google_refusal_decode(reply->body, reply->body_len, &why);
	errand_failed(run, reply, why.len ? why.data : NULL);
	buf_fini(&why);
}

static void firebase_begin(struct action_run *run)
{
	struct going_back *g = xcalloc(1, sizeof(*g));
	char *query = xasprintf("pageSize=%d", PAGE);
	char *url = url_of(run->action, query);

	run->data = g;
	g->errand = errand_start(run,
		&(struct errand_spec){
			.url = url, .auth = &errand_google, .repeatable = true},
		firebase_listed);
	free(url);
	free(query);
}

static void firebase_listed(
	struct action_run *run, const struct http_reply *reply)
{
	struct going_back *g = run->data;
	const struct site_releases *r = &g->releases;
	struct err err;

	g->errand = NULL;
	if (reply->status != 200) {
		failed(run, reply);
	} else if (site_releases_decode(reply->body, reply->body_len,
			   site_of(run->action), run->values->rollout,
			   &g->releases, &err) < 0) {
		buf_adds(&run->detail, err.text);
		end(run, ACTION_FAILED);
	} else if (run->job == JOB_CAPTURE) {
		buf_addf(&run->detail, "%s is live",
			*r->current ? r->current : "nothing");
		end(run, ACTION_OK);
	} else if (r->done) {
		buf_addf(&run->detail, "%s was released by this rollout before",
			r->current);
		end(run, ACTION_OK);
	} else if (!*r->previous) {
		buf_adds(&run->detail,
			"no earlier version is kept: there is nothing to go "
			"back to");
		end(run, ACTION_FAILED);
	} else if (run->job == JOB_DRILL) {
		buf_addf(&run->detail, "would release %s again in place of %s",
			r->previous, *r->current ? r->current : "nothing");
		end(run, ACTION_OK);
	} else {
		firebase_release(run);
	}
}

static void firebase_release(struct action_run *run)
{
	struct going_back *g = run->data;
	char *version = http_escape(g->releases.previous);
	char *query = xasprintf("versionName=%s", version);
	char *url = url_of(run->action, query);
	char *message = xasprintf("tidegate rollback %s", run->values->rollout);
	struct buf body;
	struct jsonw w = {.out = &body};

	buf_init(&body, BODY_MAX);
	jsonw_object(&w, NULL);
	if (!g->untyped)
		jsonw_text(&w, "type", "ROLLBACK");
	jsonw_text(&w, "message", message);
	jsonw_end(&w, '}');
	g->errand = errand_start(run,
		&(struct errand_spec){.url = url,
			.auth = &errand_google,
			.body = body.data,
			.body_len = body.len},
		firebase_released);
	buf_fini(&body);
	free(message);
	free(url);
	free(query);
	free(version);
}

static void firebase_released(
	struct action_run *run, const struct http_reply *reply)
{
	struct going_back *g = run->data;

	g->errand = NULL;
	if (reply->status == 400 && !g->untyped) {
		g->untyped = true; /* documented as output only */
		firebase_release(run);
		return;
	}
	if (reply->status != 200) {
		failed(run, reply);
		return;
	}
	buf_addf(&run->detail, "released %s again in place of %s",
		g->releases.previous,
		*g->releases.current ? g->releases.current : "nothing");
	end(run, ACTION_OK);
}

const struct action_type action_type_firebase = {
	.name = "firebase-hosting",
	.check = firebase_check,
	.start = {[JOB_RUN] = firebase_begin,
		[JOB_DRILL] = firebase_begin,
		[JOB_CAPTURE] = firebase_begin},
	.cancel = firebase_stop,
};
