/* SPDX-License-Identifier: Apache-2.0 */
/* A store in memory; see fake_store.h. */
#include "fake_store.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "fake_loop.h"
#include "store/store_fence.h"

#define ENTRIES_MAX  (256 * 1024)
#define COMMANDS_MAX 256
#define TROUBLE_MS   2000 /* after which a write that failed is over */

struct entry {
	int row;
	struct store_event event; /* its texts are owned, in one block */
};

/* What a transaction may change. */
struct row_state {
	char candidate[64], stable[64], phase[32], reason[ERR_TEXT_MAX];
	int64_t ended_ms, last_seq;
};

struct row {
	char id[STORE_ROLLOUT_ID_MAX];
	char *service, *policy_name, *policy_path, *policy_source;
	char *policy_digest, *options, *starter;
	int64_t started_ms;
	struct row_state now, committed;
};

struct lease {
	int64_t fence, expires_ms;
	char rollout[STORE_ROLLOUT_ID_MAX];
	unsigned process;
};

struct command {
	char *rollout, *verb, *who, *comment, *answer;
	int step, state, committed;
};

static struct {
	struct row row[FAKE_ROLLOUTS_MAX];
	int n_rows, committed_rows;
	struct entry *entry;
	size_t n_entries, committed_entries, size;
	struct lease lease, committed_lease;
	struct command command[COMMANDS_MAX];
	int n_commands;
	int64_t counter;
	bool open;
	unsigned process;
	bool full, taken_over;
	int64_t locked_until_ms, failed_ms; /* when a write did, last */
	bool failing; /* that was the last one */
	char full_at[32];
} store = {.process = 1};

/* ---- making and freeing ---- */

static void row_free(struct row *row)
{
	free(row->service);
	free(row->policy_name);
	free(row->policy_path);
	free(row->policy_source);
	free(row->policy_digest);
	free(row->options);
	free(row->starter);
	memset(row, 0, sizeof(*row));
}

static void truncate_to(int rows, size_t entries)
{
	while (store.n_entries > entries)
		free((char *)store.entry[--store.n_entries].event.name);
	while (store.n_rows > rows)
		row_free(&store.row[--store.n_rows]);
}

void fake_store_reset(void)
{
	struct command *command;

	truncate_to(0, 0);
	for (int i = 0; i < store.n_commands; i++) {
		command = &store.command[i];
		free(command->rollout);
		free(command->verb);
		free(command->who);
		free(command->comment);
		free(command->answer);
	}
	free(store.entry);
	memset(&store, 0, sizeof(store));
	store.process = 1;
	fake_store_on_drop = NULL;
}

struct store *store_open(
	const char *path, enum store_mode mode, struct err *err_r)
{
	return (struct store *)&store;
}

void store_free(struct store **unused)
{
	*unused = NULL;
}

const char *store_path(const struct store *unused)
{
	return "memory";
}

bool store_is_in_memory(const struct store *unused)
{
	return false; /* for the journal: it is to use its thread */
}

bool store_is_owned_by_us(const struct store *unused)
{
	return true;
}

/* ---- what goes wrong ---- */

void fake_store_full(bool full)
{
	store.full = full;
	if (!full)
		store.full_at[0] = '\0';
}

void fake_store_full_at(const char *name)
{
	snprintf(store.full_at, sizeof(store.full_at), "%s", name);
}

void fake_store_lock(int64_t for_ms)
{
	store.locked_until_ms = fake_now() + for_ms;
}

/* When a write failed last. Who stood still since then could not try again. */
static int64_t failed_ms(void)
{
	int64_t stood_ms = fake_loop_stood_until();

	return store.failing && store.failed_ms < stood_ms ? stood_ms
							   : store.failed_ms;
}

bool fake_store_is_in_trouble(void)
{
	return store.full || store.locked_until_ms > fake_now() ||
	       (failed_ms() && fake_now() - failed_ms() < TROUBLE_MS);
}

void fake_store_taken_over(bool taken)
{
	store.taken_over = taken;
}

static void write_fails(void)
{
	store.failed_ms = fake_now();
	store.failing = true;
}

static int may_write(struct err *err_r)
{
	int64_t left_ms = store.locked_until_ms - fake_now();

	if (fake_is_dead())
		return err_set(err_r, ERR_STORE, "the process is dead");
	if (left_ms > STORE_TURN_MS && !store.open) {
		write_fails();
		return err_set(err_r, ERR_BUSY, "the state file is locked");
	}
	if (store.full) {
		write_fails();
		return err_set(err_r, ERR_DISK, "no space left on device");
	}
	return 0;
}

