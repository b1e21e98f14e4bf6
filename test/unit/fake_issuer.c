/* SPDX-License-Identifier: Apache-2.0 */
/* The issuer; see fake_issuer.h. */
#include "fake_issuer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/xalloc.h"
#include "fake_google.h"
#include "io/clock.h"
#include "io/digest.h"
#include "io/http.h"
#include "io/server.h"
#include "jwt_fixture.h"

/* base64("client%3A1%2F2:s3cr3t%2Bof%20us"), RFC 6749 section 2.3.1 */
#define BASIC "Basic Y2xpZW50JTNBMSUyRjI6czNjcjN0JTJCb2YlMjB1cw=="

char *fake_issuer_token(
	const struct fake_issuer *issuer, int64_t life_s, const char *claims)
{
	long long now_s = (long long)(clock_wall_ms() / 1000);
	char *header = xasprintf("{\"alg\":\"RS256\",\"typ\":\"JWT\","
				 "\"kid\":\"%s\"}",
		issuer->rsa_kid);
	char *payload = xasprintf("{\"iss\":\"%s\",\"iat\":%lld,\"exp\":%lld%s"
				  "%s}",
		issuer->url, now_s, now_s + (long long)life_s,
		*claims ? "," : "", claims);
	char *token = jwt_sign(issuer->rsa, header, payload);

	free(header);
	free(payload);
	return token;
}

/* ---- discovery and keys ---- */

static void give_discovery(
	struct fake_issuer *issuer, struct server_request *request)
{
	char *body =
		xasprintf("{\"issuer\":\"%s\",\"jwks_uri\":\"%s/keys\","
			  "\"authorization_endpoint\":\"%s/authorize?x=1\","
			  "\"token_endpoint\":\"%s/token\","
			  "\"token_endpoint_auth_methods_supported\":[%s]}",
			issuer->says ? issuer->says : issuer->url, issuer->url,
			issuer->url, issuer->url,
			issuer->posts_secret ? "\"client_secret_post\"" : "");

	issuer->discovery_asked++;
	fake_answer(request, 200, body);
	free(body);
}

static void give_keys(
	struct fake_issuer *issuer, struct server_request *request)
{
	char *a = jwt_jwk(issuer->rsa, issuer->rsa_kid, "\"use\":\"sig\"");
	char *b = jwt_jwk(issuer->ec, issuer->ec_kid, "\"crv\":\"P-256\"");
	char *body = xasprintf("{\"keys\":[%s,%s]}", a, b);

	if (issuer->cache_control)
		request_set_header(
			request, "Cache-Control", issuer->cache_control);
	fake_answer(request, issuer->keys_status ? issuer->keys_status : 200,
		issuer->keys_status ? "{}" : body);
	free(a);
	free(b);
	free(body);
}

static void ask_keys(struct fake_issuer *issuer, struct server_request *request)
{
	issuer->keys_asked++;
	if (!issuer->holds_keys) {
		give_keys(issuer, request);
		return;
	}
	assert_in_range(issuer->n_held, 0, 7);
	issuer->held[issuer->n_held++] = request;
}

void fake_issuer_release(struct fake_issuer *issuer)
{
	for (int i = 0; i < issuer->n_held; i++)
		give_keys(issuer, issuer->held[i]);
	issuer->n_held = 0;
	issuer->holds_keys = false;
}

/* ---- the login ---- */

static bool query_is(
	struct server_request *request, const char *name, const char *wanted)
{
	const char *value = request_query(request, name);

	return value && strcmp(value, wanted) == 0;
}

static void authorize(
	struct fake_issuer *issuer, struct server_request *request)
{
	const char *state = request_query(request, "state");
	const char *nonce = request_query(request, "nonce");
	const char *challenge = request_query(request, "code_challenge");
	char *escaped, *location;

	if (!query_is(request, "response_type", "code") ||
		!query_is(request, "client_id", FAKE_RP_ID) ||
		!query_is(request, "scope", "openid email") ||
		!query_is(request, "redirect_uri", issuer->redirect_uri) ||
		!query_is(request, "code_challenge_method", "S256") ||
		!query_is(request, "x", "1") || !state || strlen(state) != 43 ||
		!nonce || strlen(nonce) != 43 || !challenge ||
		strlen(challenge) != 43) {
		fake_answer(request, 400, "{}");
		return;
	}
	xfree(&issuer->given_nonce);
	xfree(&issuer->challenge);
	xfree(&issuer->code);
	issuer->given_nonce = xstrdup(nonce);
	issuer->challenge = xstrdup(challenge);
	issuer->code = xstrdup("c0de/with+signs");
	escaped = http_escape(issuer->code);
	location = xasprintf("/callback?code=%s&state=%s&iss=%s", escaped,
		state, issuer->url);
	request_set_header(request, "Location", location);
	fake_answer(request, 302, "{}");
	free(escaped);
	free(location);
}

