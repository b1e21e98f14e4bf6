/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The findings of preflight, and what its parts want to know of each other; see
 * preflight_parts.h. Calls none of the parts by name.
 */
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "engine/backoff.h"
#include "io/loop.h"
#include "live/preflight_parts.h"

#define DETAIL_MAX (4 * 1024) /* bytes */

static const struct backoff preflight_backoff = {500, 8000};

const char *finding_name(enum finding_kind kind)
{
	static const char *const names[FINDING_KINDS] = {
		[FINDING_OK] = "ok",
		[FINDING_WARN] = "warn",
		[FINDING_FAIL] = "fail",
		[FINDING_SKIP] = "skip",
	};

	return names[kind];
}

/* ---- findings ---- */

struct finding *finding_add(struct preflight *preflight, enum finding_kind kind,
	const char *what, const char *name, const char *remedy)
{
	struct finding *finding;

	if (preflight->n == preflight->size) {
		preflight->size = preflight->size ? 2 * preflight->size : 32;
		preflight->finding = xrealloc(preflight->finding,
			preflight->size, sizeof(*preflight->finding));
	}
	finding = &preflight->finding[preflight->n++];
	*finding = (struct finding){
		.kind = kind,
		.what = what,
		.name = arena_strdup(&preflight->arena, name),
		.detail = "",
		.refusal = "",
		.remedy = remedy ? arena_strdup(&preflight->arena, remedy) : "",
	};
	if (kind == FINDING_FAIL)
		preflight->n_fails++;
	return finding;
}

static const char *finding_text(
	struct preflight *preflight, const char *fmt, va_list args)
{
	const char *text;
	struct buf buf;

	buf_init(&buf, DETAIL_MAX);
	buf_addv(&buf, fmt, args);
	text = arena_strdup(&preflight->arena, buf.data);
	buf_fini(&buf);
	return text;
}

struct finding *finding_tell(struct preflight *preflight,
	enum finding_kind kind, const char *what, const char *name,
	const char *remedy, const char *fmt, ...)
{
	struct finding *finding =
		finding_add(preflight, kind, what, name, remedy);
	va_list args;

	va_start(args, fmt);
	finding->detail = finding_text(preflight, fmt, args);
	va_end(args);
	finding->refusal = finding->detail;
	return finding;
}

void finding_refuse(struct preflight *preflight, struct finding *finding,
	const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	finding->refusal = finding_text(preflight, fmt, args);
	va_end(args);
}

/* ---- going on ---- */

bool preflight_gives_advice(const struct preflight *preflight)
{
	return preflight->what.parts & PREFLIGHT_ADVICE;
}

int64_t preflight_delay_ms(
	struct preflight *preflight, int tries, int64_t retry_after_ms)
{
	return backoff_delay(
		&preflight_backoff, tries, retry_after_ms, &preflight->rng);
}

/* A rollback tries until its time is over; a release gives up earlier. */
bool preflight_try_again(
	struct preflight *preflight, const struct err *err, loop_fn again)
{
	struct loop *loop = preflight->world->loop;

	if (!err_is_retryable(err->code))
		return false;
	if (++preflight->tries >= preflight->what.tries_max &&
		loop_now(loop) >= preflight->what.patient_until_ms)
		return false;
	preflight->again = timer_start(loop,
		preflight_delay_ms(
			preflight, preflight->tries, err->retry_after_ms),
		again, preflight);
	return true;
}

const char *preflight_place(struct preflight *preflight)
{
	return arena_printf(&preflight->arena, " --project %s --region %s",
		preflight->release->service.project,
		preflight->release->service.region);
}

void preflight_next(struct preflight *preflight)
{
	preflight->next = timer_start(
		preflight->world->loop, 0, preflight->look, preflight);
}

/* ---- {{candidate_url}} ---- */

bool preflight_asks_url(const struct action *action)
{
	const struct action_load *load = &action->u.load;

	if (action->kind == ACTION_HTTP)
		return template_uses(
			secret_reveal(action->u.http.url), "candidate_url");
	return action->kind == ACTION_LOAD && load_asks_candidate(load);
}

bool preflight_wants_url(const struct preflight *preflight)
{
	const struct actions *actions;

	for (int list = 0; list < ACTION_LISTS; list++) {
		actions = &preflight->release->policy->lists[list];
		for (size_t i = 0; i < actions->n; i++)
			if (preflight_asks_url(&actions->item[i]))
				return true;
	}
	return false;
}

bool preflight_has_tag(const struct preflight *preflight)
{
	const struct release *release = preflight->release;

	return preflight->snapshot && release->policy->tag &&
	       traffic_has_tag(&preflight->snapshot->spec, release->policy->tag,
		       release->candidate);
}
