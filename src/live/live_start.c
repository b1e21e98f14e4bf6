/*
 * How driving begins: the lease, then a new rollout's first event, or the fold
 * of one that was left. One process at a time drives the rollouts of a
 * service.
 *
 *   live_run ─┐
 *             ├─ lease_try ─ again … ─ new_begin ─ EVENT_STARTED
 *   live_resume                    └── left_begin ─ EVENT_RESUMED
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/log.h"
#include "base/timestamp.h"
#include "base/xalloc.h"
#include "io/loop.h"
#include "live/digest.h"
#include "live/driver.h"
#include "live/keepalive.h"
#include "live/options_codec.h"
#include "live/predecessor.h"
#include "live/traffic_io.h"
#include "store/fold.h"

#define LEASE_WAIT_MS  30000
#define LEASE_RETRY_MS 500

static void lease_try(void *arg);

/* ---- making ---- */

static void take_random(void *bytes, size_t len)
{
	while (getrandom(bytes, len, 0) != (ssize_t)len)
		if (errno != EINTR)
			abort(); /* at most 256 bytes: never short */
}

static void make_id(const struct live *live, char id[STORE_ROLLOUT_ID_MAX])
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";
	char time[TIMESTAMP_TEXT_MAX];
	unsigned char random[4];

	take_random(random, sizeof(random));
	snprintf(id, STORE_ROLLOUT_ID_MAX, "%.64s-%s-%c%c%c%c",
		live->release->service.name,
		timestamp_print_id(live_now(live), time),
		letters[random[0] % 32], letters[random[1] % 32],
		letters[random[2] % 32], letters[random[3] % 32]);
}

/* Takes the release over; NULL gives NULL. */
static struct live *make_bare(struct release *release, int64_t wait_ms)
{
	struct live *live;

	if (!release)
		return NULL;
	live = xcalloc(1, sizeof(*live));
	live->release = release;
	live->wait_ms = wait_ms;
	live->checks =
		xcalloc(release->policy->n_slos + 1, sizeof(*live->checks));
	rollout_init(&live->state);
	return live;
}

static struct live *make(struct hub *hub, struct release *release,
	const struct live_options *options,
	const struct live_listener *listener)
{
	struct live *live = make_bare(release, options->wait_ms);

	if (!live)
		return NULL;
	live->listener = *listener;
	hub_join(hub, live);
	live->traffic =
		traffic_io_new(live->world, live->release, live_answered, live);
	live->keepalive =
		keepalive_new(live->world, live->release, &live->state);
	live->lease_deadline_ms = loop_now(live_loop(live)) + LEASE_WAIT_MS;
	live->lease_retry = timer_start(live_loop(live), 0, lease_try, live);
	return live;
}

struct live *live_run(struct hub *hub, const struct policy *policy,
	const struct live_options *options,
	const struct live_listener *listener, struct err *err_r)
{
	struct release *release = release_new(policy, options->service,
		options->starter, &options->wish, err_r);
	struct live *live = make(hub, release, options, listener);

	if (live)
		make_id(live, release->id);
	return live;
}

static struct release *release_of_row(const struct store_rollout *row,
	const struct policy *policy, const char *starter, struct arena *arena,
	struct err *err_r)
{
	struct release_wish wish;
	struct release *release;

	if (row->ended_ms) {
		err_set(err_r, ERR_REFUSED,
			"%s has ended already (%s): there is nothing to resume",
			row->id, row->phase);
		return NULL;
	}
	if (options_decode(row->options, arena, &wish, err_r) < 0)
		return NULL;
	release = release_new(policy, row->service, starter, &wish, err_r);
	if (!release)
		return NULL;
	snprintf(release->id, sizeof(release->id), "%s", row->id);
	release_set_candidate(release, row->candidate);
	release_set_stable(release, row->stable);
	return release;
}

struct live *live_resume(struct hub *hub, const struct policy *policy,
	const char *rollout, const struct live_options *options,
	const struct live_listener *listener, struct err *err_r)
{
	struct store *store = hub->world->store;
	struct live *live = NULL;
	struct store_rollout row;
	struct arena arena;
	int found;

	arena_init(&arena);
	found = store_rollout_get(store, rollout, &arena, &row, err_r);
	if (found == 0)
		err_set(err_r, ERR_NOT_FOUND,
			"no rollout \"%.100s\" in %s; see: tidegate list",
			rollout, store_path(store));
	if (found == 1)
		live = make(hub,
			release_of_row(
				&row, policy, options->starter, &arena, err_r),
			options, listener);
	if (live)
		live->resuming = true;
	arena_fini(&arena);
	return live;
}

/* ---- the lease ---- */

static int new_begin(struct live *live, struct err *err_r);
static int left_begin(struct live *live, struct err *err_r);

