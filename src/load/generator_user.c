/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who asks when; see generator_parts.h.
 *
 * In a closed model each user asks once in every `think`, by the clock: an
 * answer that takes longer makes its next request late, which is timed from
 * when it was due. In an open one requests are due whoever waits, and take a
 * connection that is free.
 */
#include <math.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "load/generator_parts.h"

#define JOIN_MS   10 /* how often users come and go */
#define QUEUE_MAX (LOAD_PER_SECOND_MAX * 60) /* dues that wait */
#define GOLDEN    0.6180339887498949 /* spreads any number of users evenly */

static void user_is_due(void *arg);
static void users_join(void *arg);
static void arrivals_are_due(void *arg);

static int64_t since_start_us(const struct generator *g, int64_t at_us)
{
	return at_us - g->start_us;
}

/* Never early: in whole milliseconds, as timers are. */
static struct timer *timer_at(
	struct generator *g, int64_t at_us, loop_fn fn, void *arg)
{
	int64_t left_us = at_us - generator_now_us(g);

	return timer_start(
		g->loop, left_us > 0 ? (left_us + 999) / 1000 : 0, fn, arg);
}

static int64_t timeout_us(const struct generator *g)
{
	return g->spec->request_timeout_ms * 1000;
}

/* ---- a closed model ---- */

static bool user_is_wanted(const struct load_user *user, int64_t at_us)
{
	const struct generator *g = user->generator;

	return at_us < g->end_us &&
	       course_level(&g->course, since_start_us(g, at_us)) >
		       user->index + 0.5;
}

static void user_retire(struct load_user *user)
{
	user->active = false;
	user->generator->n_active--;
}

/* Goes on to its next request that can still be sent in time. */
static void user_go_on(struct load_user *user)
{
	struct generator *g = user->generator;
	int64_t think_us = g->spec->think_ms * 1000;
	int64_t oldest_us = generator_now_us(g) - timeout_us(g);

	while (user->due_us < oldest_us && user_is_wanted(user, user->due_us)) {
		tally_drop(&g->tally, 1, generator_is_warm(g, user->due_us));
		user->due_us += think_us;
	}
	if (!user_is_wanted(user, user->due_us))
		user_retire(user);
	else if (user->due_us <= generator_now_us(g))
		user_send(user);
	else
		user->timer = timer_at(g, user->due_us, user_is_due, user);
}

static void user_is_due(void *arg)
{
	struct load_user *user = arg;

	user->timer = NULL;
	user_send(user);
}

static void user_join(struct load_user *user)
{
	struct generator *g = user->generator;
	double whole, share = modf(user->index * GOLDEN, &whole);

	user->active = true;
	g->n_active++;
	if (g->n_active > g->tally.users_most)
		g->tally.users_most = g->n_active;
	user->due_us = generator_now_us(g) +
		       (int64_t)(share * (double)g->spec->think_ms * 1000);
	user_go_on(user);
}

static void users_join(void *arg)
{
	struct generator *g = arg;
	int64_t now_us = generator_now_us(g);
	int wanted = (int)lround(
		course_level(&g->course, since_start_us(g, now_us)));

	g->join = NULL;
	/* Who has gone keeps its clock: it is not back before it was due. */
	for (int i = 0; i < wanted && i < g->n_users; i++)
		if (!g->users[i].active && g->users[i].due_us <= now_us)
			user_join(&g->users[i]);
	if (now_us < g->end_us)
		g->join = timer_start(g->loop, JOIN_MS, users_join, g);
	g->idle(g);
}

/* ---- an open model ---- */

static void queue_add(struct generator *g, int64_t due_us)
{
	if (g->queue_n == QUEUE_MAX) {
		tally_drop(&g->tally, 1, generator_is_warm(g, due_us));
		return;
	}
	g->queue[(g->queue_from + g->queue_n++) % QUEUE_MAX] = due_us;
}

static int64_t queue_take(struct generator *g)
{
	int64_t due_us = g->queue[g->queue_from];

	g->queue_from = (g->queue_from + 1) % QUEUE_MAX;
	g->queue_n--;
	return due_us;
}

static void queue_pump(struct generator *g)
{
	int64_t oldest_us = generator_now_us(g) - timeout_us(g), due_us;
	struct load_user *user;

	while (g->queue_n && g->n_spare) {
		due_us = queue_take(g);
		if (due_us < oldest_us) {
			tally_drop(&g->tally, 1, generator_is_warm(g, due_us));
			continue;
		}
		user = &g->users[g->spare[--g->n_spare]];
		user->due_us = due_us;
		user_send(user);
		if (g->n_busy > g->tally.users_most)
			g->tally.users_most = g->n_busy;
	}
}

static void arrivals_are_due(void *arg)
{
	struct generator *g = arg;
	int64_t now_us = since_start_us(g, generator_now_us(g));

	g->arrival = NULL;
	while (g->next_us >= 0 && g->next_us <= now_us) {
		queue_add(g, g->start_us + g->next_us);
		g->next_us = arrivals_next_us(&g->arrivals);
	}
	queue_pump(g);
	if (g->next_us >= 0)
		g->arrival = timer_at(
			g, g->start_us + g->next_us, arrivals_are_due, g);
	g->idle(g);
}

/* ---- both ---- */

static void user_free_again(struct load_user *user)
{
	struct generator *g = user->generator;

	if (g->spec->by_rate) {
		g->spare[g->n_spare++] = user->index;
		queue_pump(g);
	} else {
		user->due_us += g->spec->think_ms * 1000;
		user_go_on(user);
	}
	g->idle(g);
}

void users_begin(struct generator *g)
{
	g->users = xcalloc((size_t)g->n_users, sizeof(*g->users));
	for (int i = 0; i < g->n_users; i++)
		g->users[i] = (struct load_user){.generator = g, .index = i};
	g->answered = user_free_again;
	if (!g->spec->by_rate) {
		users_join(g);
		return;
	}
	g->queue = xcalloc(QUEUE_MAX, sizeof(*g->queue));
	g->spare = xcalloc((size_t)g->n_users, sizeof(*g->spare));
	for (int i = g->n_users; i > 0; i--)
		g->spare[g->n_spare++] = i - 1;
	g->arrivals = (struct arrivals){.course = &g->course};
	g->next_us = arrivals_next_us(&g->arrivals);
	arrivals_are_due(g);
}

bool users_have_more(const struct generator *g)
{
	return g->n_busy || g->n_active || g->join || g->arrival || g->queue_n;
}

void users_end(struct generator *g)
{
	timer_cancel(&g->join);
	timer_cancel(&g->arrival);
	for (int i = 0; g->users && i < g->n_users; i++) {
		timer_cancel(&g->users[i].timer);
		http_cancel(&g->users[i].call);
	}
}
