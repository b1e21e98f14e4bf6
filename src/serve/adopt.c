/* SPDX-License-Identifier: Apache-2.0 */
/* Rollouts that nobody drives any more; see adopt.h. */
#include "serve/adopt.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "io/loop.h"
#include "policy/policy_load.h"
#include "serve/changes.h"
#include "serve/desk.h"
#include "serve/driven.h"
#include "serve/shelf.h"
#include "store/store.h"

#define LOOK_MS 3000
/* Who did not renew for so long is waited for by the driver, which takes the
 * lease when it is over. */
#define STILL_MS     (STORE_HEARTBEAT_MS + 1000)
#define AGAIN_MS     60000 /* after one could not be taken up */
#define SLICE        20 /* rollouts looked at in one turn */
#define PROBLEMS_MAX (16 * 1024)

/* A rollout that somebody else had at the last look, or that failed. */
struct foreign {
	LIST_ENTRY(foreign) link;
	char *id;
	int64_t fence, renewed_ms, since_ms; /* as last seen, and since when */
	int64_t not_before_ms;
	int64_t seq; /* of its last entry, as it was told; -1: it was not */
	bool seen; /* at this look */
};

struct look;

struct adopt {
	struct adopt_parts parts;
	struct timer *timer;
	struct look *look; /* under way; NULL: none */
	LIST_HEAD(, foreign) foreign;
	bool stopped, can_look;
};

/* One look at the state file; its texts are in the arena. */
struct look {
	struct desk_job job;
	struct adopt *adopt;
	struct arena arena;
	struct store_rollout *left;
	struct store_lease *leases; /* holder NULL: nobody has it */
	size_t n, next; /* to be considered on the loop */
};

static void adopt_look(void *arg);
static int look_run(
	struct desk_job *job, struct store *store, struct err *err_r);
static void look_done(struct desk_job *job, const struct err *err);

struct adopt *adopt_new(const struct adopt_parts *parts)
{
	struct adopt *adopt = xcalloc(1, sizeof(*adopt));

	adopt->parts = *parts;
	adopt->can_look = true;
	LIST_INIT(&adopt->foreign);
	adopt->timer = timer_start(parts->loop, 0, adopt_look, adopt);
	return adopt;
}

bool adopt_can_look(const struct adopt *adopt)
{
	return adopt->can_look;
}

void adopt_stop(struct adopt *adopt)
{
	adopt->stopped = true;
	timer_cancel(&adopt->timer);
}

static void look_free(struct adopt *adopt)
{
	arena_fini(&adopt->look->arena);
	free(adopt->look);
	adopt->look = NULL;
}

static void foreign_free(struct foreign *foreign)
{
	LIST_REMOVE(foreign, link);
	free(foreign->id);
	free(foreign);
}

void adopt_free(struct adopt **adopt_p)
{
	struct adopt *adopt = *adopt_p;

	if (!adopt)
		return;
	timer_cancel(&adopt->timer);
	if (adopt->look)
		look_free(adopt);
	while (!LIST_EMPTY(&adopt->foreign))
		foreign_free(LIST_FIRST(&adopt->foreign));
	free(adopt);
	*adopt_p = NULL;
}

/* ---- on the thread ---- */

static void adopt_look(void *arg)
{
	struct adopt *adopt = arg;
	struct look *look = xcalloc(1, sizeof(*look));

	adopt->timer = NULL;
	adopt->look = look;
	look->adopt = adopt;
	look->job.run = look_run;
	look->job.done = look_done;
	arena_init(&look->arena);
	desk_give(adopt->parts.desk, &look->job);
}

static int look_run(
	struct desk_job *job, struct store *store, struct err *err_r)
{
	struct look *look = (struct look *)job;
	int held;

	if (store_rollouts_left(
		    store, &look->arena, &look->left, &look->n, err_r) < 0)
		return -1;
	look->leases =
		arena_alloc(&look->arena, look->n * sizeof(*look->leases));
	for (size_t i = 0; i < look->n; i++) {
		held = store_lease_look(store, look->left[i].service,
			&look->arena, &look->leases[i], err_r);
		if (held < 0)
			return -1;
		if (!held)
			look->leases[i] = (struct store_lease){0};
	}
	return 0;
}

/* ---- on the loop ---- */

static struct foreign *foreign_of(struct adopt *adopt, const char *id)
{
	struct foreign *foreign;

	LIST_FOREACH(foreign, &adopt->foreign, link)
		if (!strcmp(foreign->id, id))
			return foreign;
	foreign = xcalloc(1, sizeof(*foreign));
	foreign->id = xstrdup(id);
	foreign->seq = -1;
	LIST_INSERT_HEAD(&adopt->foreign, foreign, link);
	return foreign;
}

/* Its policy's text is not in lists. */
static const struct policy *policy_of(
	struct adopt *adopt, const char *id, struct err *err_r)
{
	const struct policy *policy = NULL;
	struct store_rollout row;
	struct buf problems;
	struct arena arena;
	int found;

