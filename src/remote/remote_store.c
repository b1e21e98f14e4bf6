/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A daemon as a state file; see remote_store.h. There is one store, however
 * often it is opened: what one command has seen, its decision is about.
 *
 * As long as nobody asks again and again, each call is a request. From the
 * second store_change_counter on a stream brings what is new (follow.h), and a
 * daemon that cannot be reached is waited for.
 */
#include "remote/remote_store.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/jsonw.h"
#include "base/timestamp.h"
#include "base/xalloc.h"
#include "engine/event.h"
#include "io/http.h"
#include "io/loop.h"
#include "remote/follow.h"
#include "remote/journal_copy.h"
#include "remote/remote_codec.h"
#include "remote/server_url.h"
#include "remote/wire.h"
#include "store/store.h"

#define FRESH_MS       1000 /* for which a record is not asked for again */
#define LIST_BYTES_MAX ((size_t)64 * 1024 * 1024)
#define PAGES_MAX      1000
#define BODY_MAX       8192

struct store {
	struct wire *wire;
	int n_open;
	struct arena arena; /* of the record */
	struct remote_record
		record; /* of the rollout that was looked at last */
	int64_t record_ms; /* when; 0: there is none */
	bool is_stale; /* something was decided since */
	struct journal_copy journal;
	struct follow *follow;
	bool follows_journal, was_asked;
	int64_t counter;
	struct err err; /* of what the stream brought */
	bool has_failed;
	struct arena command_arena;
	struct store_command command; /* that was decided last */
};

static struct store the_store;

/* ---- opened and closed ---- */

void remote_store_use(struct wire *wire)
{
	the_store.wire = wire;
}

struct wire *remote_store_wire(void)
{
	return the_store.wire;
}

struct store *store_open(
	const char *path, enum store_mode mode, struct err *err_r)
{
	(void)path;
	(void)mode;
	assert(the_store.wire);
	the_store.n_open++;
	return &the_store;
}

void store_free(struct store **store_p)
{
	struct store *store = *store_p;

	*store_p = NULL;
	if (!store || --store->n_open)
		return;
	follow_free(&store->follow);
	journal_copy_fini(&store->journal);
	arena_fini(&store->arena);
	arena_fini(&store->command_arena);
	*store = (struct store){.wire = store->wire};
}

char *store_default_path(void)
{
	return xstrdup(wire_url(the_store.wire)->said);
}

const char *store_path(const struct store *store)
{
	return wire_url(store->wire)->said;
}

struct loop *store_loop(const struct store *store)
{
	return wire_loop(store->wire);
}

void store_interrupt(struct store *store)
{
	wire_give_up(store->wire);
}

/* Who asks is the daemon's to say. */
bool store_is_owned_by_us(const struct store *store)
{
	(void)store;
	return false;
}

static int64_t patience(const struct store *store)
{
	return store->follow ? WIRE_FOLLOW_MS : WIRE_PATIENCE_MS;
}

static int bad_answer(const struct store *store, struct err *err_r)
{
	return err_wrap(err_r, "%s", store_path(store));
}

/* ---- one rollout ---- */

static int record_ask(struct store *store, const char *id, int64_t patience_ms,
	struct err *err_r)
{
	char *escaped = http_escape(id);
	char *path = xasprintf("/api/v1/rollouts/%s/record", escaped);
	const struct wire_ask ask = {.path = path, .patience_ms = patience_ms};
	struct wire_answer answer;
	int rc = wire_ask(store->wire, &ask, &answer, err_r);

	free(path);
	free(escaped);
	if (rc < 0 && !strcmp(answer.problem.code, "bad-request"))
		return err_set(err_r, ERR_USAGE, "%s", answer.problem.detail);
	if (rc < 0)
		return -1;
	arena_fini(&store->arena);
	store->record_ms = 0;
	if (remote_record_decode(answer.body, answer.len, &store->arena,
		    &store->record, err_r) < 0)
		return bad_answer(store, err_r);
	store->record_ms = loop_now(wire_loop(store->wire));
	store->is_stale = false;
	return 0;
}

static void row_copy(const struct store_rollout *row, struct arena *arena,
	struct store_rollout *row_r)
{
	*row_r = *row;
	row_r->id = arena_strdup(arena, row->id);
	row_r->service = arena_strdup(arena, row->service);
	row_r->candidate = arena_strdup(arena, row->candidate);
	row_r->stable = arena_strdup(arena, row->stable);
	row_r->policy_name = arena_strdup(arena, row->policy_name);
	row_r->policy_path = arena_strdup(arena, row->policy_path);
	row_r->policy_source = arena_strdup(arena, row->policy_source);
	row_r->policy_digest = arena_strdup(arena, row->policy_digest);
	row_r->starter = arena_strdup(arena, row->starter);
	row_r->phase = arena_strdup(arena, row->phase);
	row_r->reason = arena_strdup(arena, row->reason);
}