static bool field_is(const char *form, const char *name, const char *wanted)
{
	char *value = fake_form_field(form, name);
	bool is = value ? wanted && strcmp(value, wanted) == 0 : !wanted;

	free(value);
	return is;
}

static bool client_is_known(const struct fake_issuer *issuer,
	struct server_request *request, const char *form)
{
	const char *auth = request_header(request, "Authorization");

	if (issuer->posts_secret)
		return !auth && field_is(form, "client_id", FAKE_RP_ID) &&
		       field_is(form, "client_secret", FAKE_RP_SECRET);
	return auth && strcmp(auth, BASIC) == 0 &&
	       field_is(form, "client_secret", NULL);
}

static bool verifier_is_right(
	const struct fake_issuer *issuer, const char *form)
{
	char *verifier = fake_form_field(form, "code_verifier"), *challenge;
	unsigned char digest[DIGEST_BYTES];
	bool is;

	if (!verifier)
		return false;
	digest_bytes(verifier, strlen(verifier), digest);
	challenge = jwt_base64url(digest, sizeof(digest));
	is = strlen(verifier) == 43 && issuer->challenge &&
	     strcmp(challenge, issuer->challenge) == 0;
	free(challenge);
	free(verifier);
	return is;
}

static void give_tokens(
	struct fake_issuer *issuer, struct server_request *request)
{
	size_t len;
	const char *form = request_body(request, &len);
	const char *type = request_header(request, "Content-Type");
	char *claims, *token, *body;

	issuer->tokens_asked++;
	if (strcmp(request_method(request), "POST") != 0 || !type ||
		strcmp(type, "application/x-www-form-urlencoded") != 0 ||
		!client_is_known(issuer, request, form)) {
		fake_refuse(request, "invalid_client", "who are you");
		return;
	}
	if (!field_is(form, "grant_type", "authorization_code") ||
		!issuer->code || !field_is(form, "code", issuer->code) ||
		!field_is(form, "redirect_uri", issuer->redirect_uri) ||
		!verifier_is_right(issuer, form)) {
		fake_refuse(request, "invalid_grant", "Bad code");
		return;
	}
	xfree(&issuer->code); /* it is good once */
	claims = xasprintf("\"aud\":\"" FAKE_RP_ID "\",\"nonce\":\"%s\",%s",
		issuer->nonce ? issuer->nonce : issuer->given_nonce,
		issuer->claims);
	token = fake_issuer_token(issuer, 3600, claims);
	body = xasprintf("{\"id_token\":\"%s\",\"access_token\":\"a\","
			 "\"token_type\":\"Bearer\",\"expires_in\":3600}",
		token);
	fake_answer(request, 200, body);
	free(body);
	free(token);
	free(claims);
}

/* ---- its life ---- */

static void on_request(struct server_request *request, void *arg)
{
	struct fake_issuer *issuer = arg;
	const char *path = request_path(request);

	if (strcmp(path, "/.well-known/openid-configuration") == 0)
		give_discovery(issuer, request);
	else if (strcmp(path, "/keys") == 0)
		ask_keys(issuer, request);
	else if (strcmp(path, "/authorize") == 0)
		authorize(issuer, request);
	else if (strcmp(path, "/token") == 0)
		give_tokens(issuer, request);
	else
		fake_answer(request, 404, "{}");
}

void fake_issuer_init(struct fake_issuer *issuer, struct loop *loop,
	EVP_PKEY *rsa, EVP_PKEY *ec)
{
	struct err err;

	*issuer = (struct fake_issuer){.loop = loop,
		.rsa = rsa,
		.ec = ec,
		.rsa_kid = "r1",
		.ec_kid = "e1",
		.claims = "\"sub\":\"1\""};
	issuer->server = server_new(loop, 0, on_request, issuer, &err);
	assert_non_null(issuer->server);
	snprintf(issuer->url, sizeof(issuer->url), "http://127.0.0.1:%d",
		server_port(issuer->server));
}

void fake_issuer_fini(struct fake_issuer *issuer)
{
	fake_issuer_release(issuer);
	server_free(&issuer->server);
	xfree(&issuer->code);
	xfree(&issuer->given_nonce);
	xfree(&issuer->challenge);
}
