/* SPDX-License-Identifier: Apache-2.0 */
/* For identity.c: questions with a token that somebody else has signed. */
#ifndef TIDEGATE_IDENTITY_ASK_JWT_H
#define TIDEGATE_IDENTITY_ASK_JWT_H

#include "identity/issuer.h"

/* The text is borrowed from the request. It is one of an issuer of one of these
 * kinds (bits of enum issuer_kind), which its `iss` tells. */
void ask_jwt_start(struct ask *ask, struct issuer *issuers, size_t n,
	unsigned kinds, const char *text);

#endif
