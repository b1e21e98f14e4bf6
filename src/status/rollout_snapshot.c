/* SPDX-License-Identifier: Apache-2.0 */
/* A rollout out of the state file; see rollout_snapshot.h. */
#include "status/rollout_snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "base/service_name.h"
#include "base/xalloc.h"
#include "policy/placeholder_env.h"
#include "policy/policy_load.h"

#define NAMED_MAX          5 /* rollouts named when several are meant */
#define PROBLEMS_BYTES_MAX 65536

/* ---- which one ---- */

static int several(
	const struct store_rollout *list, size_t n, struct err *err_r)
{
	struct buf names;
	size_t i;

	buf_init(&names, ERR_TEXT_MAX / 2);
	for (i = 0; i < n && i < NAMED_MAX; i++)
		buf_addf(&names, "%s%s", i ? ", " : "", list[i].id);
	err_set(err_r, ERR_USAGE,
		"%zu rollouts are unfinished, name the one that is meant: "
		"%s%s",
		n, names.data, n > NAMED_MAX ? ", …" : "");
	buf_fini(&names);
	return -1;
}

static int find_unnamed(struct store *store, enum snapshot_default otherwise,
	struct arena *arena, const char **name_r, struct err *err_r)
{
	struct store_filter unfinished = {.unfinished = true};
	struct store_filter newest = {.limit = 1};
	struct store_rollout *list;
	size_t n;

	if (store_rollout_list(store, &unfinished, arena, &list, &n, err_r))
		return -1;
	if (n == 0 && otherwise == SNAPSHOT_NEWEST &&
		store_rollout_list(store, &newest, arena, &list, &n, err_r))
		return -1;
	if (n == 0)
		return err_set(err_r, ERR_NOT_FOUND,
			"no rollout in %s is unfinished: name one, tidegate "
			"list shows them",
			store_path(store));
	if (n > 1)
		return several(list, n, err_r);
	*name_r = list[0].id;
	return 0;
}

static int find(struct rollout_snapshot *snapshot, struct store *store,
	const char *name, enum snapshot_default otherwise, struct err *err_r)
{
	int found;

	if (!name &&
		find_unnamed(store, otherwise, &snapshot->arena, &name, err_r))
		return -1;
	found = store_rollout_get(
		store, name, &snapshot->arena, &snapshot->row, err_r);
	if (found == 0)
		return err_set(err_r, ERR_NOT_FOUND,
			"there is no rollout \"%.160s\" in %s: tidegate list "
			"shows them",
			name, store_path(store));
	return found < 0 ? -1 : 0;
}

/* ---- its policy ---- */

static int parse(struct rollout_snapshot *snapshot, struct err *err_r)
{
	const char *source = snapshot->row.policy_source;
	struct policy_env env = placeholder_env;
	struct service_name name;
	struct buf problems;
	struct err err;

	if (service_name_parse(&name, snapshot->row.service, &snapshot->arena,
		    &err) == 0) {
		env.names[0] = name.project;
		env.names[1] = name.region;
		env.names[2] = name.name;
	}
	buf_init(&problems, PROBLEMS_BYTES_MAX);
	snapshot->policy = policy_parse(snapshot->row.policy_path, source,
		strlen(source), &env, &problems, err_r);
	buf_fini(&problems);
	if (!snapshot->policy)
		return err_wrap(err_r,
			"the policy kept with %s cannot be read by this "
			"version",
			snapshot->row.id);
	return 0;
}

/* ---- together ---- */

struct rollout_snapshot *rollout_snapshot_open(struct store *store,
	const char *name, enum snapshot_default otherwise, struct err *err_r)
{
	struct rollout_snapshot *snapshot = xcalloc(1, sizeof(*snapshot));

	arena_init(&snapshot->arena);
	fold_init(&snapshot->fold);
	if (find(snapshot, store, name, otherwise, err_r) ||
		parse(snapshot, err_r)) {
		rollout_snapshot_free(&snapshot);
		return NULL;
	}
	snapshot->lookback = lookback_new(snapshot->policy);
	return snapshot;
}

int rollout_snapshot_take(struct rollout_snapshot *snapshot,
	const struct store_event *entry, struct err *err_r)
{
	lookback_take(snapshot->lookback, entry);
	return fold_take(&snapshot->fold, snapshot->policy, entry, err_r);
}

