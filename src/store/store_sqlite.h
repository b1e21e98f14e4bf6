/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the store only: SQL statements without sqlite3.h. Statements are
 * prepared on first use, cached by the address of their text, and reset by
 * whoever reads their last row.
 */
#ifndef TIDEGATE_STORE_STORE_SQLITE_H
#define TIDEGATE_STORE_STORE_SQLITE_H

#include "store/store.h"

struct sqlite3_stmt;

struct sql_value {
	enum { SQL_END, SQL_INT, SQL_TEXT } type;
	int64_t number;
	const char *text; /* NULL is SQL's NULL; borrowed for the call */
};

static inline struct sql_value sql_int(int64_t number)
{
	return (struct sql_value){SQL_INT, number, NULL};
}

static inline struct sql_value sql_text(const char *text)
{
	return (struct sql_value){SQL_TEXT, 0, text};
}

#define SQL_VALUES(...) \
	((const struct sql_value[]){__VA_ARGS__, {SQL_END, 0, NULL}})
#define SQL_NO_VALUES ((const struct sql_value[]){{SQL_END, 0, NULL}})

/* `sql` must be a string literal. NULL with err_r. While rows are read the
 * same text must not be started again. */
MUST_CHECK struct sqlite3_stmt *sql_start(struct store *store, const char *sql,
	const struct sql_value *values, struct err *err_r);
/* 1 a row, 0 there are no more, -1 error; after 0 and -1 it is reset. */
MUST_CHECK int sql_next(
	struct store *store, struct sqlite3_stmt *row, struct err *err_r);
void sql_stop(struct sqlite3_stmt *row); /* before the last row */

struct sql_list {
	struct arena *arena;
	size_t size; /* bytes of an item */
	size_t max; /* items: the statement has it as its LIMIT */
	void (*read)(
		struct sqlite3_stmt *row, struct arena *arena, void *item_r);
	/* What was read, in the arena; NULL: no rows. */
	void *items;
	size_t n;
};
/* All rows of a statement that was started; NULL: it was not, -1 with err_r. */
MUST_CHECK int sql_list_read(struct store *store, struct sqlite3_stmt *row,
	struct sql_list *list, struct err *err_r);

/* For statements without rows: how many rows were changed, or -1. */
MUST_CHECK int sql_run(struct store *store, const char *sql,
	const struct sql_value *values, struct err *err_r);

int64_t sql_column_int(struct sqlite3_stmt *row, int column);
/* Borrowed until the next row; "" for NULL. */
const char *sql_column_text(struct sqlite3_stmt *row, int column);

/* A transaction of its own unless the caller has begun one. */
MUST_CHECK int sql_enter(struct store *store, bool *own_r, struct err *err_r);
MUST_CHECK int sql_leave(struct store *store, bool own, struct err *err_r);
void sql_abandon(struct store *store, bool own);

int64_t sql_last_id(const struct store *store);

/* The file is the one that its path names; a deleted one can be written to. */
MUST_CHECK int sql_is_in_place(struct store *store, struct err *err_r);

#endif
