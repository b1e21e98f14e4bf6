/*
 * A service account's key file: an assertion signed with it is exchanged for
 * a token (RFC 7523).
 */
#define _GNU_SOURCE /* explicit_bzero */
#include "google/source.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/xalloc.h"
#include "google/assertion_codec.h"
#include "io/loop.h"

#define GRANT                                                              \
	"grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer" \
	"&assertion="

struct account {
	struct source head;
	struct service_account_key key;
	char *token_url; /* the key's token_uri unless overridden */
	char *form; /* under way; as secret as a key for an hour */
	struct exchange *exchange;
	struct timer *timer; /* of an assertion that could not be signed */
	struct err err; /* then: why */
	source_fn fn;
	void *arg;
};

static void account_fetch(struct source *source, source_fn fn, void *arg);
static void account_unsigned(void *arg);
static void account_answered(
	const struct http_reply *reply, const struct err *err, void *arg);
static void account_fail(struct account *account, const struct err *err);

static void drop_form(struct account *account)
{
	if (account->form)
		explicit_bzero(account->form, strlen(account->form));
	xfree(&account->form);
}

/* `iat` is compared with Google's clock: it comes from the wall's, which the
 * loop's leaves when it is set, or while the machine sleeps. */
static int make_form(struct account *account)
{
	struct secret *jwt;

	if (assertion_sign(&account->key, GOOGLE_SCOPE, (int64_t)time(NULL),
		    &jwt, &account->err) < 0)
		return -1;
	account->form = xasprintf("%s%s", GRANT, secret_reveal(jwt));
	secret_free(&jwt);
	return 0;
}

static void account_fetch(struct source *source, source_fn fn, void *arg)
{
	struct account *account = (struct account *)source;
	struct http_request request = {
		.url = account->token_url,
		.content_type = "application/x-www-form-urlencoded",
	};

	account->fn = fn;
	account->arg = arg;
	if (make_form(account) < 0) {
		account->timer = timer_start(
			account->head.env.loop, 0, account_unsigned, account);
		return;
	}
	request.body = account->form;
	request.body_len = strlen(account->form);
	account->exchange = exchange_start(
		&account->head.env, &request, account_answered, account);
}

static void account_unsigned(void *arg)
{
	struct account *account = arg;

	account->timer = NULL;
	account_fail(account, &account->err);
}

static void account_answered(
	const struct http_reply *reply, const struct err *err, void *arg)
{
	struct account *account = arg;
	struct secret *token;
	int64_t life_s;
	struct err bad;

	account->exchange = NULL;
	drop_form(account);
	if (err)
		account_fail(account, err);
	else if (token_decode(reply->body, reply->body_len, &token, &life_s,
			 &bad) < 0)
		account_fail(account, &bad);
	else
		account->fn(token, life_s, NULL, account->arg);
}

static void account_fail(struct account *account, const struct err *cause)
{
	struct err err = *cause;

	if (strstr(cause->text, "invalid_grant"))
		err_set(&err, ERR_AUTH,
			"%s; check that the clock of this machine is right "
			"(NTP), and that the key and its account still exist "
			"(gcloud iam service-accounts keys list)",
			cause->text);
	err_wrap(&err, "%s: asking %s for a token", account->head.describe,
		account->token_url);
	account->fn(NULL, 0, &err, account->arg);
}

static void account_cancel(struct source *source)
{
	struct account *account = (struct account *)source;

	exchange_cancel(&account->exchange);
	timer_cancel(&account->timer);
	drop_form(account);
}

static void account_free(struct source *source)
{
	struct account *account = (struct account *)source;

	key_fini(&account->key);
	xfree(&account->token_url);
	free(account);
}

/* The override comes from who runs us, so that it may name any host; plain
 * http stays refused beyond loopback. */
static int choose_token_url(struct account *account, struct err *err_r)
{
	const char *override = getenv("CLOUDSDK_AUTH_TOKEN_HOST");

	if (!override || !*override) {
		account->token_url = xstrdup(account->key.token_uri);
		return 0;
	}
	account->token_url = xstrdup(override);
	if (http_url_check(override, false, err_r) == 0)
		return 0;
	err_r->code = ERR_AUTH;
	return err_wrap(err_r, "CLOUDSDK_AUTH_TOKEN_HOST");
}

static struct source *account_open(const struct exchange_env *env,
	const struct source_file *file, struct err *err_r)
{
	struct account *account = xcalloc(1, sizeof(*account));

	account->head.type = &source_service_account;
	account->head.env = *env;
	if (key_decode(file->bytes, file->len, &account->key, err_r) < 0 ||
		assertion_check_key(&account->key, err_r) < 0 ||
		choose_token_url(account, err_r) < 0) {
		account_free(&account->head);
		return NULL;
	}
	account->head.describe = xasprintf("service account %s (file %s)",
		account->key.client_email, file->path);
	account->head.account = xstrdup(account->key.client_email);
	account->head.project = xstrdup(account->key.project_id);
	account->head.quota_project = xstrdup(account->key.quota_project);
	return &account->head;
}

const struct source_type source_service_account = {
	.name = "service_account",
	.open = account_open,
	.fetch = account_fetch,
	.cancel = account_cancel,
	.free = account_free,
};
