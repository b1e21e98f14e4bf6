/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the generator share: generator.c is its life, its token and
 * its end, generator_user.c when somebody asks, generator_send.c a request and
 * its answer. Private to them.
 */
#ifndef TIDEGATE_LOAD_GENERATOR_PARTS_H
#define TIDEGATE_LOAD_GENERATOR_PARTS_H

#include "base/rng.h"
#include "io/http.h"
#include "io/loop.h"
#include "load/course.h"
#include "load/generator.h"

/* A timer may be late by that much without anybody having waited. */
#define TIMER_SLACK_US 2000

/* A user of a closed model, or one of the connections of an open one. */
struct load_user {
	struct generator *generator;
	int index;
	bool active; /* of a closed model: it has a next request */
	int64_t due_us; /* of the request under way, or of the next */
	int64_t sent_us;
	struct http_call *call; /* NULL: none is under way */
	struct timer *timer;
};

struct generator {
	struct loop *loop;
	struct http *http;
	const struct load_spec *spec;
	struct generator_events events;
	struct tally tally;
	struct course course;
	struct rng rng;
	int64_t start_us, end_us; /* of the loop's fresh clock; 0: not yet */
	int64_t live_us; /* of the last live line */
	struct timer *live, *deadline;
	bool over;
	void (*idle)(struct generator *g);
	void (*answered)(struct load_user *user);

	struct credentials *credentials;
	struct token_call *token_call;
	struct timer *token_timer;
	struct secret *token;
	char *audience;

	struct load_user *users;
	int n_users, n_busy, n_active;
	struct timer *join; /* of a closed model */

	/* Of an open one: dues that wait for a connection. */
	struct arrivals arrivals;
	int64_t next_us; /* when the next is due; -1: no more */
	struct timer *arrival;
	int64_t *queue;
	size_t queue_from, queue_n;
	int *spare; /* users without a request */
	int n_spare;
};

static inline int64_t generator_now_us(const struct generator *g)
{
	return loop_now_us(g->loop);
}

static inline bool generator_is_warm(const struct generator *g, int64_t due_us)
{
	return due_us - g->start_us < g->spec->warmup_ms * 1000;
}

/* generator_user.c: `idle` is told whenever there may be nothing left to do. */
void users_begin(struct generator *g);
void users_end(struct generator *g); /* cancels all they do */
bool users_have_more(const struct generator *g);

/* generator_send.c: the user's request that is due at due_us; `answered` is
 * told when its answer has come, or never will. */
void user_send(struct load_user *user);

#endif
