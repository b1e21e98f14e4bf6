/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a form of ours brings back: proof that our own page for that very caller
 * made it. It holds for as long as what it is bound to: a session, a key.
 */
#ifndef TIDEGATE_IDENTITY_FORM_TOKEN_H
#define TIDEGATE_IDENTITY_FORM_TOKEN_H

#include "identity/caller.h"

/* `key` has OWN_KEY_BYTES. */
void form_token_make(const unsigned char *key, const char *binding,
	char token_r[CALLER_FORM_MAX]);

#endif