/* ---- transactions ---- */

static void commit(void)
{
	for (int i = 0; i < store.n_rows; i++)
		store.row[i].committed = store.row[i].now;
	for (int i = 0; i < store.n_commands; i++)
		store.command[i].committed = store.command[i].state;
	store.committed_rows = store.n_rows;
	store.committed_entries = store.n_entries;
	store.committed_lease = store.lease;
	store.failed_ms = failed_ms(); /* that it goes on is known soon */
	store.failing = false;
}

static void undo(void)
{
	truncate_to(store.committed_rows, store.committed_entries);
	for (int i = 0; i < store.n_rows; i++)
		store.row[i].now = store.row[i].committed;
	for (int i = 0; i < store.n_commands; i++)
		store.command[i].state = store.command[i].committed;
	store.lease = store.committed_lease;
}

const struct load_live *store_load(const struct store *unused)
{
	return NULL;
}

void store_hurry(struct store *unused)
{
}

int store_begin(struct store *unused, struct err *err_r)
{
	assert(!store.open);
	if (may_write(err_r) < 0)
		return -1;
	store.open = true;
	return 0;
}

static bool fills_the_disk(void)
{
	if (store.full_at[0])
		for (size_t i = store.committed_entries; i < store.n_entries;
			i++)
			if (strcmp(store.entry[i].event.name, store.full_at) ==
				0)
				return true;
	return false;
}

int store_commit(struct store *unused, struct err *err_r)
{
	assert(store.open);
	fake_instant();
	if (fills_the_disk())
		store.full = true;
	if (may_write(err_r) < 0)
		return -1;
	commit();
	store.open = false;
	fake_instant();
	return 0;
}

void store_rollback(struct store *unused)
{
	if (!store.open)
		return;
	undo();
	store.open = false;
}

/* A call outside a transaction is one. */
static int alone(struct err *err_r)
{
	if (store.open)
		return 0;
	if (store_begin(NULL, err_r) < 0)
		return -1;
	return store_commit(NULL, err_r);
}

void fake_store_crash(void)
{
	store_rollback(NULL);
	store.process++;
}

/* ---- rollouts ---- */

static struct row *row_find(const char *id)
{
	for (int i = 0; i < store.n_rows; i++)
		if (strcmp(store.row[i].id, id) == 0)
			return &store.row[i];
	return NULL;
}

int store_rollout_create(struct store *unused,
	const struct store_rollout *rollout, struct err *err_r)
{
	struct row *row = &store.row[store.n_rows];

	assert(store.open && store.n_rows < FAKE_ROLLOUTS_MAX);
	store.n_rows++;
	snprintf(row->id, sizeof(row->id), "%s", rollout->id);
	row->service = xstrdup(rollout->service);
	row->policy_name = xstrdup(rollout->policy_name);
	row->policy_path = xstrdup(rollout->policy_path);
	row->policy_source = xstrdup(rollout->policy_source);
	row->policy_digest = xstrdup(rollout->policy_digest);
	row->options = xstrdup(rollout->options);
	row->starter = xstrdup(rollout->starter);
	row->started_ms = rollout->started_ms;
	snprintf(row->now.phase, sizeof(row->now.phase), "%s", rollout->phase);
	return 0;
}

int store_rollout_set_revisions(struct store *unused, const char *id,
	const char *candidate, const char *stable, struct err *err_r)
{
	struct row *row = row_find(id);

	if (!row)
		return err_set(err_r, ERR_NOT_FOUND, "no rollout %s", id);
	snprintf(row->now.candidate, sizeof(row->now.candidate), "%s",
		candidate);
	snprintf(row->now.stable, sizeof(row->now.stable), "%s", stable);
	return alone(err_r);
}

static void row_tell(
	const struct row *row, struct arena *arena, struct store_rollout *out)
{
	*out = (struct store_rollout){
		.id = arena_strdup(arena, row->id),
		.service = arena_strdup(arena, row->service),
		.candidate = arena_strdup(arena, row->now.candidate),
		.stable = arena_strdup(arena, row->now.stable),
		.policy_name = arena_strdup(arena, row->policy_name),
		.policy_path = arena_strdup(arena, row->policy_path),
		.policy_source = arena_strdup(arena, row->policy_source),
		.policy_digest = arena_strdup(arena, row->policy_digest),
		.options = arena_strdup(arena, row->options),
		.starter = arena_strdup(arena, row->starter),
		.started_ms = row->started_ms,
		.ended_ms = row->now.ended_ms,
		.phase = arena_strdup(arena, row->now.phase),
		.reason = arena_strdup(arena, row->now.reason),
		.last_seq = row->now.last_seq,
	};
}

