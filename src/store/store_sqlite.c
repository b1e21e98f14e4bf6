/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state file: opening it, its schema, what can be wrong with it, and the
 * statements of the other store_*.c. The only file that knows sqlite3.h.
 *
 * A state file may come from anybody: its schema is not trusted (no triggers,
 * no views, no functions from it), its values are bounded.
 */
#include "store/store_sqlite.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "io/clock.h"
#include "store/store_file.h"
#include "store/store_schema.h"

#define STATEMENTS_MAX  96 /* different ones in all store_*.c */
#define VALUE_BYTES_MAX (4 * 1024 * 1024)
#define CREATE_PAUSE_MS 10

/* Of the database file's header, as its format is documented. */
#define FORMAT_WRITE_AT 18
#define FORMAT_READ_AT  19
#define FORMAT_WAL      2

struct statement {
	const char *sql;
	sqlite3_stmt *stmt;
};

struct store {
	sqlite3 *db;
	char *path;
	struct store_place place[STORE_PLACES]; /* the files that were opened */
	enum store_mode mode;
	bool immutable; /* it was, when it was opened: nothing newer is seen */
	int64_t changed_us; /* … the last time before that */
	bool in_transaction;
	struct statement statements[STATEMENTS_MAX];
	size_t n_statements;
};

/* What went wrong, and what a person can do about it. */
static int fail(const struct store *store, int rc, struct err *err_r)
{
	int system = sqlite3_system_errno(store->db);
	const char *path = store->path;

	switch (rc & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return err_set(err_r, ERR_BUSY,
			"the state file %s is locked: another process keeps "
			"it; end that process or try again",
			path);
	case SQLITE_FULL:
		return err_set(err_r, ERR_DISK,
			"no space is left for the state file %s: free some, "
			"then run tidegate resume",
			path);
	case SQLITE_READONLY:
		return err_set(err_r, ERR_STORE,
			"the state file %s is read-only for this user: it and "
			"its folder must be writable",
			path);
	case SQLITE_PERM:
	case SQLITE_CANTOPEN:
		return err_set(err_r, ERR_STORE,
			"the state file %s cannot be opened: %s", path,
			system ? strerror(system) : sqlite3_errmsg(store->db));
	case SQLITE_CORRUPT:
		return err_set(err_r, ERR_STORE,
			"the state file %s is damaged (%s): put it, its -wal "
			"and its -shm aside, then restore a backup or give "
			"another --state",
			path, sqlite3_errmsg(store->db));
	case SQLITE_NOTADB:
		return err_set(err_r, ERR_STORE,
			"%s is not a state file of tidegate: give another "
			"--state",
			path);
	case SQLITE_IOERR:
		return err_set(err_r, ERR_DISK,
			"the state file %s cannot be read or written: %s", path,
			system ? strerror(system) : sqlite3_errmsg(store->db));
	default:
		return err_set(err_r, ERR_STORE, "the state file %s: %s", path,
			sqlite3_errmsg(store->db));
	}
}

