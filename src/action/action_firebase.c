/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Actions of type firebase-hosting: releases the version of a site again that
 * was live in preflight. What is live is asked of the site each time, so that
 * it is not done twice, by this rollout or by another one. When somebody has
 * released something else since we went back, or went back by hand, that stays.
 *
 * Without a record of what was live, the newest version before the live one is
 * chosen, but none that a rollback has replaced, and nothing when the live one
 * was released by a rollback.
 *
 *   capture, drill:  firebase_begin -> firebase_listed
 *   run:             firebase_begin -> firebase_listed -> firebase_released
 *                      [-> firebase_looked]
 */
#include "action/action.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "action/api_call.h"
#include "action/site_codec.h"
#include "action/version_codec.h"
#include "base/jsonw.h"
#include "base/timestamp.h"
#include "base/xalloc.h"

#define ENDPOINT    "https://firebasehosting.googleapis.com"
#define REFUSAL_MAX 1024 /* bytes of an error's text */
#define VARIABLE    "CLOUDSDK_API_ENDPOINT_OVERRIDES_FIREBASEHOSTING"
#define BODY_MAX    4096
/* Each release has its version's configuration in it. */
#define LIST_BYTES_MAX (4 * 1024 * 1024)

struct going_back {
	struct request *request;
	struct site_record
		wanted; /* as it was recorded; no version: it was not */
	struct site_releases releases;
	char target[SITE_VERSION_MAX];
	bool untyped; /* a release with a type was refused */
	/* What the answer to the release was, while it is not known whether it
	 * has been done, and what that makes of the run. */
	struct buf unclear;
	enum action_result unclear_result;
};

static void firebase_list(struct action_run *run, http_fn fn);
static void firebase_listed(const struct http_reply *reply, void *arg);
static void firebase_plan(struct action_run *run);
static void firebase_release(struct action_run *run);
static void firebase_released(const struct http_reply *reply, void *arg);
static void firebase_looked(const struct http_reply *reply, void *arg);

static const char *site_of(const struct action *action)
{
	return action->u.firebase.site;
}

static char *url_of(const struct action *action, const char *query)
{
	char *path = xasprintf("/v1beta1/sites/%s/channels/live/releases?%s",
		site_of(action), query);
	char *url = api_call_google_url(VARIABLE, ENDPOINT, path);

	free(path);
	return url;
}

static int firebase_check(const struct action_env *env,
	const struct action *action, struct err *err_r)
{
	char *url = url_of(action, "");
	int rc = api_call_check(env, url, &request_google, NULL, err_r);

	free(url);
	return rc;
}

static void firebase_stop(struct action_run *run)
{
	struct going_back *g = run->data;

	if (!g)
		return;
	request_cancel(&g->request);
	buf_fini(&g->unclear);
	free(g);
	run->data = NULL;
}

static void firebase_failed(
	struct action_run *run, const struct http_reply *reply)
{
	struct going_back *g = run->data;
	struct buf why;

	buf_adds(&run->detail, g->unclear.len ? g->unclear.data : "");
	buf_init(&why, REFUSAL_MAX);
	google_refusal_decode(reply->body, reply->body_len, &why);
	api_call_failed(run, reply, why.len ? why.data : NULL);
	buf_fini(&why);
}

/* ---- the record: "VERSION TIME" ---- */

static void record_write(struct action_run *run, const struct site_record *live)
{
	char time[TIMESTAMP_TEXT_MAX];

	snprintf(run->capture, sizeof(run->capture), "%s %s", live->version,
		timestamp_print(live->released_ms, time));
}

static void record_read(const char *captured, struct site_record *wanted)
{
	size_t len = captured ? strcspn(captured, " ") : 0;
	struct err err;

	*wanted = (struct site_record){0};
	if (!len || len >= SITE_VERSION_MAX || !captured[len] ||
		timestamp_parse(
			captured + len + 1, &wanted->released_ms, &err) < 0)
		return;
	memcpy(wanted->version, captured, len);
}

