/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Actions of type alertmanager-silence: a silence that lasts for a lease, kept
 * alive while the rollout goes on and expired at its end. It is found again by
 * its author, which names the rollout, and its matchers: nothing needs to be
 * remembered over a crash, and none is ever made twice. One that somebody has
 * ended, taken over or prolonged is left so.
 *
 *   capture:     silence_begin -> silence_listed
 *   run, renew:  silence_begin -> silence_listed -> silence_stored
 *                  [-> silence_looked]
 *   release:     silence_begin -> silence_listed -> silence_expired …
 *   drill:       silence_begin -> silence_listed
 */
#include "action/action.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "action/api_call.h"
#include "action/silence_codec.h"
#include "action/template_sample.h"
#include "base/duration.h"
#include "base/timestamp.h"
#include "base/xalloc.h"
#include "io/loop.h"
#include "policy/match.h"

#define TEXT_MAX       4096 /* of a rendered value or comment */
#define LIST_BYTES_MAX (32 * 1024 * 1024)

struct silencing {
	struct arena arena; /* of the texts in `spec` */
	struct silence_spec spec;
	struct silences_found found;
	size_t n_expired;
	int missing; /* the status that said that API v2 is not there */
	/* What the answer to a POST was, while it is not known whether the
	 * silence is there, and what that makes of the run. */
	struct buf unclear;
	enum action_result unclear_result;
	struct request *request;
};

static void silence_list(struct action_run *run, http_fn fn);
static void silence_listed(const struct http_reply *reply, void *arg);
static void silence_plan(struct action_run *run);
static void silence_old_asked(const struct http_reply *reply, void *arg);
static void silence_store(struct action_run *run);
static void silence_stored(const struct http_reply *reply, void *arg);
static void silence_looked(const struct http_reply *reply, void *arg);
static void silence_expire(struct action_run *run);
static void silence_expired(const struct http_reply *reply, void *arg);

static const struct action_silence *silence_of(const struct action_run *run)
{
	return &run->action->u.silence;
}

static const char *render(struct arena *arena, const char *text,
	const struct template_values *values)
{
	const char *rendered;
	struct buf out;

	buf_init(&out, TEXT_MAX);
	template_render(&out, text, values, ESCAPE_NONE);
	rendered = arena_strdup(arena, out.data);
	buf_fini(&out);
	return rendered;
}

static const struct matcher *render_matchers(struct arena *arena,
	const struct action_silence *silence,
	const struct template_values *values)
{
	struct matcher *matchers =
		arena_alloc(arena, silence->n_matchers * sizeof(*matchers));

	for (size_t i = 0; i < silence->n_matchers; i++) {
		matchers[i] = silence->matchers[i];
		matchers[i].value =
			render(arena, silence->matchers[i].value, values);
	}
	return matchers;
}

/* ---- check ---- */

/* As Alertmanager does: a regex has to match the whole value. */
static int matches_empty(const struct matcher *m, struct err *err_r)
{
	struct buf pattern;
	int found = !*m->value;

	if (m->is_regex) {
		buf_init(&pattern, TEXT_MAX);
		buf_addf(&pattern, "^(?:%s)$", m->value);
		found = match_find(pattern.data, "", 0, err_r);
		buf_fini(&pattern);
	}
	return found < 0 ? -1 : found == m->is_equal;
}

static int silence_check(const struct action_env *env,
	const struct action *action, struct err *err_r)
{
	const struct action_silence *silence = &action->u.silence;
	const struct matcher *matchers;
	struct arena arena;
	int empty = 1;

	if (api_call_check(env, secret_reveal(silence->url), &silence->auth,
		    &silence->tls, err_r) < 0)
		return -1;
	arena_init(&arena);
	matchers = render_matchers(&arena, silence, &template_sample);
	for (size_t i = 0; i < silence->n_matchers && empty == 1; i++)
		empty = matches_empty(&matchers[i], err_r);
	arena_fini(&arena);
	if (empty == 1)
		err_set(err_r, ERR_POLICY,
			"its matchers match alerts without these labels: "
			"Alertmanager wants one that names a value");
	return empty == 0 ? 0 : -1;
}

/* ---- run, renew, release, drill ---- */

/* Another path below the URL's own: a route prefix is kept. */
static void send(struct action_run *run, const char *path,
	struct request_spec *spec, http_fn fn)
{
	const struct action_silence *silence = silence_of(run);
	struct silencing *s = run->data;
	const char *base = secret_reveal(silence->url);
	size_t len = strlen(base);
	char *url;