struct rollout_snapshot *rollout_snapshot_load(struct store *store,
	const char *name, enum snapshot_default otherwise, struct err *err_r)
{
	struct rollout_snapshot *snapshot =
		rollout_snapshot_open(store, name, otherwise, err_r);

	if (snapshot && rollout_snapshot_update(snapshot, store, err_r))
		rollout_snapshot_free(&snapshot);
	return snapshot;
}

/* Entries on their way into a snapshot. */
struct following {
	struct rollout_snapshot *snapshot;
	store_event_fn fn; /* NULL: nobody is told */
	void *arg;
};

static int take(const struct store_event *entry, void *arg, struct err *err_r)
{
	const struct following *f = arg;

	if (rollout_snapshot_take(f->snapshot, entry, err_r))
		return -1;
	return f->fn ? f->fn(entry, f->arg, err_r) : 0;
}

int rollout_snapshot_follow(struct rollout_snapshot *snapshot,
	struct store *store, store_event_fn fn, void *arg, struct err *err_r)
{
	struct following following = {snapshot, fn, arg};

	if (store_each_event(store, snapshot->row.id, snapshot->fold.last_seq,
		    take, &following, err_r))
		return err_wrap(err_r, "%s", snapshot->row.id);
	return 0;
}

int rollout_snapshot_update(struct rollout_snapshot *snapshot,
	struct store *store, struct err *err_r)
{
	return rollout_snapshot_follow(snapshot, store, NULL, NULL, err_r);
}

int rollout_snapshot_reload_row(struct rollout_snapshot *snapshot,
	struct store *store, struct err *err_r)
{
	return find(
		snapshot, store, snapshot->row.id, SNAPSHOT_UNFINISHED, err_r);
}

void rollout_snapshot_free(struct rollout_snapshot **snapshot)
{
	if (!*snapshot)
		return;
	fold_fini(&(*snapshot)->fold);
	lookback_free(&(*snapshot)->lookback);
	policy_free(&(*snapshot)->policy);
	arena_fini(&(*snapshot)->arena);
	free(*snapshot);
	*snapshot = NULL;
}

int rollout_snapshot_waiting(struct rollout_snapshot *snapshot,
	struct store *store, struct err *err_r)
{
	return store_commands_waiting(store, snapshot->row.id, &snapshot->arena,
		&snapshot->waiting, &snapshot->n_waiting, err_r);
}

int rollout_snapshot_driver(struct rollout_snapshot *snapshot,
	struct store *store, struct store_lease *lease_r, struct err *err_r)
{
	int held = store_lease_look(
		store, snapshot->row.service, &snapshot->arena, lease_r, err_r);
	const struct load_live *load = store_load(store);

	snapshot->load = (struct load_live){0};
	/* The service may be in the hands of a later rollout. */
	if (held > 0 && strcmp(lease_r->rollout, snapshot->row.id) != 0)
		return 0;
	if (held > 0 && load)
		snapshot->load = *load;
	return held;
}

struct summary_source rollout_source(const struct store_rollout *row,
	const struct policy *policy, const struct rollout *rollout,
	const struct lookback *lookback)
{
	return (struct summary_source){
		.policy = policy,
		.rollout = rollout,
		.lookback = lookback,
		.id = row->id,
		.service = row->service,
		.candidate = row->candidate,
		.stable = row->stable,
		.starter = row->starter,
		.started_ms = row->started_ms,
		.ended_ms = row->ended_ms,
	};
}

const struct summary *rollout_snapshot_summary(
	const struct rollout_snapshot *snapshot,
	const struct store_lease *driver, int64_t now_ms,
	summary_clock_fn clock, struct arena *arena)
{
	bool stands = !driver && snapshot->fold.last_ms;
	struct summary_source source = rollout_source(&snapshot->row,
		snapshot->policy, &snapshot->fold.state, snapshot->lookback);

	source.now_ms = stands ? snapshot->fold.last_ms : now_ms;
	source.read_ms = now_ms;
	source.driver = !driver         ? SUMMARY_UNDRIVEN
			: driver->alive ? SUMMARY_DRIVEN
					: SUMMARY_UNSEEN;
	source.holder = driver ? driver->holder : NULL;
	source.waiting = snapshot->waiting;
	source.n_waiting = snapshot->n_waiting;
	source.renewed_ms = driver ? driver->renewed_ms : 0;
	source.load =
		driver && snapshot->load.total_ms ? &snapshot->load : NULL;
	source.clock = clock;
	return summary_make(&source, arena);
}
