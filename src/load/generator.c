/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a load: its token, its start and its end; see generator.h. */
#include "load/generator.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "google/credentials.h"
#include "io/usage.h"
#include "load/generator_parts.h"
#include "policy/url.h"

#define LIVE_MS         1000
#define TOKEN_MS        60000 /* between two looks for a newer token */
#define SPARE_FILES     64 /* descriptors for all but connections */
#define CONNECTIONS_MAX LOAD_USERS_MAX

static void generator_got_token(
	const struct secret *token, const struct err *err, void *arg);
static void generator_begin(struct generator *g);
static void generator_end(struct generator *g, const struct err *err);

/* ---- before ---- */

/* As many descriptors as there may be connections. */
static int files_allow(int wanted)
{
	return (int)usage_allow_files(wanted + SPARE_FILES) - SPARE_FILES;
}

static int users_allow(struct generator *g, struct err *err_r)
{
	int wanted = CONNECTIONS_MAX, allowed;

	if (!g->spec->by_rate) {
		wanted = 1;
		for (size_t i = 0; i < g->spec->n_stages; i++)
			if (g->spec->stages[i].to > wanted)
				wanted = g->spec->stages[i].to;
	}
	allowed = files_allow(wanted);
	if (allowed < 1 || (!g->spec->by_rate && allowed < wanted))
		return err_set(err_r, ERR_LIMIT,
			"%d users need as many open files, and this process "
			"may have %d: raise it with ulimit -n %d",
			wanted, allowed > 0 ? allowed : 0,
			wanted + SPARE_FILES);
	g->n_users = allowed;
	http_allow_connections(g->http, allowed);
	return 0;
}

/* One token is for one service: it goes to no other. */
static int audience_find(struct generator *g, struct err *err_r)
{
	const struct load_spec *spec = g->spec;
	char *other;
	bool same = true;

	if (spec->auth.audience) {
		g->audience = xstrdup(spec->auth.audience);
		return 0;
	}
	g->audience = url_audience(spec->requests[0].url, err_r);
	if (!g->audience)
		return -1;
	for (size_t i = 1; i < spec->n_requests; i++) {
		other = url_audience(spec->requests[i].url, err_r);
		same = same && other && !strcmp(other, g->audience);
		free(other);
	}
	if (same)
		return 0;
	return err_set(err_r, ERR_POLICY,
		"the requests go to several services, and an ID token is for "
		"one: say which by auth.audience");
}

static void token_ask(void *arg)
{
	struct generator *g = arg;

	g->token_timer = NULL;
	g->token_call = id_token_start(
		g->credentials, g->audience, generator_got_token, g);
}

static void generator_got_token(
	const struct secret *token, const struct err *err, void *arg)
{
	struct generator *g = arg;

	g->token_call = NULL;
	if (token) {
		secret_free(&g->token);
		g->token = secret_dup(token);
	} else if (!g->token) {
		generator_end(g, err);
		return;
	}
	g->token_timer = timer_start(g->loop, TOKEN_MS, token_ask, g);
	if (!g->start_us)
		generator_begin(g);
}

/* ---- under way ---- */

static void generator_tell(void *arg)
{
	struct generator *g = arg;
	int64_t now_us = generator_now_us(g);
	struct tally_now now = {
		.at_ms = (now_us - g->start_us) / 1000,
		.total_ms = (g->end_us - g->start_us) / 1000,
		.users = g->spec->by_rate ? g->n_busy : g->n_active,
		.since_ms = (now_us - g->live_us) / 1000,
	};

	g->live_us = now_us;
	g->live = timer_start(g->loop, LIVE_MS, generator_tell, g);
	g->events.live(&g->tally, &now, g->events.arg);
	tally_recent_clear(&g->tally);
}

static void generator_late(void *arg)
{
	struct generator *g = arg;

	g->deadline = NULL;
	generator_end(g, NULL);
}

static void generator_settle(struct generator *g)
{
	if (!g->over && !users_have_more(g))
		generator_end(g, NULL);
}

static void generator_begin(struct generator *g)
{
	int64_t total_ms = course_ms(&g->course);

	g->start_us = g->live_us = generator_now_us(g);
	g->end_us = g->start_us + total_ms * 1000;
	g->live = timer_start(g->loop, LIVE_MS, generator_tell, g);
	/* What is due at the end may be sent late, and may be answered late. */
	g->deadline = timer_start(g->loop,
		total_ms + 2 * g->spec->request_timeout_ms + LIVE_MS,
		generator_late, g);
	users_begin(g);
}

static void first_turn(void *arg)
{
	struct generator *g = arg;

	g->deadline = NULL;
	generator_begin(g);
}

/* ---- the end ---- */

static void generator_end(struct generator *g, const struct err *err)
{
	int64_t now_us = generator_now_us(g);

	if (g->over)
		return;
	g->over = true;
	users_end(g);
	timer_cancel(&g->live);
	timer_cancel(&g->deadline);
	timer_cancel(&g->token_timer);
	token_cancel(&g->token_call);
	if (g->start_us) {
		if (now_us > g->end_us)
			now_us = g->end_us;
		g->tally.judged_ms =
			(now_us - g->start_us) / 1000 - g->spec->warmup_ms;
		if (g->tally.judged_ms < 0)
			g->tally.judged_ms = 0;
	}
	g->events.over(&g->tally, err, g->events.arg);
}

struct generator *generator_start(struct loop *loop,
	const struct load_spec *spec, const struct generator_events *events,
	struct err *err_r)
{
	struct generator *g = xcalloc(1, sizeof(*g));
	bool wants_token = spec->auth.type == AUTH_ID_TOKEN;

	g->loop = loop;
	g->spec = spec;
	g->events = *events;
	g->course = (struct course){spec->stages, spec->n_stages};
	g->idle = generator_settle;
	rng_init(&g->rng, rng_next(loop_rng(loop)));
	g->http = http_new(loop, err_r);
	if (!g->http || users_allow(g, err_r) < 0)
		generator_free(&g);
	if (g && wants_token) {
		g->credentials = credentials_new(loop, g->http, err_r);
		if (!g->credentials || audience_find(g, err_r) < 0)
			generator_free(&g);
	}
	if (!g)
		return NULL;
	if (wants_token)
		token_ask(g);
	else
		g->deadline = timer_start(loop, 0, first_turn, g);
	return g;
}

void generator_stop(struct generator *g)
{
	if (!g->over)
		g->tally.stopped = true;
	generator_end(g, NULL);
}

void generator_free(struct generator **generator)
{
	struct generator *g = *generator;

	*generator = NULL;
	if (!g)
		return;
	users_end(g);
	timer_cancel(&g->live);
	timer_cancel(&g->deadline);
	timer_cancel(&g->token_timer);
	token_cancel(&g->token_call);
	credentials_free(&g->credentials);
	http_free(&g->http);
	secret_free(&g->token);
	free(g->audience);
	free(g->users);
	free(g->queue);
	free(g->spare);
	free(g);
}