	arena_init(&arena);
	buf_init(&problems, PROBLEMS_MAX);
	found = store_rollout_get(adopt->parts.store, id, &arena, &row, err_r);
	if (!found)
		err_set(err_r, ERR_NOT_FOUND, "it is not there any more");
	if (found > 0)
		policy = shelf_take_text(adopt->parts.shelf, row.policy_path,
			row.policy_source, &policy_env_real, &problems, err_r);
	buf_fini(&problems);
	arena_fini(&arena);
	return policy;
}

static int take_up(
	struct adopt *adopt, const struct store_rollout *row, struct err *err_r)
{
	const struct policy *policy = policy_of(adopt, row->id, err_r);
	const struct driven_left left = {.rollout = row->id,
		.service = row->service,
		.starter = row->starter};

	if (!policy)
		return -1;
	return driven_resume(
		adopt->parts.driven, policy, &left, adopt->parts.who, err_r);
}

static bool is_still(struct foreign *foreign, const struct store_lease *lease,
	int64_t now_ms)
{
	if (foreign->fence != lease->fence ||
		foreign->renewed_ms != lease->renewed_ms)
		foreign->since_ms = now_ms;
	foreign->fence = lease->fence;
	foreign->renewed_ms = lease->renewed_ms;
	return now_ms - foreign->since_ms >= STILL_MS;
}

/* Who follows what changes hears of what others do, too. */
static void tell(struct adopt *adopt, struct foreign *foreign,
	const struct store_rollout *row)
{
	if (foreign->seq != row->last_seq)
		changes_see(adopt->parts.changes, row,
			loop_wall_ms(adopt->parts.loop));
	foreign->seq = row->last_seq;
}

/* It has ended, unless it was taken up here. False: that cannot be seen now. */
static bool tell_end(struct adopt *adopt, struct foreign *foreign)
{
	struct store_rollout row;
	struct arena arena;
	struct err err;
	int found;

	if (driven_find(adopt->parts.driven, foreign->id))
		return true;
	arena_init(&arena);
	found = store_rollout_find(
		adopt->parts.store, foreign->id, &arena, &row, &err);
	if (found > 0)
		tell(adopt, foreign, &row);
	arena_fini(&arena);
	return found >= 0;
}

static void consider(struct adopt *adopt, const struct store_rollout *row,
	const struct store_lease *lease)
{
	struct foreign *foreign = foreign_of(adopt, row->id);
	int64_t now_ms = loop_now(adopt->parts.loop);
	struct err err;

	foreign->seen = true;
	if (!driven_find(adopt->parts.driven, row->id))
		tell(adopt, foreign, row);
	/* Also one of ours that waits for its lease, or an older one of a
	 * service whose newer one is driven. */
	if (now_ms < foreign->not_before_ms ||
		driven_of_service(adopt->parts.driven, row->service))
		return;
	if (lease->holder && !is_still(foreign, lease, now_ms))
		return;
	log_line(LOG_INFO, "rollout=%s event=taken-up", row->id);
	if (take_up(adopt, row, &err) == 0)
		return;
	foreign->not_before_ms = now_ms + AGAIN_MS;
	log_line(LOG_ERROR, "rollout=%s event=not-taken-up error=\"%s\"",
		row->id, err.text);
}

static void forget_unseen(struct adopt *adopt)
{
	struct foreign *foreign, *next;

	for (foreign = LIST_FIRST(&adopt->foreign); foreign; foreign = next) {
		next = LIST_NEXT(foreign, link);
		if (!foreign->seen && tell_end(adopt, foreign))
			foreign_free(foreign);
		else
			foreign->seen = false;
	}
}

/* A few in each turn: after a restart there may be thousands. */
static void adopt_slice(void *arg)
{
	struct adopt *adopt = arg;
	struct look *look = adopt->look;
	size_t until = look->next + SLICE;

	adopt->timer = NULL;
	for (; look->next < look->n && look->next < until; look->next++)
		consider(adopt, &look->left[look->next],
			&look->leases[look->next]);
	if (look->next < look->n) {
		adopt->timer =
			timer_start(adopt->parts.loop, 0, adopt_slice, adopt);
		return;
	}
	forget_unseen(adopt);
	look_free(adopt);
	adopt->timer =
		timer_start(adopt->parts.loop, LOOK_MS, adopt_look, adopt);
}

static void look_done(struct desk_job *job, const struct err *err)
{
	struct look *look = (struct look *)job;
	struct adopt *adopt = look->adopt;

	adopt->can_look = !err;
	if (err)
		log_line(LOG_WARN, "event=look error=\"%s\"", err->text);
	if (!err && !adopt->stopped) {
		adopt_slice(adopt);
		return;
	}
	look_free(adopt);
	if (!adopt->stopped)
		adopt->timer = timer_start(
			adopt->parts.loop, LOOK_MS, adopt_look, adopt);
}