static bool is_recorded(const struct going_back *g)
{
	return *g->wanted.version;
}

/* ---- what is there ---- */

static void firebase_begin(struct action_run *run)
{
	struct going_back *g = xcalloc(1, sizeof(*g));

	run->data = g;
	buf_init(&g->unclear, ACTION_DETAIL_MAX);
	if (run->job != JOB_CAPTURE)
		record_read(run->captured, &g->wanted);
	firebase_list(run, firebase_listed);
}

static void *list_decode(const struct http_reply *reply)
{
	return site_list_decode(reply->body, reply->body_len);
}

static void list_discard(void *decoded)
{
	struct site_list *list = decoded;

	site_list_free(&list);
}

static const struct decoder list_decoder = {list_decode, list_discard};

static void firebase_list(struct action_run *run, http_fn fn)
{
	struct going_back *g = run->data;
	char *query = xasprintf("pageSize=%d", SITE_RELEASES_MAX);
	char *url = url_of(run->action, query);

	g->request = api_call_start(run,
		&(struct request_spec){.url = url,
			.auth = &request_google,
			.body_max = LIST_BYTES_MAX,
			.decoder = &list_decoder,
			.repeatable = true},
		fn);
	free(url);
	free(query);
}

static bool firebase_take_list(
	struct action_run *run, const struct http_reply *reply)
{
	struct going_back *g = run->data;
	struct site_list *list;
	struct err err;
	int rc;

	g->request = NULL;
	if (!api_call_succeeded(reply)) {
		firebase_failed(run, reply);
		return false;
	}
	list = request_decoded(reply, &list_decoder);
	rc = site_list_look(list, site_of(run->action),
		is_recorded(g) ? &g->wanted : NULL, &g->releases, &err);
	site_list_free(&list);
	if (rc == 0)
		return true;
	buf_adds(&run->detail, err.text);
	action_run_end(run, ACTION_FAILED);
	return false;
}

/* A site that serves nothing is a refusal: there would be nothing to go back
 * to. */
static void firebase_capture(struct action_run *run)
{
	const struct going_back *g = run->data;
	const struct site_record *live = &g->releases.live;

	if (!*live->version) {
		buf_addf(&run->detail,
			"nothing is live at the site %s, so there is nothing "
			"to go back to: deploy it once, or take this action "
			"out of the policy",
			site_of(run->action));
		action_run_end(run, ACTION_FAILED);
		return;
	}
	record_write(run, live);
	buf_addf(&run->detail, "%s is live", live->version);
	action_run_end(run, ACTION_OK);
}

static void firebase_listed(const struct http_reply *reply, void *arg)
{
	struct action_run *run = arg;
	if (!firebase_take_list(run, reply))
		return;
	if (run->job == JOB_CAPTURE)
		firebase_capture(run);
	else
		firebase_plan(run);
}

/* ---- what is to be done ---- */

static const char *live_name(const struct going_back *g)
{
	return *g->releases.live.version ? g->releases.live.version : "nothing";
}

/* Somebody has decided since: true, and the detail says what. */
static bool somebody_decided(struct action_run *run)
{
	const struct going_back *g = run->data;
	const struct site_releases *r = &g->releases;
	bool newer = r->live.released_ms > g->wanted.released_ms;
	struct buf *out = &run->detail;

	if (r->disabled && (newer || !is_recorded(g)))
		buf_adds(out, "somebody has taken the site down");
	else if (r->wanted_was_released)
		buf_addf(out,
			"%s has been released since tidegate went back to %s",
			live_name(g), g->wanted.version);
	else if (is_recorded(g) && r->rolled_back && newer)
		buf_addf(out, "somebody has rolled the site back to %s",
			live_name(g));
	else
		return false;
	buf_adds(out, ": that stays");
	return true;
}

static bool is_there(const struct going_back *g)
{
	const struct site_releases *r = &g->releases;

	return is_recorded(g) ? !strcmp(r->live.version, g->wanted.version)
			      : r->rolled_back;
}

