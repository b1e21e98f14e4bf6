/* SPDX-License-Identifier: Apache-2.0 */
/* Which proof counts; see identity.h. The kinds of proof are below, each in an
 * ask_*.c of its own. */
#include "identity/identity.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api/request.h"
#include "base/xalloc.h"
#include "identity/api_token.h"
#include "identity/ask_jwt.h"
#include "identity/ask_slack.h"
#include "identity/ask_token.h"
#include "identity/login.h"
#include "identity/session.h"
#include "io/random.h"
#include "io/server.h"

/* Wrong proofs of one address, and of a token there; requests with one key. */
static const struct attempts_rule failures_rule = {20, 3000};
static const struct attempts_rule successes_rule = {2000, 2};

struct identity {
	struct api api;
	const struct identity_config *config;
	struct ask_common common;
	char *own_origin;
	struct issuer *issuers; /* of signed tokens */
	size_t n_issuers;
	struct login *login;
	struct session_rule session_rule;
};

static bool takes(const struct identity *identity, enum issuer_kind kind)
{
	const struct identity_config *config = identity->config;

	for (size_t i = 0; i < config->n_issuers; i++) {
		if (config->issuers[i].kind == kind)
			return true;
	}
	return false;
}

/* ---- which proof ---- */

static const char *bearer_of(const struct server_request *request)
{
	const char *value = request_header(request, "Authorization");

	if (!value || strncasecmp(value, "Bearer ", 7) != 0)
		return NULL;
	value += 7;
	return value + strspn(value, " ");
}

/* NULL: it brings none. */
static const char *token_of(const struct server_request *request)
{
	const char *bearer = bearer_of(request);
	const char *own = request_header(request, "X-Tidegate-Token");

	return own ? own : bearer && api_token_claims(bearer) ? bearer : NULL;
}

static void refuse_unsupported(struct ask *ask, const char *what)
{
	(void)refuse(&ask->refusal, REFUSAL_UNSUPPORTED,
		"%s is no identity that is configured", what);
	ask_refuse(ask);
}

static void ask_signed(struct identity *identity, struct ask *ask,
	unsigned kinds, const char *text)
{
	ask_jwt_start(ask, identity->issuers, identity->n_issuers, kinds, text);
}

#define KIND_BIT(kind) (1U << (kind))
#define BEARER_KINDS   (KIND_BIT(ISSUER_GOOGLE) | KIND_BIT(ISSUER_GITHUB))

static void ask_start(struct identity *identity, struct ask *ask)
{
	const struct server_request *request = ask->request;
	const char *token = token_of(request), *bearer = bearer_of(request);
	const char *assertion =
		request_header(request, "X-Goog-IAP-JWT-Assertion");
	const char *value;
	size_t len;

	if (token && takes(identity, ISSUER_TOKEN))
		ask_token_start(ask, token);
	else if (token)
		refuse_unsupported(ask, "a token of ours");
	else if (assertion && takes(identity, ISSUER_IAP))
		ask_signed(identity, ask, KIND_BIT(ISSUER_IAP), assertion);
	else if (bearer && (takes(identity, ISSUER_GOOGLE) ||
				   takes(identity, ISSUER_GITHUB)))
		ask_signed(identity, ask, BEARER_KINDS, bearer);
	else if (request_header(request, "Authorization"))
		refuse_unsupported(ask, "this kind of Authorization");
	else if (session_cookie(request, &value, &len))
		ask_session_start(ask, &identity->session_rule);
	else if (identity->config->unix_peers &&
		 request_peer(request)->kind == PEER_UNIX)
		ask_unix_start(ask);
	else {
		(void)refuse(&ask->refusal, REFUSAL_NO_PROOF,
			"the request says nothing of who sends it");
		ask_refuse(ask);
	}
}

void identity_ask(struct identity *identity, struct server_request *request,
	identity_fn fn, void *arg)
{
	struct ask *ask = ask_new(&identity->common, request, fn, arg);

	ask_start(identity, ask);
}

void identity_ask_slack(struct identity *identity,
	struct server_request *request, identity_fn fn, void *arg)
{
	struct ask *ask = ask_new(&identity->common, request, fn, arg);

	ask_slack_start(
		ask, identity->config->issuers, identity->config->n_issuers);
}

/* ---- logins ---- */

void identity_login(struct identity *identity, struct server_request *request)
{
	login_begin(identity->login, request);
}

void identity_callback(
	struct identity *identity, struct server_request *request)
{
	login_callback(identity->login, request);
}

/* Lives from identity_logout to logout_told. */
struct logout {
	struct identity *identity;
	struct server_request *request;
};

/* Who is logged out already is where they wanted to be. */
static void logout_told(const struct identity_answer *answer, void *arg)
{
	struct logout *logout = arg;
	const struct refusal *why = answer->refusal;

	if (!why || why->code == REFUSAL_SESSION ||
		why->code == REFUSAL_NO_PROOF)
		login_end(logout->identity->login, logout->request);
	else
		login_show_refusal(
			logout->identity->login, logout->request, why);
	free(logout);
}

