/* SPDX-License-Identifier: Apache-2.0 */
/* Signed tokens; see ask_jwt.h. */
#include "identity/ask_jwt.h"

#include <string.h>

#include "io/loop.h"

/* Lives in the question's arena. */
struct jwt_ask {
	struct ask *ask;
	struct issuer *issuer;
	struct jwt jwt;
};

static bool is_for(const struct jwt *jwt, const struct issuer *issuer)
{
	const struct jwt_claims *claims = &jwt->claims;

	for (size_t i = 0; i < claims->n_aud; i++) {
		if (strcmp(claims->aud[i], issuer->rule.audience) == 0)
			return true;
	}
	return false;
}

/* One issuer may be configured for several audiences. */
static struct issuer *issuer_of(
	const struct jwt *jwt, struct issuer *issuers, size_t n, unsigned kinds)
{
	struct issuer *found = NULL;

	for (size_t i = 0; i < n; i++) {
		if (!(kinds & 1U << issuers[i].config->kind) ||
			!jwt_claims_issuer(jwt, &issuers[i].rule))
			continue;
		if (is_for(jwt, &issuers[i]))
			return &issuers[i];
		if (!found)
			found = &issuers[i];
	}
	return found;
}

static void jwt_judge(struct jwt_ask *own, const struct jwks *keys)
{
	struct ask *ask = own->ask;

	if (jwt_check_signature(
		    &own->jwt, &own->issuer->rule, keys, &ask->refusal) == 0 &&
		issuer_accept(own->issuer, ask, &own->jwt.claims) == 0)
		ask_accept(ask);
	else
		ask_refuse(ask);
}

static void jwt_keys_came(const struct jwks *keys,
	const struct discovery *discovery, const struct err *err, void *arg)
{
	struct jwt_ask *own = arg;

	if (keys) {
		jwt_judge(own, keys);
		return;
	}
	(void)refuse(
		&own->ask->refusal, REFUSAL_KEYS_UNAVAILABLE, "%s", err->text);
	own->ask->refusal.retry_after_ms = err->retry_after_ms;
	ask_refuse(own->ask);
}

void ask_jwt_start(struct ask *ask, struct issuer *issuers, size_t n,
	unsigned kinds, const char *text)
{
	struct jwt_ask *own = arena_alloc(&ask->arena, sizeof(*own));
	int64_t now_s = loop_wall_ms(ask->common->loop) / 1000;
	const struct jwks *keys;

	own->ask = ask;
	if (jwt_decode(text, strlen(text), &ask->arena, &own->jwt,
		    &ask->refusal) < 0) {
		ask_refuse(ask);
		return;
	}
	own->issuer = issuer_of(&own->jwt, issuers, n, kinds);
	if (!own->issuer)
		(void)refuse(&ask->refusal, REFUSAL_ISSUER,
			"iss is %.120s, which is not configured here",
			own->jwt.claims.iss ? own->jwt.claims.iss : "missing");
	if (!own->issuer || jwt_check(&own->jwt, &own->issuer->rule, now_s,
				    &ask->refusal) < 0) {
		ask_refuse(ask);
		return;
	}
	keys = key_set_ready(own->issuer->keys, own->jwt.kid);
	if (keys)
		jwt_judge(own, keys);
	else
		key_set_wait(
			own->issuer->keys, own->jwt.kid, jwt_keys_came, own);
}
