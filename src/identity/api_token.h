/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tokens of ours, for programs: "tgt_<8 characters>_<43 characters>". What is
 * kept is the hash of the second part, 32 random bytes: it is no password, so
 * that SHA-256 is enough. Its beginning is fixed so that scanners for secrets
 * find it.
 */
#ifndef TIDEGATE_IDENTITY_API_TOKEN_H
#define TIDEGATE_IDENTITY_API_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/secret.h"
#include "identity/refusal.h"
#include "store/store_identity.h"

#define API_TOKEN_PREFIX      "tgt_"
#define API_TOKEN_ID_MAX      9 /* with the NUL */
#define API_TOKEN_HASH_MAX    65 /* with the NUL */
#define API_TOKEN_LEN         56
#define API_TOKEN_NAME_MAX    64 /* with the NUL */
#define API_TOKEN_LIFE_MS_MAX INT64_C(31622400000) /* 366 days */

/* What of it may be kept and looked up by. */
struct api_token {
	char id[API_TOKEN_ID_MAX];
	char hash[API_TOKEN_HASH_MAX];
};

/* Whether it looks like a token of ours: then it is nothing else. */
bool api_token_claims(const char *text);

/* Takes it apart; -1 when it is none. */
MUST_CHECK int api_token_parse(
	const char *text, size_t len, struct api_token *token_r);

/* A new one; its text is told once. */
struct secret *api_token_mint(struct api_token *token_r);

/* Whether the row is that token's and may be used now. `row` NULL: there is
 * none of this id, which takes as long to find out. */
MUST_CHECK int api_token_check(const struct api_token *token,
	const struct store_token *row, int64_t now_ms,
	struct refusal *refusal_r);

/* A person's name, as approvers are named: no blanks, nothing invisible, 1 to
 * 63 bytes. ERR_USAGE. */
MUST_CHECK int api_token_check_person(const char *name, struct err *err_r);

/* A token's name: 1 to 63 of letters, digits, "-", "_", "."; ERR_USAGE. */
MUST_CHECK int api_token_check_name(const char *name, struct err *err_r);

#endif
