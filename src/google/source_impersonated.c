/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Acting as a service account by way of another identity, the base: its token
 * is shown to the IAM Credentials API, which gives one of the account's. Owns
 * the base. For files of that type, and for federated identities whose file
 * names an account.
 */
#include "google/source.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "google/iam_codec.h"
#include "google/key_codec.h"
#include "google/user_codec.h"

#define IAM_URL  "https://iamcredentials.googleapis.com/"
#define OVERRIDE "CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS"

struct impersonated {
	struct source head;
	struct source *base;
	char *email, *api; /* the API's address, with a slash at its end */
	char *delegates[DELEGATES_MAX + 1];
	int64_t life_s;
};

struct impersonated_fetch {
	struct fetch head;
	struct fetch *base;
	struct secret *token; /* the base's */
};

static void impersonated_start(struct fetch *fetch);
static void impersonated_got_base(
	struct secret *token, int64_t life_s, const struct err *err, void *arg);
static void impersonated_ask(struct fetch *fetch);
static void impersonated_answered(
	const struct http_reply *reply, const struct err *err, void *arg);
static void impersonated_fail(struct fetch *fetch, const struct err *cause);

static struct impersonated *impersonated_of(struct fetch *fetch)
{
	return (struct impersonated *)fetch->source;
}

static void impersonated_start(struct fetch *fetch)
{
	((struct impersonated_fetch *)fetch)->base =
		fetch_start(impersonated_of(fetch)->base, NULL,
			impersonated_got_base, fetch);
}

static void impersonated_got_base(
	struct secret *token, int64_t life_s, const struct err *err, void *arg)
{
	struct impersonated_fetch *fetch = arg;

	fetch->base = NULL;
	fetch->token = token;
	if (token)
		impersonated_ask(&fetch->head);
	else
		fetch_fail(&fetch->head, err);
}

static void impersonated_ask(struct fetch *fetch)
{
	struct impersonated *impersonated = impersonated_of(fetch);
	char *url = xasprintf("%sv1/projects/-/serviceAccounts/%s:%s",
		impersonated->api, impersonated->email,
		fetch->audience ? "generateIdToken" : "generateAccessToken");
	const struct http_request request = {
		.url = url,
		.content_type = "application/json",
		.bearer = ((struct impersonated_fetch *)fetch)->token,
	};
	char *body;

	if (fetch->audience)
		body = iam_id_encode(fetch->audience, impersonated->delegates);
	else
		body = iam_access_encode(GOOGLE_SCOPE, impersonated->life_s,
			impersonated->delegates);
	fetch_post(fetch, &request, secret_hold(body, strlen(body)),
		impersonated_answered);
	xfree(&body);
	xfree(&url);
}

static void impersonated_answered(
	const struct http_reply *reply, const struct err *err, void *arg)
{
	struct fetch *fetch = arg;
	struct secret *token;
	int64_t life_s;
	struct err bad;

	fetch_answered(fetch);
	secret_free(&((struct impersonated_fetch *)fetch)->token);
	if (err) {
		impersonated_fail(fetch, err);
	} else if (fetch->audience) {
		if (id_token_decode(reply->body, reply->body_len, "token",
			    &token, &bad) < 0)
			impersonated_fail(fetch, &bad);
		else
			fetch_succeed_id(fetch, token, reply);
	} else if (iam_access_decode(reply->body, reply->body_len,
			   fetch_now_s(reply), &token, &life_s, &bad) < 0) {
		impersonated_fail(fetch, &bad);
	} else {
		fetch_succeed(fetch, token, life_s);
	}
}

/* Federated identities are given another role than people and accounts. */
static void denied(const struct impersonated *impersonated, bool id,
	const struct err *cause, struct err *err)
{
	bool federated = impersonated->base->type == &source_external;
	const char *role = federated ? "roles/iam.workloadIdentityUser"
			   : id ? "roles/iam.serviceAccountOpenIdTokenCreator"
				: "roles/iam.serviceAccountTokenCreator";

	if (strstr(cause->text, "SERVICE_DISABLED") ||
		strstr(cause->text, "it is disabled"))
		err_set(err, ERR_DENIED,
			"%s; enable the API: gcloud services enable "
			"iamcredentials.googleapis.com",
			cause->text);
	else
		err_set(err, ERR_DENIED,
			"%s; grant %s the role %s on %s (gcloud iam "
			"service-accounts add-iam-policy-binding), and wait "
			"for two minutes",
			cause->text,
			federated ? "its principal or principalSet"
				  : "that identity",
			role, impersonated->email);
}