void identity_logout(struct identity *identity, struct server_request *request)
{
	struct logout *logout = xcalloc(1, sizeof(*logout));

	logout->identity = identity;
	logout->request = request;
	identity_ask(identity, request, logout_told, logout);
}

void identity_set_page(
	struct identity *identity, identity_page_fn page, void *arg)
{
	login_set_page(identity->login, page, arg);
}

size_t identity_logins(const struct identity *identity,
	const char *issuers_r[IDENTITY_LOGINS_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < identity->n_issuers; i++) {
		if (identity->issuers[i].config->kind == ISSUER_OIDC &&
			n < IDENTITY_LOGINS_MAX)
			issuers_r[n++] = identity->issuers[i].rule.issuers[0];
	}
	return n;
}

struct secret *identity_invite(
	struct identity *identity, const char *user, int64_t life_ms)
{
	return login_invite(identity->login, user, life_ms);
}

/* ---- its life ---- */

static uint64_t random_seed(void)
{
	uint64_t seed;

	random_bytes(&seed, sizeof(seed));
	return seed;
}

/* Browsers keep our cookies for https and for this machine only. */
static int check_public_url(const char *url, struct err *err_r)
{
	if (!url || http_url_check(url, false, err_r) == 0)
		return 0;
	return err_wrap(err_r, "public_url");
}

/* As browsers write it in Origin: "https://host", in small letters, with a port
 * that is not the usual one. */
static char *origin_of(const char *url)
{
	const char *host = url ? strstr(url, "://") : NULL, *usual;
	char *origin, *port;

	if (!host)
		return NULL;
	host += 3;
	origin = xmemdup0(url, (size_t)(host - url) + strcspn(host, "/?#"));
	for (char *p = origin; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	usual = strncmp(origin, "https", 5) == 0 ? ":443" : ":80";
	port = strrchr(origin, ':');
	if (strcmp(port, usual) == 0)
		*port = '\0';
	return origin;
}

static void add_issuers(struct identity *identity)
{
	const struct identity_config *config = identity->config;

	identity->issuers =
		xcalloc(config->n_issuers + 1, sizeof(*identity->issuers));
	for (size_t i = 0; i < config->n_issuers; i++) {
		if (issuer_signs(config->issuers[i].kind))
			issuer_init(&identity->issuers[identity->n_issuers++],
				&identity->api, &config->issuers[i]);
	}
}

static void add_login(struct identity *identity)
{
	const struct identity_config *config = identity->config;
	struct issuer *logins[IDENTITY_LOGINS_MAX];
	struct login_setup setup = {
		.common = &identity->common,
		.http = identity->api.http,
		.issuers = logins,
		.public_url = config->public_url,
	};

	identity->session_rule = (struct session_rule){
		config->session_idle_ms ? config->session_idle_ms
					: SESSION_IDLE_MS,
		config->session_life_ms ? config->session_life_ms
					: SESSION_LIFE_MS,
	};
	setup.rule = identity->session_rule;
	for (size_t i = 0; i < identity->n_issuers; i++) {
		if (identity->issuers[i].config->kind == ISSUER_OIDC &&
			setup.n_issuers < IDENTITY_LOGINS_MAX)
			logins[setup.n_issuers++] = &identity->issuers[i];
	}
	identity->login = login_new(&setup);
}

struct identity *identity_new(const struct api *api,
	const struct identity_config *config, struct err *err_r)
{
	struct identity_store *store = NULL;
	struct identity *identity;

	if (check_public_url(config->public_url, err_r) == 0)
		store = identity_store_new(api->loop, config->state, err_r);
	if (!store)
		return NULL;
	identity = xcalloc(1, sizeof(*identity));
	identity->api = *api;
	identity->config = config;
	identity->own_origin = origin_of(config->public_url);
	identity->common = (struct ask_common){
		.loop = api->loop,
		.store = store,
		.own_origin = identity->own_origin,
		.behind_proxy = config->behind_proxy,
		.failures = attempts_new(failures_rule, random_seed()),
		.successes = attempts_new(successes_rule, random_seed()),
	};
	add_issuers(identity);
	add_login(identity);
	return identity;
}

void identity_free(struct identity **identity_p)
{
	struct identity *identity = *identity_p;

	*identity_p = NULL;
	if (!identity)
		return;
	login_stop(identity->login);
	for (size_t i = 0; i < identity->n_issuers; i++)
		issuer_fini(&identity->issuers[i]);
	free(identity->issuers);
	identity_store_free(&identity->common.store);
	ask_end_all(&identity->common);
	login_free(&identity->login);
	attempts_free(&identity->common.failures);
	attempts_free(&identity->common.successes);
	xfree(&identity->own_origin);
	free(identity);
}
