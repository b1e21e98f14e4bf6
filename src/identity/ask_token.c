/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens of ours and OS users; see ask_token.h. */
#include "identity/ask_token.h"

#include <stdio.h>
#include <string.h>

#include "identity/api_token.h"
#include "io/loop.h"
#include "io/server.h"

#define USED_NOTE_MS 60000 /* a token's last use is written no more often */

/* Lives in the question's arena. */
struct token_ask {
	struct ask *ask;
	struct api_token token;
};

static void token_found(const struct stored *stored, void *arg);

void ask_token_start(struct ask *ask, const char *text)
{
	struct token_ask *own = arena_alloc(&ask->arena, sizeof(*own));

	own->ask = ask;
	if (api_token_parse(text, strlen(text), &own->token) < 0) {
		(void)refuse(&ask->refusal, REFUSAL_MALFORMED,
			"what begins with tgt_ is not a token of ours");
		ask_refuse(ask);
		return;
	}
	snprintf(ask->caller.proof, sizeof(ask->caller.proof), "%s",
		own->token.id);
	if (ask_may_try(ask))
		identity_store_token(
			ask->common->store, own->token.id, token_found, own);
}

static void token_take(struct ask *ask, const struct store_token *row)
{
	struct caller *caller = &ask->caller;
	struct err err;

	caller->method = "token";
	caller->person =
		*row->person ? arena_strdup(&ask->arena, row->person) : NULL;
	caller->is_machine = !*row->person;
	caller->is_vetted = true;
	caller->expires_ms = row->expires_ms;
	if (rights_parse(row->rights, &caller->rights, &err) < 0)
		caller->rights = 0;
	ask_key(ask, "token:%s", row->name);
}

static void token_found(const struct stored *stored, void *arg)
{
	struct token_ask *own = arg;
	struct ask *ask = own->ask;
	const struct store_token *row =
		stored->found > 0 ? &stored->token : NULL;
	int64_t now_ms = loop_wall_ms(ask->common->loop);

	if (stored->found < 0) {
		ask_refuse_store(ask, &stored->err);
		return;
	}
	if (api_token_check(&own->token, row, now_ms, &ask->refusal) < 0) {
		ask_refuse(ask);
		return;
	}
	token_take(ask, row);
	if (now_ms - row->used_ms >= USED_NOTE_MS)
		identity_store_token_used(ask->common->store, row->id, now_ms);
	ask_accept(ask);
}

/* ---- OS users ---- */

static void os_user_found(const struct stored *stored, void *arg)
{
	struct ask *ask = arg;

	if (stored->found < 0) {
		ask_refuse_store(ask, &stored->err);
		return;
	}
	ask->caller.method = "unix";
	ask->caller.person = arena_strdup(&ask->arena, stored->name);
	ask->caller.is_vetted = true;
	ask_key(ask, "os:%s", stored->name);
	ask_accept(ask);
}

void ask_unix_start(struct ask *ask)
{
	const struct server_peer *peer = request_peer(ask->request);

	snprintf(ask->caller.proof, sizeof(ask->caller.proof), "uid-%u",
		(unsigned)peer->uid);
	identity_store_os_user(
		ask->common->store, peer->uid, os_user_found, ask);
}
