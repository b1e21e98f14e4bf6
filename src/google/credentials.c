/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One identity and its tokens; see credentials.h. Owns the source that was
 * found and what is kept of it: the access token, and an ID token for each
 * audience. When they are fetched is token_cache.c's, how is the source's.
 */
#include "google/credentials.h"

#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "base/xalloc.h"
#include "google/source.h"
#include "google/source_slot.h"
#include "google/token_cache.h"
#include "io/clock.h"
#include "io/loop.h"

#define AUDIENCES_MAX 256 /* kept at a time; the oldest idle one goes */

TAILQ_HEAD(token_caches, token_cache);

struct credentials {
	struct loop *loop;
	struct source_slot slot;
	struct rng rng;
	char *quota_project; /* of the environment; NULL: the source's */
	struct http_clock clock;
	struct token_cache access;
	struct token_caches ids; /* oldest first */
	size_t n_ids;
};

struct credentials *credentials_new(
	struct loop *loop, struct http *http, struct err *err_r)
{
	const struct retry_env env = {
		loop, http, RETRY_REQUEST_BACKOFF_MS, NULL};

	return credentials_open(&env, err_r);
}

/* It goes into a header. */
static int take_quota_project(
	struct credentials *credentials, struct err *err_r)
{
	const char *project = getenv("GOOGLE_CLOUD_QUOTA_PROJECT");

	if (!project || !*project)
		return 0;
	if (project[strspn(project, "abcdefghijklmnopqrstuvwxyz"
				    "0123456789-.:")])
		return err_set(err_r, ERR_AUTH,
			"GOOGLE_CLOUD_QUOTA_PROJECT is not a project's id");
	credentials->quota_project = xstrdup(project);
	return 0;
}

struct credentials *credentials_open(
	const struct retry_env *env, struct err *err_r)
{
	struct credentials *credentials = xcalloc(1, sizeof(*credentials));
	struct retry_env ours = *env;

	ours.clock = &credentials->clock;
	TAILQ_INIT(&credentials->ids);
	credentials->loop = env->loop;
	rng_init(&credentials->rng, (uint64_t)clock_wall_us());
	source_slot_init(&credentials->slot, source_find(&ours, err_r));
	token_cache_init(&credentials->access, env->loop, &credentials->slot,
		&credentials->rng, NULL);
	if (!credentials->slot.now ||
		take_quota_project(credentials, err_r) < 0) {
		credentials_free(&credentials);
		return NULL;
	}
	if (credentials->slot.now->ready) {
		credentials->access.token =
			secret_dup(credentials->slot.now->ready);
		credentials->access.serial = 1;
		credentials->access.refresh_ms = INT64_MAX;
		credentials->access.expires_ms = INT64_MAX;
	}
	return credentials;
}

static void forget(struct credentials *credentials, struct token_cache *cache)
{
	TAILQ_REMOVE(&credentials->ids, cache, link);
	credentials->n_ids--;
	token_cache_fini(cache);
	free(cache);
}

void credentials_free(struct credentials **credentials)
{
	struct credentials *old = *credentials;

	*credentials = NULL;
	if (!old)
		return;
	token_cache_fini(&old->access);
	while (!TAILQ_EMPTY(&old->ids))
		forget(old, TAILQ_FIRST(&old->ids));
	source_slot_fini(&old->slot);
	xfree(&old->quota_project);
	free(old);
}

const char *credentials_describe(const struct credentials *credentials)
{
	return credentials->slot.now->describe;
}

void credentials_about(const struct credentials *credentials,
	struct credentials_about *about_r)
{
	const struct source *source = credentials->slot.now;

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
	return credentials->access.token ? credentials->access.expires_ms : 0;
}

bool credentials_clock(
	const struct credentials *credentials, int64_t *ahead_ms_r)
{
	*ahead_ms_r = credentials->clock.ahead_ms;
	return credentials->clock.known;
}

const char *credentials_quota_project(const struct credentials *credentials)
{
	return credentials->quota_project
		       ? credentials->quota_project
		       : credentials->slot.now->quota_project;
}

/* ---- Access tokens. ---- */

struct token_call *token_start(
	struct credentials *credentials, token_fn fn, void *arg)
{
	return token_cache_start(&credentials->access, fn, arg);
}

const struct secret *token_cached(struct credentials *credentials)
{
	return token_cache_get(&credentials->access);
}

unsigned token_serial(const struct credentials *credentials)
{
	return credentials->access.serial;
}

int token_reject(
	struct credentials *credentials, unsigned serial, struct err *err_r)
{
	const char *refused = credentials->slot.now->type->refused;

	if (refused)
		return err_set(err_r, ERR_AUTH, "%s", refused);
	token_cache_reject(&credentials->access, serial);
	return 0;
}

/* ---- ID tokens. ---- */

static struct token_cache *find_id(
	const struct credentials *credentials, const char *audience)
{
	struct token_cache *cache;

	TAILQ_FOREACH(cache, &credentials->ids, link) {
		if (strcmp(cache->audience, audience) == 0)
			return cache;
	}
	return NULL;
}

/* Every service and revision has its own, and a daemon meets many. */
static void make_room(struct credentials *credentials)
{
	struct token_cache *cache;

	if (credentials->n_ids < AUDIENCES_MAX)
		return;
	TAILQ_FOREACH(cache, &credentials->ids, link) {
		if (token_cache_is_idle(cache)) {
			forget(credentials, cache);
			return;
		}
	}
}

struct token_call *id_token_start(struct credentials *credentials,
	const char *audience, token_fn fn, void *arg)
{
	struct token_cache *cache = find_id(credentials, audience);

	if (!cache) {
		make_room(credentials);
		cache = xcalloc(1, sizeof(*cache));
		token_cache_init(cache, credentials->loop, &credentials->slot,
			&credentials->rng, audience);
		TAILQ_INSERT_TAIL(&credentials->ids, cache, link);
		credentials->n_ids++;
	}
	return token_cache_start(cache, fn, arg);
}

unsigned id_token_serial(
	const struct credentials *credentials, const char *audience)
{
	const struct token_cache *cache = find_id(credentials, audience);

	return cache ? cache->serial : 0;
}

void id_token_reject(
	struct credentials *credentials, const char *audience, unsigned serial)
{
	struct token_cache *cache = find_id(credentials, audience);

	if (cache)
		token_cache_reject(cache, serial);
}
