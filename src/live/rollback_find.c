/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who goes back to whom: from the newest rollout that moved something, checked
 * against the traffic as it is. What tidegate did not put in charge is not
 * taken away unless it is named.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/rng.h"
#include "base/xalloc.h"
#include "cloudrun/cloudrun.h"
#include "engine/backoff.h"
#include "io/clock.h"
#include "io/loop.h"
#include "live/rollback.h"
#include "live/world.h"
#include "store/store.h"

#define READ_TIMEOUT_MS 15000

static const struct backoff read_backoff = {250, 8000};

void rollback_init(struct rollback *b)
{
	*b = (struct rollback){.dashes = ""};
	arena_init(&b->arena);
}

void rollback_fini(struct rollback *b)
{
	service_free(&b->found);
	arena_fini(&b->arena);
}

/* ---- the journal ---- */

/* Stable is learnt in preflight, which a freeze may hold up. */
static bool has_not_begun(const struct store_rollout *row)
{
	return !row->ended_ms &&
	       (!*row->stable ||
		       !strcmp(row->phase, phase_name(PHASE_PREFLIGHT)));
}

/* One that was refused, or has not begun, moved nothing: what was before it
 * counts. */
static bool counts(const struct store_rollout *row)
{
	if (has_not_begun(row))
		return false;
	return !row->ended_ms ||
	       (*row->stable && strcmp(row->phase, phase_name(PHASE_REFUSED)));
}

static int take(
	struct rollback *b, const struct store_rollout *row, struct err *err_r)
{
	if (!row->ended_ms && b->to && strcmp(b->to, row->stable) != 0)
		return err_set(err_r, ERR_REFUSED,
			"%s has not ended and goes back to %s: leave %sto "
			"out, and name another revision when it has ended",
			row->id, row->stable, b->dashes);
	b->after = row->id;
	b->unfinished = !row->ended_ms;
	b->failed = strcmp(row->phase, phase_name(PHASE_ROLLBACK_FAILED)) == 0;
	b->stable = row->stable;
	b->candidate = row->candidate;
	return 0;
}

int rollback_look_back(
	struct rollback *b, struct store *store, struct err *err_r)
{
	struct store_filter filter = {.service = b->service};
	struct store_rollout *list;
	size_t n, i = 0;

	b->after = b->unbegun = b->stable = b->candidate = NULL;
	b->unfinished = b->failed = false;
	if (store_rollout_list(store, &filter, &b->arena, &list, &n, err_r) < 0)
		return -1;
	b->newest = n ? list[0].id : "";
	for (; i < n && !counts(&list[i]); i++)
		if (!b->unbegun && has_not_begun(&list[i]))
			b->unbegun = list[i].id;
	if (i < n && take(b, &list[i], err_r) < 0)
		return -1;
	if (!b->to || (b->stable && strcmp(b->to, b->stable) == 0))
		return 0;
	/* Another way back than the journal's. */
	b->stable = b->to;
	b->candidate = NULL;
	b->after = NULL;
	b->failed = false;
	return 0;
}

const char *rollback_to_end(const struct rollback *b)
{
	if (b->unbegun)
		return b->unbegun;
	return b->unfinished ? b->after : NULL;
}

/* ---- the service ---- */

struct rollback_survey {
	struct world *world;
	struct rollback *rollback;
	struct cloudrun_call *call;
	struct timer *pause;
	struct rng rng;
	int64_t deadline_ms;
	int tries;
	rollback_survey_fn fn;
	void *arg;
};

static void survey_read(void *arg);
static void survey_read_done(
	struct service *service, const struct err *err, void *arg);

struct rollback_survey *rollback_survey_start(struct world *world,
	struct rollback *b, int64_t patience_ms, rollback_survey_fn fn,
	void *arg)
{
	struct rollback_survey *survey = xcalloc(1, sizeof(*survey));

	service_free(&b->found);
	survey->world = world;
	survey->rollback = b;
	survey->deadline_ms = loop_now(world->loop) + patience_ms;
	survey->fn = fn;
	survey->arg = arg;
	rng_init(&survey->rng, (uint64_t)clock_wall_us());
	survey_read(survey);
	return survey;
}

void rollback_survey_cancel(struct rollback_survey **survey)
{
	if (!*survey)
		return;
	cloudrun_cancel(&(*survey)->call);
	timer_cancel(&(*survey)->pause);
	free(*survey);
	*survey = NULL;
}

