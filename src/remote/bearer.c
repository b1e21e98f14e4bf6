/* SPDX-License-Identifier: Apache-2.0 */
/* Who we are to a daemon; see bearer.h. */
#include "remote/bearer.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/secret.h"
#include "base/xalloc.h"
#include "google/credentials.h"
#include "google/external_codec.h"
#include "google/source.h"
#include "google/subject.h"
#include "google/subject_codec.h"
#include "io/http.h"
#include "io/loop.h"

#define GITHUB_URL   "ACTIONS_ID_TOKEN_REQUEST_URL"
#define GITHUB_TOKEN "ACTIONS_ID_TOKEN_REQUEST_TOKEN"
/* GitHub's live for five minutes; one that is older is made anew. */
#define KEEP_MS        180000
#define TOKEN_FILE_MAX (64 * 1024)

enum bearer_kind { BEARER_NONE, BEARER_FILE, BEARER_GITHUB, BEARER_GOOGLE };

struct bearer {
	enum bearer_kind kind;
	struct loop *loop;
	struct retry_env env;
	const struct server_url *url;
	struct external_account account; /* a file, or GitHub */
	struct credentials *credentials;
	struct secret *kept; /* NULL: none */
	int64_t kept_ms; /* when it came */
};

struct bearer_call {
	struct bearer *bearer;
	bearer_fn fn;
	void *arg;
	struct timer *timer; /* what is there at once */
	struct subject *subject;
	struct token_call *token;
};

/* ---- what there is ---- */

/* It is looked at once before it is asked for again and again: it may be written
 * anew at any time, and is none from the start only by mistake. */
static int check_file(const char *path, struct err *err_r)
{
	struct secret *token = NULL;
	struct buf bytes;
	struct err err;
	int rc;

	buf_init_secret(&bytes, TOKEN_FILE_MAX);
	rc = source_file_read(path, &bytes, err_r);
	if (rc < 0)
		err_wrap(err_r, "the token in the file %.200s", path);
	else if (subject_decode(bytes.data, bytes.len, NULL, &token, &err) < 0)
		rc = err_set(err_r, ERR_AUTH,
			"the file %.200s holds no token: it has to be one "
			"line, as \"tidegate token create\" prints it",
			path);
	buf_wipe(&bytes);
	buf_fini(&bytes);
	secret_free(&token);
	return rc;
}

static int use_file(struct bearer *bearer, const char *path, struct err *err_r)
{
	bearer->kind = BEARER_FILE;
	bearer->account.subject.kind = SUBJECT_FILE;
	bearer->account.subject.file = xstrdup(path);
	return check_file(path, err_r);
}

static int use_github(struct bearer *bearer, const char *url, struct err *err_r)
{
	const char *token = getenv(GITHUB_TOKEN);
	struct subject_source *source = &bearer->account.subject;
	char *audience = http_escape(bearer->url->base), *value;

	bearer->kind = BEARER_GITHUB;
	source->kind = SUBJECT_URL;
	source->url = xasprintf(
		"%s%caudience=%s", url, strchr(url, '?') ? '&' : '?', audience);
	source->field = xstrdup("value");
	free(audience);
	if (!token || !*token)
		return err_set(err_r, ERR_AUTH,
			"$" GITHUB_URL " is set and $" GITHUB_TOKEN " is not: "
			"give the job \"permissions: id-token: write\", or "
			"--token-file FILE");
	value = xasprintf("Bearer %s", token);
	source->headers[0].name = xstrdup("Authorization");
	source->headers[0].value = secret_hold(value, strlen(value));
	source->headers[0].masked = secret_new(token, strlen(token));
	source->n_headers = 1;
	explicit_bzero(value, strlen(value));
	free(value);
	return subject_check(source, err_r);
}

static int use_google(
	struct bearer *bearer, struct http *http, struct err *err_r)
{
	bearer->kind = BEARER_GOOGLE;
	bearer->credentials = credentials_new(bearer->loop, http, err_r);
	return bearer->credentials ? 0 : -1;
}

static int choose(
	struct bearer *bearer, const char *token_file, struct err *err_r)
{
	const char *github = getenv(GITHUB_URL);

	if (token_file)
		return use_file(bearer, token_file, err_r);
	if (bearer->url->unix_socket)
		return 0;
	if (github && *github)
		return use_github(bearer, github, err_r);
	if (bearer->url->is_plain)
		return 0;
	return use_google(bearer, bearer->env.http, err_r);
}

