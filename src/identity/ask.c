/* SPDX-License-Identifier: Apache-2.0 */
/* A question's beginning and end; see ask.h. */
#include "identity/ask.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/form.h"
#include "base/log.h"
#include "base/printable.h"
#include "base/xalloc.h"
#include "identity/form_token.h"
#include "identity/request_origin.h"
#include "io/loop.h"
#include "io/server.h"

#define ADDRESS_MAX 64

/* Behind a proxy the last address of this header is what the proxy saw. */
static const char *forwarded_for(const struct ask *ask)
{
	const char *list = request_header(ask->request, "X-Forwarded-For");
	const char *comma = list ? strrchr(list, ',') : NULL;

	if (!ask->common->behind_proxy || !list)
		return NULL;
	list = comma ? comma + 1 : list;
	return list + strspn(list, " ");
}

/* Digits and punctuation of an address: it stands in logs, and counts. */
static bool is_address(const char *text)
{
	size_t len = strlen(text);

	return len > 0 && len < ADDRESS_MAX &&
	       strspn(text, "0123456789abcdefABCDEF.:[]") == len;
}

static const char *peer_of(struct ask *ask)
{
	const char *forwarded = forwarded_for(ask);

	return arena_strdup(
		&ask->arena, forwarded && is_address(forwarded)
				     ? forwarded
				     : request_peer(ask->request)->address);
}

struct ask *ask_new(struct ask_common *common, struct server_request *request,
	identity_fn fn, void *arg)
{
	struct ask *ask = xcalloc(1, sizeof(*ask));

	ask->common = common;
	ask->request = request;
	ask->fn = fn;
	ask->arg = arg;
	arena_init(&ask->arena);
	ask->caller = (struct caller){.keys = ask->keys,
		.issuer = "",
		.rights = RIGHTS_ALL,
		.peer = peer_of(ask)};
	ask->next = common->asks;
	ask->link = &common->asks;
	if (ask->next)
		ask->next->link = &ask->next;
	common->asks = ask;
	return ask;
}

void ask_key(struct ask *ask, const char *fmt, ...)
{
	char key[CALLER_KEY_MAX], shown[4 * CALLER_KEY_MAX];
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(key, sizeof(key), fmt, args);
	va_end(args);
	if (len < 0 || (size_t)len >= sizeof(key) ||
		ask->caller.n_keys == CALLER_KEYS_MAX)
		return;
	printable_copy(shown, sizeof(shown), key);
	if (strcmp(shown, key) == 0)
		ask->keys[ask->caller.n_keys++] =
			arena_strdup(&ask->arena, key);
}

/* ---- the end ---- */

static void ask_free(struct ask *ask)
{
	*ask->link = ask->next;
	if (ask->next)
		ask->next->link = ask->link;
	arena_fini(&ask->arena);
	free(ask);
}

static void ask_tell(void *arg)
{
	struct ask *ask = arg;
	bool refused = ask->refusal.code != REFUSAL_NONE;
	struct identity_answer answer = {
		.caller = refused ? NULL : &ask->caller,
		.refusal = refused ? &ask->refusal : NULL,
		.action = ask->action,
	};

	ask->fn(&answer, ask->arg);
	ask_free(ask);
}

static void ask_finish(struct ask *ask)
{
	ask->was_told = true;
	loop_defer(ask->common->loop, ask_tell, ask);
}

/* Those whose proof was wrong; whoever brought none has not tried. */
static bool was_a_try(const struct refusal *refusal)
{
	return refusal_status(refusal->code) == 401 &&
	       refusal->code != REFUSAL_NO_PROOF &&
	       refusal->code != REFUSAL_SESSION;
}

static void refuse_for_now(struct ask *ask, const char *what, int64_t wait_ms)
{
	(void)refuse(&ask->refusal, REFUSAL_RATE,
		"%s has brought too many wrong proofs", what);
	ask->refusal.retry_after_ms = wait_ms;
}

/* Which token of ours is tried from where; "": it has no name. */
static const char *trial_of(struct ask *ask)
{
	return *ask->caller.proof ? arena_printf(&ask->arena, "%s %s",
					    ask->caller.peer, ask->caller.proof)
				  : "";
}

static void count_try(struct ask *ask)
{
	struct attempts *failures = ask->common->failures;
	int64_t now_ms = loop_now(ask->common->loop), wait_ms;
	const char *trial = trial_of(ask);

	if (*trial)
		(void)attempts_take(failures, trial, now_ms);
	wait_ms = attempts_take(failures, ask->caller.peer, now_ms);
	if (wait_ms)
		refuse_for_now(ask, ask->caller.peer, wait_ms);
}

