/* SPDX-License-Identifier: Apache-2.0 */
/* One login's secrets; see login_secret.h. */
#include "identity/login_secret.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64url.h"
#include "identity/mac.h"
#include "io/digest.h"
#include "io/random.h"

#define EXPIRES_CHARS 12 /* digits, at most */

bool login_next_is_ours(const char *next)
{
	if (next[0] != '/' || next[1] == '/' || strlen(next) > LOGIN_NEXT_MAX)
		return false;
	for (const char *p = next; *p; p++) {
		if ((unsigned char)*p <= ' ' || (unsigned char)*p >= 0x7f ||
			*p == '\\')
			return false;
	}
	return true;
}

static void print32(const unsigned char bytes[32], char text_r[LOGIN_TEXT_MAX])
{
	struct buf text;

	buf_init_secret(&text, LOGIN_TEXT_MAX - 1);
	base64url_add(&text, bytes, 32);
	snprintf(text_r, LOGIN_TEXT_MAX, "%s", text.data);
	buf_wipe(&text);
	buf_fini(&text);
}

/* Bound to all that the cookie says, so that no part of it can be changed. */
static void derive(const struct login_secret *s, const char *what,
	char text_r[LOGIN_TEXT_MAX])
{
	unsigned char mac[MAC_BYTES];
	char facts[64];

	snprintf(facts, sizeof(facts), "|%d|%" PRId64 "|", s->issuer,
		s->expires_s);
	mac_make(s->bytes, sizeof(s->bytes),
		(const struct mac_part[]){{what, strlen(what)},
			{facts, strlen(facts)}, {s->next, strlen(s->next)},
			{NULL, 0}},
		mac);
	print32(mac, text_r);
}

static void derive_all(struct login_secret *s)
{
	unsigned char digest[DIGEST_BYTES];

	derive(s, "state", s->state);
	derive(s, "nonce", s->nonce);
	derive(s, "verifier", s->verifier);
	digest_bytes(s->verifier, strlen(s->verifier), digest);
	print32(digest, s->challenge);
}

void login_secret_make(struct login_secret *secret_r, int issuer,
	const char *next, int64_t now_s, struct arena *arena)
{
	*secret_r = (struct login_secret){
		.issuer = issuer,
		.expires_s = now_s + LOGIN_LIFE_S,
		.next = arena_strdup(
			arena, next && login_next_is_ours(next) ? next : "/"),
	};
	random_bytes(secret_r->bytes, sizeof(secret_r->bytes));
	derive_all(secret_r);
}

void login_secret_print(const struct login_secret *secret, struct buf *out)
{
	base64url_add(out, secret->bytes, sizeof(secret->bytes));
	buf_addf(out, ".%d.%" PRId64 ".", secret->issuer, secret->expires_s);
	base64url_add(out, secret->next, strlen(secret->next));
}

/* A number without anything around it that ends with a dot. */
static const char *parse_number(
	const char *at, const char *end, size_t digits, int64_t *number_r)
{
	size_t n = 0;

	*number_r = 0;
	for (; at + n < end && at[n] >= '0' && at[n] <= '9' && n < digits; n++)
		*number_r = *number_r * 10 + (at[n] - '0');
	return n && at + n < end && at[n] == '.' ? at + n + 1 : NULL;
}

static int parse_next(const char *at, const char *end, struct arena *arena,
	struct login_secret *secret)
{
	struct buf next;
	int rc;

	buf_init(&next, LOGIN_NEXT_MAX);
	rc = base64url_decode(at, (size_t)(end - at), &next);
	if (rc == 0 && (strlen(next.data) != next.len ||
			       !login_next_is_ours(next.data)))
		rc = -1;
	secret->next = rc == 0 ? arena_strdup(arena, next.data) : NULL;
	buf_fini(&next);
	return rc;
}

int login_secret_parse(const char *value, size_t len, int64_t now_s,
	struct arena *arena, struct login_secret *secret_r)
{
	const char *end = value + len, *at = value + BASE64URL_LEN(LOGIN_BYTES);
	struct buf bytes;
	int64_t issuer;
	int rc = -1;

	*secret_r = (struct login_secret){0};
	if (len <= BASE64URL_LEN(LOGIN_BYTES) + 1 || *at != '.')
		return -1;
	buf_init_secret(&bytes, LOGIN_BYTES);
	if (base64url_decode(value, BASE64URL_LEN(LOGIN_BYTES), &bytes) == 0 &&
		(at = parse_number(at + 1, end, 2, &issuer)) &&
		(at = parse_number(
			 at, end, EXPIRES_CHARS, &secret_r->expires_s)) &&
		secret_r->expires_s > now_s &&
		secret_r->expires_s <= now_s + LOGIN_LIFE_S &&
		parse_next(at, end, arena, secret_r) == 0) {
		secret_r->issuer = (int)issuer;
		memcpy(secret_r->bytes, bytes.data, LOGIN_BYTES);
		derive_all(secret_r);
		rc = 0;
	}
	buf_wipe(&bytes);
	buf_fini(&bytes);
	return rc;
}
