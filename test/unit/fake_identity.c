/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The half of the fake Google that knows other identities; see fake_google.h:
 * STS, IAM Credentials, and GitHub's endpoint of subject tokens.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/timestamp.h"
#include "base/xalloc.h"
#include "fake_google.h"
#include "io/clock.h"
#include "io/server.h"

#define SCOPE    "https://www.googleapis.com/auth/cloud-platform"
#define TYPE     "urn:ietf:params:oauth:token-type:"
#define ACCOUNTS "/v1/projects/-/serviceAccounts/"

static int64_t now_s(const struct fake_google *google)
{
	return clock_wall_ms() / 1000 + google->clock_ahead_s;
}

/* ---- GitHub. ---- */

char *fake_subject_new(struct fake_google *google)
{
	json_int_t now = (json_int_t)now_s(google);
	const char *audience =
		google->audience ? google->audience : "https://" FAKE_PROVIDER;
	const char *repository =
		google->repository ? google->repository : FAKE_REPOSITORY;

	google->subjects++;
	return fake_jwt_new(google->key,
		json_pack("{ss ss ss si sI sI}", "iss", FAKE_ISSUER, "aud",
			audience, "repository", repository, "jti",
			google->subjects, "iat", now, "exp",
			now + (json_int_t)google->id_life_s));
}

static void give_subject(
	struct fake_google *google, struct server_request *request)
{
	const char *auth = request_header(request, "Authorization");
	const char *version = request_query(request, "api-version");
	const char *audience = request_query(request, "audience");
	char *jwt, *body;

	if (!auth || strcmp(auth, "Bearer " FAKE_REQUEST) != 0 || !version ||
		strcmp(version, "2.0") != 0 || !audience ||
		strcmp(audience, "https://" FAKE_PROVIDER) != 0) {
		fake_answer(request, 401, "{\"message\":\"Unauthorized\"}");
		return;
	}
	jwt = fake_subject_new(google);
	body = xasprintf("{\"count\":%d,\"value\":\"%s\"}", 1, jwt);
	fake_answer(request, 200, body);
	free(body);
	free(jwt);
}

/* ---- The Security Token Service. ---- */

static bool field_is(const char *form, const char *name, const char *wanted)
{
	char *value = fake_form_field(form, name);
	bool is = value ? wanted && strcmp(value, wanted) == 0 : !wanted;

	free(value);
	return is;
}

/* NULL: it is taken; else the error, and its description. */
static const char *judge_subject(struct fake_google *google,
	const char *subject, const char **description_r)
{
	json_t *header, *claims;
	const char *error = NULL;
	int64_t exp, iat;

	*description_r = "Error code INVALID_TOKEN: its signature is wrong";
	if (!fake_jwt_verify(google->key, subject, &header, &claims))
		error = "invalid_grant";
	exp = json_integer_value(json_object_get(claims, "exp"));
	iat = json_integer_value(json_object_get(claims, "iat"));
	if (error)
		;
	else if (!fake_is(claims, "iss", FAKE_ISSUER)) {
		error = "invalid_grant";
		*description_r = "The issuer in ID Token does not match";
	} else if (!fake_is(claims, "aud", "https://" FAKE_PROVIDER)) {
		error = "invalid_grant";
		*description_r = "The audience in ID Token does not match the "
				 "expected audience";
	} else if (exp <= now_s(google) || iat > now_s(google) + 60 ||
		   iat < now_s(google) - 86400) {
		error = "invalid_grant";
		*description_r = "ID Token is stale to sign-in.";
	} else if (!fake_is(claims, "repository", FAKE_REPOSITORY)) {
		error = "unauthorized_client";
		*description_r = "The given credential is rejected by the "
				 "attribute condition.";
	}
	json_decref(header);
	json_decref(claims);
	return error;
}

