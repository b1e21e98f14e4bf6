/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For src/identity: an issuer of signed tokens that is configured: what a token
 * of it has to be, where its keys are, and what its claims make of a caller.
 */
#ifndef TIDEGATE_IDENTITY_ISSUER_H
#define TIDEGATE_IDENTITY_ISSUER_H

#include "identity/ask.h"
#include "identity/identity_config.h"
#include "identity/jwt_verify.h"
#include "identity/key_set.h"

struct issuer {
	const struct issuer_config *config; /* borrowed */
	struct jwt_rule rule;
	struct key_set *keys;
};

/* Of those kinds that sign tokens. */
bool issuer_signs(enum issuer_kind kind);
void issuer_init(struct issuer *issuer, const struct api *api,
	const struct issuer_config *config);
void issuer_fini(struct issuer *issuer);

/* Fills in the caller of verified claims: -1 with ask->refusal. */
MUST_CHECK int issuer_accept(const struct issuer *issuer, struct ask *ask,
	const struct jwt_claims *claims);

#endif
