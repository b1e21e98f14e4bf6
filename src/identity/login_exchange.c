/* SPDX-License-Identifier: Apache-2.0 */
/* Words of a login to its issuer; see login_exchange.h. */
#include "identity/login_exchange.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "google/form_codec.h"

#define EXCHANGE_MS 10000
#define ANSWER_MAX  (64 * 1024) /* bytes of the token endpoint's */

static void add_param(struct buf *out, const char *name, const char *value)
{
	char *escaped = http_escape(value);

	buf_addf(out, "%s%s=%s", strchr(out->data, '?') ? "&" : "?", name,
		escaped);
	free(escaped);
}

void login_location_print(struct buf *out, const char *authorization_url,
	const char *client_id, const char *redirect_uri,
	const struct login_secret *secret)
{
	buf_adds(out, authorization_url);
	add_param(out, "response_type", "code");
	add_param(out, "client_id", client_id);
	add_param(out, "redirect_uri", redirect_uri);
	add_param(out, "scope", "openid email");
	add_param(out, "state", secret->state);
	add_param(out, "nonce", secret->nonce);
	add_param(out, "code_challenge", secret->challenge);
	add_param(out, "code_challenge_method", "S256");
}

static struct secret *exchange_body(
	const struct login_exchange *exchange, bool posts_secret)
{
	const struct secret *secret = exchange->client_secret;
	struct buf form;

	form_init(&form);
	form_add(&form, "grant_type", "authorization_code");
	form_add(&form, "code", exchange->code);
	form_add(&form, "redirect_uri", exchange->redirect_uri);
	form_add(&form, "code_verifier", exchange->verifier);
	if (posts_secret || !secret)
		form_add(&form, "client_id", exchange->client_id);
	if (posts_secret && secret)
		form_add_secret(&form, "client_secret", secret);
	return form_finish(&form);
}

/* RFC 6749 section 2.3.1: both are encoded once more. */
static struct secret *escaped_secret(const struct secret *secret)
{
	char *text = http_escape(secret_reveal(secret));
	struct secret *escaped = secret_new(text, strlen(text));

	OPENSSL_cleanse(text, strlen(text));
	free(text);
	return escaped;
}

struct http_call *login_exchange_start(struct http *http,
	const struct discovery *discovery,
	const struct login_exchange *exchange, http_fn fn, void *arg)
{
	struct secret *body = exchange_body(exchange, discovery->posts_secret);
	struct secret *password = NULL;
	struct http_request request = {
		.method = "POST",
		.url = discovery->token_url,
		.content_type = FORM_TYPE,
		.body = secret_reveal(body),
		.body_len = secret_len(body),
		.timeout_ms = EXCHANGE_MS,
		.body_max = ANSWER_MAX,
		.secret = true,
	};
	struct http_call *call;
	char *username = NULL;

	if (!discovery->posts_secret && exchange->client_secret) {
		username = http_escape(exchange->client_id);
		password = escaped_secret(exchange->client_secret);
		request.username = username;
		request.password = password;
	}
	call = http_start(http, &request, fn, arg);
	secret_free(&body);
	secret_free(&password);
	free(username);
	return call;
}