struct bearer *bearer_new(struct loop *loop, struct http *http,
	const struct server_url *url, const char *token_file, struct err *err_r)
{
	struct bearer *bearer = xcalloc(1, sizeof(*bearer));

	bearer->loop = loop;
	bearer->url = url;
	bearer->env = (struct retry_env){.loop = loop,
		.http = http,
		.backoff_ms = RETRY_REQUEST_BACKOFF_MS};
	if (choose(bearer, token_file, err_r) < 0)
		bearer_free(&bearer);
	return bearer;
}

void bearer_free(struct bearer **bearer_p)
{
	struct bearer *bearer = *bearer_p;

	*bearer_p = NULL;
	if (!bearer)
		return;
	credentials_free(&bearer->credentials);
	external_fini(&bearer->account);
	secret_free(&bearer->kept);
	free(bearer);
}

/* ---- one token ---- */

static void bearer_tell(struct bearer_call *call, const struct secret *token,
	const struct err *err)
{
	bearer_fn fn = call->fn;
	void *arg = call->arg;

	timer_cancel(&call->timer);
	free(call);
	fn(token, err, arg);
}

static void bearer_now(void *arg)
{
	struct bearer_call *call = arg;

	call->timer = NULL;
	bearer_tell(call, call->bearer->kept, NULL);
}

static void bearer_got_subject(
	struct secret *token, const struct err *err, void *arg)
{
	struct bearer_call *call = arg;
	struct bearer *bearer = call->bearer;
	struct err why;

	call->subject = NULL;
	if (err) {
		why = *err;
		err_wrap(&why, "no token for %s", bearer->url->said);
		bearer_tell(call, NULL, &why);
		return;
	}
	secret_free(&bearer->kept);
	bearer->kept = token;
	bearer->kept_ms = loop_now(bearer->loop);
	bearer_tell(call, token, NULL);
}

static void bearer_got_token(
	const struct secret *token, const struct err *err, void *arg)
{
	struct bearer_call *call = arg;
	struct err why;

	call->token = NULL;
	if (err) {
		why = *err;
		err_wrap(&why, "no token for %s; --token-file FILE names one",
			call->bearer->url->said);
		err = &why;
	}
	bearer_tell(call, token, err);
}

struct bearer_call *bearer_start(struct bearer *bearer, bearer_fn fn, void *arg)
{
	struct bearer_call *call = xcalloc(1, sizeof(*call));
	bool keeps = bearer->kept &&
		     loop_now(bearer->loop) < bearer->kept_ms + KEEP_MS;

	*call = (struct bearer_call){.bearer = bearer, .fn = fn, .arg = arg};
	if (bearer->kind == BEARER_NONE || keeps)
		call->timer = timer_start(bearer->loop, 0, bearer_now, call);
	else if (bearer->kind == BEARER_GOOGLE)
		call->token = id_token_start(bearer->credentials,
			bearer->url->base, bearer_got_token, call);
	else
		call->subject = subject_start(&bearer->env, &bearer->account,
			bearer_got_subject, call);
	return call;
}

void bearer_cancel(struct bearer_call **call_p)
{
	struct bearer_call *call = *call_p;

	*call_p = NULL;
	if (!call)
		return;
	timer_cancel(&call->timer);
	subject_cancel(&call->subject);
	token_cancel(&call->token);
	free(call);
}

void bearer_reject(struct bearer *bearer)
{
	secret_free(&bearer->kept);
	if (bearer->kind == BEARER_GOOGLE)
		id_token_reject(bearer->credentials, bearer->url->base,
			id_token_serial(
				bearer->credentials, bearer->url->base));
}

const char *bearer_remedy(const struct bearer *bearer)
{
	switch (bearer->kind) {
	case BEARER_FILE:
		return "the token of --token-file may have expired, be revoked "
		       "or be another server's; tidegate token list shows them";
	case BEARER_GITHUB:
		return "the server needs an identity of type github whose "
		       "audience is the address that is given here";
	case BEARER_GOOGLE:
		return "the server needs an identity of type google whose "
		       "audience is the address that is given here, or name a "
		       "token by --token-file";
	case BEARER_NONE:
		break;
	}
	return "name a token by --token-file FILE; tidegate token create makes "
	       "one";
}
