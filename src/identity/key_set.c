/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys that are fetched; see key_set.h. A fetch in time order: fetch_start,
 * (discovery_answered,) keys_answered, fetch_end.
 */
#include "identity/key_set.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "engine/backoff.h"
#include "io/loop.h"

#define FETCH_MS 5000 /* of one request */

struct waiter {
	struct key_set *set;
	key_set_fn fn;
	void *arg;
	struct timer *timer;
	struct waiter *next, **link;
};

struct key_set {
	struct api api;
	struct key_source source;
	struct jwks *keys; /* NULL: there are none */
	struct discovery discovery;
	bool has_discovery;
	int64_t discovered_ms;
	int64_t refresh_ms; /* from then on they are fetched anew */
	int64_t over_ms; /* from then on they are not used */
	int64_t fetched_ms; /* the last fetch's begin, however it ended */
	int64_t next_ms; /* not before, after a failure */
	int n_failures;
	struct request *request; /* under way */
	struct err err; /* of the last failure */
	struct waiter *waiters;
	int n_waiters;
};

static void fetch_start(struct key_set *set);
static void discovery_answered(const struct http_reply *reply, void *arg);
static void keys_fetch(struct key_set *set);
static void keys_answered(const struct http_reply *reply, void *arg);
static void fetch_end(struct key_set *set, const struct err *err);

int64_t key_set_life_ms(const char *cache_control)
{
	const char *at = cache_control ? cache_control : "", *word;
	int64_t life_ms = KEY_SET_LIFE_MS_MIN;
	size_t len;

	for (; *at; at += len + (at[len] == ',')) {
		len = strcspn(at, ",");
		word = at + strspn(at, " \t");
		if (strncasecmp(word, "max-age=", 8) == 0 && word[8] >= '0' &&
			word[8] <= '9') {
			life_ms = strtoll(word + 8, NULL, 10);
			life_ms = life_ms < KEY_SET_LIFE_MS_MAX / 1000
					  ? life_ms * 1000
					  : KEY_SET_LIFE_MS_MAX;
		}
	}
	return life_ms > KEY_SET_LIFE_MS_MIN ? life_ms : KEY_SET_LIFE_MS_MIN;
}

/* ---- the fetch ---- */

static void get(struct key_set *set, const char *url, size_t max, http_fn fn)
{
	const struct request_spec spec = {
		.url = url,
		.accept = "application/json",
		.body_max = max,
		.timeout_ms = FETCH_MS,
	};

	set->request = request_start(&set->api, &spec, fn, set);
}

static int reply_check(
	const struct http_reply *reply, const char *what, struct err *err_r)
{
	if (!reply->status) {
		*err_r = *reply->err;
		return err_wrap(err_r, "%s", what);
	}
	if (reply->status != 200)
		return err_set(err_r, ERR_UNAVAILABLE, "%s: HTTP %d", what,
			reply->status);
	return 0;
}

static void fetch_start(struct key_set *set)
{
	int64_t now_ms = loop_now(set->api.loop);
	char *url;

	set->fetched_ms = now_ms;
	if (set->source.keys_url ||
		(set->has_discovery &&
			now_ms - set->discovered_ms < KEY_SET_LIFE_MS_MAX)) {
		keys_fetch(set);
		return;
	}
	url = xasprintf("%s" DISCOVERY_PATH, set->source.issuer);
	get(set, url, DISCOVERY_BYTES_MAX, discovery_answered);
	free(url);
}

static void discovery_answered(const struct http_reply *reply, void *arg)
{
	struct key_set *set = arg;
	struct discovery fresh;
	struct err err;

	set->request = NULL;
	if (reply_check(reply, "the discovery document", &err) < 0 ||
		discovery_decode(reply->body, reply->body_len,
			set->source.issuer, &fresh, &err) < 0) {
		fetch_end(set, &err);
		return;
	}
	discovery_fini(&set->discovery);
	set->discovery = fresh;
	set->has_discovery = true;
	set->discovered_ms = loop_now(set->api.loop);
	keys_fetch(set);
}

static void keys_fetch(struct key_set *set)
{
	get(set,
		set->source.keys_url ? set->source.keys_url
				     : set->discovery.keys_url,
		JWKS_BYTES_MAX, keys_answered);
}

static void keys_answered(const struct http_reply *reply, void *arg)
{
	struct key_set *set = arg;
	int64_t now_ms = loop_now(set->api.loop), life_ms;
	struct jwks *fresh = NULL;
	struct err err;

	set->request = NULL;
	if (reply_check(reply, "the keys", &err) == 0)
		fresh = jwks_decode(reply->body, reply->body_len, &err);
	if (!fresh) {
		fetch_end(set, &err);
		return;
	}
	life_ms = key_set_life_ms(http_reply_header(reply, "Cache-Control"));
	jwks_free(&set->keys);
	set->keys = fresh;
	set->refresh_ms = now_ms + life_ms / 5 * 4;
	set->over_ms = now_ms + KEY_SET_LIFE_MS_MAX;
	fetch_end(set, NULL);
}

