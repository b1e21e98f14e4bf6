/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Logins; see login.h. The flow in time order: login_begin, begin_discovered;
 * then the issuer asks the person; login_callback, callback_discovered,
 * code_exchanged, keys_came, state_was_used, login_told, session_kept.
 */
#include "identity/login.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "google/key_codec.h"
#include "identity/cookie.h"
#include "identity/invite.h"
#include "identity/login_exchange.h"
#include "identity/login_secret.h"
#include "io/http.h"
#include "io/loop.h"
#include "io/server.h"

#define CALLBACK_PATH "/callback"
#define CODE_MAX      2048
#define LOCATION_MAX  (8 * 1024)

struct login {
	struct login_setup setup;
	struct issuer **issuers;
	char *redirect_uri; /* NULL: there is no public URL */
	struct login_flow *flows; /* under way */
	struct invites invites;
	identity_page_fn page; /* NULL: a line of text */
	void *page_arg;
};

struct login_flow {
	struct login *login;
	struct ask *ask; /* NULL: it was told */
	struct server_request *request;
	struct issuer *issuer;
	struct login_secret secret;
	char *next_path; /* after the login */
	struct secret *id_token;
	struct jwt jwt;
	struct http_call *call; /* under way */
	struct login_flow *next, **link;
};

static void begin_discovered(const struct jwks *keys,
	const struct discovery *discovery, const struct err *err, void *arg);
static void callback_discovered(const struct jwks *keys,
	const struct discovery *discovery, const struct err *err, void *arg);
static void code_exchanged(const struct http_reply *reply, void *arg);
static void keys_came(const struct jwks *keys,
	const struct discovery *discovery, const struct err *err, void *arg);
static void state_was_used(const struct stored *stored, void *arg);
static void login_told(const struct identity_answer *answer, void *arg);
static void session_kept(const struct stored *stored, void *arg);

/* Without slashes at its end. */
static size_t len_of_base(const char *url)
{
	size_t len = strlen(url);

	while (len && url[len - 1] == '/')
		len--;
	return len;
}

/* A path as browsers know it: a proxy may have taken the public URL's own away
 * from the one that was asked for. */
static char *public_path(const struct login *login, const char *path)
{
	const char *url = login->setup.public_url;
	const char *host = url ? strstr(url, "://") : NULL;
	const char *base = host ? strchr(host + 3, '/') : NULL;
	size_t len = base ? len_of_base(base) : 0;

	if (strncmp(path, base ? base : "", len) == 0 && path[len] == '/')
		return xstrdup(path);
	return xasprintf("%.*s%s", (int)len, base ? base : "", path);
}

static struct login_flow *flow_new(
	struct login *login, struct server_request *request)
{
	struct login_flow *flow = xcalloc(1, sizeof(*flow));

	flow->login = login;
	flow->request = request;
	flow->ask = ask_new(login->setup.common, request, login_told, flow);
	flow->next = login->flows;
	flow->link = &login->flows;
	if (flow->next)
		flow->next->link = &flow->next;
	login->flows = flow;
	return flow;
}

static void flow_free(struct login_flow *flow)
{
	*flow->link = flow->next;
	if (flow->next)
		flow->next->link = flow->link;
	http_cancel(&flow->call);
	secret_free(&flow->id_token);
	xfree(&flow->next_path);
	OPENSSL_cleanse(&flow->secret, sizeof(flow->secret));
	free(flow);
}

static void flow_refuse(
	struct login_flow *flow, enum refusal_code code, const char *reason)
{
	(void)refuse(&flow->ask->refusal, code, "%s", reason);
	ask_refuse(flow->ask);
}

static int64_t now_s(const struct login_flow *flow)
{
	return loop_wall_ms(flow->login->setup.common->loop) / 1000;
}

static void set_login_cookie(
	struct server_request *request, const char *value, int64_t max_age_s)
{
	struct buf header;

	buf_init_secret(&header, COOKIE_VALUE_MAX + 256);
	cookie_print(&header, COOKIE_LOGIN, value, max_age_s);
	request_set_header(request, "Set-Cookie", header.data);
	buf_wipe(&header);
	buf_fini(&header);
}

static void redirect(struct server_request *request, const char *location)
{
	request_set_header(request, "Location", location);
	request_set_header(request, "Cache-Control", "no-store");
	request_answer(request, 303, NULL, NULL, 0);
}