	while (len && base[len - 1] == '/')
		len--;
	url = xasprintf("%.*s/api/%s", (int)len, base, path);
	spec->url = url;
	spec->auth = &silence->auth;
	spec->tls = &silence->tls;
	s->request = api_call_start(run, spec, fn);
	free(url);
}

static void silence_begin(struct action_run *run)
{
	const struct action_silence *silence = silence_of(run);
	const char *comment = silence->comment;
	struct silencing *s = xcalloc(1, sizeof(*s));

	run->data = s;
	arena_init(&s->arena);
	buf_init(&s->unclear, ACTION_DETAIL_MAX);
	s->spec = (struct silence_spec){
		.matchers = render_matchers(&s->arena, silence, run->values),
		.n_matchers = silence->n_matchers,
		.rollout = run->values->rollout ? run->values->rollout : "",
		.author = arena_printf(
			&s->arena, "tidegate %s", run->values->rollout),
		.comment = render(&s->arena,
			comment ? comment : "rollout {{rollout}}: {{reason}}",
			run->values),
		.ends_ms = loop_wall_ms(run->env->loop) + silence->lease_ms,
	};
	silence_list(run, silence_listed);
}

static void silence_list(struct action_run *run, http_fn fn)
{
	struct silencing *s = run->data;
	struct request_spec spec = {
		.repeatable = true, .body_max = LIST_BYTES_MAX};
	struct buf query;

	buf_init(&query, HTTP_URL_MAX);
	buf_adds(&query, "");
	silence_filter(&s->spec, &query);
	send(run,
		arena_printf(&s->arena, "v2/silences%s%s", query.len ? "?" : "",
			query.data),
		&spec, fn);
	buf_fini(&query);
}

static void silence_stop(struct action_run *run)
{
	struct silencing *s = run->data;

	if (!s)
		return;
	request_cancel(&s->request);
	buf_fini(&s->unclear);
	arena_fini(&s->arena);
	free(s);
	run->data = NULL;
}

/* What is not there may be too old to have it. */
static void silence_ask_old(struct action_run *run)
{
	send(run, "v1/status", &(struct request_spec){.repeatable = true},
		silence_old_asked);
}

static void silence_old_asked(const struct http_reply *reply, void *arg)
{
	struct action_run *run = arg;
	struct silencing *s = run->data;
	struct http_reply missing = {
		.status = s->missing, .body = "", .content_type = ""};

	s->request = NULL;
	api_call_failed(run, &missing,
		api_call_succeeded(reply)
			? "this Alertmanager only has API v1: upgrade it to "
			  "0.16 or later, which has v2"
			: "there is no API v2 at this URL: check its path; an "
			  "Alertmanager before 0.16 is too old");
}

static void not_understood(struct action_run *run, const struct err *err)
{
	buf_adds(&run->detail, err->text);
	action_run_end(run, ACTION_FAILED);
}

static void describe(struct action_run *run, const char *verb)
{
	static const char *const ops[2][2] = {{"!=", "="}, {"!~", "=~"}};
	struct silencing *s = run->data;
	const struct matcher *m = s->spec.matchers;
	char text[DURATION_TEXT_MAX];

	buf_addf(&run->detail, "%s what has", verb);
	for (size_t i = 0; i < s->spec.n_matchers; i++, m++)
		buf_addf(&run->detail, "%s %s%s%s", i ? "," : "", m->name,
			ops[m->is_regex][m->is_equal], m->value);
	buf_addf(&run->detail, " for %s",
		duration_print(silence_of(run)->lease_ms, text));
}

/* False: the run is over, or another question is under way. */
static bool silence_take_list(
	struct action_run *run, const struct http_reply *reply)
{
	struct silencing *s = run->data;
	struct err err;

	s->request = NULL;
	if (reply->status == 404 || reply->status == 410) {
		s->missing = reply->status;
		silence_ask_old(run);
	} else if (!api_call_succeeded(reply)) {
		buf_adds(&run->detail, s->unclear.len ? s->unclear.data : "");
		api_call_failed(run, reply, NULL);
	} else if (silence_find(&s->spec, reply->body, reply->body_len,
			   &s->found, &err) < 0) {
		not_understood(run, &err);
	} else {
		return true;
	}
	return false;
}

static void silence_listed(const struct http_reply *reply, void *arg)
{
	struct action_run *run = arg;
	if (!silence_take_list(run, reply))
		return;
	if (run->job == JOB_RELEASE) {
		silence_expire(run);
	} else if (run->job == JOB_CAPTURE) {
		buf_adds(&run->detail, "API v2 answers");
		action_run_end(run, ACTION_OK);
	} else if (run->job == JOB_DRILL) {
		describe(run, "would silence");
		action_run_end(run, ACTION_OK);
	} else {
		silence_plan(run);
	}
}

