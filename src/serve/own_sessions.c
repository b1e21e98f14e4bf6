/* SPDX-License-Identifier: Apache-2.0 */
/* Whose sessions are whose; see own_sessions.h. */
#include "serve/own_sessions.h"

#include <string.h>

#include "identity/session.h"
#include "identity/session_codec.h"
#include "io/loop.h"
#include "serve/daemon.h"
#include "serve/visit.h"
#include "store/store_identity.h"

#define NAME_DIGITS 12 /* of the hash; as caller.proof has them */

struct own_sessions_wish own_sessions_wish(const struct visit *visit)
{
	const struct serve_config *config = daemon_config(visit->daemon);
	int64_t idle_ms = config->identity.session_idle_ms;

	return (struct own_sessions_wish){
		.visitor = visit->visitor,
		.people = daemon_people(visit->daemon),
		.idle_ms = idle_ms ? idle_ms : SESSION_IDLE_MS,
		.now_ms = loop_wall_ms(daemon_loop(visit->daemon)),
	};
}

static bool is_over(
	const struct own_sessions_wish *wish, const struct store_session *row)
{
	return wish->now_ms >= row->expires_ms ||
	       wish->now_ms - row->used_ms >= wish->idle_ms;
}

static bool is_own(const struct visitor *visitor, const struct visitor *other)
{
	return visitor->is_person == other->is_person &&
	       !strcmp(visitor->name, other->name);
}

/* A row that cannot be read is nobody's. */
static bool take(const struct own_sessions_wish *wish,
	const struct store_session *row, struct arena *arena,
	struct own_session *session_r)
{
	const char *keys[CALLER_KEYS_MAX], *name;
	struct caller caller;
	struct visitor *other;
	struct arena own;
	struct err err;
	bool taken = false;

	arena_init(&own);
	if (session_decode(row->data, &own, keys, &caller, &err) == 0) {
		caller.peer = "";
		other = visitor_new(&caller, wish->people);
		taken = is_own(wish->visitor, other);
		visitor_free(&other);
	}
	if (taken) {
		name = arena_strndup(arena, row->hash, NAME_DIGITS);
		*session_r = (struct own_session){
			.hash = row->hash,
			.seen = {.name = name,
				.method = arena_strdup(arena, caller.method),
				.begun_ms = row->created_ms,
				.used_ms = row->used_ms,
				.ends_ms = row->expires_ms,
				.is_this = !strcmp(
					name, wish->visitor->caller.proof)},
		};
	}
	arena_fini(&own);
	return taken;
}

int own_sessions_find(struct store *store, const struct own_sessions_wish *wish,
	struct arena *arena, struct own_session **list_r, size_t *n_r,
	struct err *err_r)
{
	struct store_session *rows;
	struct own_session *list;
	size_t n_rows, n = 0;

	if (store_sessions_list(
		    store, wish->now_ms, arena, &rows, &n_rows, err_r) < 0)
		return -1;
	list = arena_alloc(arena, (n_rows + 1) * sizeof(*list));
	for (size_t i = 0; i < n_rows; i++)
		if (!is_over(wish, &rows[i]) &&
			take(wish, &rows[i], arena, &list[n]))
			n++;
	*list_r = list;
	*n_r = n;
	return 0;
}
