/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of a statement as a list; see store_sqlite.h. */
#include "base/arena.h"
#include "store/store_sqlite.h"

int sql_list_read(struct store *store, struct sqlite3_stmt *row,
	struct sql_list *list, struct err *err_r)
{
	int more = -1;

	while (row && (more = sql_next(store, row, err_r)) > 0) {
		if (!list->items)
			list->items = arena_alloc(
				list->arena, list->max * list->size);
		list->read(row, list->arena,
			(char *)list->items + list->n++ * list->size);
	}
	return more;
}