/* ---- the way to the issuer ---- */

/* Of those that are configured; NULL: there is none of this number. */
static struct issuer *issuer_at(const struct login *login, int64_t n)
{
	return n >= 0 && (size_t)n < login->setup.n_issuers ? login->issuers[n]
							    : NULL;
}

static void begin_invited(struct login_flow *flow, const char *code)
{
	struct login *login = flow->login;
	char *person = invites_take(
		&login->invites, code, loop_now(login->setup.common->loop));
	struct ask *ask = flow->ask;

	if (!person) {
		flow_refuse(flow, REFUSAL_LOGIN_STATE,
			"the invitation was used, is over, or was none");
		return;
	}
	flow->next_path = public_path(flow->login, flow->secret.next);
	ask->caller.method = "invite";
	ask->caller.is_vetted = true;
	ask->caller.person = arena_strdup(&ask->arena, person);
	ask_key(ask, "os:%s", person);
	ask_accept(ask);
	free(person);
}

void login_begin(struct login *login, struct server_request *request)
{
	const char *next = request_query(request, "next");
	const char *number = request_query(request, "issuer");
	const char *invite = request_query(request, "invite");
	int n = number ? strlen(number) == 1 ? *number - '0' : -1 : 0;
	struct login_flow *flow = flow_new(login, request);
	const struct discovery *discovery;

	login_secret_make(
		&flow->secret, n, next, now_s(flow), &flow->ask->arena);
	if (invite) {
		begin_invited(flow, invite);
		return;
	}
	flow->issuer = issuer_at(login, n);
	if (!flow->issuer || !login->redirect_uri) {
		flow_refuse(flow, REFUSAL_UNSUPPORTED,
			"there is no login of this kind");
		return;
	}
	discovery = key_set_discovery(flow->issuer->keys);
	if (discovery)
		begin_discovered(NULL, discovery, NULL, flow);
	else
		key_set_wait(flow->issuer->keys, NULL, begin_discovered, flow);
}

static void refuse_undiscovered(struct login_flow *flow, const struct err *err)
{
	flow_refuse(flow, REFUSAL_ISSUER_FAILED,
		err ? err->text : "the issuer says nothing of logins");
}

static void begin_discovered(const struct jwks *keys,
	const struct discovery *discovery, const struct err *err, void *arg)
{
	struct login_flow *flow = arg;
	struct buf location, cookie;

	if (!discovery || !discovery->authorization_url ||
		!discovery->token_url) {
		refuse_undiscovered(flow, err);
		return;
	}
	buf_init(&location, LOCATION_MAX);
	buf_init_secret(&cookie, COOKIE_VALUE_MAX);
	login_location_print(&location, discovery->authorization_url,
		flow->issuer->config->client_id, flow->login->redirect_uri,
		&flow->secret);
	login_secret_print(&flow->secret, &cookie);
	set_login_cookie(flow->request, cookie.data, LOGIN_LIFE_S);
	redirect(flow->request, location.data);
	buf_wipe(&cookie);
	buf_fini(&cookie);
	buf_fini(&location);
	ask_drop(flow->ask);
	flow_free(flow);
}

/* ---- the way back ---- */

static bool is_same(const char *a, const char *b)
{
	size_t len = strlen(b);

	return a && strlen(a) == len && CRYPTO_memcmp(a, b, len) == 0;
}

/* The cookie of the browser that comes is that of the browser that went. */
static int take_cookie(struct login_flow *flow)
{
	const char *header = request_header(flow->request, "Cookie"), *value;
	struct refusal *why = &flow->ask->refusal;
	size_t len;

	if (!header || cookie_find(header, COOKIE_LOGIN, &value, &len) <= 0 ||
		login_secret_parse(value, len, now_s(flow), &flow->ask->arena,
			&flow->secret) < 0)
		return refuse(why, REFUSAL_LOGIN_STATE,
			"this browser has not begun a login, or too long ago");
	if (!is_same(request_query(flow->request, "state"), flow->secret.state))
		return refuse(why, REFUSAL_LOGIN_STATE,
			"the state is not that of the login this browser "
			"began");
	flow->issuer = issuer_at(flow->login, flow->secret.issuer);
	if (!flow->issuer)
		return refuse(why, REFUSAL_LOGIN_STATE,
			"the login was begun with another configuration");
	return 0;
}