/* What anybody can send as often as they like does not fill the log. */
static bool is_quiet(const struct ask *ask)
{
	return ask->refusal.code == REFUSAL_NO_PROOF ||
	       (ask->refusal.code == REFUSAL_RATE && !ask->caller.n_keys);
}

void ask_refuse(struct ask *ask)
{
	const struct refusal *why = &ask->refusal;
	const char *peer = ask->caller.peer;
	const char *key = ask->caller.n_keys ? ask->keys[0] : NULL;

	if (was_a_try(why))
		count_try(ask);
	log_line(is_quiet(ask) ? LOG_DEBUG : LOG_WARN,
		"event=identity-refused code=%s status=%d peer=\"%s\" "
		"key=\"%s\" reason=\"%s\"",
		refusal_name(why->code), refusal_status(why->code), peer,
		key && !strchr(key, '"') ? key : "", why->reason);
	ask_finish(ask);
}

void ask_refuse_store(struct ask *ask, const struct err *err)
{
	(void)refuse(&ask->refusal,
		err->code == ERR_BUSY ? REFUSAL_BUSY : REFUSAL_STORE, "%s",
		err->text);
	ask_refuse(ask);
}

void ask_drop(struct ask *ask)
{
	ask_free(ask);
}

bool ask_may_try(struct ask *ask)
{
	const char *trial = trial_of(ask);
	int64_t wait_ms = attempts_wait_ms(
		ask->common->failures, trial, loop_now(ask->common->loop));

	if (!wait_ms)
		return true;
	refuse_for_now(ask, trial, wait_ms);
	ask_refuse(ask);
	return false;
}

/* ---- what every caller has to pass ---- */

static int check_form(struct ask *ask)
{
	size_t len;
	const char *body = request_body(ask->request, &len), *token;
	struct form form;
	struct err err;

	if (form_parse(body, len, &ask->arena, &form, &err) < 0)
		return refuse(
			&ask->refusal, REFUSAL_FORM, "the form: %s", err.text);
	token = form_get(&form, "form_token");
	if (token && strlen(token) == strlen(ask->caller.form_token) &&
		CRYPTO_memcmp(token, ask->caller.form_token, strlen(token)) ==
			0)
		return 0;
	return refuse(&ask->refusal, REFUSAL_FORM, "the form's token is %s",
		token ? "another one" : "missing");
}

/* Without a public URL a browser on this machine asks by any of its names,
 * which the server has compared with those that are this machine's. */
static const char *own_origin_of(struct ask *ask)
{
	const char *host = request_header(ask->request, "Host");

	if (ask->common->own_origin)
		return ask->common->own_origin;
	if (request_peer(ask->request)->kind != PEER_LOOPBACK || !host)
		return NULL;
	return arena_printf(&ask->arena, "http://%s", host);
}

static int check_browser(struct ask *ask)
{
	struct server_request *r = ask->request;
	struct request_origin origin = {
		.method = request_method(r),
		.fetch_site = request_header(r, "Sec-Fetch-Site"),
		.origin = request_header(r, "Origin"),
		.content_type = request_header(r, "Content-Type"),
		.own_origin = own_origin_of(ask),
		.is_machine = ask->caller.is_machine,
	};
	bool wants_form_token;

	form_token_make(identity_store_key(ask->common->store),
		ask->form_binding ? ask->form_binding : ask->keys[0],
		ask->caller.form_token);
	if (request_origin_check(&origin, &wants_form_token, &ask->refusal) < 0)
		return -1;
	return wants_form_token ? check_form(ask) : 0;
}

static int check_rate(struct ask *ask)
{
	int64_t wait_ms = attempts_take(ask->common->successes, ask->keys[0],
		loop_now(ask->common->loop));

	if (!wait_ms)
		return 0;
	(void)refuse(
		&ask->refusal, REFUSAL_RATE, "%s asks too often", ask->keys[0]);
	ask->refusal.retry_after_ms = wait_ms;
	return -1;
}

void ask_accept(struct ask *ask)
{
	if (!ask->caller.n_keys) {
		(void)refuse(&ask->refusal, REFUSAL_CLAIM,
			"whom it speaks of is no printable text");
		ask_refuse(ask);
		return;
	}
	if (ask->caller.is_machine)
		ask->caller.rights &= ~RIGHT_BIT(RIGHT_APPROVE);
	if (check_rate(ask) < 0 || (ask->is_ambient && check_browser(ask) < 0))
		ask_refuse(ask);
	else
		ask_finish(ask);
}

void ask_end_all(struct ask_common *common)
{
	struct ask *ask;

	while ((ask = common->asks)) {
		if (ask->was_told)
			loop_defer_cancel(common->loop, ask_tell, ask);
		(void)refuse(&ask->refusal, REFUSAL_BUSY, "the daemon stops");
		ask_tell(ask);
	}
}
