/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Workload and workforce identity federation: a subject token of somebody
 * else's is exchanged for one of Google's (RFC 8693). Where the file names a
 * service account, source_impersonated.c makes the last step.
 */
#include "google/source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/xalloc.h"
#include "google/form_codec.h"
#include "google/key_codec.h"
#include "google/subject.h"

#define GRANT       "urn:ietf:params:oauth:grant-type:token-exchange"
#define WANTED      "urn:ietf:params:oauth:token-type:access_token"
#define LIFE_S      300 /* where the answer does not say */
#define IAM_HOST    "//iam.googleapis.com/"
#define OPTIONS_MAX 1024

struct external {
	struct source head;
	struct external_account account;
	char *token_url; /* the file's unless overridden */
};

struct external_fetch {
	struct fetch head;
	struct subject *subject;
};

static void external_start(struct fetch *fetch);
static void external_got_subject(
	struct secret *token, const struct err *err, void *arg);
static void external_exchange(struct fetch *fetch, const struct secret *token);
static void external_exchanged(
	const struct http_reply *reply, const struct err *err, void *arg);
static void external_fail(struct fetch *fetch, const struct err *cause);

static struct external *external_of(struct fetch *fetch)
{
	return (struct external *)fetch->source;
}

static void external_start(struct fetch *fetch)
{
	struct external *external = external_of(fetch);
	struct err err;

	if (!fetch->audience) {
		((struct external_fetch *)fetch)->subject =
			subject_start(&external->head.env, &external->account,
				external_got_subject, fetch);
		return;
	}
	err_set(&err, ERR_AUTH,
		"%s: an ID token for %.200s is needed, and a federated "
		"identity has none of its own; name a service account to act "
		"as (\"service_account_impersonation_url\", in GitHub's "
		"google-github-actions/auth \"service_account\")",
		external->head.describe, fetch->audience);
	fetch_fail_soon(fetch, &err);
}

static void external_got_subject(
	struct secret *token, const struct err *err, void *arg)
{
	struct external_fetch *fetch = arg;
	struct err why;

	fetch->subject = NULL;
	if (token) {
		external_exchange(&fetch->head, token);
		secret_free(&token);
		return;
	}
	why = *err;
	err_wrap(&why, "%s", fetch->head.source->describe);
	fetch_fail(&fetch->head, &why);
}

static struct secret *make_form(
	const struct external_account *account, const struct secret *token)
{
	char options[OPTIONS_MAX];
	struct buf form;

	form_init(&form);
	form_add(&form, "grant_type", GRANT);
	form_add(&form, "audience", account->audience);
	form_add(&form, "scope", GOOGLE_SCOPE);
	form_add(&form, "requested_token_type", WANTED);
	form_add(&form, "subject_token_type", account->subject_type);
	if (account->user_project && !account->client_id) {
		snprintf(options, sizeof(options), "{\"userProject\":\"%s\"}",
			account->user_project);
		form_add(&form, "options", options);
	}
	form_add_secret(&form, "subject_token", token);
	return form_finish(&form);
}

/* No Authorization but the client's: the exchange may fail for it. */
static void external_exchange(struct fetch *fetch, const struct secret *token)
{
	struct external *external = external_of(fetch);
	const struct http_request request = {
		.url = external->token_url,
		.content_type = FORM_TYPE,
		.username = external->account.client_id,
		.password = external->account.client_secret,
	};

	fetch_post(fetch, &request, make_form(&external->account, token),
		external_exchanged);
}

static void external_exchanged(
	const struct http_reply *reply, const struct err *err, void *arg)
{
	struct fetch *fetch = arg;
	struct secret *token;
	int64_t life_s = LIFE_S;
	struct err bad;

	fetch_answered(fetch);
	if (err)
		external_fail(fetch, err);
	else if (exchanged_decode(reply->body, reply->body_len, &token, &life_s,
			 &bad) < 0)
		external_fail(fetch, &bad);
	else
		fetch_succeed(fetch, token, life_s);
}