static void lease_taken(struct live *live)
{
	struct err err;
	int rc;

	rc = live->resuming ? left_begin(live, &err) : new_begin(live, &err);
	if (rc < 0)
		live_finish(live, err_exit_status(err.code), &err);
}

static void lease_missed(struct live *live, const struct store_lease *lease)
{
	char time[TIMESTAMP_TEXT_MAX];
	struct err err;

	if (loop_now(live_loop(live)) < live->lease_deadline_ms) {
		live->lease_retry = timer_start(
			live_loop(live), LEASE_RETRY_MS, lease_try, live);
		return;
	}
	err_set(&err, ERR_LEASE,
		"%s is being driven by %s%s%s (it renewed its lease at %s by "
		"its clock): wait for it, or abort it",
		live->release->service.name, lease->holder,
		*lease->rollout ? ", rollout " : "", lease->rollout,
		timestamp_print(lease->renewed_ms, time));
	live_finish(live, err_exit_status(err.code), &err);
}

/* The lease and what is journaled first are one transaction. */
static void lease_try(void *arg)
{
	struct live *live = arg;
	struct store_lease lease = {0};
	struct arena arena;
	struct err err;
	int rc;

	live->lease_retry = NULL;
	arena_init(&arena);
	rc = journal_begin(live->hub->journal, &err);
	if (rc == 0)
		rc = store_lease_take(live->world->store,
			live->release->service.full, live->release->id,
			&live->lease_watch, &arena, &lease, &err);
	if (rc > 0) {
		live->fence = lease.fence;
		live->writer =
			journal_open(live->hub->journal, live->release->id,
				live->fence, &live_journal_owner, live);
		lease_taken(live);
	} else if (rc == 0) {
		lease_missed(live, &lease);
	} else {
		live_finish(live, err_exit_status(err.code), &err);
	}
	arena_fini(&arena);
}

/* ---- the first event ---- */

static int create_row(struct live *live, struct err *err_r)
{
	const struct policy *policy = live->release->policy;
	char digest[DIGEST_TEXT_MAX];
	char *options = options_encode(&live->release->wish);
	struct store_rollout row = {
		.id = live->release->id,
		.service = live->release->service.full,
		.candidate = "",
		.stable = "",
		.policy_name = policy->name,
		.policy_path = policy->path,
		.policy_source = policy->source,
		.policy_digest =
			digest_text(policy->source, policy->source_len, digest),
		.options = options,
		.starter = live->release->starter,
		.started_ms = live_now(live),
		.phase = phase_name(PHASE_PREFLIGHT),
		.reason = "",
	};
	int rc = journal_begin(live->hub->journal, err_r);

	if (rc == 0)
		rc = store_rollout_create(live->world->store, &row, err_r);
	free(options);
	return rc;
}

/* What was captured when the release started is what to go back to. */
static void inherit(struct live *live)
{
	struct err err;

	if (predecessor_each_captured(live->world->store,
		    live->release->wish.rollback_of, keepalive_capture_named,
		    live->keepalive, &err) < 0)
		log_line(LOG_WARN, "rollout=%s event=undo error=\"%s\"",
			live->release->id, err.text);
}

static int new_begin(struct live *live, struct err *err_r)
{
	struct event event = {
		.type = EVENT_STARTED,
		.who = live->release->starter,
		.adopt = live->release->wish.adopt,
		.undo = release_goes_back(live->release),
		.text = live->release->wish.rollback_reason,
	};

	if (create_row(live, err_r) < 0)
		return -1;
	inherit(live);
	take_random(&event.seed, sizeof(event.seed));
	live_event(live, &event, NULL);
	return 0;
}

static int left_begin(struct live *live, struct err *err_r)
{
	struct event event = {
		.type = EVENT_RESUMED, .who = live->release->starter};
	struct fold *fold = xcalloc(1, sizeof(*fold));
	int rc;

	rc = fold_rollout(live->world->store, live->release->id,
		live->release->policy, fold, err_r);
	if (rc == 0) {
		live->state = fold->state;
		live->seq = fold->last_seq;
		/* The clock was another's, or was set back since. */
		if (live->state.now_ms > live_now(live))
			live->ahead_ms += live->state.now_ms - live_now(live);
	}
	free(fold);
	if (rc < 0)
		return -1;
	if (phase_is_end(live->state.phase))
		return err_set(err_r, ERR_REFUSED,
			"%s has ended meanwhile (%s)", live->release->id,
			phase_name(live->state.phase));
	inherit(live);
	if (keepalive_read(live->keepalive, err_r) < 0)
		return -1;
	live_event(live, &event, NULL);
	live_commands(live); /* left while nobody was driving */
	return 0;
}
