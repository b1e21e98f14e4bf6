/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens of ours; see api_token.h. */
#define _GNU_SOURCE /* explicit_bzero */
#include "identity/api_token.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#include "base/base64url.h"
#include "base/printable.h"
#include "io/digest.h"
#include "io/random.h"

#define ID_CHARS     8
#define SECRET_BYTES 32
#define SECRET_CHARS BASE64URL_LEN(SECRET_BYTES)
#define SECRET_AT    (sizeof(API_TOKEN_PREFIX) - 1 + ID_CHARS + 1)

static const char id_letters[] = "abcdefghijklmnopqrstuvwxyz234567";

bool api_token_claims(const char *text)
{
	return strncmp(text, API_TOKEN_PREFIX, strlen(API_TOKEN_PREFIX)) == 0;
}

int api_token_parse(const char *text, size_t len, struct api_token *token_r)
{
	const char *id = text + strlen(API_TOKEN_PREFIX);
	struct buf bytes;
	int rc;

	*token_r = (struct api_token){0};
	if (len != API_TOKEN_LEN || !api_token_claims(text) ||
		strspn(id, id_letters) != ID_CHARS || id[ID_CHARS] != '_')
		return -1;
	buf_init_secret(&bytes, SECRET_BYTES);
	rc = base64url_decode(text + SECRET_AT, SECRET_CHARS, &bytes);
	if (rc == 0) {
		snprintf(token_r->id, sizeof(token_r->id), "%.8s", id);
		digest_text(bytes.data, bytes.len, token_r->hash);
	}
	buf_wipe(&bytes);
	buf_fini(&bytes);
	return rc;
}

struct secret *api_token_mint(struct api_token *token_r)
{
	unsigned char id[ID_CHARS], bytes[SECRET_BYTES];
	struct secret *token;
	struct buf text;

	random_bytes(id, sizeof(id));
	random_bytes(bytes, sizeof(bytes));
	buf_init_secret(&text, API_TOKEN_LEN);
	buf_adds(&text, API_TOKEN_PREFIX);
	for (size_t i = 0; i < sizeof(id); i++)
		buf_addc(&text, id_letters[id[i] & 31]);
	buf_addc(&text, '_');
	base64url_add(&text, bytes, sizeof(bytes));
	explicit_bzero(bytes, sizeof(bytes));
	if (text.overflow || api_token_parse(text.data, text.len, token_r) < 0)
		*token_r = (struct api_token){0};
	token = secret_new(text.data, text.len);
	buf_wipe(&text);
	buf_fini(&text);
	return token;
}

int api_token_check(const struct api_token *token,
	const struct store_token *row, int64_t now_ms,
	struct refusal *refusal_r)
{
	char nobodys[API_TOKEN_HASH_MAX] = {0};
	const char *hash = row && strlen(row->hash) == DIGEST_TEXT_MAX - 1
				   ? row->hash
				   : nobodys;
	bool same = CRYPTO_memcmp(hash, token->hash, DIGEST_TEXT_MAX - 1) == 0;

	if (!row)
		return refuse(refusal_r, REFUSAL_TOKEN_UNKNOWN,
			"there is no token %s", token->id);
	if (!same)
		return refuse(refusal_r, REFUSAL_TOKEN_UNKNOWN,
			"the secret of the token %s (%s) is another one",
			token->id, row->name);
	if (row->revoked_ms)
		return refuse(refusal_r, REFUSAL_TOKEN_REVOKED,
			"the token %s (%s) was revoked", token->id, row->name);
	if (row->expires_ms <= now_ms)
		return refuse(refusal_r, REFUSAL_TOKEN_EXPIRED,
			"the token %s (%s) is over", token->id, row->name);
	return 0;
}

int api_token_check_name(const char *name, struct err *err_r)
{
	size_t len = strlen(name);

	if (len > 0 && len < API_TOKEN_NAME_MAX &&
		strspn(name, "abcdefghijklmnopqrstuvwxyz"
			     "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") == len)
		return 0;
	return err_set(err_r, ERR_USAGE,
		"\"%.80s\" cannot be a token's name: 1 to %d letters, digits, "
		"-, _ or .",
		name, API_TOKEN_NAME_MAX - 1);
}

int api_token_check_person(const char *name, struct err *err_r)
{
	char shown[4 * API_TOKEN_NAME_MAX];

	printable_copy(shown, sizeof(shown), name);
	if (*name && strlen(name) < API_TOKEN_NAME_MAX &&
		!strpbrk(name, " \t") && strcmp(shown, name) == 0)
		return 0;
	return err_set(err_r, ERR_USAGE,
		"\"%.80s\" cannot be a person's name: 1 to %d bytes without "
		"blanks and control characters",
		shown, API_TOKEN_NAME_MAX - 1);
}