static int exec(struct store *store, const char *sql, struct err *err_r)
{
	int rc = sqlite3_exec(store->db, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK ? 0 : fail(store, rc, err_r);
}

/* Statements */

static sqlite3_stmt *statement_find(
	struct store *store, const char *sql, struct err *err_r)
{
	struct statement *s;
	size_t i;
	int rc;

	for (i = 0; i < store->n_statements; i++) {
		if (store->statements[i].sql == sql)
			return store->statements[i].stmt;
	}
	assert(store->n_statements < STATEMENTS_MAX);
	s = &store->statements[store->n_statements];
	rc = sqlite3_prepare_v3(
		store->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &s->stmt, NULL);
	if (rc != SQLITE_OK) {
		fail(store, rc, err_r);
		return NULL;
	}
	s->sql = sql;
	store->n_statements++;
	return s->stmt;
}

static int bind(sqlite3_stmt *stmt, int i, const struct sql_value *value)
{
	if (value->type == SQL_INT)
		return sqlite3_bind_int64(stmt, i, value->number);
	return sqlite3_bind_text(stmt, i, value->text, -1, SQLITE_STATIC);
}

sqlite3_stmt *sql_start(struct store *store, const char *sql,
	const struct sql_value *values, struct err *err_r)
{
	sqlite3_stmt *stmt = statement_find(store, sql, err_r);
	int i, rc;

	if (!stmt)
		return NULL;
	assert(!sqlite3_stmt_busy(stmt));
	for (i = 0; values[i].type != SQL_END; i++) {
		rc = bind(stmt, i + 1, &values[i]);
		if (rc != SQLITE_OK) {
			sqlite3_clear_bindings(stmt);
			fail(store, rc, err_r);
			return NULL;
		}
	}
	assert(i == sqlite3_bind_parameter_count(stmt));
	return stmt;
}

int sql_next(struct store *store, sqlite3_stmt *row, struct err *err_r)
{
	int rc = sqlite3_step(row);

	if (rc == SQLITE_ROW)
		return 1;
	if (rc != SQLITE_DONE)
		fail(store, rc, err_r);
	sql_stop(row);
	return rc == SQLITE_DONE ? 0 : -1;
}

void sql_stop(sqlite3_stmt *row)
{
	sqlite3_reset(row);
	/* The values were borrowed for the call. */
	sqlite3_clear_bindings(row);
}

int sql_run(struct store *store, const char *sql,
	const struct sql_value *values, struct err *err_r)
{
	sqlite3_stmt *stmt = sql_start(store, sql, values, err_r);
	int more;

	if (!stmt)
		return -1;
	do
		more = sql_next(store, stmt, err_r);
	while (more > 0);
	return more < 0 ? -1 : sqlite3_changes(store->db);
}

int64_t sql_column_int(sqlite3_stmt *row, int column)
{
	return sqlite3_column_int64(row, column);
}

const char *sql_column_text(sqlite3_stmt *row, int column)
{
	const char *text = (const char *)sqlite3_column_text(row, column);

	return text ? text : "";
}

int64_t sql_last_id(const struct store *store)
{
	return sqlite3_last_insert_rowid(store->db);
}

/* Transactions */

int store_begin(struct store *store, struct err *err_r)
{
	assert(!store->in_transaction);
	if (sql_run(store, "BEGIN IMMEDIATE", SQL_NO_VALUES, err_r) < 0)
		return -1;
	store->in_transaction = true;
	return 0;
}

int store_commit(struct store *store, struct err *err_r)
{
	assert(store->in_transaction);
	if (sql_run(store, "COMMIT", SQL_NO_VALUES, err_r) < 0) {
		store_rollback(store);
		return -1;
	}
	store->in_transaction = false;
	return 0;
}

void store_rollback(struct store *store)
{
	struct err err;

	/* SQLite may have rolled back already: disk full, I/O error. */
	if (!sqlite3_get_autocommit(store->db) &&
		sql_run(store, "ROLLBACK", SQL_NO_VALUES, &err) < 0)
		sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
	store->in_transaction = false;
}

int sql_enter(struct store *store, bool *own_r, struct err *err_r)
{
	*own_r = !store->in_transaction;
	return *own_r ? store_begin(store, err_r) : 0;
}

int sql_leave(struct store *store, bool own, struct err *err_r)
{
	return own ? store_commit(store, err_r) : 0;
}

void sql_abandon(struct store *store, bool own)
{
	if (own)
		store_rollback(store);
}

void store_hurry(struct store *store)
{
	sqlite3_busy_timeout(store->db, STORE_TURN_MS);
}

static int in_use(const struct store *store, struct err *err_r)
{
	return err_set(err_r, ERR_STORE,
		"the state file %s is in use and its folder is not "
		"writable for this user: copy it and %s-wal to another "
		"folder and look there",
		store->path, store->path);
}

/* A writer has come since. */
static bool is_stale(const struct store *store)
{
	return store->immutable &&
	       (!store_log_is_empty(store->path) ||
		       store_file_changed_us(store->path) != store->changed_us);
}

int store_change_counter(
	struct store *store, int64_t *counter_r, struct err *err_r)
{
	sqlite3_stmt *row;

	if (is_stale(store))
		return in_use(store, err_r);
	row = sql_start(store, "PRAGMA data_version", SQL_NO_VALUES, err_r);
	if (!row || sql_next(store, row, err_r) < 0)
		return -1;
	*counter_r = sql_column_int(row, 0);
	sql_stop(row);
	return 0;
}

/* Opening */

/* The value of a PRAGMA that gives one number. */
static int pragma_int(struct store *store, const char *sql, int64_t *value_r,
	struct err *err_r)
{
	sqlite3_stmt *stmt;
	int rc = sqlite3_prepare_v2(store->db, sql, -1, &stmt, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW)
		*value_r = sqlite3_column_int64(stmt, 0);
	else
		fail(store, rc, err_r);
	sqlite3_finalize(stmt);
	return rc == SQLITE_ROW ? 0 : -1;
}

static int schema_migrate(struct store *store, int64_t from, struct err *err_r)
{
	int64_t version;

	for (version = from; version < STORE_VERSION; version++) {
		if (exec(store, store_migrations[version], err_r))
			return -1;
	}
	return 0;
}

/* Somebody else may have done it since: look again under the lock. */
static int schema_update(struct store *store, struct err *err_r)
{
	int64_t version;

	if (exec(store, "BEGIN IMMEDIATE", err_r))
		return -1;
	if (pragma_int(store, "PRAGMA user_version", &version, err_r) ||
		schema_migrate(store, version, err_r) ||
		exec(store, "COMMIT", err_r)) {
		sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
		return -1;
	}
	return 0;
}

static int schema_refuse_empty(const struct store *store, struct err *err_r)
{
	return err_set(err_r, ERR_NOT_FOUND,
		"the state file %s is empty: no rollout was run with it yet",
		store->path);
}

static int schema_check(struct store *store, struct err *err_r)
{
	int64_t id, version, tables = 0;

	if (pragma_int(store, "PRAGMA application_id", &id, err_r) ||
		pragma_int(store, "PRAGMA user_version", &version, err_r))
		return -1;
	if (id == 0 && pragma_int(store, "SELECT count(*) FROM sqlite_schema",
			       &tables, err_r))
		return -1;
	if ((id != 0 && id != STORE_APPLICATION_ID) || tables || version < 0)
		return err_set(err_r, ERR_STORE,
			"%s is a database of another program: give another "
			"--state",
			store->path);
	if (version > STORE_VERSION)
		return err_set(err_r, ERR_STORE,
			"the state file %s has version %lld, this tidegate "
			"knows versions up to %d: use the newer tidegate that "
			"wrote it",
			store->path, (long long)version, STORE_VERSION);
	if (version == 0 && store->mode != STORE_CREATE)
		return schema_refuse_empty(store, err_r);
	/* What is looked at has been the same in all versions. */
	if (store->mode == STORE_LOOK)
		return 0;
	/* Without effect when it is so already, but a restored copy is not. */
	if (exec(store, "PRAGMA journal_mode=WAL", err_r))
		return -1;
	return version < STORE_VERSION ? schema_update(store, err_r) : 0;
}

static int configure(struct store *store, struct err *err_r)
{
	static const int off[] = {SQLITE_DBCONFIG_ENABLE_TRIGGER,
		SQLITE_DBCONFIG_ENABLE_VIEW, SQLITE_DBCONFIG_TRUSTED_SCHEMA,
		SQLITE_DBCONFIG_DQS_DDL, SQLITE_DBCONFIG_DQS_DML};
	sqlite3 *db = store->db;
	size_t i;

	sqlite3_extended_result_codes(db, 1);
	sqlite3_busy_timeout(db, STORE_WAIT_MS);
	sqlite3_limit(db, SQLITE_LIMIT_LENGTH, VALUE_BYTES_MAX);
	sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);
	sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	for (i = 0; i < sizeof(off) / sizeof(off[0]); i++)
		sqlite3_db_config(db, off[i], 0, NULL);
	/* The cache is small: `run` reads little and must stay small. */
	return exec(store,
		store->mode == STORE_LOOK
			? "PRAGMA query_only=ON;PRAGMA cache_size=-512"
			: "PRAGMA synchronous=FULL;PRAGMA foreign_keys=ON;"
			  "PRAGMA cache_size=-512",
		err_r);
}

