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
#include "live/options_codec.h"
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
		live->short_service, timestamp_print_id(live_now(live), time),
		letters[random[0] % 32], letters[random[1] % 32],
		letters[random[2] % 32], letters[random[3] % 32]);
}

/* projects/P/locations/R/services/S, and nothing else. */
static int take_service(
	struct live *live, const char *service, struct err *err_r)
{
	char project[128], region[64], name[64];
	int n = 0;

	if (sscanf(service,
		    "projects/%127[^/]/locations/%63[^/]/services/%63[^/]%n",
		    project, region, name, &n) != 3 ||
		service[n])
		return err_set(err_r, ERR_USAGE,
			"\"%.200s\" is not the full name of a service "
			"(projects/…/locations/…/services/…)",
			service);
	live->service = xstrdup(service);
	live->short_service = strrchr(live->service, '/') + 1;
	live->project = xstrdup(project);
	live->region = xstrdup(region);
	return 0;
}

static struct live *make_bare(
	const struct policy *policy, const struct live_options *options)
{
	struct live *live = xcalloc(1, sizeof(*live));

	live->policy = policy;
	live->starter = xstrdup(options->starter);
	live->candidate = xstrdup("");
	live->stable = xstrdup("");
	live->candidate_url = xstrdup("");
	live->wait_ms = options->wait_ms;
	live->asks = xcalloc(policy->n_slos + 1, sizeof(*live->asks));
	rollout_init(&live->state);
	return live;
}

static struct live *make(struct hub *hub, const struct policy *policy,
	const struct live_options *options,
	const struct live_listener *listener)
{
	struct live *live = make_bare(policy, options);

	live->listener = *listener;
	hub_join(hub, live);
	live->lease_deadline_ms = live_now(live) + LEASE_WAIT_MS;
	live->lease_retry = timer_start(live_loop(live), 0, lease_try, live);
	return live;
}

struct live *live_run(struct hub *hub, const struct policy *policy,
	const struct live_options *options,
	const struct live_listener *listener, struct err *err_r)
{
	struct live *live = make(hub, policy, options, listener);

	if (take_service(live, options->service, err_r) < 0) {
		live_free(&live);
		return NULL;
	}
	if (options->candidate)
		live->wanted_candidate = xstrdup(options->candidate);
	live->adopt = options->adopt;
	live->again = options->again;
	live->undo = xstrdup(options->undo);
	live->wanted_stable = xstrdup(options->stable);
	live->after = xstrdup(options->after);
	make_id(live, live->id);
	return live;
}

struct live *live_look_on(struct hub *hub, const struct policy *policy,
	const struct live_options *options, struct err *err_r)
{
	struct live *live = make_bare(policy, options);

	hub_visit(hub, live);
	if (take_service(live, options->service, err_r) < 0) {
		live_free(&live);
		return NULL;
	}
	live->wanted_candidate = xstrdup(options->candidate);
	live->adopt = options->adopt;
	live->again = options->again;
	snprintf(live->id, sizeof(live->id), "check");
	return live;
}

static int take_row(
	struct live *live, const struct store_rollout *row, struct err *err_r)
{
	struct rollout_options kept;

	if (row->ended_ms)
		return err_set(err_r, ERR_REFUSED,
			"%s has ended already (%s): there is nothing to resume",
			row->id, row->phase);
	if (take_service(live, row->service, err_r) < 0 ||
		options_decode(row->options, &kept, err_r) < 0)
		return -1;
	snprintf(live->id, sizeof(live->id), "%s", row->id);
	live->wanted_candidate = kept.candidate;
	live->adopt = kept.adopt;
	live->again = kept.again;
	live->undo = kept.undo;
	live->wanted_stable = kept.stable;
	live->after = kept.after;
	live->resuming = true;
	free(live->candidate);
	live->candidate = xstrdup(row->candidate);
	free(live->stable);
	live->stable = xstrdup(row->stable);
	return 0;
}

struct live *live_resume(struct hub *hub, const struct policy *policy,
	const char *rollout, const struct live_options *options,
	const struct live_listener *listener, struct err *err_r)
{
	struct store *store = hub->world.store;
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
	if (found == 1) {
		live = make(hub, policy, options, listener);
		if (take_row(live, &row, err_r) < 0)
			live_free(&live);
	}
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

	if (live_now(live) < live->lease_deadline_ms) {
		live->lease_retry = timer_start(
			live_loop(live), LEASE_RETRY_MS, lease_try, live);
		return;
	}
	err_set(&err, ERR_LEASE,
		"%s is being driven by %s%s%s (its lease ends %s unless it is "
		"renewed): wait for it, or abort it",
		live->short_service, lease->holder,
		*lease->rollout ? ", rollout " : "", lease->rollout,
		timestamp_print(lease->expires_ms, time));
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
		rc = store_lease_take(live->hub->world.store, live->service,
			live->id, live_now(live), &arena, &lease, &err);
	if (rc > 0) {
		live->fence = lease.fence;
		live->writer = journal_open(live->hub->journal, live->id,
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
	const struct policy *policy = live->policy;
	struct rollout_options kept = {
		.candidate = live->wanted_candidate,
		.adopt = live->adopt,
		.again = live->again,
		.undo = live->undo,
		.stable = live->wanted_stable,
		.after = live->after,
	};
	char digest[DIGEST_TEXT_MAX];
	char *options = options_encode(&kept);
	struct store_rollout row = {
		.id = live->id,
		.service = live->service,
		.candidate = "",
		.stable = "",
		.policy_name = policy->name,
		.policy_path = policy->path,
		.policy_source = policy->source,
		.policy_digest =
			digest_text(policy->source, policy->source_len, digest),
		.options = options,
		.starter = live->starter,
		.started_ms = live_now(live),
		.phase = phase_name(PHASE_PREFLIGHT),
		.reason = "",
	};
	int rc = journal_begin(live->hub->journal, err_r);

	if (rc == 0)
		rc = store_rollout_create(live->hub->world.store, &row, err_r);
	free(options);
	return rc;
}

static int new_begin(struct live *live, struct err *err_r)
{
	struct event event = {
		.type = EVENT_STARTED,
		.who = live->starter,
		.adopt = live->adopt,
		.undo = live->undo != NULL,
		.text = live->undo,
	};

	if (create_row(live, err_r) < 0)
		return -1;
	undo_inherit(live);
	take_random(&event.seed, sizeof(event.seed));
	live_event(live, &event, NULL);
	return 0;
}

static int left_begin(struct live *live, struct err *err_r)
{
	struct event event = {.type = EVENT_RESUMED, .who = live->starter};
	struct fold *fold = xcalloc(1, sizeof(*fold));
	int rc;

	rc = fold_rollout(
		live->hub->world.store, live->id, live->policy, fold, err_r);
	if (rc == 0) {
		live->state = fold->state;
		live->seq = fold->last_seq;
		/* A timer would be set for when this clock gets there. */
		if (live->state.now_ms > live_now(live))
			live->ahead_ms = live->state.now_ms - live_now(live);
	}
	free(fold);
	if (rc < 0)
		return -1;
	if (phase_is_end(live->state.phase))
		return err_set(err_r, ERR_REFUSED,
			"%s has ended meanwhile (%s)", live->id,
			phase_name(live->state.phase));
	undo_inherit(live);
	if (live_holdings_read(live, err_r) < 0)
		return -1;
	live_event(live, &event, NULL);
	live_commands(live); /* left while nobody was driving */
	return 0;
}
