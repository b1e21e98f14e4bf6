/* One request of an action; see errand.h. Judges no answer but "later". */
#include "action/errand.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "action/bearer.h"
#include "base/sanitize.h"
#include "base/xalloc.h"
#include "io/loop.h"

#define PAUSE_MS_BASE  1000 /* doubled each time */
#define PAUSE_MS_MAX   30000
#define BODY_SHOWN_MAX 400
#define HEADERS_MAX    40

const struct auth errand_google = {.type = AUTH_GOOGLE};

struct errand {
	struct action_run *run;
	struct errand_spec spec;
	char *url, *body;
	errand_fn fn;
	int tries;
	struct bearer *bearer; /* NULL: no token of ours is sent */
	struct http_call *call;
	struct timer *pause;
};

static void errand_send(struct errand *errand);
static void errand_authorized(
	const struct secret *token, const struct err *err, void *arg);
static void errand_transmit(struct errand *errand, const struct secret *token);
static void errand_answered(const struct http_reply *reply, void *arg);
static void errand_again(void *arg);

static char *copy(const char *bytes, size_t len)
{
	return bytes ? xmemdup0(bytes, len) : NULL;
}

static void wipe(char **text, size_t len)
{
	if (*text)
		explicit_bzero(*text, len);
	xfree(text);
}

struct errand *errand_start(
	struct action_run *run, const struct errand_spec *spec, errand_fn fn)
{
	struct errand *errand = xcalloc(1, sizeof(*errand));

	errand->run = run;
	errand->spec = *spec;
	errand->url = copy(spec->url, strlen(spec->url));
	errand->body = copy(spec->body, spec->body_len);
	errand->fn = fn;
	if (bearer_is_fetched(spec->auth))
		errand->bearer = bearer_new(run, spec->auth, spec->url);
	errand_send(errand);
	return errand;
}

void errand_cancel(struct errand **errand_p)
{
	struct errand *errand = *errand_p;

	if (!errand)
		return;
	bearer_free(&errand->bearer);
	http_cancel(&errand->call);
	timer_cancel(&errand->pause);
	wipe(&errand->url, strlen(errand->url));
	wipe(&errand->body, errand->spec.body_len);
	free(errand);
	*errand_p = NULL;
}

static void errand_send(struct errand *errand)
{
	const struct auth *auth = errand->spec.auth;

	errand->tries++;
	if (errand->bearer)
		bearer_fetch(errand->bearer, errand_authorized, errand);
	else
		errand_transmit(errand, auth && auth->type == AUTH_BEARER
						? auth->secret
						: NULL);
}

/* The caller's callback may start the next errand in this one's place. */
static void errand_tell(struct errand *errand, const struct http_reply *reply)
{
	struct action_run *run = errand->run;
	errand_fn fn = errand->fn;

	errand_cancel(&errand);
	fn(run, reply);
}

static void errand_authorized(
	const struct secret *token, const struct err *err, void *arg)
{
	struct errand *errand = arg;
	struct http_reply none = {.body = "", .content_type = "", .err = err};

	if (token)
		errand_transmit(errand, token);
	else
		errand_tell(errand, &none);
}

static size_t fill_headers(
	const struct errand *errand, struct http_header headers[HEADERS_MAX])
{
	const struct credentials *credentials = errand->run->env->credentials;
	const struct auth *auth = errand->spec.auth;
	const char *quota = NULL;
	size_t n = 0;

	for (size_t i = 0; i < errand->spec.n_headers && n < HEADERS_MAX; i++)
		headers[n++] =
			(struct http_header){errand->spec.headers[i].name,
				secret_reveal(errand->spec.headers[i].value)};
	if (auth && auth->type == AUTH_GOOGLE)
		quota = credentials_quota_project(credentials);
	if (quota && n < HEADERS_MAX)
		headers[n++] =
			(struct http_header){"x-goog-user-project", quota};
	return n;
}