static int check_answer(struct login_flow *flow)
{
	struct server_request *request = flow->request;
	const char *error = request_query(request, "error");
	const char *iss = request_query(request, "iss");
	const char *code = request_query(request, "code");
	struct refusal *why = &flow->ask->refusal;

	if (iss && strcmp(iss, flow->issuer->config->issuer) != 0)
		return refuse(why, REFUSAL_ISSUER,
			"the answer is of %.120s, not of %.120s", iss,
			flow->issuer->config->issuer);
	if (error)
		return refuse(
			why, REFUSAL_LOGIN, "the issuer says %.120s", error);
	if (!code || !*code || strlen(code) > CODE_MAX)
		return refuse(why, REFUSAL_LOGIN, "there is no code");
	return 0;
}

void login_callback(struct login *login, struct server_request *request)
{
	struct login_flow *flow = flow_new(login, request);
	const struct discovery *discovery;

	if (take_cookie(flow) < 0 || check_answer(flow) < 0) {
		ask_refuse(flow->ask);
		return;
	}
	flow->next_path = public_path(flow->login, flow->secret.next);
	discovery = key_set_discovery(flow->issuer->keys);
	if (discovery)
		callback_discovered(NULL, discovery, NULL, flow);
	else
		key_set_wait(
			flow->issuer->keys, NULL, callback_discovered, flow);
}

static void callback_discovered(const struct jwks *keys,
	const struct discovery *discovery, const struct err *err, void *arg)
{
	struct login_flow *flow = arg;

	if (!discovery || !discovery->token_url) {
		refuse_undiscovered(flow, err);
		return;
	}
	flow->call = login_exchange_start(flow->login->setup.http, discovery,
		&(struct login_exchange){
			.client_id = flow->issuer->config->client_id,
			.client_secret = flow->issuer->config->client_secret,
			.redirect_uri = flow->login->redirect_uri,
			.code = request_query(flow->request, "code"),
			.verifier = flow->secret.verifier,
		},
		code_exchanged, flow);
}

static int take_id_token(struct login_flow *flow,
	const struct http_reply *reply, struct err *err_r)
{
	if (!reply->status) {
		*err_r = *reply->err;
		return err_wrap(err_r, "the issuer's token endpoint");
	}
	if (reply->status != 200) {
		oauth_error_decode(
			reply->status, reply->body, reply->body_len, err_r);
		return -1;
	}
	return id_token_decode(reply->body, reply->body_len, "id_token",
		&flow->id_token, err_r);
}

static void code_exchanged(const struct http_reply *reply, void *arg)
{
	struct login_flow *flow = arg;
	struct ask *ask = flow->ask;
	const struct jwks *keys;
	struct err err;

	flow->call = NULL;
	if (take_id_token(flow, reply, &err) < 0) {
		flow_refuse(flow,
			err_is_retryable(err.code) ? REFUSAL_ISSUER_FAILED
						   : REFUSAL_LOGIN,
			err.text);
		return;
	}
	if (jwt_decode(secret_reveal(flow->id_token),
		    secret_len(flow->id_token), &ask->arena, &flow->jwt,
		    &ask->refusal) < 0 ||
		jwt_check(&flow->jwt, &flow->issuer->rule, now_s(flow),
			&ask->refusal) < 0) {
		ask_refuse(ask);
		return;
	}
	keys = key_set_ready(flow->issuer->keys, flow->jwt.kid);
	if (keys)
		keys_came(keys, NULL, NULL, flow);
	else
		key_set_wait(
			flow->issuer->keys, flow->jwt.kid, keys_came, flow);
}

static void keys_came(const struct jwks *keys,
	const struct discovery *discovery, const struct err *err, void *arg)
{
	struct login_flow *flow = arg;
	struct ask *ask = flow->ask;
	const struct jwt_claims *claims = &flow->jwt.claims;
	int64_t wall_ms = now_s(flow) * 1000;
	char *what;
	int rc;

	if (!keys) {
		refuse_undiscovered(flow, err);
		return;
	}
	rc = jwt_check_signature(
		&flow->jwt, &flow->issuer->rule, keys, &ask->refusal);
	if (rc == 0 && !is_same(claims->nonce, flow->secret.nonce))
		rc = refuse(&ask->refusal, REFUSAL_NONCE,
			"the ID token is not of this login");
	if (rc == 0)
		rc = issuer_accept(flow->issuer, ask, claims);
	if (rc < 0) {
		ask_refuse(ask);
		return;
	}
	what = xasprintf("login:%s", flow->secret.state);
	identity_store_seen(ask->common->store, what, wall_ms,
		flow->secret.expires_s * 1000, state_was_used, flow);
	free(what);
}

