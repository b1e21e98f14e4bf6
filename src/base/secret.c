/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Secrets and the register of their codes; see secret.h. It owns the only
 * copies of secret values; redact.c decides what else is masked.
 *
 * The register is searched at every byte of every log line, so a value is
 * filed under a hash of its first four bytes, and a bitmap of these hashes
 * answers "no" nearly always.
 */
#include "base/secret.h"

#include <assert.h>
#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

#define BUCKETS    1024 /* a power of two */
#define CUT_MIN    8 /* bytes of a beginning at the end of a text */
#define BASE64_MIN 8 /* fewer digits could be a word */
#define GROWTH_MAX 2 /* bytes for one, in hexadecimal */

/* One value, or a code of one; several secrets may share it. */
struct known {
	struct known *next;
	size_t len;
	unsigned users;
	char bytes[];
};

struct secret {
	size_t len;
	bool masked; /* it and its codes are in the register */
	char bytes[];
};

static struct known *buckets[BUCKETS];
static uint64_t filter[BUCKETS / 64];
static size_t n_known;
static size_t longest; /* spelling ever, in bytes */

static unsigned bucket_of(const char *bytes)
{
	uint32_t word;

	memcpy(&word, bytes, sizeof(word));
	return (word * UINT32_C(2654435761)) >> 22;
}

/* ---- The register. ---- */

static struct known **known_find(const char *bytes, size_t len)
{
	struct known **p = &buckets[bucket_of(bytes)];

	while (*p && ((*p)->len != len || memcmp((*p)->bytes, bytes, len)))
		p = &(*p)->next;
	return p;
}

static void known_add(const char *bytes, size_t len)
{
	struct known **p, *s;
	unsigned bucket;

	if (len < SECRET_MASK_MIN)
		return;
	p = known_find(bytes, len);
	if (*p) {
		(*p)->users++;
		return;
	}
	s = xcalloc(1, sizeof(*s) + len);
	memcpy(s->bytes, bytes, len);
	s->len = len;
	s->users = 1;
	*p = s;
	if (len > longest)
		longest = len;
	n_known++;
	bucket = bucket_of(bytes);
	filter[bucket / 64] |= UINT64_C(1) << bucket % 64;
}

static void known_drop(const char *bytes, size_t len)
{
	struct known **p, *s;
	unsigned bucket;

	if (len < SECRET_MASK_MIN)
		return;
	p = known_find(bytes, len);
	s = *p;
	assert(s);
	if (--s->users)
		return;
	*p = s->next;
	n_known--;
	explicit_bzero(s->bytes, s->len);
	free(s);
	bucket = bucket_of(bytes);
	if (!buckets[bucket])
		filter[bucket / 64] &= ~(UINT64_C(1) << bucket % 64);
}

static size_t known_match(const struct known *s, const char *text, size_t len)
{
	if (s->len <= len)
		return memcmp(s->bytes, text, s->len) ? 0 : s->len;
	if (len < CUT_MIN || len < s->len / 2)
		return 0;
	return memcmp(s->bytes, text, len) ? 0 : len;
}

static size_t longest_match(const struct known *s, const char *text, size_t len)
{
	size_t found, most = 0;

	for (; s; s = s->next) {
		found = known_match(s, text, len);
		if (found > most)
			most = found;
	}
	return most;
}

size_t secret_longest(void)
{
	return n_known ? longest : 0;
}

size_t secret_find(const char *text, size_t len, size_t i, size_t *len_r)
{
	unsigned bucket;

	if (!n_known)
		return len;
	for (; i + SECRET_MASK_MIN <= len; i++) {
		bucket = bucket_of(text + i);
		if (!(filter[bucket / 64] >> bucket % 64 & 1))
			continue;
		*len_r = longest_match(buckets[bucket], text + i, len - i);
		if (*len_r)
			return i;
	}
	return len;
}

/* ---- A value and its codes. ---- */

typedef void code_fn(const char *bytes, size_t len);