static bool says(const struct err *err, const char *word)
{
	return strstr(err->text, word) != NULL;
}

static const char *remedy(const struct err *err)
{
	if (says(err, "attribute condition"))
		return "the provider's attribute condition does not take this "
		       "identity (repository, branch or environment); see "
		       "gcloud iam workload-identity-pools providers describe";
	if (says(err, "invalid_target"))
		return "the pool or provider that \"audience\" names does not "
		       "exist, or is disabled or deleted";
	if (says(err, "audience"))
		return "the subject token is for another audience than the "
		       "provider allows; see its --allowed-audiences, and the "
		       "audience that the token is asked for";
	if (says(err, "invalid_client"))
		return "\"client_id\" and \"client_secret\" do not fit";
	if (says(err, "invalid_grant"))
		return "the provider does not take the subject token: it may "
		       "have expired, be of another issuer than the "
		       "provider's, or be from the future for a wrong clock "
		       "(NTP)";
	return NULL;
}

static void external_fail(struct fetch *fetch, const struct err *cause)
{
	const struct external *external = external_of(fetch);
	struct err err = *cause;
	const char *what = remedy(cause);
	char clock[CLOCK_NOTE_MAX];

	if (what && says(cause, "invalid_grant") &&
		*clock_note(fetch->source, clock))
		what = clock;
	if (what)
		err_set(&err, ERR_AUTH, "%s; %s", cause->text, what);
	err_wrap(&err, "%s: exchanging the subject token at %s",
		external->head.describe, external->token_url);
	fetch_fail(fetch, &err);
}

static void external_stop(struct fetch *fetch)
{
	subject_cancel(&((struct external_fetch *)fetch)->subject);
}

static void external_free(struct source *source)
{
	struct external *external = (struct external *)source;

	external_fini(&external->account);
	xfree(&external->token_url);
	free(external);
}

/* "projects/1/locations/global/workloadIdentityPools/P/providers/Q" */
static const char *provider_of(const struct external_account *account)
{
	size_t len = strlen(IAM_HOST);

	return strncmp(account->audience, IAM_HOST, len) == 0
		       ? account->audience + len
		       : account->audience;
}

/* "federated identity P/Q": the rest says little, and takes its time. */
static char *describe(const struct external_account *account, const char *path)
{
	static const char pools[] = "Pools/", providers[] = "/providers/";
	const char *pool = strstr(account->audience, pools);
	const char *provider = pool ? strstr(pool, providers) : NULL;

	if (!provider)
		return xasprintf("federated identity of %s (file %s)",
			provider_of(account), path);
	pool += strlen(pools);
	return xasprintf("federated identity %.*s/%s (file %s)",
		(int)(provider - pool), pool, provider + strlen(providers),
		path);
}

static struct source *external_open(const struct retry_env *env,
	const struct source_file *file, struct err *err_r)
{
	struct external *external = xcalloc(1, sizeof(*external));
	struct external_account *account = &external->account;
	struct impersonation as = {0};

	external->head.type = &source_external;
	external->head.env = *env;
	if (external_decode(file->bytes, file->len, account, err_r) < 0 ||
		subject_check(&account->subject, err_r) < 0 ||
		token_url_choose(
			account->token_url, &external->token_url, err_r) < 0) {
		external_free(&external->head);
		return NULL;
	}
	external->head.describe = describe(account, file->path);
	external->head.account = xstrdup(provider_of(account));
	external->head.quota_project = xstrdup(account->quota_project);
	if (!account->impersonated)
		return &external->head;
	as.email = account->impersonated;
	as.life_s = account->life_s;
	as.quota_project = account->quota_project;
	as.type = &source_external_impersonated;
	as.path = file->path;
	return source_impersonated_new(&external->head, &as, err_r);
}

const struct source_type source_external = {
	.name = "external_account",
	.open = external_open,
	.fetch_size = sizeof(struct external_fetch),
	.start = external_start,
	.stop = external_stop,
	.free = external_free,
};