static void state_was_used(const struct stored *stored, void *arg)
{
	struct login_flow *flow = arg;

	if (stored->found < 0)
		ask_refuse_store(flow->ask, &stored->err);
	else if (!stored->found)
		flow_refuse(flow, REFUSAL_REPLAY, "this login was used before");
	else
		ask_accept(flow->ask);
}

/* ---- the end of a login ---- */

void login_show_refusal(struct login *login, struct server_request *request,
	const struct refusal *refusal)
{
	static const char text[] = "You could not be logged in.\n";

	request_set_header(request, "Cache-Control", "no-store");
	if (login->page)
		login->page(request, refusal, login->page_arg);
	else
		request_answer(request, refusal_status(refusal->code),
			"text/plain; charset=utf-8", text, strlen(text));
}

static void login_told(const struct identity_answer *answer, void *arg)
{
	struct login_flow *flow = arg;
	const struct ask_common *common = flow->login->setup.common;

	flow->ask = NULL;
	if (answer->caller) {
		session_start(common->store, flow->request, answer->caller,
			&flow->login->setup.rule, loop_wall_ms(common->loop),
			session_kept, flow);
		return;
	}
	login_show_refusal(flow->login, flow->request, answer->refusal);
	flow_free(flow);
}

static void session_kept(const struct stored *stored, void *arg)
{
	struct login_flow *flow = arg;
	struct refusal why;

	if (stored->found < 0) {
		(void)refuse(&why, REFUSAL_STORE, "%s", stored->err.text);
		login_show_refusal(flow->login, flow->request, &why);
	} else {
		set_login_cookie(flow->request, "", 0);
		redirect(flow->request, flow->next_path);
	}
	flow_free(flow);
}

/* ---- logging out ---- */

static void session_ended(const struct stored *stored, void *arg)
{
	struct login_flow *flow = arg;
	struct refusal why;

	if (stored->found < 0) {
		(void)refuse(&why, REFUSAL_STORE, "%s", stored->err.text);
		login_show_refusal(flow->login, flow->request, &why);
	} else {
		redirect(flow->request, flow->next_path);
	}
	flow_free(flow);
}

void login_end(struct login *login, struct server_request *request)
{
	struct login_flow *flow = flow_new(login, request);

	ask_drop(flow->ask);
	flow->ask = NULL;
	/* The front page would lead to the issuer, and back in at once. */
	flow->next_path = public_path(login, "/signed-out");
	session_end(login->setup.common->store, request, session_ended, flow);
}

struct secret *login_invite(
	struct login *login, const char *person, int64_t life_ms)
{
	return invites_add(&login->invites, person,
		loop_now(login->setup.common->loop) + life_ms);
}

/* ---- its life ---- */

struct login *login_new(const struct login_setup *setup)
{
	struct login *login = xcalloc(1, sizeof(*login));

	login->setup = *setup;
	login->issuers = xcalloc(setup->n_issuers + 1, sizeof(*login->issuers));
	memcpy(login->issuers, setup->issuers,
		setup->n_issuers * sizeof(*login->issuers));
	login->setup.issuers = login->issuers;
	if (setup->public_url)
		login->redirect_uri = xasprintf("%.*s" CALLBACK_PATH,
			(int)len_of_base(setup->public_url), setup->public_url);
	return login;
}

void login_set_page(struct login *login, identity_page_fn page, void *arg)
{
	login->page = page;
	login->page_arg = arg;
}

void login_stop(struct login *login)
{
	struct login_flow *flow;

	for (flow = login->flows; flow; flow = flow->next) {
		if (flow->call) {
			http_cancel(&flow->call);
			flow_refuse(flow, REFUSAL_BUSY, "the daemon stops");
		}
	}
}

void login_free(struct login **login_p)
{
	struct login *login = *login_p;

	*login_p = NULL;
	if (!login)
		return;
	invites_clear(&login->invites);
	xfree(&login->redirect_uri);
	free(login->issuers);
	free(login);
}