static const char *judge_exchange(struct fake_google *google, const char *form,
	const char **description_r)
{
	const char *audience =
		google->wants_project ? FAKE_WORKFORCE : "//" FAKE_PROVIDER;
	const char *options =
		google->wants_project ? "{\"userProject\":\"acme\"}" : NULL;

	*description_r = "Invalid value.";
	if (!field_is(form, "grant_type",
		    "urn:ietf:params:oauth:grant-type:token-exchange"))
		return "unsupported_grant_type";
	if (!field_is(form, "requested_token_type", TYPE "access_token") ||
		!field_is(form, "subject_token_type", TYPE "jwt") ||
		!field_is(form, "options", options))
		return "invalid_request";
	if (!field_is(form, "scope", SCOPE))
		return "invalid_scope";
	*description_r = "The target service indicated by the \\\"audience\\\" "
			 "parameters is invalid.";
	if (!field_is(form, "audience", audience))
		return "invalid_target";
	return NULL;
}

/* client:secret, RFC 7617 */
#define BASIC                                                             \
	"Basic Y2xpZW50LmFwcHMuZ29vZ2xldXNlcmNvbnRlbnQuY29tOmNsaWVudC1zM" \
	"2NyM3Q="

static bool sts_takes_client(
	const struct fake_google *google, struct server_request *request)
{
	const char *auth = request_header(request, "Authorization");

	if (!google->wants_client)
		return !auth;
	return auth && strcmp(auth, BASIC) == 0;
}

static void exchange(struct fake_google *google, struct server_request *request)
{
	const char *type = request_header(request, "Content-Type");
	const char *description, *error, *life = google->life;
	size_t len;
	const char *form = request_body(request, &len);
	char *subject = fake_form_field(form, "subject_token");

	google->exchanges++;
	if (strcmp(request_method(request), "POST") != 0 || !type ||
		strcmp(type, "application/x-www-form-urlencoded") != 0 ||
		!subject) {
		fake_refuse(request, "invalid_request", "Bad request");
		free(subject);
		return;
	}
	if (!sts_takes_client(google, request)) {
		fake_refuse(request, "invalid_client", "Bad Authorization");
		free(subject);
		return;
	}
	error = judge_exchange(google, form, &description);
	if (!error)
		error = judge_subject(google, subject, &description);
	if (google->no_life)
		google->life = "null,\"x\":0";
	if (error)
		fake_refuse(request, error, description);
	else
		fake_hand_out(google, request);
	google->life = life;
	xfree(&google->subject);
	google->subject = subject;
}

/* A person's of a workforce pool. */
static void sts_refresh(
	struct fake_google *google, struct server_request *request)
{
	size_t len;
	const char *form = request_body(request, &len);

	if (!sts_takes_client(google, request) || !google->wants_client)
		fake_refuse(request, "invalid_client", "Bad Authorization");
	else if (!field_is(form, "grant_type", "refresh_token") ||
		 !field_is(form, "client_id", NULL) ||
		 !field_is(form, "refresh_token", FAKE_REFRESH))
		fake_refuse(request, "invalid_grant", "Bad refresh token");
	else
		fake_hand_out(google, request);
}

/* ---- IAM Credentials. ---- */

static void rpc_error(struct server_request *request, int status,
	const char *name, const char *message)
{
	char *body = xasprintf("{\"error\":{\"code\":%d,\"message\":\"%s\","
			       "\"status\":\"%s\"}}",
		status, message, name);

	fake_answer(request, status, body);
	free(body);
}

/* The caller's is the token that was handed out last. */
static bool caller_is_known(
	const struct fake_google *google, struct server_request *request)
{
	const char *auth = request_header(request, "Authorization");
	char *token = fake_token(google, google->tokens);
	char *wanted = xasprintf("Bearer %s", token);
	bool is = auth && strcmp(auth, wanted) == 0;

	free(token);
	free(wanted);
	return is;
}