static void waiter_tell(struct waiter *waiter, const struct err *err)
{
	struct key_set *set = waiter->set;
	struct waiter own = *waiter;
	struct err copy;

	if (err)
		copy = *err;
	timer_cancel(&waiter->timer);
	*waiter->link = waiter->next;
	if (waiter->next)
		waiter->next->link = waiter->link;
	set->n_waiters--;
	free(waiter);
	own.fn(set->keys, key_set_discovery(set),
		set->keys ? NULL
		: err     ? &copy
			  : &set->err,
		own.arg);
}

static void fetch_end(struct key_set *set, const struct err *err)
{
	static const struct backoff pause = {
		KEY_SET_BACKOFF_MS, KEY_SET_PAUSE_MS_MAX};
	int64_t now_ms = loop_now(set->api.loop);

	if (err) {
		set->err = *err;
		err_wrap(&set->err, "the keys of %s", set->source.issuer);
		/* At least the half, so that it is a pause. */
		set->next_ms =
			now_ms + KEY_SET_BACKOFF_MS / 2 +
			backoff_delay(&pause, set->n_failures++,
				err->retry_after_ms, loop_rng(set->api.loop));
		set->err.retry_after_ms = set->next_ms - now_ms;
		log_line(LOG_WARN,
			"event=identity-keys issuer=\"%s\" kept=%s text=\"%s\"",
			set->source.issuer, set->keys ? "yes" : "no",
			set->err.text);
	} else {
		set->n_failures = 0;
		set->next_ms = 0;
		log_line(LOG_INFO, "event=identity-keys issuer=\"%s\" keys=%zu",
			set->source.issuer, jwks_count(set->keys));
	}
	while (set->waiters)
		waiter_tell(set->waiters, &set->err);
}

/* ---- who wants them ---- */

static bool may_fetch(const struct key_set *set, int64_t now_ms)
{
	return !set->request && now_ms >= set->next_ms;
}

const struct jwks *key_set_ready(struct key_set *set, const char *kid)
{
	int64_t now_ms = loop_now(set->api.loop);
	enum jwt_alg alg;

	if (set->keys && now_ms >= set->over_ms)
		jwks_free(&set->keys);
	if (!set->keys)
		return NULL;
	if (now_ms >= set->refresh_ms && may_fetch(set, now_ms))
		fetch_start(set);
	return !kid || jwks_find(set->keys, kid, &alg) ? set->keys : NULL;
}

const struct discovery *key_set_discovery(const struct key_set *set)
{
	return set->has_discovery ? &set->discovery : NULL;
}

static void waiter_late(void *arg)
{
	struct waiter *waiter = arg;
	struct err err;

	waiter->timer = NULL;
	(void)!err_set(&err, ERR_TIMEOUT, "the keys of %s have not come yet",
		waiter->set->source.issuer);
	err.retry_after_ms = 1000;
	waiter_tell(waiter, &err);
}

static void waiter_soon(void *arg)
{
	struct waiter *waiter = arg;

	waiter->timer = NULL;
	waiter_tell(waiter, &waiter->set->err);
}

void key_set_wait(
	struct key_set *set, const char *kid, key_set_fn fn, void *arg)
{
	int64_t now_ms = loop_now(set->api.loop);
	struct waiter *waiter = xcalloc(1, sizeof(*waiter));
	bool is_new = !set->keys || !set->fetched_ms ||
		      now_ms - set->fetched_ms >= KEY_SET_REFETCH_MS;
	bool waits;

	if (is_new && may_fetch(set, now_ms))
		fetch_start(set);
	waits = set->request && set->n_waiters < KEY_SET_WAITERS_MAX;
	if (!set->request && !set->keys && set->next_ms > now_ms)
		set->err.retry_after_ms = set->next_ms - now_ms;
	waiter->set = set;
	waiter->fn = fn;
	waiter->arg = arg;
	waiter->next = set->waiters;
	waiter->link = &set->waiters;
	if (waiter->next)
		waiter->next->link = &waiter->next;
	set->waiters = waiter;
	set->n_waiters++;
	waiter->timer =
		waits ? timer_start(set->api.loop, KEY_SET_WAIT_MS, waiter_late,
				waiter)
		      : timer_start(set->api.loop, 0, waiter_soon, waiter);
}

/* ---- its life ---- */

struct key_set *key_set_new(
	const struct api *api, const struct key_source *source)
{
	struct key_set *set = xcalloc(1, sizeof(*set));

	set->api = *api;
	set->source = *source;
	(void)!err_set(&set->err, ERR_UNAVAILABLE,
		"too many wait for the keys of %s", source->issuer);
	return set;
}

void key_set_free(struct key_set **set_p)
{
	struct key_set *set = *set_p;
	struct err err;

	*set_p = NULL;
	if (!set)
		return;
	request_cancel(&set->request);
	jwks_free(&set->keys);
	(void)!err_set(&err, ERR_UNAVAILABLE, "the daemon stops");
	while (set->waiters)
		waiter_tell(set->waiters, &err);
	discovery_fini(&set->discovery);
	free(set);
}
