/*
 * Keeps one identity's token; see credentials.h. Owns the token, when it is
 * fetched again, and who waits for it. How it is fetched is source.h's.
 *
 *   fetched ---- fresh ----> near its end ---- usable ----> expired
 *                            (one fetch in the background)  (all wait)
 */
#include "google/credentials.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/rng.h"
#include "base/xalloc.h"
#include "google/source.h"
#include "io/loop.h"

#define RETRY_MS 30000 /* after a refresh failed while the token still holds */
#define SLACK_MS 10000 /* a token is not sent on its last moments' way */

TAILQ_HEAD(token_calls, token_call);

struct token_call {
	TAILQ_ENTRY(token_call) link;
	struct token_calls *list;
	token_fn fn;
	void *arg;
};

struct credentials {
	struct loop *loop;
	struct source *source;
	struct rng rng;
	char *quota_project;
	struct exchange_clock clock;

	struct secret *token; /* NULL: none, or rejected */
	struct secret *retired; /* the one before: somebody may borrow it */
	int64_t refresh_ms; /* from then on it is fetched ahead of expiry */
	int64_t expires_ms; /* from then on it is not handed out */

	bool fetching;
	int64_t fetch_started_ms;
	struct token_calls waiting, served;
	struct timer *wake; /* somebody waits for a token that is there */
};

static void fetch_start(struct credentials *credentials);
static void fetch_done(
	struct secret *token, int64_t life_s, const struct err *err, void *arg);
static void serve(struct credentials *credentials, const struct err *err);

struct credentials *credentials_new(
	struct loop *loop, struct http *http, struct err *err_r)
{
	const struct exchange_env env = {loop, http, EXCHANGE_BACKOFF_MS, NULL};

	return credentials_open(&env, err_r);
}

/* It goes into a header. */
static int take_quota_project(
	struct credentials *credentials, struct err *err_r)
{
	const char *project = getenv("GOOGLE_CLOUD_QUOTA_PROJECT");

	if (!project || !*project)
		project = credentials->source->quota_project;
	else if (project[strspn(project, "abcdefghijklmnopqrstuvwxyz"
					 "0123456789-.:")])
		return err_set(err_r, ERR_AUTH,
			"GOOGLE_CLOUD_QUOTA_PROJECT is not a project's id");
	credentials->quota_project = xstrdup(project);
	return 0;
}

struct credentials *credentials_open(
	const struct exchange_env *env, struct err *err_r)
{
	struct credentials *credentials = xcalloc(1, sizeof(*credentials));
	struct exchange_env ours = *env;

	ours.clock = &credentials->clock;
	TAILQ_INIT(&credentials->waiting);
	TAILQ_INIT(&credentials->served);
	credentials->loop = env->loop;
	rng_init(&credentials->rng, (uint64_t)loop_now_us(env->loop));
	credentials->source = source_find(&ours, err_r);
	if (!credentials->source ||
		take_quota_project(credentials, err_r) < 0) {
		credentials_free(&credentials);
		return NULL;
	}
	if (credentials->source->ready) {
		credentials->token = secret_dup(credentials->source->ready);
		credentials->refresh_ms = INT64_MAX;
		credentials->expires_ms = INT64_MAX;
	}
	return credentials;
}

static void forget_all(struct token_calls *calls)
{
	struct token_call *call;

	while ((call = TAILQ_FIRST(calls))) {
		TAILQ_REMOVE(calls, call, link);
		free(call);
	}
}

void credentials_free(struct credentials **credentials)
{
	struct credentials *old = *credentials;

	*credentials = NULL;
	if (!old)
		return;
	timer_cancel(&old->wake);
	forget_all(&old->waiting);
	forget_all(&old->served);
	source_free(&old->source);
	secret_free(&old->token);
	secret_free(&old->retired);
	xfree(&old->quota_project);
	free(old);
}

const char *credentials_describe(const struct credentials *credentials)
{
	return credentials->source->describe;
}

void credentials_about(const struct credentials *credentials,
	struct credentials_about *about_r)
{
	const struct source *source = credentials->source;

	*about_r = (struct credentials_about){
		.type = source->type->name,
		.origin = source->origin,
		.path = source->path,
		.account = source->account,
		.is_guess = source->is_guess,
	};
}

int64_t token_expires_ms(const struct credentials *credentials)
{
	return credentials->token ? credentials->expires_ms : 0;
}

bool credentials_clock(
	const struct credentials *credentials, int64_t *ahead_ms_r)
{
	*ahead_ms_r = credentials->clock.ahead_ms;
	return credentials->clock.known;
}

const char *credentials_project(const struct credentials *credentials)
{
	return credentials->source->project;
}

const char *credentials_quota_project(const struct credentials *credentials)
{
	return credentials->quota_project;
}

