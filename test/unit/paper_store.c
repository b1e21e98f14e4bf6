/* A store on paper; see paper_store.h. */
#include "paper_store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "store/event_codec.h"
#include "store/fold.h"

struct paper_store store;

static int store_fails(struct err *err_r)
{
	return err_set(err_r, ERR_STORE, "no space left on device");
}

int store_begin(struct store *s, struct err *err_r)
{
	assert_false(store.open);
	store.open = true;
	buf_clear(&store.pending);
	return 0;
}

int store_commit(struct store *s, struct err *err_r)
{
	assert_true(store.open);
	if (store.full_at && strstr(store.pending.data, store.full_at))
		store.full = true;
	if (store.full)
		return store_fails(err_r);
	store.open = false;
	store.committed = store.appended;
	buf_add(&store.journal, store.pending.data, store.pending.len);
	return 0;
}

void store_rollback(struct store *s)
{
	store.open = false;
	store.appended = store.committed;
}

static void append_one(const struct store_event *event, bool ended)
{
	assert_int_equal(event->seq, ++store.appended);
	assert_true(event->phase[0]);
	if (!strcmp(event->name, "preflight"))
		snprintf(store.refusal, sizeof(store.refusal), "%s",
			event->data);
	buf_addf(&store.pending, "%s%s", event->name, ended ? ".\n" : "\n");
}

int store_append(struct store *s, const char *rollout, int64_t fence,
	const struct store_event *events, size_t n, const char *reason,
	bool ended, struct err *err_r)
{
	assert_true(store.open);
	assert_int_equal(fence, 7);
	assert_true(n > 0);
	if (store.taken_over)
		return err_set(err_r, ERR_LEASE, "not ours any more");
	for (size_t i = 0; i < n; i++)
		append_one(&events[i], ended && i + 1 == n);
	return 0;
}

int store_rollout_create(
	struct store *s, const struct store_rollout *rollout, struct err *err_r)
{
	assert_true(store.open);
	assert_int_equal(strncmp(rollout->id, "shop-20260101-0000", 18), 0);
	assert_string_equal(rollout->service, SERVICE);
	assert_int_equal(strlen(rollout->policy_digest), 64);
	snprintf(store.rollout, sizeof(store.rollout), "%s", rollout->id);
	return 0;
}

int store_rollout_set_revisions(struct store *s, const char *id,
	const char *candidate, const char *stable, struct err *err_r)
{
	assert_true(store.open);
	assert_string_equal(candidate, "shop-2");
	assert_string_equal(stable, "shop-1");
	return 0;
}

int store_rollout_get(struct store *s, const char *id, struct arena *arena,
	struct store_rollout *rollout_r, struct err *err_r)
{
	return 0;
}

int store_rollout_list(struct store *s, const struct store_filter *filter,
	struct arena *arena, struct store_rollout **rollouts_r, size_t *n_r,
	struct err *err_r)
{
	*n_r = 0;
	return 0;
}

int store_lease_look(struct store *s, const char *service, struct arena *arena,
	struct store_lease *lease_r, struct err *err_r)
{
	return 0;
}

int store_was_rolled_back(struct store *s, const char *service,
	const char *candidate, struct arena *arena, const char **id_r,
	struct err *err_r)
{
	return 0;
}

int store_change_counter(struct store *s, int64_t *counter_r, struct err *err_r)
{
	*counter_r = store.counter;
	return 0;
}

int store_lease_take(struct store *s, const char *service, const char *rollout,
	struct lease_watch *watch, struct arena *arena,
	struct store_lease *lease_r, struct err *err_r)
{
	assert_true(store.open); /* with what is journaled first */
	*lease_r = (struct store_lease){
		SERVICE, "ci-7 pid 4242", "shop-x", 7, 0, true};
	return !store.held_by_other;
}

int store_lease_renew(
	struct store *s, const char *service, int64_t fence, struct err *err_r)
{
	assert_int_equal(fence, 7);
	store.renewals++;
	if (store.taken_over)
		return err_set(err_r, ERR_LEASE, "not ours any more");
	return 0;
}

void store_lease_drop(struct store *s, const char *service, int64_t fence)
{
	store.drops++;
}

int store_commands_rollouts(struct store *s, struct arena *arena,
	const char ***ids_r, size_t *n_r, struct err *err_r)
{
	static const char *ids[] = {"a", NULL, "z"};

	ids[1] = store.rollout;
	*ids_r = ids;
	*n_r = store.command.id && !store.settled ? 3 : 0;
	return 0;
}

int store_commands_waiting(struct store *s, const char *rollout,
	struct arena *arena, struct store_command **commands_r, size_t *n_r,
	struct err *err_r)
{
	*commands_r = &store.command;
	*n_r = store.command.id && !store.settled;
	return 0;
}

int store_command_settle(struct store *s, int64_t id, bool refused,
	const char *answer, struct err *err_r)
{
	assert_true(store.open);
	assert_int_equal(id, store.command.id);
	store.settled = refused ? 2 : 1;
	return 0;
}

int store_commands_refuse(struct store *s, const char *rollout,
	const char *answer, struct err *err_r)
{
	assert_true(store.open);
	return 0;
}

int store_each_event(struct store *s, const char *rollout, int64_t after_seq,
	store_event_fn fn, void *arg, struct err *err_r)
{
	return err_set(err_r, ERR_STORE, "paper cannot be read");
}

const char *store_path(const struct store *s)
{
	return "paper";
}

int fold_rollout(struct store *s, const char *rollout,
	const struct policy *policy, struct fold *fold_r, struct err *err_r)
{
	return err_set(err_r, ERR_STORE, "paper cannot be folded");
}

void event_encode(const struct event *event,
	const struct event_context *context, struct buf *out)
{
	buf_adds(out, event->text ? event->text : "");
}

void note_encode(const struct note *note, const struct event_context *context,
	struct buf *out)
{
	buf_adds(out, note->text);
}