static bool delegates_are_right(
	const struct fake_google *google, const json_t *body)
{
	const json_t *list = json_object_get(body, "delegates");
	const char *one = json_string_value(json_array_get(list, 0));

	if (!google->wants_delegate)
		return !list;
	return json_array_size(list) == 1 && one &&
	       strcmp(one, "projects/-/serviceAccounts/" FAKE_DELEGATE) == 0;
}

static void access_token(struct fake_google *google,
	struct server_request *request, const json_t *body)
{
	const json_t *scope = json_object_get(body, "scope");
	const char *one = json_string_value(json_array_get(scope, 0));
	const char *lifetime =
		json_string_value(json_object_get(body, "lifetime"));
	int life = lifetime ? atoi(lifetime) : 0;
	char end[TIMESTAMP_TEXT_MAX], *token, *answer;

	if (json_array_size(scope) != 1 || !one || strcmp(one, SCOPE) != 0 ||
		life < 1 || lifetime[strlen(lifetime) - 1] != 's') {
		rpc_error(request, 400, "INVALID_ARGUMENT", "Bad body");
		return;
	}
	if (life > 3600) {
		rpc_error(request, 400, "INVALID_ARGUMENT",
			"The access token lifetime cannot exceed 3600 seconds");
		return;
	}
	if (atoi(google->life) < life)
		life = atoi(google->life);
	token = fake_token(google, ++google->tokens);
	answer = xasprintf("{\"accessToken\":\"%s\",\"expireTime\":\"%s\"}",
		token, timestamp_print((now_s(google) + life) * 1000, end));
	fake_answer(request, 200, answer);
	free(answer);
	free(token);
}

static void id_token(struct fake_google *google, struct server_request *request,
	const json_t *body)
{
	const char *audience =
		json_string_value(json_object_get(body, "audience"));

	if (!audience || !json_is_true(json_object_get(body, "includeEmail")))
		rpc_error(request, 400, "INVALID_ARGUMENT", "Bad body");
	else
		fake_give_id(request, "token", fake_id_token(google, audience));
}

static void iam(struct fake_google *google, struct server_request *request,
	const char *account)
{
	const char *type = request_header(request, "Content-Type");
	size_t len;
	const char *text = request_body(request, &len);
	json_t *body = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);

	if (strcmp(request_method(request), "POST") != 0 || !type ||
		strcmp(type, "application/json") != 0 || !body)
		rpc_error(request, 400, "INVALID_ARGUMENT", "Bad request");
	else if (!caller_is_known(google, request))
		rpc_error(request, 401, "UNAUTHENTICATED", "Bad token");
	else if (strncmp(account, FAKE_DEPLOYER ":", strlen(FAKE_DEPLOYER) + 1))
		rpc_error(request, 404, "NOT_FOUND",
			"Not found; Gaia id not found for email");
	else if (google->denies || !delegates_are_right(google, body))
		rpc_error(request, 403, "PERMISSION_DENIED",
			"Permission 'iam.serviceAccounts.getAccessToken' "
			"denied on resource (or it may not exist).");
	else if (strcmp(account, FAKE_DEPLOYER ":generateAccessToken") == 0)
		access_token(google, request, body);
	else if (strcmp(account, FAKE_DEPLOYER ":generateIdToken") == 0)
		id_token(google, request, body);
	else
		rpc_error(request, 404, "NOT_FOUND", "no such method");
	json_decref(body);
}

/* ---- All of them. ---- */

bool fake_identity(struct fake_google *google, struct server_request *request)
{
	const char *path = request_path(request);

	if (strcmp(path, "/oidc") == 0)
		give_subject(google, request);
	else if (strcmp(path, "/v1/token") == 0)
		exchange(google, request);
	else if (strcmp(path, "/v1/oauthtoken") == 0)
		sts_refresh(google, request);
	else if (strncmp(path, ACCOUNTS, strlen(ACCOUNTS)) == 0)
		iam(google, request, path + strlen(ACCOUNTS));
	else
		return false;
	return true;
}
