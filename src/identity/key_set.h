/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keys of one issuer, as it publishes them: fetched when they are needed,
 * kept as long as it says (5 minutes to 24 hours), fetched anew ahead of that
 * and when a token names a key that is not there, by one request however many
 * wait. What is there stays when a fetch fails.
 *
 * A stranger can name any key: for that, keys are fetched once a minute at most.
 */
#ifndef TIDEGATE_IDENTITY_KEY_SET_H
#define TIDEGATE_IDENTITY_KEY_SET_H

#include "api/request.h"
#include "identity/discovery_codec.h"
#include "identity/jwks_codec.h"

#define KEY_SET_LIFE_MS_MIN  INT64_C(300000)
#define KEY_SET_LIFE_MS_MAX  INT64_C(86400000) /* also of keys that are kept */
#define KEY_SET_REFETCH_MS   INT64_C(60000) /* for keys that are not there */
#define KEY_SET_WAIT_MS      INT64_C(2000) /* somebody waits, at most */
#define KEY_SET_WAITERS_MAX  256
#define KEY_SET_BACKOFF_MS   INT64_C(5000) /* after failures, doubling up to … */
#define KEY_SET_PAUSE_MS_MAX INT64_C(300000)

struct key_set;

struct key_source {
	const char *issuer; /* borrowed */
	/* Borrowed; NULL: the issuer's discovery document says where, which is
	 * read once a day. */
	const char *keys_url;
};

/* keys NULL: err says why there are none; err->retry_after_ms, when to ask
 * again. discovery NULL: there is none. */
typedef void (*key_set_fn)(const struct jwks *keys,
	const struct discovery *discovery, const struct err *err, void *arg);

struct key_set *key_set_new(
	const struct api *api, const struct key_source *source);
void key_set_free(struct key_set **set); /* those who wait are told */

/* The keys, when nobody has to wait for them; kid NULL: any. Whoever wants
 * them before they are over has them fetched anew meanwhile. */
const struct jwks *key_set_ready(struct key_set *set, const char *kid);
/* The document, when it is there. */
const struct discovery *key_set_discovery(const struct key_set *set);
/* Otherwise: `fn` is told once, later; maybe of keys without that kid. */
void key_set_wait(
	struct key_set *set, const char *kid, key_set_fn fn, void *arg);

/* "max-age=300, public" in milliseconds, within the bounds above. */
int64_t key_set_life_ms(const char *cache_control);

#endif