static void survey_read(void *arg)
{
	struct rollback_survey *survey = arg;

	survey->pause = NULL;
	survey->call = cloudrun_get_service_start(survey->world->cloudrun,
		survey->rollback->service, READ_TIMEOUT_MS, survey_read_done,
		survey);
}

static bool survey_reads_again(
	struct rollback_survey *survey, const struct err *err)
{
	struct loop *loop = survey->world->loop;
	int64_t delay_ms = backoff_delay(&read_backoff, survey->tries++,
		err->retry_after_ms, &survey->rng);

	if (!err_is_retryable(err->code) ||
		loop_now(loop) + delay_ms > survey->deadline_ms)
		return false;
	log_line(LOG_WARN, "service=%s event=retry error=\"%s\"",
		survey->rollback->service, err->text);
	survey->pause = timer_start(loop, delay_ms, survey_read, survey);
	return true;
}

static void survey_read_done(
	struct service *service, const struct err *err, void *arg)
{
	struct rollback_survey *survey = arg;
	rollback_survey_fn fn = survey->fn;
	struct err why;

	survey->call = NULL;
	survey->rollback->found = service;
	if (!service && survey_reads_again(survey, err))
		return;
	arg = survey->arg;
	free(survey);
	if (service) {
		fn(NULL, arg);
		return;
	}
	why = *err;
	(void)err_wrap(&why, "the service cannot be read");
	fn(&why, arg);
}

/* ---- both together ---- */

struct holder {
	const char *revision; /* NULL: none */
	int n; /* how many there are */
};

static struct holder holder_in(
	const struct rollback *b, const struct traffic *traffic)
{
	struct holder holder = {0};

	for (size_t i = 0; i < traffic->n; i++) {
		const struct target *t = &traffic->item[i];
		const char *name = t->type == TARGET_LATEST
					   ? b->found->latest_ready
					   : t->revision;

		if (t->percent <= 0 || !name || !strcmp(name, b->stable) ||
			(holder.revision && !strcmp(name, holder.revision)))
			continue;
		holder.revision = name;
		holder.n++;
	}
	return holder;
}

/* Who has users and is not stable; if nobody has, who is to get some: what is
 * asked for may have failed to serve. */
static struct holder holder_of(const struct rollback *b)
{
	struct holder holder = holder_in(b, &b->found->statuses);

	return holder.n ? holder : holder_in(b, &b->found->spec);
}

static int refuse(const struct rollback *b, const char *why, struct err *err_r)
{
	struct buf table;

	buf_init(&table, ERR_TEXT_MAX / 2);
	traffic_print(
		b->found->statuses.n ? &b->found->statuses : &b->found->spec,
		&table);
	err_set(err_r, ERR_REFUSED, "%s; the traffic is\n%s", why, table.data);
	buf_fini(&table);
	return -1;
}

static int check_holder(const struct rollback *b, const struct holder *holder,
	struct err *err_r)
{
	char why[ROLLOUT_TEXT_MAX];

	if (!holder->n ||
		(holder->n == 1 && !strcmp(holder->revision, b->candidate)))
		return 0;
	snprintf(why, sizeof(why),
		"%.63s has users, and tidegate did not put it in charge: say "
		"who goes back and who takes over with %scandidate and %sto",
		holder->revision, b->dashes, b->dashes);
	if (holder->n == 1)
		return refuse(b, why, err_r);
	return refuse(b,
		"several revisions besides stable have users: a revert takes "
		"them from one only",
		err_r);
}

int rollback_decide(struct rollback *b, struct err *err_r)
{
	struct holder holder;

	if (!b->stable)
		return err_set(err_r, ERR_REFUSED,
			"no rollout of %s that moved anything is known%s%s: "
			"say "
			"to which revision with %sto",
			b->service, b->state ? " in " : "",
			b->state ? b->state : "", b->dashes);
	holder = holder_of(b);
	b->anew = holder_in(b, &b->found->statuses).n != 0;
	if (b->wanted_candidate)
		b->candidate = b->wanted_candidate;
	else if (!b->candidate || !*b->candidate)
		b->candidate = holder.revision;
	if (!holder.n && !b->failed && !b->again)
		return 0;
	if (!b->candidate)
		return err_set(err_r, ERR_REFUSED,
			"%s holds all traffic: say with %scandidate for which "
			"revision the sequence is to run",
			b->stable, b->dashes);
	if (!strcmp(b->candidate, b->stable))
		return err_set(err_r, ERR_USAGE,
			"%s cannot go back to itself: %scandidate and %sto "
			"name the same revision",
			b->stable, b->dashes, b->dashes);
	return check_holder(b, &holder, err_r) < 0 ? -1 : 1;
}