int store_rollout_get(struct store *store, const char *id, struct arena *arena,
	struct store_rollout *rollout_r, struct err *err_r)
{
	if (!*id || record_ask(store, id, patience(store), err_r) < 0)
		return !*id || err_r->code == ERR_NOT_FOUND ? 0 : -1;
	if (strncmp(store->record.row.id, id, strlen(id)) != 0)
		return err_set(err_r, ERR_PROTOCOL,
			"%s tells of %s where it was asked for %.160s",
			store_path(store), store->record.row.id, id);
	row_copy(&store->record.row, arena, rollout_r);
	return 1;
}

/* Who looks again and again keeps what it has seen while nobody answers. */
static int record_refresh(struct store *store, struct err *err_r)
{
	int64_t now_ms = loop_now(wire_loop(store->wire));
	char id[STORE_ROLLOUT_ID_MAX];

	if (!store->record_ms)
		return err_set(err_r, ERR_INTERNAL,
			"no rollout of %s was looked at", store_path(store));
	if (!store->is_stale && now_ms - store->record_ms < FRESH_MS)
		return 0;
	if (store->follow && !follow_is_open(store->follow))
		return 0;
	snprintf(id, sizeof(id), "%s", store->record.row.id);
	if (record_ask(store, id, store->follow ? 0 : WIRE_PATIENCE_MS,
		    err_r) == 0)
		return 0;
	return store->follow && store->record_ms &&
			       err_is_retryable(err_r->code)
		       ? 0
		       : -1;
}

int store_lease_look(struct store *store, const char *service,
	struct arena *arena, struct store_lease *lease_r, struct err *err_r)
{
	const struct store_lease *lease = &store->record.lease;

	if (record_refresh(store, err_r) < 0)
		return -1;
	if (!store->record.is_held ||
		strcmp(store->record.row.service, service) != 0)
		return 0;
	*lease_r = *lease;
	lease_r->service = arena_strdup(arena, lease->service);
	lease_r->holder = arena_strdup(arena, lease->holder);
	lease_r->rollout = arena_strdup(arena, lease->rollout);
	return 1;
}

const struct load_live *store_load(const struct store *store)
{
	return store->record.load.total_ms ? &store->record.load : NULL;
}

bool lease_watch_is_over(
	struct lease_watch *watch, const struct store_lease *lease)
{
	(void)watch;
	(void)lease;
	return false; /* the daemon has looked at it itself */
}

int store_commands_waiting(struct store *store, const char *rollout,
	struct arena *arena, struct store_command **commands_r, size_t *n_r,
	struct err *err_r)
{
	const struct remote_record *record = &store->record;
	struct store_command *command;

	if (record_refresh(store, err_r) < 0)
		return -1;
	*n_r = strcmp(record->row.id, rollout) ? 0 : record->n_waiting;
	*commands_r = arena_alloc(arena, (*n_r + 1) * sizeof(**commands_r));
	for (size_t i = 0; i < *n_r; i++) {
		command = &(*commands_r)[i];
		*command = record->waiting[i];
		command->rollout = arena_strdup(arena, command->rollout);
		command->verb = arena_strdup(arena, command->verb);
		command->who = arena_strdup(arena, command->who);
		command->comment = arena_strdup(arena, command->comment);
	}
	return 0;
}

/* ---- many rollouts ---- */

static char *list_path(
	const struct store_filter *filter, size_t n, const char *cursor)
{
	static const char *const states[] = {
		"any", "active", "waiting", "ended"};
	size_t most =
		filter->limit > 0 ? (size_t)filter->limit : STORE_LIST_MAX;
	size_t left = most - n < REMOTE_PAGE_MAX ? most - n : REMOTE_PAGE_MAX;
	char time[TIMESTAMP_TEXT_MAX];
	char *escaped;
	struct buf path;

	buf_init(&path, HTTP_URL_MAX);
	buf_addf(&path, "/api/v1/rollouts?state=%s&limit=%zu",
		filter->unfinished ? "active" : states[filter->state], left);
	if (filter->since_ms)
		buf_addf(&path, "&since=%s",
			timestamp_print(filter->since_ms, time));
	if (filter->service) {
		escaped = http_escape(filter->service);
		buf_addf(&path, "&service=%s", escaped);
		free(escaped);
	}
	if (cursor) {
		escaped = http_escape(cursor);
		buf_addf(&path, "&cursor=%s", escaped);
		free(escaped);
	}
	return buf_steal(&path);
}

