/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that are carried out once; see once.h. */
#include "serve/once.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "io/digest.h"
#include "io/loop.h"
#include "io/server.h"
#include "serve/daemon.h"
#include "serve/desk.h"
#include "serve/visit.h"

#define HEADER "Idempotency-Key"

static bool is_key(const char *text)
{
	size_t len = strlen(text);

	for (const char *p = text; *p; p++)
		if (*p < '!' || *p > '~')
			return false;
	return len && len <= ONCE_KEY_MAX;
}

/* The keys of two callers are never the same. */
int once_of(struct visit *visit, struct store_once *once_r, struct err *err_r)
{
	const char *given = request_header(visit->request, HEADER);
	char digest[DIGEST_TEXT_MAX];
	const char *text;
	size_t len;

	if (!given)
		return 0;
	if (!is_key(given))
		return err_set(err_r, ERR_USAGE,
			HEADER " must have 1 to %d visible characters",
			ONCE_KEY_MAX);
	*once_r = (struct store_once){
		.time_ms = loop_wall_ms(daemon_loop(visit->daemon)),
		.answer = "",
	};
	text = arena_printf(
		&visit->arena, "%s\n%s", visit->visitor->name, given);
	once_r->key = arena_strdup(
		&visit->arena, digest_text(text, strlen(text), digest));
	text = arena_printf(&visit->arena, "%s\n%s\n%s",
		request_method(visit->request), request_path(visit->request),
		request_body(visit->request, &len));
	once_r->digest = arena_strdup(
		&visit->arena, digest_text(text, strlen(text), digest));
	return 1;
}

/* ---- what is worked on ---- */

bool once_work_begin(struct once_works *works, struct once_work *work,
	const struct store_once *once, struct store_once *known_r)
{
	const struct once_work *other;

	LIST_FOREACH(other, works, link)
		if (!strcmp(other->key, once->key)) {
			*known_r = (struct store_once){.digest = other->digest};
			return false;
		}
	snprintf(work->key, sizeof(work->key), "%s", once->key);
	snprintf(work->digest, sizeof(work->digest), "%s", once->digest);
	LIST_INSERT_HEAD(works, work, link);
	work->is_listed = true;
	return true;
}

void once_work_end(struct once_work *work)
{
	if (work->is_listed)
		LIST_REMOVE(work, link);
	work->is_listed = false;
}

/* ---- answers ---- */

void once_answer_again(struct visit **visit, const struct store_once *once,
	const struct store_once *known)
{
	const char *type;
	struct buf body;

	if (strcmp(once->digest, known->digest) != 0) {
		visit_problem(visit, 422, "key-used",
			HEADER " was sent before with another request");
		return;
	}
	if (!known->status) {
		visit_problem(visit, 409, "key-in-use",
			"the first request with this " HEADER
			" was not answered: look at what became of it");
		return;
	}
	type = known->status < 300 ? VISIT_JSON : "application/problem+json";
	buf_init(&body, VISIT_ANSWER_MAX);
	buf_adds(&body, known->answer);
	visit_answer(visit, known->status, type, &body);
	buf_fini(&body);
}

struct keeping {
	struct desk_job job;
	char *key, *answer;
	int status;
};

static int keeping_run(
	struct desk_job *job, struct store *store, struct err *err_r)
{
	struct keeping *keeping = (struct keeping *)job;

	if (!keeping->answer)
		return store_once_forget(store, keeping->key, err_r);
	return store_once_answer(
		store, keeping->key, keeping->status, keeping->answer, err_r);
}

static void keeping_done(struct desk_job *job, const struct err *err)
{
	struct keeping *keeping = (struct keeping *)job;

	if (err)
		log_line(LOG_WARN, "event=once error=\"%s\"", err->text);
	free(keeping->key);
	free(keeping->answer);
	free(keeping);
}

void once_keep(
	struct desk *desk, const char *key, int status, const char *answer)
{
	struct keeping *keeping;

	if (!desk)
		return; /* the daemon is being closed */
	keeping = xcalloc(1, sizeof(*keeping));
	keeping->job.run = keeping_run;
	keeping->job.done = keeping_done;
	keeping->key = xstrdup(key);
	keeping->answer = answer ? xstrdup(answer) : NULL;
	keeping->status = status;
	desk_give(desk, &keeping->job);
}