static void firebase_plan(struct action_run *run)
{
	struct going_back *g = run->data;
	enum action_result result = ACTION_FAILED;

	snprintf(g->target, sizeof(g->target), "%s",
		is_recorded(g) ? g->wanted.version : g->releases.previous);
	if (is_there(g)) {
		buf_addf(&run->detail, "%s is live%s: nothing to do",
			live_name(g),
			is_recorded(g) ? "" : " since a rollback");
		result = ACTION_OK;
	} else if (somebody_decided(run)) {
		result = ACTION_SKIPPED;
	} else if (!*g->target) {
		buf_adds(&run->detail,
			"no earlier version is kept: there is nothing to go "
			"back to");
	} else if (g->releases.wanted_is_gone) {
		buf_addf(&run->detail,
			"the content of %s is not kept any more: deploy it "
			"again, and let the channel retain more releases",
			g->target);
	} else if (run->job == JOB_DRILL) {
		buf_addf(&run->detail, "would release %s again in place of %s",
			g->target, live_name(g));
		result = ACTION_OK;
	} else {
		firebase_release(run);
		return;
	}
	action_run_end(run, result);
}

/* ---- the release ---- */

static void firebase_release(struct action_run *run)
{
	struct going_back *g = run->data;
	char *version = http_escape(g->target);
	char *query = xasprintf("versionName=%s", version);
	char *url = url_of(run->action, query);
	char *message = xasprintf(SITE_MARK "%s", run->values->rollout);
	struct buf body;
	struct jsonw w = {.out = &body};

	buf_init(&body, BODY_MAX);
	jsonw_object(&w, NULL);
	if (!g->untyped)
		jsonw_text(&w, "type", "ROLLBACK");
	jsonw_text(&w, "message", message);
	jsonw_end(&w, '}');
	g->request = api_call_start(run,
		&(struct request_spec){.url = url,
			.auth = &request_google,
			.body = body.data,
			.body_len = body.len},
		firebase_released);
	buf_fini(&body);
	free(message);
	free(url);
	free(query);
	free(version);
}

static void firebase_done(struct action_run *run, const char *replaced)
{
	const struct going_back *g = run->data;

	buf_addf(&run->detail, "released %s again in place of %s", g->target,
		replaced);
	action_run_end(run, ACTION_OK);
}

static void firebase_released(const struct http_reply *reply, void *arg)
{
	struct action_run *run = arg;
	struct going_back *g = run->data;

	g->request = NULL;
	if (reply->status == 400 && !g->untyped) {
		g->untyped = true; /* documented as output only */
		firebase_release(run);
	} else if (api_call_succeeded(reply) &&
		   site_release_is_of(
			   reply->body, reply->body_len, g->target)) {
		firebase_done(run, live_name(g));
	} else if (api_call_may_be_done(reply)) {
		api_call_describe(&g->unclear, reply, NULL);
		g->unclear_result = reply->status ? ACTION_FAILED
						  : action_cut_off(run->action);
		firebase_list(run, firebase_looked);
	} else {
		firebase_failed(run, reply);
	}
}

/* The site tells what became of a release whose answer did not. */
static void firebase_looked(const struct http_reply *reply, void *arg)
{
	struct action_run *run = arg;
	struct going_back *g = run->data;
	char replaced[SITE_VERSION_MAX];

	snprintf(replaced, sizeof(replaced), "%s", live_name(g));
	if (!firebase_take_list(run, reply))
		return;
	if (!strcmp(g->releases.live.version, g->target)) {
		firebase_done(run, replaced);
		return;
	}
	buf_addf(&run->detail, "%s; %s is live", g->unclear.data, live_name(g));
	action_run_end(run, g->unclear_result);
}

const struct action_type action_type_firebase = {
	.check = firebase_check,
	.start = {[JOB_RUN] = firebase_begin,
		[JOB_DRILL] = firebase_begin,
		[JOB_CAPTURE] = firebase_begin},
	.cancel = firebase_stop,
};