/* A silence is somebody's decision as soon as somebody has touched it. */
static void silence_plan(struct action_run *run)
{
	struct silencing *s = run->data;
	const struct silences_found *found = &s->found;
	char time[TIMESTAMP_TEXT_MAX];

	if (found->n && found->item[0].ends_ms > s->spec.ends_ms) {
		buf_addf(&run->detail, "silence %s lasts until %s already",
			found->item[0].id,
			timestamp_print(found->item[0].ends_ms, time));
		action_run_end(run, ACTION_OK);
	} else if (!found->n && *found->taken) {
		buf_addf(&run->detail,
			"somebody has taken silence %s over: it stays his",
			found->taken);
		action_run_end(run, ACTION_SKIPPED);
	} else if (!found->n && *found->ended) {
		buf_addf(&run->detail,
			"somebody has ended silence %s: it stays ended",
			found->ended);
		action_run_end(run, ACTION_SKIPPED);
	} else {
		silence_store(run);
	}
}

static void silence_store(struct action_run *run)
{
	struct silencing *s = run->data;
	struct buf body;

	buf_init(&body, 64 * 1024);
	silence_encode(&s->spec, loop_wall_ms(run->env->loop),
		s->found.n ? &s->found.item[0] : NULL, &body);
	send(run, "v2/silences",
		&(struct request_spec){.body = body.data, .body_len = body.len},
		silence_stored);
	buf_fini(&body);
}

static void silence_done(struct action_run *run, const char *id)
{
	const struct silencing *s = run->data;

	snprintf(run->capture, sizeof(run->capture), "%s", id);
	describe(run, s->found.n ? "renewed the silence of" : "silenced");
	buf_addf(&run->detail, ": silence %s", id);
	action_run_end(run, ACTION_OK);
}

static void silence_stored(const struct http_reply *reply, void *arg)
{
	struct action_run *run = arg;
	struct silencing *s = run->data;
	char id[SILENCE_ID_MAX];
	struct err err;

	s->request = NULL;
	if (api_call_succeeded(reply) &&
		silence_decode_id(reply->body, reply->body_len, id, &err) ==
			0) {
		silence_done(run, id);
	} else if (api_call_may_be_done(reply)) {
		api_call_describe(&s->unclear, reply, NULL);
		s->unclear_result = reply->status ? ACTION_FAILED
						  : action_cut_off(run->action);
		silence_list(run, silence_looked);
	} else {
		api_call_failed(run, reply, NULL);
	}
}

/* The list tells what became of a POST whose answer did not. */
static void silence_looked(const struct http_reply *reply, void *arg)
{
	struct action_run *run = arg;
	struct silencing *s = run->data;
	size_t n_before = s->found.n;
	char id[SILENCE_ID_MAX];

	if (!silence_take_list(run, reply))
		return;
	if (s->found.n && s->found.item[0].ends_ms >= s->spec.ends_ms) {
		snprintf(id, sizeof(id), "%s", s->found.item[0].id);
		s->found.n = n_before;
		silence_done(run, id);
		return;
	}
	buf_adds(&run->detail, s->unclear.data);
	action_run_end(run, s->unclear_result);
}

static void silence_expire(struct action_run *run)
{
	struct silencing *s = run->data;
	char path[SILENCE_ID_MAX + 16];

	if (s->n_expired == s->found.n) {
		buf_addf(&run->detail, "expired %zu silence%s", s->found.n,
			s->found.n == 1 ? "" : "s");
		action_run_end(run, ACTION_OK);
		return;
	}
	snprintf(path, sizeof(path), "v2/silence/%s",
		s->found.item[s->n_expired].id);
	send(run, path,
		&(struct request_spec){.method = "DELETE", .repeatable = true},
		silence_expired);
}

static void silence_expired(const struct http_reply *reply, void *arg)
{
	struct action_run *run = arg;
	struct silencing *s = run->data;

	s->request = NULL;
	if (!api_call_succeeded(reply) && reply->status != 404) {
		api_call_failed(run, reply, NULL);
		return;
	}
	s->n_expired++;
	silence_expire(run);
}

static int64_t silence_lease_ms(const struct action *action)
{
	return action->u.silence.lease_ms;
}

const struct action_type action_type_silence = {
	.check = silence_check,
	.start = {[JOB_RUN] = silence_begin,
		[JOB_DRILL] = silence_begin,
		[JOB_CAPTURE] = silence_begin,
		[JOB_RENEW] = silence_begin,
		[JOB_RELEASE] = silence_begin},
	.cancel = silence_stop,
	.lease_ms = silence_lease_ms,
};