int store_rollout_get(struct store *unused, const char *id, struct arena *arena,
	struct store_rollout *rollout_r, struct err *err_r)
{
	const struct row *row = row_find(id);

	if (!row)
		return 0;
	row_tell(row, arena, rollout_r);
	return 1;
}

int store_rollout_list(struct store *unused, const struct store_filter *filter,
	struct arena *arena, struct store_rollout **rollouts_r, size_t *n_r,
	struct err *err_r)
{
	struct store_rollout *list =
		arena_alloc(arena, ((size_t)store.n_rows + 1) * sizeof(*list));
	size_t n = 0;

	for (int i = store.n_rows; i-- > 0;) {
		const struct row *row = &store.row[i];

		if (filter->unfinished && row->now.ended_ms)
			continue;
		if (filter->service &&
			strcmp(filter->service, row->service) != 0)
			continue;
		if (filter->limit && n == (size_t)filter->limit)
			break;
		row_tell(row, arena, &list[n++]);
	}
	*rollouts_r = list;
	*n_r = n;
	return 0;
}

/* All are by the project's id. */
int store_rollouts_named(struct store *unused, const char *end, bool by_number,
	struct arena *arena, struct store_rollout **rollouts_r, size_t *n_r,
	struct err *err_r)
{
	*n_r = 0;
	return 0;
}

int store_rollout_overtaken(struct store *unused, const char *id,
	struct arena *arena, struct store_rollout *rollout_r, struct err *err_r)
{
	const struct row *of = row_find(id);

	for (int i = store.n_rows; i-- > 0 && &store.row[i] != of;) {
		const struct row *row = &store.row[i];

		if (!of || strcmp(row->service, of->service) != 0 ||
			strcmp(row->now.phase, "refused") == 0 ||
			strcmp(row->now.phase, "preflight") == 0)
			continue;
		row_tell(row, arena, rollout_r);
		return 1;
	}
	return 0;
}

int store_was_rolled_back(struct store *unused, const char *service,
	const char *candidate, struct arena *arena, const char **id_r,
	struct err *err_r)
{
	for (int i = store.n_rows; i-- > 0;) {
		const struct row *row = &store.row[i];

		if (strcmp(row->now.candidate, candidate) != 0)
			continue;
		if (strcmp(row->now.phase, "promoted") == 0)
			return 0;
		if (strncmp(row->now.phase, "roll", 4) != 0 ||
			!row->now.ended_ms)
			continue;
		*id_r = arena_strdup(arena, row->id);
		return 1;
	}
	return 0;
}

/* ---- the journal ---- */

static void append_one(int row, const struct store_event *event)
{
	size_t name = strlen(event->name) + 1, phase = strlen(event->phase) + 1;
	size_t data = strlen(event->data) + 1;
	char *text = xcalloc(1, name + phase + data);
	struct entry *entry;

	if (store.n_entries == store.size) {
		store.size = store.size ? store.size * 2 : 256;
		assert(store.size <= ENTRIES_MAX);
		store.entry =
			xrealloc(store.entry, store.size, sizeof(*store.entry));
	}
	entry = &store.entry[store.n_entries++];
	entry->row = row;
	entry->event = *event;
	entry->event.name = memcpy(text, event->name, name);
	entry->event.phase = memcpy(text + name, event->phase, phase);
	entry->event.data = memcpy(text + name + phase, event->data, data);
}

static int check_append(const struct row *row, int64_t fence,
	const struct store_event *first, struct err *err_r)
{
	if (!row)
		return err_set(err_r, ERR_NOT_FOUND, "no such rollout");
	if (store.taken_over || fence != store.lease.fence)
		return err_set(err_r, ERR_LEASE,
			"another process drives %s now: this one must stop",
			row->service);
	if (first->seq != row->now.last_seq + 1)
		return err_set(err_r, ERR_CONFLICT,
			"entry %lld does not follow %lld",
			(long long)first->seq, (long long)row->now.last_seq);
	return 0;
}

int store_append(struct store *unused, const char *rollout, int64_t fence,
	const struct store_event *events, size_t n, const char *reason,
	bool ended, struct err *err_r)
{
	struct row *row = row_find(rollout);
	struct row_state *now;

	if (check_append(row, fence, events, err_r) < 0)
		return -1;
	now = &row->now;
	for (size_t i = 0; i < n; i++) {
		assert(events[i].seq == now->last_seq + 1);
		assert(strlen(events[i].data) <= STORE_EVENT_BYTES_MAX);
		append_one((int)(row - store.row), &events[i]);
		now->last_seq++;
	}
	snprintf(now->phase, sizeof(now->phase), "%s", events[n - 1].phase);
	if (reason)
		snprintf(now->reason, sizeof(now->reason), "%s", reason);
	if (ended)
		now->ended_ms = events[n - 1].time_ms;
	return alone(err_r);
}

