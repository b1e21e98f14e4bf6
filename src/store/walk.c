/* SPDX-License-Identifier: Apache-2.0 */
/* Reads journals in slices; see walk.h. */
#include "store/walk.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "io/loop.h"

/* Of a slice, whichever comes first. */
#define SLICE_ENTRIES 200
#define SLICE_US      10000

struct walk {
	struct loop *loop;
	struct store *store;
	char *rollout;
	store_event_fn entry;
	walk_end_fn end;
	void *arg;
	struct timer *next; /* slice */
	int64_t seq; /* of the last entry that was read */
	int left; /* entries of this slice */
	int64_t until_us; /* its end */
};

static void walk_slice(void *arg);

struct walk *walk_start(struct loop *loop, struct store *store,
	const char *rollout, store_event_fn entry, walk_end_fn end, void *arg)
{
	struct walk *walk = xcalloc(1, sizeof(*walk));

	walk->loop = loop;
	walk->store = store;
	walk->rollout = xstrdup(rollout);
	walk->entry = entry;
	walk->end = end;
	walk->arg = arg;
	walk->next = timer_start(loop, 0, walk_slice, walk);
	return walk;
}

void walk_after(struct walk *walk, int64_t seq)
{
	walk->seq = seq;
}

void walk_cancel(struct walk **walk_p)
{
	struct walk *walk = *walk_p;

	*walk_p = NULL;
	if (!walk)
		return;
	timer_cancel(&walk->next);
	free(walk->rollout);
	free(walk);
}

static int walk_entry(
	const struct store_event *entry, void *arg, struct err *err_r)
{
	struct walk *walk = arg;

	if (walk->entry(entry, walk->arg, err_r) < 0)
		return -1;
	walk->seq = entry->seq;
	return --walk->left == 0 || loop_now_us(walk->loop) >= walk->until_us;
}

static void walk_finish(struct walk *walk, const struct err *err)
{
	walk_end_fn end = walk->end;
	void *arg = walk->arg;

	walk_cancel(&walk);
	end(err, arg);
}

static void walk_slice(void *arg)
{
	struct walk *walk = arg;
	struct err err;
	int more;

	walk->next = NULL;
	walk->left = SLICE_ENTRIES;
	walk->until_us = loop_now_us(walk->loop) + SLICE_US;
	more = store_each_event(
		walk->store, walk->rollout, walk->seq, walk_entry, walk, &err);
	if (more > 0)
		walk->next = timer_start(walk->loop, 0, walk_slice, walk);
	else
		walk_finish(walk, more < 0 ? &err : NULL);
}
