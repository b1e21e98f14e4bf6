/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A person's login: a refresh token is exchanged for a token (RFC 6749,
 * section 6). authorized_user is Google's own, external_account_authorized_user
 * that of somebody else whom a workforce pool takes.
 */
#include "google/source.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "google/claims_codec.h"
#include "google/form_codec.h"
#include "google/key_codec.h"
#include "google/user_codec.h"

/* Google's libraries ask nowhere else, whatever a file says. */
#define TOKEN_URL "https://oauth2.googleapis.com/token"
#define LOGIN     "gcloud auth application-default login"

struct user {
	struct source head;
	struct user_key key;
	char *token_url;
	bool federated;
};

static void user_start(struct fetch *fetch);
static void user_answered(
	const struct http_reply *reply, const struct err *err, void *arg);
static void user_token_read(
	struct fetch *fetch, const struct http_reply *reply);
static void user_id_read(struct fetch *fetch, const struct http_reply *reply);
static void user_fail(struct fetch *fetch, const struct err *cause);

static struct user *user_of(struct fetch *fetch)
{
	return (struct user *)fetch->source;
}

static void no_id_token(struct fetch *fetch, const char *why, struct err *err)
{
	err_set(err, ERR_AUTH,
		"%s: an ID token for %.200s is needed%s, and a person's login "
		"gives none; act as a service account: " LOGIN
		" --impersonate-service-account=EMAIL",
		fetch->source->describe, fetch->audience, why);
}

static void user_start(struct fetch *fetch)
{
	struct user *user = user_of(fetch);
	const struct http_request request = {
		.url = user->token_url,
		.content_type = FORM_TYPE,
		.username = user->federated ? user->key.client_id : NULL,
		.password = user->federated ? user->key.client_secret : NULL,
	};
	struct buf form;
	struct err err;

	if (fetch->audience && user->federated) {
		no_id_token(fetch, "", &err);
		fetch_fail_soon(fetch, &err);
		return;
	}
	form_init(&form);
	form_add(&form, "grant_type", "refresh_token");
	if (!user->federated) {
		form_add(&form, "client_id", user->key.client_id);
		form_add_secret(
			&form, "client_secret", user->key.client_secret);
	}
	form_add_secret(&form, "refresh_token", user->key.refresh_token);
	if (fetch->audience)
		form_add(&form, "target_audience", fetch->audience);
	fetch_post(fetch, &request, form_finish(&form), user_answered);
}

static void user_answered(
	const struct http_reply *reply, const struct err *err, void *arg)
{
	struct fetch *fetch = arg;

	fetch_answered(fetch);
	if (err)
		user_fail(fetch, err);
	else if (fetch->audience)
		user_id_read(fetch, reply);
	else
		user_token_read(fetch, reply);
}

/* A new refresh token replaces the old one here, never in the file. */
static void user_token_read(struct fetch *fetch, const struct http_reply *reply)
{
	struct user *user = user_of(fetch);
	struct secret *token, *refresh_token;
	int64_t life_s;
	struct err bad;

	if (token_decode(reply->body, reply->body_len, &token, &life_s, &bad) <
		0) {
		user_fail(fetch, &bad);
		return;
	}
	if (id_token_decode(reply->body, reply->body_len, "refresh_token",
		    &refresh_token, &bad) == 0) {
		secret_free(&user->key.refresh_token);
		user->key.refresh_token = refresh_token;
	}
	fetch_succeed(fetch, token, life_s);
}

/* Google may give one for the login's own client: that opens nothing. */
static void user_id_read(struct fetch *fetch, const struct http_reply *reply)
{
	struct secret *token;
	int64_t exp_s;
	struct err err;

	if (id_token_decode(reply->body, reply->body_len, "id_token", &token,
		    &err) == 0 &&
		claims_check(token, fetch->audience, &exp_s, &err) == 0) {
		fetch_succeed_id(fetch, token, reply);
		return;
	}
	secret_free(&token);
	no_id_token(fetch, "", &err);
	fetch_fail(fetch, &err);
}

static void user_fail(struct fetch *fetch, const struct err *cause)
{
	const struct user *user = user_of(fetch);
	struct err err = *cause;

	if (strstr(cause->text, "invalid_rapt"))
		err_set(&err, ERR_AUTH,
			"%s; your organisation wants you to log in again: "
			"" LOGIN,
			cause->text);
	else if (strstr(cause->text, "invalid_grant"))
		err_set(&err, ERR_AUTH,
			"%s; the login has expired or was revoked, log in "
			"again: " LOGIN,
			cause->text);
	else if (strstr(cause->text, "invalid_client"))
		err_set(&err, ERR_AUTH,
			"%s; \"client_id\" and \"client_secret\" of the file "
			"are not a client's, make it anew: " LOGIN,
			cause->text);
	err_wrap(&err, "%s: getting a token from %s", user->head.describe,
		user->token_url);
	fetch_fail(fetch, &err);
}

static void user_free(struct source *source)
{
	struct user *user = (struct user *)source;

	user_fini(&user->key);
	xfree(&user->token_url);
	free(user);
}

static struct source *open_user(const struct retry_env *env,
	const struct source_file *file, bool federated, struct err *err_r)
{
	struct user *user = xcalloc(1, sizeof(*user));
	const char *url;

	user->head.type =
		federated ? &source_federated_user : &source_authorized_user;
	user->head.env = *env;
	user->federated = federated;
	if (user_decode(file->bytes, file->len, federated, &user->key, err_r) <
		0) {
		user_free(&user->head);
		return NULL;
	}
	url = user->key.token_url ? user->key.token_url : TOKEN_URL;
	if (token_url_choose(url, &user->token_url, err_r) < 0) {
		user_free(&user->head);
		return NULL;
	}
	user->head.describe = xasprintf("login of %s (file %s)",
		user->key.account ? user->key.account : "a person", file->path);
	user->head.account = xstrdup(user->key.account);
	user->head.quota_project = xstrdup(user->key.quota_project);
	return &user->head;
}

static struct source *authorized_user_open(const struct retry_env *env,
	const struct source_file *file, struct err *err_r)
{
	return open_user(env, file, false, err_r);
}

static struct source *federated_user_open(const struct retry_env *env,
	const struct source_file *file, struct err *err_r)
{
	return open_user(env, file, true, err_r);
}

const struct source_type source_authorized_user = {
	.name = "authorized_user",
	.open = authorized_user_open,
	.fetch_size = sizeof(struct fetch),
	.start = user_start,
	.free = user_free,
};

const struct source_type source_federated_user = {
	.name = "external_account_authorized_user",
	.open = federated_user_open,
	.fetch_size = sizeof(struct fetch),
	.start = user_start,
	.free = user_free,
};