static void close_db(struct store *store)
{
	size_t i;

	for (i = 0; i < store->n_statements; i++)
		sqlite3_finalize(store->statements[i].stmt);
	store->n_statements = 0;
	sqlite3_close(store->db);
	store->db = NULL;
}

static int open_db(
	struct store *store, const char *name, int flags, struct err *err_r)
{
	int rc = sqlite3_open_v2(
		name, &store->db, flags | SQLITE_OPEN_NOMUTEX, NULL);

	if (rc != SQLITE_OK)
		return fail(store, rc, err_r);
	return configure(store, err_r) || schema_check(store, err_r) ? -1 : 0;
}

/* The bytes of a state file without rollouts, for sqlite3_free; NULL: there is
 * no memory for them. */
static unsigned char *schema_image(size_t *len_r)
{
	struct store store = {.path = (char *)"in memory"};
	unsigned char *image = NULL;
	sqlite3_int64 len = 0;
	struct err err;

	if (sqlite3_open_v2(":memory:", &store.db,
		    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
			    SQLITE_OPEN_NOMUTEX,
		    NULL) == SQLITE_OK &&
		schema_migrate(&store, 0, &err) == 0)
		image = sqlite3_serialize(store.db, "main", &len, 0);
	if (image) /* written and read by way of a log from the first moment on */
		image[FORMAT_WRITE_AT] = image[FORMAT_READ_AT] = FORMAT_WAL;
	close_db(&store);
	*len_r = (size_t)len;
	return image;
}