/* The token. */

int64_t token_fresh_ms(int64_t life_ms, struct rng *rng)
{
	int64_t margin_ms = TOKEN_REFRESH_MARGIN_S * 1000;

	/* Jitter only ever makes the margin shorter: a metadata server hands
	 * out the old token again until four minutes before its end. */
	margin_ms -= (int64_t)rng_below(rng, (uint64_t)margin_ms / 10);
	return life_ms - (margin_ms < life_ms / 2 ? margin_ms : life_ms / 2);
}

static void retire(struct credentials *credentials)
{
	if (!credentials->token)
		return;
	secret_free(&credentials->retired);
	credentials->retired = credentials->token;
	credentials->token = NULL;
}

static void take(
	struct credentials *credentials, struct secret *token, int64_t life_s)
{
	int64_t from_ms = credentials->fetch_started_ms;
	int64_t life_ms = life_s * 1000;
	int64_t slack_ms = SLACK_MS < life_ms / 8 ? SLACK_MS : life_ms / 8;

	retire(credentials);
	credentials->token = token;
	credentials->refresh_ms =
		from_ms + token_fresh_ms(life_ms, &credentials->rng);
	credentials->expires_ms = from_ms + life_ms - slack_ms;
}

/* Also starts the fetch that the token's age asks for. */
static const struct secret *usable(struct credentials *credentials)
{
	int64_t now_ms = loop_now(credentials->loop);

	if (credentials->token && now_ms < credentials->refresh_ms)
		return credentials->token;
	fetch_start(credentials);
	if (credentials->token && now_ms < credentials->expires_ms)
		return credentials->token;
	return NULL;
}

const struct secret *token_cached(struct credentials *credentials)
{
	if (!credentials->token)
		return NULL;
	return usable(credentials);
}

void token_reject(struct credentials *credentials, const struct secret *token)
{
	const struct secret *ours = credentials->token;

	if (ours && secret_len(ours) == secret_len(token) &&
		strcmp(secret_reveal(ours), secret_reveal(token)) == 0)
		retire(credentials);
}

/* Fetching: one at a time. */

static void fetch_start(struct credentials *credentials)
{
	struct source *source = credentials->source;

	if (credentials->fetching)
		return;
	credentials->fetching = true;
	credentials->fetch_started_ms = loop_now(credentials->loop);
	source->type->fetch(source, fetch_done, credentials);
}

static void fetch_done(
	struct secret *token, int64_t life_s, const struct err *err, void *arg)
{
	struct credentials *credentials = arg;
	int64_t now_ms = loop_now(credentials->loop), left_ms;

	credentials->fetching = false;
	if (token) {
		take(credentials, token, life_s);
		serve(credentials, NULL);
		return;
	}
	left_ms = credentials->expires_ms - now_ms;
	if (credentials->token && left_ms > 0) {
		credentials->refresh_ms =
			now_ms +
			(RETRY_MS < left_ms / 2 ? RETRY_MS : left_ms / 2);
		err = NULL;
	}
	serve(credentials, err);
}

/* Waiting. */

static void enqueue(struct token_calls *list, struct token_call *call)
{
	TAILQ_INSERT_TAIL(list, call, link);
	call->list = list;
}

/* A callback may start and cancel calls; those that come now are for the next
 * time. */
static void serve(struct credentials *credentials, const struct err *err)
{
	/* Rejected by one callback, it stays there for the others. */
	const struct secret *token = err ? NULL : credentials->token;
	struct token_call *call;
	token_fn fn;
	void *arg;

	while ((call = TAILQ_FIRST(&credentials->waiting))) {
		TAILQ_REMOVE(&credentials->waiting, call, link);
		enqueue(&credentials->served, call);
	}
	while ((call = TAILQ_FIRST(&credentials->served))) {
		TAILQ_REMOVE(&credentials->served, call, link);
		fn = call->fn;
		arg = call->arg;
		free(call);
		fn(token, err, arg);
	}
}

static void wake_up(void *arg)
{
	struct credentials *credentials = arg;

	credentials->wake = NULL;
	if (usable(credentials))
		serve(credentials, NULL);
}

struct token_call *token_start(
	struct credentials *credentials, token_fn fn, void *arg)
{
	struct token_call *call = xcalloc(1, sizeof(*call));

	call->fn = fn;
	call->arg = arg;
	enqueue(&credentials->waiting, call);
	if (usable(credentials) && !credentials->wake)
		credentials->wake =
			timer_start(credentials->loop, 0, wake_up, credentials);
	return call;
}

void token_cancel(struct token_call **call)
{
	if (!*call)
		return;
	TAILQ_REMOVE((*call)->list, *call, link);
	free(*call);
	*call = NULL;
}