struct listing {
	struct store *store;
	struct store_rollout *row;
	size_t n, room, bytes;
	const char *cursor;
};

static int list_page(struct listing *listing, const struct store_filter *filter,
	struct arena *arena, struct err *err_r)
{
	struct remote_page *page = xcalloc(1, sizeof(*page));
	char *path = list_path(filter, listing->n, listing->cursor);
	const struct wire_ask ask = {
		.path = path, .patience_ms = patience(listing->store)};
	struct wire_answer answer;
	int rc = wire_ask(listing->store->wire, &ask, &answer, err_r);

	if (rc == 0) {
		listing->bytes += answer.len;
		rc = remote_page_decode(
			answer.body, answer.len, arena, page, err_r);
		if (rc < 0)
			(void)!bad_answer(listing->store, err_r);
	}
	if (rc == 0 && page->n) {
		listing->row = xrealloc(listing->row, listing->n + page->n,
			sizeof(*listing->row));
		memcpy(listing->row + listing->n, page->row,
			page->n * sizeof(*page->row));
		listing->n += page->n;
	}
	listing->cursor = page->cursor;
	free(path);
	free(page);
	return rc;
}

int store_rollout_list(struct store *store, const struct store_filter *filter,
	struct arena *arena, struct store_rollout **rollouts_r, size_t *n_r,
	struct err *err_r)
{
	struct listing listing = {.store = store, .cursor = filter->after};
	size_t most =
		filter->limit > 0 ? (size_t)filter->limit : STORE_LIST_MAX;
	int rc, pages = 0;

	do {
		rc = list_page(&listing, filter, arena, err_r);
	} while (rc == 0 && listing.cursor && listing.n < most &&
		 ++pages < PAGES_MAX && listing.bytes <= LIST_BYTES_MAX);
	if (rc == 0 && listing.n > most)
		rc = err_set(err_r, ERR_PROTOCOL,
			"%s gives more rollouts than it was asked for",
			store_path(store));
	else if (rc == 0 && listing.cursor && listing.n < most)
		rc = err_set(err_r, ERR_LIMIT,
			"%s has more rollouts than can be listed at once: ask "
			"for fewer by --limit or --service",
			store_path(store));
	if (rc == 0) {
		*n_r = listing.n;
		*rollouts_r = arena_alloc(
			arena, (listing.n + 1) * sizeof(**rollouts_r));
		if (listing.n)
			memcpy(*rollouts_r, listing.row,
				listing.n * sizeof(**rollouts_r));
	}
	free(listing.row);
	return rc;
}

/* ---- its journal ---- */

/* Up to what it had when its record was looked at, and one page at least. */
static int journal_fetch(struct store *store, struct err *err_r)
{
	struct journal_copy *copy = &store->journal;
	char *escaped = http_escape(copy->rollout), *path;
	struct wire_ask ask = {.patience_ms = patience(store)};
	struct wire_answer answer;
	size_t added;
	int rc;

	do {
		path = xasprintf("/api/v1/rollouts/%s/events?after=%zu",
			escaped, copy->n);
		ask.path = path;
		rc = wire_ask(store->wire, &ask, &answer, err_r);
		free(path);
		if (rc == 0 && journal_copy_add_lines(copy, answer.body,
				       answer.len, &added, err_r) < 0)
			rc = bad_answer(store, err_r);
	} while (rc == 0 && added &&
		 (int64_t)copy->n < store->record.row.last_seq);
	free(escaped);
	return rc;
}

int store_each_event(struct store *store, const char *rollout,
	int64_t after_seq, store_event_fn fn, void *arg, struct err *err_r)
{
	bool comes = store->follow && store->follows_journal &&
		     !strcmp(store->journal.rollout, rollout);

	journal_copy_choose(&store->journal, rollout);
	if (!comes && journal_fetch(store, err_r) < 0)
		return -1;
	return journal_copy_each(&store->journal, after_seq, fn, arg, err_r);
}

/* ---- what is new ---- */

static bool entry_came(
	const char *name, const char *data, size_t len, void *arg)
{
	struct store *store = arg;
	size_t before = store->journal.n;

	if (*name)
		return true; /* a heartbeat, a good-bye, the end */
	if (journal_copy_add(&store->journal, data, len, &store->err) < 0) {
		(void)!bad_answer(store, &store->err);
		store->has_failed = true;
		wire_wake(store->wire);
		return false;
	}
	if (store->journal.n > before)
		store->counter++;
	wire_wake(store->wire);
	return true;
}

static bool change_came(
	const char *name, const char *data, size_t len, void *arg)
{
	struct store *store = arg;

	(void)data;
	(void)len;
	if (!strcmp(name, "heartbeat") || !strcmp(name, "bye"))
		return true;
	store->counter++;
	wire_wake(store->wire);
	return true;
}