static void hex(
	struct buf *out, const char *bytes, size_t len, const char *digits)
{
	size_t i;

	for (i = 0; i < len; i++) {
		buf_addc(out, digits[(unsigned char)bytes[i] >> 4]);
		buf_addc(out, digits[(unsigned char)bytes[i] & 15]);
	}
}

/* Base64 of what follows `skip` unknown bytes; only the digits that depend on
 * known bytes alone. */
static void base64(struct buf *out, const char *bytes, size_t len, int skip)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t bits = len * 8, bit = (size_t)(6 - skip * 8 % 6) % 6, i;
	unsigned value;

	for (; bit + 6 <= bits; bit += 6) {
		value = 0;
		for (i = bit; i < bit + 6; i++)
			value = value << 1 |
				((unsigned char)bytes[i / 8] >> (7 - i % 8) &
					1);
		buf_addc(out, digits[value]);
	}
}

static void each_base64(
	const char *bytes, size_t len, struct buf *out, code_fn *fn)
{
	int skip;
	char *p;

	for (skip = 0; skip < 3; skip++) {
		buf_wipe(out);
		base64(out, bytes, len, skip);
		if (out->len < BASE64_MIN)
			continue;
		fn(out->data, out->len);
		for (p = out->data; (p = strpbrk(p, "+/")); p++)
			*p = *p == '+' ? '-' : '_';
		fn(out->data, out->len);
	}
}

/* Somebody prints a key file line by line. */
static void each_line(const char *bytes, size_t len, code_fn *fn)
{
	const char *end = bytes + len, *line = bytes, *p;

	if (!memchr(bytes, '\n', len))
		return;
	for (; line < end; line = p + 1) {
		p = memchr(line, '\n', (size_t)(end - line));
		if (!p)
			p = end;
		if (p - line >= SECRET_LINE_MIN && memcmp(line, "-----", 5))
			fn(line, (size_t)(p - line));
	}
}

/* Calls `fn` with the value and its codes, always in the same way, some twice.
 * Escapes are none of them: redact.c reads them back. */
static void each_code(const struct secret *secret, code_fn *fn)
{
	const char *bytes = secret->bytes;
	size_t len = secret->len;
	struct buf out;

	if (len < SECRET_MASK_MIN)
		return;
	buf_init_secret(&out, len * GROWTH_MAX);
	fn(bytes, len);
	hex(&out, bytes, len, "0123456789abcdef");
	fn(out.data, out.len);
	buf_wipe(&out);
	hex(&out, bytes, len, "0123456789ABCDEF");
	fn(out.data, out.len);
	each_base64(bytes, len, &out, fn);
	each_line(bytes, len, fn);
	buf_wipe(&out);
	buf_fini(&out);
}

/* ---- The type. ---- */

struct secret *secret_hold(const char *bytes, size_t len)
{
	struct secret *secret = xcalloc(1, sizeof(*secret) + len + 1);

	if (len)
		memcpy(secret->bytes, bytes, len);
	secret->len = len;
	return secret;
}

struct secret *secret_new(const char *bytes, size_t len)
{
	struct secret *secret = secret_hold(bytes, len);

	secret->masked = true;
	each_code(secret, known_add);
	return secret;
}

struct secret *secret_dup(const struct secret *secret)
{
	if (!secret)
		return NULL;
	return secret->masked ? secret_new(secret->bytes, secret->len)
			      : secret_hold(secret->bytes, secret->len);
}

void secret_free(struct secret **secret)
{
	if (!*secret)
		return;
	if ((*secret)->masked)
		each_code(*secret, known_drop);
	explicit_bzero((*secret)->bytes, (*secret)->len);
	free(*secret);
	*secret = NULL;
}

const char *secret_reveal(const struct secret *secret)
{
	return secret->bytes;
}

size_t secret_len(const struct secret *secret)
{
	return secret->len;
}

bool secret_is_same(const struct secret *a, const struct secret *b)
{
	return a->len == b->len && !memcmp(a->bytes, b->bytes, a->len);
}
