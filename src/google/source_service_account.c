/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A service account's key file: an assertion signed with it is exchanged for
 * a token (RFC 7523).
 */
#include "google/source.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "google/assertion_codec.h"
#include "google/form_codec.h"
#include "io/clock.h"

#define GRANT "urn:ietf:params:oauth:grant-type:jwt-bearer"

struct account {
	struct source head;
	struct service_account_key key;
	char *token_url; /* the key's token_uri unless overridden */
};

static void account_start(struct fetch *fetch);
static void account_answered(
	const struct http_reply *reply, const struct err *err, void *arg);
static void account_id_read(
	struct fetch *fetch, const struct http_reply *reply);
static void account_fail(struct fetch *fetch, const struct err *cause);

static struct account *account_of(struct fetch *fetch)
{
	return (struct account *)fetch->source;
}

/* `iat` is compared with Google's clock: it comes from the wall's. */
static void account_start(struct fetch *fetch)
{
	struct account *account = account_of(fetch);
	const struct assertion_wish wish = {
		.scope = GOOGLE_SCOPE,
		.audience = fetch->audience,
		.iat_s = clock_wall_ms() / 1000,
	};
	const struct http_request request = {
		.url = account->token_url,
		.content_type = FORM_TYPE,
	};
	struct secret *jwt;
	struct buf form;
	struct err err;

	if (assertion_sign(&account->key, &wish, &jwt, &err) < 0) {
		err_wrap(&err, "%s", account->head.describe);
		fetch_fail_soon(fetch, &err);
		return;
	}
	form_init(&form);
	form_add(&form, "grant_type", GRANT);
	form_add_secret(&form, "assertion", jwt);
	secret_free(&jwt);
	fetch_post(fetch, &request, form_finish(&form), account_answered);
}

static void account_answered(
	const struct http_reply *reply, const struct err *err, void *arg)
{
	struct fetch *fetch = arg;
	struct secret *token;
	int64_t life_s;
	struct err bad;

	fetch_answered(fetch);
	if (err)
		account_fail(fetch, err);
	else if (fetch->audience)
		account_id_read(fetch, reply);
	else if (token_decode(reply->body, reply->body_len, &token, &life_s,
			 &bad) < 0)
		account_fail(fetch, &bad);
	else
		fetch_succeed(fetch, token, life_s);
}

static void account_id_read(struct fetch *fetch, const struct http_reply *reply)
{
	struct secret *token;
	struct err bad;

	if (id_token_decode(
		    reply->body, reply->body_len, "id_token", &token, &bad) < 0)
		account_fail(fetch, &bad);
	else
		fetch_succeed_id(fetch, token, reply);
}

static void account_fail(struct fetch *fetch, const struct err *cause)
{
	const struct account *account = account_of(fetch);
	struct err err = *cause;
	char clock[CLOCK_NOTE_MAX];

	if (strstr(cause->text, "invalid_grant") &&
		*clock_note(fetch->source, clock))
		err_set(&err, ERR_AUTH, "%s; %s", cause->text, clock);
	else if (strstr(cause->text, "invalid_grant"))
		err_set(&err, ERR_AUTH,
			"%s; check that the clock of this machine is right "
			"(NTP), and that the key and its account still exist "
			"(gcloud iam service-accounts keys list)",
			cause->text);
	err_wrap(&err, "%s: getting a token from %s", account->head.describe,
		account->token_url);
	fetch_fail(fetch, &err);
}

static void account_free(struct source *source)
{
	struct account *account = (struct account *)source;

	key_fini(&account->key);
	xfree(&account->token_url);
	free(account);
}

static struct source *account_open(const struct retry_env *env,
	const struct source_file *file, struct err *err_r)
{
	struct account *account = xcalloc(1, sizeof(*account));

	account->head.type = &source_service_account;
	account->head.env = *env;
	if (key_decode(file->bytes, file->len, &account->key, err_r) < 0 ||
		assertion_check_key(&account->key, err_r) < 0 ||
		token_url_choose(account->key.token_uri, &account->token_url,
			err_r) < 0) {
		account_free(&account->head);
		return NULL;
	}
	account->head.describe = xasprintf("service account %s (file %s)",
		account->key.client_email, file->path);
	account->head.account = xstrdup(account->key.client_email);
	account->head.quota_project = xstrdup(account->key.quota_project);
	return &account->head;
}

const struct source_type source_service_account = {
	.name = "service_account",
	.open = account_open,
	.fetch_size = sizeof(struct fetch),
	.start = account_start,
	.free = account_free,
};