int store_each_event(struct store *unused, const char *rollout,
	int64_t after_seq, store_event_fn fn, void *arg, struct err *err_r)
{
	int rc = 0;

	for (size_t i = 0; i < store.n_entries && rc == 0; i++) {
		const struct entry *entry = &store.entry[i];

		if (entry->event.seq > after_seq &&
			strcmp(store.row[entry->row].id, rollout) == 0)
			rc = fn(&entry->event, arg, err_r);
	}
	return rc;
}

int store_each_named(struct store *unused, const char *rollout,
	const char *name, store_event_fn fn, void *arg, struct err *err_r)
{
	int rc = 0;

	for (size_t i = 0; i < store.n_entries && rc == 0; i++) {
		const struct entry *entry = &store.entry[i];

		if (!entry->event.is_note &&
			strcmp(entry->event.name, name) == 0 &&
			strcmp(store.row[entry->row].id, rollout) == 0)
			rc = fn(&entry->event, arg, err_r);
	}
	return rc;
}

int store_change_counter(
	struct store *unused, int64_t *counter_r, struct err *err_r)
{
	*counter_r = store.counter;
	return 0;
}

/* ---- leases ---- */

void (*fake_store_on_drop)(void);

static void lease_tell(struct arena *arena, struct store_lease *lease_r)
{
	bool ours = store.lease.process == store.process && !store.taken_over;

	*lease_r = (struct store_lease){
		.service = "",
		.holder = ours ? "ci-1 pid 1" : "ci-7 pid 4242",
		.rollout = arena_strdup(arena, store.lease.rollout),
		.fence = store.lease.fence + store.taken_over,
		.renewed_ms = store.lease.expires_ms - STORE_LEASE_MS,
		.alive = true,
	};
}

/* The host is one: a holder that is another process is dead. */
static bool lease_is_held(void)
{
	return store.taken_over || (store.lease.process == store.process &&
					   store.lease.expires_ms != 0);
}

int store_lease_take(struct store *unused, const char *service,
	const char *rollout, struct lease_watch *watch, struct arena *arena,
	struct store_lease *lease_r, struct err *err_r)
{
	if (lease_is_held()) {
		lease_tell(arena, lease_r);
		return 0;
	}
	if (!store.open && may_write(err_r) < 0)
		return -1;
	store.lease.fence++;
	store.lease.process = store.process;
	store.lease.expires_ms = loop_wall_ms(NULL) + STORE_LEASE_MS;
	snprintf(store.lease.rollout, sizeof(store.lease.rollout), "%s",
		rollout);
	if (alone(err_r) < 0)
		return -1;
	lease_tell(arena, lease_r);
	return 1;
}

int store_lease_renew(struct store *unused, const char *service, int64_t fence,
	struct err *err_r)
{
	if (store.taken_over || fence != store.lease.fence)
		return err_set(err_r, ERR_LEASE,
			"another process drives %s now: this one must stop",
			service);
	store.lease.expires_ms = loop_wall_ms(NULL) + STORE_LEASE_MS;
	return alone(err_r);
}

void store_lease_drop(struct store *unused, const char *service, int64_t fence)
{
	struct err err;

	if (fence == store.lease.fence && !fake_is_dead())
		store.lease.expires_ms = 0;
	if (fake_store_on_drop)
		fake_store_on_drop();
	if (alone(&err) < 0)
		return;
}

int store_lease_end(struct store *unused, const char *service, int64_t fence,
	struct err *err_r)
{
	store_lease_drop(unused, service, fence);
	return 0;
}

int store_lease_check(struct store *unused, const char *service, int64_t fence,
	struct err *err_r)
{
	if (store.taken_over || fence != store.lease.fence)
		return err_set(
			err_r, ERR_LEASE, "%s is driven by another", service);
	return 0;
}

int store_lease_look(struct store *unused, const char *service,
	struct arena *arena, struct store_lease *lease_r, struct err *err_r)
{
	if (!lease_is_held())
		return 0;
	lease_tell(arena, lease_r);
	return 1;
}

/* ---- commands ---- */

