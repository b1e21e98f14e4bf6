/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions; see session.h. */
#define _GNU_SOURCE /* explicit_bzero */
#include "identity/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64url.h"
#include "base/xalloc.h"
#include "identity/cookie.h"
#include "identity/session_codec.h"
#include "io/digest.h"
#include "io/loop.h"
#include "io/random.h"
#include "io/server.h"

#define ID_BYTES   32
#define ID_CHARS   BASE64URL_LEN(ID_BYTES)
#define PROOF_SHOW 12 /* digits of the hash that name a session */

int session_cookie(const struct server_request *request, const char **value_r,
	size_t *len_r)
{
	const char *header = request_header(request, "Cookie");

	return header ? cookie_find(header, COOKIE_SESSION, value_r, len_r) : 0;
}

static int hash_of(const char *value, size_t len, char hash_r[DIGEST_TEXT_MAX])
{
	struct buf bytes;
	int rc;

	buf_init_secret(&bytes, ID_BYTES);
	rc = len == ID_CHARS ? base64url_decode(value, len, &bytes) : -1;
	if (rc == 0)
		digest_text(bytes.data, bytes.len, hash_r);
	buf_wipe(&bytes);
	buf_fini(&bytes);
	return rc;
}

/* ---- a question ---- */

/* Lives in the question's arena. */
struct session_ask {
	struct ask *ask;
	struct session_rule rule;
	char hash[DIGEST_TEXT_MAX];
};

static int session_take(struct session_ask *own,
	const struct store_session *row, int64_t now_ms)
{
	struct ask *ask = own->ask;
	struct caller kept = ask->caller;
	struct err err;

	if (now_ms >= row->expires_ms ||
		now_ms - row->used_ms >= own->rule.idle_ms)
		return refuse(&ask->refusal, REFUSAL_SESSION,
			"the session %.12s is over", own->hash);
	if (session_decode(
		    row->data, &ask->arena, ask->keys, &ask->caller, &err) < 0)
		return refuse(&ask->refusal, REFUSAL_SESSION, "%s", err.text);
	ask->caller.peer = kept.peer;
	ask->caller.expires_ms = row->expires_ms;
	snprintf(ask->caller.proof, sizeof(ask->caller.proof), "%.*s",
		PROOF_SHOW, own->hash);
	ask->is_ambient = true;
	ask->form_binding = own->hash;
	return 0;
}

static void session_found(const struct stored *stored, void *arg)
{
	struct session_ask *own = arg;
	struct ask *ask = own->ask;
	int64_t now_ms = loop_wall_ms(ask->common->loop);

	if (stored->found < 0) {
		ask_refuse_store(ask, &stored->err);
		return;
	}
	if (!stored->found)
		(void)refuse(&ask->refusal, REFUSAL_SESSION,
			"there is no session %.12s", own->hash);
	if (!stored->found || session_take(own, &stored->session, now_ms) < 0) {
		ask_refuse(ask);
		return;
	}
	if (now_ms - stored->session.used_ms >= SESSION_NOTE_MS)
		identity_store_session_used(
			ask->common->store, own->hash, now_ms);
	ask_accept(ask);
}

void ask_session_start(struct ask *ask, const struct session_rule *rule)
{
	struct session_ask *own = arena_alloc(&ask->arena, sizeof(*own));
	const char *value;
	size_t len;

	own->ask = ask;
	own->rule = *rule;
	if (session_cookie(ask->request, &value, &len) > 0 &&
		hash_of(value, len, own->hash) == 0) {
		identity_store_session(
			ask->common->store, own->hash, session_found, own);
		return;
	}
	(void)refuse(&ask->refusal, REFUSAL_MALFORMED,
		"the cookie " COOKIE_SESSION " is none that was set here");
	ask_refuse(ask);
}

/* ---- its beginning and end ---- */

static void set_cookie(
	struct server_request *request, const char *value, int64_t max_age_s)
{
	struct buf header;

	buf_init_secret(&header, 512);
	cookie_print(&header, COOKIE_SESSION, value, max_age_s);
	request_set_header(request, "Set-Cookie", header.data);
	buf_wipe(&header);
	buf_fini(&header);
}

static int end_old(struct identity_store *store, struct server_request *request,
	stored_fn fn, void *arg)
{
	char hash[DIGEST_TEXT_MAX];
	const char *value;
	size_t len;

	if (session_cookie(request, &value, &len) <= 0 ||
		hash_of(value, len, hash) < 0)
		return -1;
	identity_store_session_end(store, hash, fn, arg);
	return 0;
}

void session_start(struct identity_store *store, struct server_request *request,
	const struct caller *caller, const struct session_rule *rule,
	int64_t now_ms, stored_fn fn, void *arg)
{
	char hash[DIGEST_TEXT_MAX], *data = session_encode(caller);
	unsigned char id[ID_BYTES];
	struct store_session row = {.hash = hash,
		.data = data,
		.created_ms = now_ms,
		.used_ms = now_ms,
		.expires_ms = now_ms + rule->life_ms};
	struct buf value;

	random_bytes(id, sizeof(id));
	digest_text(id, sizeof(id), hash);
	buf_init_secret(&value, ID_CHARS);
	base64url_add(&value, id, sizeof(id));
	set_cookie(request, value.data, rule->life_ms / 1000);
	explicit_bzero(id, sizeof(id));
	buf_wipe(&value);
	buf_fini(&value);
	(void)end_old(store, request, NULL, NULL);
	identity_store_session_add(store, &row, fn, arg);
	free(data);
}

void session_end(struct identity_store *store, struct server_request *request,
	stored_fn fn, void *arg)
{
	struct stored nothing = {.found = 0};

	set_cookie(request, "", 0);
	if (end_old(store, request, fn, arg) < 0)
		fn(&nothing, arg);
}