/* A new file is made whole, with one wait for the disk; where that cannot be, SQLite
 * fills an empty one, by way of a journal that it waits for many times. So it does
 * where the log of one that was removed is left: of an empty file, and of no other,
 * it knows that the log is none of it. */
static int make_file(struct store *store, struct err *err_r)
{
	unsigned char *image;
	size_t len;
	int rc;

	if (access(store->path, F_OK) == 0)
		return 0;
	if (!store_log_is_empty(store->path))
		return store_file_make(store->path, err_r);
	if (store_file_make_folders(store->path, err_r) < 0)
		return -1;
	image = schema_image(&len);
	rc = image ? store_file_make_whole(store->path, image, len, err_r) : 0;
	sqlite3_free(image);
	return rc == 0 ? store_file_make(store->path, err_r) : rc < 0 ? -1 : 0;
}

/* Two processes that create the file at the same time get in each other's
 * way for moments in which SQLite does not wait by itself. */
static int open_for_writing(struct store *store, struct err *err_r)
{
	int64_t deadline = clock_boot_ms() + STORE_WAIT_MS;

	while (open_db(store, store->path, SQLITE_OPEN_READWRITE, err_r)) {
		if ((sqlite3_errcode(store->db) & 0xff) != SQLITE_BUSY ||
			clock_boot_ms() >= deadline)
			return -1;
		close_db(store);
		sqlite3_sleep(CREATE_PAUSE_MS);
	}
	return 0;
}

/*
 * A reader of a WAL database shares a small index file with the writers, and
 * makes it when it is not there. Where it may not, the database file alone is
 * the whole truth only if nothing waits in the log: no writer is at work.
 */
static int open_for_looking(struct store *store, struct err *err_r)
{
	char *uri;
	int rc;

	if (!open_db(store, store->path, SQLITE_OPEN_READONLY, err_r))
		return 0;
	rc = sqlite3_errcode(store->db) & 0xff;
	if (rc != SQLITE_CANTOPEN && rc != SQLITE_READONLY)
		return -1;
	if (access(store->path, R_OK))
		return -1;
	store->immutable = true;
	store->changed_us = store_file_changed_us(store->path);
	if (!store_log_is_empty(store->path))
		return in_use(store, err_r);
	close_db(store);
	uri = store_immutable_uri(store->path);
	rc = open_db(store, uri, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, err_r);
	xfree(&uri);
	return rc;
}

/* The log and its index are there since the first look into the file. */
static void remember_places(struct store *store)
{
	for (int i = 0; i < STORE_PLACES; i++)
		store->place[i] = store_file_place(store->path, i);
}

/* How much memory it has is never asked of SQLite. Keeping count takes a lock
 * with each piece, which is a tenth of what an entry of the journal costs. */
static void set_up(void)
{
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

struct store *store_open(
	const char *path, enum store_mode mode, struct err *err_r)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct store *store;
	int rc;

	if (!*path || strlen(path) > STORE_PATH_MAX) {
		err_set(err_r, ERR_USAGE,
			"there is no path of 1 to %d bytes for the state file: "
			"give --state or set $TIDEGATE_STATE",
			STORE_PATH_MAX);
		return NULL;
	}
	pthread_once(&once, set_up);
	store = xcalloc(1, sizeof(*store));
	store->mode = mode;
	store->path = store_file_resolve(path);
	rc = mode == STORE_CREATE ? make_file(store, err_r) : 0;
	if (!rc)
		rc = store_file_check(store->path, err_r);
	if (!rc)
		rc = mode == STORE_LOOK ? open_for_looking(store, err_r)
					: open_for_writing(store, err_r);
	if (rc)
		store_free(&store);
	else
		remember_places(store);
	return store;
}

int sql_is_in_place(struct store *store, struct err *err_r)
{
	struct store_place now;

	for (int i = 0; i < STORE_PLACES; i++) {
		now = store_file_place(store->path, i);
		if (!store->place[i].inode)
			store->place[i] = now;
		if (now.inode != store->place[i].inode ||
			now.device != store->place[i].device)
			return err_set(err_r, ERR_NOT_FOUND,
				"the state file %s was deleted or replaced "
				"while it was in use",
				store->path);
	}
	return 0;
}

void store_free(struct store **store)
{
	struct store *s = *store;

	if (!s)
		return;
	if (s->in_transaction)
		store_rollback(s);
	close_db(s);
	free(s->path);
	free(s);
	*store = NULL;
}

const char *store_path(const struct store *store)
{
	return store->path;
}