static void impersonated_fail(struct fetch *fetch, const struct err *cause)
{
	const struct impersonated *impersonated = impersonated_of(fetch);
	struct err err = *cause;

	if (err.code == ERR_DENIED)
		denied(impersonated, fetch->audience != NULL, cause, &err);
	else if (err.code == ERR_NOT_FOUND)
		err_set(&err, ERR_AUTH,
			"%s; there is no such service account, or it is "
			"disabled",
			cause->text);
	else if (strstr(cause->text, "ifetime") &&
		 impersonated->life_s > IAM_LIFE_S)
		err_set(&err, ERR_AUTH,
			"%s; more than %d s (\"token_lifetime_seconds\") needs "
			"the organisation policy constraints/"
			"iam.allowServiceAccountCredentialLifetimeExtension",
			cause->text, IAM_LIFE_S);
	err_wrap(&err, "%s: acting as it", impersonated->head.describe);
	fetch_fail(fetch, &err);
}

static void impersonated_stop(struct fetch *fetch)
{
	struct impersonated_fetch *ours = (struct impersonated_fetch *)fetch;

	fetch_cancel(&ours->base);
	secret_free(&ours->token);
}

static void impersonated_free(struct source *source)
{
	struct impersonated *impersonated = (struct impersonated *)source;
	size_t i;

	for (i = 0; impersonated->delegates[i]; i++)
		xfree(&impersonated->delegates[i]);
	source_free(&impersonated->base);
	xfree(&impersonated->email);
	xfree(&impersonated->api);
	free(impersonated);
}

/* The override comes from who runs us, as CLOUDSDK_AUTH_TOKEN_HOST does. */
static int choose_api(char **api_r, struct err *err_r)
{
	const char *override = getenv(OVERRIDE);
	size_t len = override ? strlen(override) : 0;

	if (!len) {
		*api_r = xstrdup(IAM_URL);
		return 0;
	}
	*api_r = xasprintf(
		"%s%s", override, override[len - 1] == '/' ? "" : "/");
	if (http_url_check(*api_r, false, err_r) == 0)
		return 0;
	err_r->code = ERR_AUTH;
	return err_wrap(err_r, OVERRIDE);
}

struct source *source_impersonated_new(
	struct source *base, const struct impersonation *as, struct err *err_r)
{
	struct impersonated *impersonated = xcalloc(1, sizeof(*impersonated));
	struct source *source = &impersonated->head;
	size_t i;

	impersonated->head.type = as->type;
	impersonated->head.env = base->env;
	impersonated->base = base;
	impersonated->email = xstrdup(as->email);
	impersonated->life_s = as->life_s;
	for (i = 0; as->delegates && as->delegates[i]; i++)
		impersonated->delegates[i] = xstrdup(as->delegates[i]);
	impersonated->head.describe =
		xasprintf("service account %s (file %s)", as->email, as->path);
	impersonated->head.account = xstrdup(as->email);
	impersonated->head.quota_project = xstrdup(as->quota_project);
	if (choose_api(&impersonated->api, err_r) < 0)
		source_free(&source);
	return source;
}

static struct source *impersonated_open(const struct retry_env *env,
	const struct source_file *file, struct err *err_r)
{
	struct impersonated_key key;
	struct impersonation as = {.life_s = IAM_LIFE_S};
	struct source_file inside = {.path = file->path};
	struct source *base, *source = NULL;

	if (impersonated_decode(file->bytes, file->len, &key, err_r) < 0)
		return NULL;
	inside.bytes = secret_reveal(key.source);
	inside.len = secret_len(key.source);
	base = source_open(env, &inside, err_r);
	as.email = key.email;
	as.delegates = key.delegates;
	as.quota_project = key.quota_project;
	as.type = &source_impersonated;
	as.path = file->path;
	if (base)
		source = source_impersonated_new(base, &as, err_r);
	else
		err_wrap(err_r, "\"source_credentials\"");
	impersonated_fini(&key);
	return source;
}

const struct source_type source_impersonated = {
	.name = "impersonated_service_account",
	.open = impersonated_open,
	.fetch_size = sizeof(struct impersonated_fetch),
	.start = impersonated_start,
	.stop = impersonated_stop,
	.free = impersonated_free,
};

const struct source_type source_external_impersonated = {
	.name = "external_account",
	.fetch_size = sizeof(struct impersonated_fetch),
	.start = impersonated_start,
	.stop = impersonated_stop,
	.free = impersonated_free,
};