void fake_store_command(
	const char *verb, const char *who, const char *comment, int step)
{
	struct command *command = &store.command[store.n_commands];

	assert(store.n_commands < COMMANDS_MAX && store.n_rows);
	store.n_commands++;
	command->rollout = xstrdup(fake_store_newest());
	command->verb = xstrdup(verb);
	command->who = xstrdup(who);
	command->comment = xstrdup(comment ? comment : "");
	command->answer = xstrdup("");
	command->step = step;
	store.counter++;
}

static bool waits(const struct command *command, const char *rollout)
{
	return command->state == 0 &&
	       (!rollout || strcmp(command->rollout, rollout) == 0);
}

int store_commands_rollouts(struct store *unused, struct arena *arena,
	const char ***ids_r, size_t *n_r, struct err *err_r)
{
	const char **ids = arena_alloc(arena, FAKE_ROLLOUTS_MAX * sizeof(*ids));

	*n_r = 0;
	for (int i = 0; i < store.n_rows; i++)
		for (int k = 0; k < store.n_commands; k++)
			if (waits(&store.command[k], store.row[i].id)) {
				ids[(*n_r)++] = store.row[i].id;
				break;
			}
	*ids_r = ids;
	return 0;
}

int store_commands_waiting(struct store *unused, const char *rollout,
	struct arena *arena, struct store_command **commands_r, size_t *n_r,
	struct err *err_r)
{
	struct store_command *list =
		arena_alloc(arena, STORE_COMMANDS_MAX * sizeof(*list));
	size_t n = 0;

	for (int i = 0; i < store.n_commands && n < STORE_COMMANDS_MAX; i++) {
		const struct command *command = &store.command[i];

		if (waits(command, rollout))
			list[n++] = (struct store_command){
				.id = i + 1,
				.rollout = command->rollout,
				.verb = command->verb,
				.who = command->who,
				.comment = command->comment,
				.step = command->step,
				.answer = "",
			};
	}
	*commands_r = list;
	*n_r = n;
	return 0;
}

int store_commands_refuse(struct store *unused, const char *rollout,
	const char *answer, struct err *err_r)
{
	for (int i = 0; i < store.n_commands; i++)
		if (waits(&store.command[i], rollout)) {
			store.command[i].state = 2;
			free(store.command[i].answer);
			store.command[i].answer = xstrdup(answer);
		}
	return alone(err_r);
}

int store_command_settle(struct store *unused, int64_t id, bool refused,
	const char *answer, struct err *err_r)
{
	struct command *command = &store.command[id - 1];

	assert(id > 0 && id <= store.n_commands);
	if (command->state)
		return err_set(err_r, ERR_CONFLICT, "it was settled already");
	command->state = refused ? 2 : 1;
	free(command->answer);
	command->answer = xstrdup(answer);
	return alone(err_r);
}

static int count_state(int state)
{
	int n = 0;

	for (int i = 0; i < store.n_commands; i++)
		n += store.command[i].committed == state;
	return n;
}

int fake_store_waiting(void)
{
	return count_state(0);
}

int fake_store_refused(void)
{
	return count_state(2);
}

const char *fake_store_last_answer(void)
{
	return store.n_commands ? store.command[store.n_commands - 1].answer
				: "";
}

/* ---- what a test looks at ---- */

size_t fake_store_entries(void)
{
	return store.committed_entries;
}

struct fake_entry fake_store_entry(size_t i)
{
	const struct entry *entry = &store.entry[i];

	assert(i < store.committed_entries);
	return (struct fake_entry){
		.rollout = store.row[entry->row].id,
		.name = entry->event.name,
		.phase = entry->event.phase,
		.data = entry->event.data,
		.time_ms = entry->event.time_ms - FAKE_EPOCH_MS,
		.is_note = entry->event.is_note,
	};
}

int fake_store_count(const char *name, const char *part)
{
	int n = 0;

	for (size_t i = 0; i < store.committed_entries; i++) {
		const struct store_event *event = &store.entry[i].event;

		n += strcmp(event->name, name) == 0 &&
		     (!part || strstr(event->data, part));
	}
	return n;
}

const char *fake_store_newest(void)
{
	return store.committed_rows ? store.row[store.committed_rows - 1].id
				    : NULL;
}

const char *fake_store_phase(const char *rollout)
{
	return row_find(rollout)->committed.phase;
}

const char *fake_store_reason(const char *rollout)
{
	return row_find(rollout)->committed.reason;
}

const char *fake_store_stable(const char *rollout)
{
	return row_find(rollout)->committed.stable;
}

bool fake_store_has_ended(const char *rollout)
{
	return row_find(rollout)->committed.ended_ms != 0;
}

int64_t fake_store_last_seq(const char *rollout)
{
	const struct row *row = row_find(rollout);

	return row ? row->committed.last_seq : 0;
}