/* What came while there was no connection may not be told again. */
static void opened(void *arg)
{
	struct store *store = arg;

	if (!store->follows_journal)
		store->counter++;
	wire_wake(store->wire);
}

static void follow_begin(struct store *store)
{
	const struct follow_events events = {
		.event = store->record_ms ? entry_came : change_came,
		.opened = opened,
		.arg = store,
	};
	char *escaped, *path, after[32];

	store->follows_journal = store->record_ms != 0;
	if (!store->follows_journal) {
		store->follow =
			follow_new(store->wire, "/api/v1/stream", "", &events);
		return;
	}
	journal_copy_choose(&store->journal, store->record.row.id);
	escaped = http_escape(store->record.row.id);
	path = xasprintf("/api/v1/rollouts/%s/events", escaped);
	snprintf(after, sizeof(after), "%zu", store->journal.n);
	store->follow = follow_new(store->wire, path, after, &events);
	free(path);
	free(escaped);
}

int remote_store_wait(struct store *store, int ms, struct err *err_r)
{
	if (!store->follow)
		follow_begin(store);
	if (wire_turn(store->wire, ms, err_r) < 0)
		return -1;
	if (store->has_failed) {
		*err_r = store->err;
		return -1;
	}
	if (follow_failed(store->follow)) {
		*err_r = *follow_failed(store->follow);
		return -1;
	}
	return 0;
}

int store_change_counter(
	struct store *store, int64_t *counter_r, struct err *err_r)
{
	if (store->was_asked && remote_store_wait(store, 0, err_r) < 0)
		return -1;
	store->was_asked = true;
	*counter_r = store->counter;
	return 0;
}

/* ---- decisions ---- */

static void decision_body(const struct store *store,
	const struct store_command *command, struct buf *out)
{
	struct jsonw w = {.out = out};

	jsonw_object(&w, NULL);
	jsonw_text(&w, "verb", command->verb);
	if (command->step >= 0)
		jsonw_int(&w, "step", command->step + 1);
	jsonw_text(&w, "candidate", store->record.row.candidate);
	if (*command->comment)
		jsonw_text(&w, "comment", command->comment);
	jsonw_end(&w, '}');
}

/* In the words that the engine's own refusal has. */
static int decision_failed(const struct store *store,
	const struct store_command *command, const struct wire_answer *answer,
	struct err *err_r)
{
	const char *code = answer->problem.code;
	bool needs_comment = !strcmp(code, "comment-needed");

	if (!*code || (err_r->code != ERR_REFUSED && err_r->code != ERR_DENIED))
		return -1;
	return err_set(err_r, err_r->code, "%s %s is refused: %s%s",
		command->verb, command->rollout, answer->problem.detail,
		needs_comment ? "; --comment TEXT" : "");
}

int store_command_add(struct store *store, const struct store_command *command,
	int64_t *id_r, struct err *err_r)
{
	char *escaped = http_escape(command->rollout);
	char *path = xasprintf("/api/v1/rollouts/%s/decisions", escaped);
	char key[WIRE_KEY_MAX];
	struct wire_ask ask = {
		.path = path, .key = key, .patience_ms = WIRE_PATIENCE_MS};
	struct wire_answer answer;
	struct buf body;
	int rc;

	assert(store->record_ms);
	wire_make_key(key);
	buf_init(&body, BODY_MAX);
	decision_body(store, command, &body);
	ask.body = body.data;
	rc = wire_ask(store->wire, &ask, &answer, err_r);
	if (rc < 0)
		rc = decision_failed(store, command, &answer, err_r);
	arena_fini(&store->command_arena);
	if (rc == 0 &&
		remote_decided_decode(answer.body, answer.len,
			&store->command_arena, &store->command, err_r) < 0)
		rc = bad_answer(store, err_r);
	*id_r = rc == 0 ? store->command.id : 0;
	store->is_stale = true;
	buf_fini(&body);
	free(path);
	free(escaped);
	return rc;
}

int store_command_get(struct store *store, int64_t id, struct arena *arena,
	struct store_command *command_r, struct err *err_r)
{
	if (id != store->command.id || !store->command.verb)
		return err_set(err_r, ERR_NOT_FOUND, "there is no command %lld",
			(long long)id);
	*command_r = store->command;
	command_r->rollout = arena_strdup(arena, store->command.rollout);
	command_r->verb = arena_strdup(arena, store->command.verb);
	command_r->who = arena_strdup(arena, store->command.who);
	command_r->comment = arena_strdup(arena, store->command.comment);
	return 0;
}