static void errand_transmit(struct errand *errand, const struct secret *token)
{
	static const struct auth no_auth;
	static const struct tls no_tls;
	const struct errand_spec *spec = &errand->spec;
	const struct auth *auth = spec->auth ? spec->auth : &no_auth;
	const struct tls *tls = spec->tls ? spec->tls : &no_tls;
	bool basic = auth->type == AUTH_BASIC;
	struct http_header headers[HEADERS_MAX];
	struct http_request request = {
		.method = spec->method,
		.url = errand->url,
		.headers = headers,
		.n_headers = fill_headers(errand, headers),
		.bearer = token,
		.username = basic ? auth->username : NULL,
		.password = basic ? auth->secret : NULL,
		.content_type = spec->content_type ? spec->content_type
						   : "application/json",
		.body = errand->body,
		.body_len = spec->body_len,
		.timeout_ms = action_time_left(errand->run),
		.body_max = spec->body_max,
		.ca_file = tls->ca_file,
		.cert_file = tls->cert_file,
		.key_file = tls->key_file,
		.repeatable = spec->repeatable,
	};

	errand->call = http_start(
		errand->run->env->http, &request, errand_answered, errand);
}

/* ---- later ---- */

static int64_t pause_of(const struct errand *errand, int64_t asked_ms)
{
	int64_t pause = (int64_t)PAUSE_MS_BASE << (errand->tries - 1);

	if (pause > PAUSE_MS_MAX)
		pause = PAUSE_MS_MAX;
	return asked_ms > pause ? asked_ms : pause;
}

static bool says_later(
	const struct errand *errand, const struct http_reply *reply)
{
	if (reply->status == 429)
		return true;
	if (!errand->spec.repeatable)
		return false;
	return reply->status ? reply->status >= 500 || reply->status == 408
			     : err_is_retryable(reply->err->code);
}

static bool try_again(struct errand *errand, const struct http_reply *reply)
{
	int64_t pause;

	if (errand->bearer && bearer_renews(errand->bearer, reply->status))
		return true;
	if (!says_later(errand, reply) || errand->tries >= ERRAND_TRIES_MAX)
		return false;
	pause = pause_of(errand, reply->retry_after_ms);
	if (pause >= action_time_left(errand->run))
		return false;
	errand->pause = timer_start(
		errand->run->env->loop, pause, errand_again, errand);
	return true;
}

static void errand_again(void *arg)
{
	struct errand *errand = arg;

	errand->pause = NULL;
	errand_send(errand);
}

static void errand_answered(const struct http_reply *reply, void *arg)
{
	struct errand *errand = arg;

	errand->call = NULL;
	if (!try_again(errand, reply))
		errand_tell(errand, reply);
}

/* ---- for the types ---- */

static int check_file(const char *path, const char *what, struct err *err_r)
{
	if (path && access(path, R_OK) < 0)
		return err_set(err_r, ERR_POLICY,
			"%s \"%s\" cannot be read: %s", what, path,
			strerror(errno));
	return 0;
}

int errand_check(const struct action_env *env, const char *url,
	const struct auth *auth, const struct tls *tls, struct err *err_r)
{
	if (http_url_check(url, false, err_r) < 0)
		return -1;
	if (bearer_is_fetched(auth) && !env->credentials)
		return err_set(err_r, ERR_AUTH,
			"it needs Google credentials and there are none");
	if (!tls)
		return 0;
	if (check_file(tls->ca_file, "ca_file", err_r) < 0 ||
		check_file(tls->cert_file, "cert_file", err_r) < 0)
		return -1;
	return check_file(tls->key_file, "key_file", err_r);
}

char *errand_google_url(
	const char *variable, const char *endpoint, const char *path)
{
	const char *base = getenv(variable);
	size_t len;

	if (!base || !*base)
		base = endpoint;
	len = strlen(base);
	return xasprintf("%s%s%s", base, base[len - 1] == '/' ? "" : "/", path);
}

bool errand_may_be_done(const struct http_reply *reply)
{
	if (!reply->status)
		return reply->maybe_sent;
	return reply->status >= 500 ||
	       (reply->status >= 200 && reply->status <= 299);
}

void errand_describe(
	struct buf *out, const struct http_reply *reply, const char *why)
{
	if (out->len)
		buf_adds(out, "; ");
	if (!reply->status) {
		buf_adds(out, reply->err->text);
		return;
	}
	buf_addf(out, "answered %d", reply->status);
	if (why)
		buf_addf(out, ": %s", why);
	else if (reply->body_len) {
		buf_adds(out, ": ");
		sanitize_add(
			out, reply->body, reply->body_len, BODY_SHOWN_MAX, 0);
	}
}

void errand_failed(
	struct action_run *run, const struct http_reply *reply, const char *why)
{
	errand_describe(&run->detail, reply, why);
	action_run_end(run, !reply->status && reply->maybe_sent
				    ? action_cut_off(run->action)
				    : ACTION_FAILED);
}
