/*
 * Secrets and the register of their spellings; see secret.h. It owns the only
 * copies of secret values; redact.c decides what else is masked.
 *
 * The register is searched at every byte of every log line, so a spelling is
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
#define GROWTH_MAX 6 /* bytes for one: "\u001F" */

/* One way to write one value; several secrets may share it. */
struct spelling {
	struct spelling *next;
	size_t len;
	unsigned users;
	char bytes[];
};

struct secret {
	size_t len;
	bool masked; /* its spellings are in the register */
	char bytes[];
};

static struct spelling *buckets[BUCKETS];
static uint64_t filter[BUCKETS / 64];
static size_t n_spellings;

static unsigned bucket_of(const char *bytes)
{
	uint32_t word;

	memcpy(&word, bytes, sizeof(word));
	return (word * UINT32_C(2654435761)) >> 22;
}

/* ---- The register. ---- */

static struct spelling **spelling_find(const char *bytes, size_t len)
{
	struct spelling **p = &buckets[bucket_of(bytes)];

	while (*p && ((*p)->len != len || memcmp((*p)->bytes, bytes, len)))
		p = &(*p)->next;
	return p;
}

static void spelling_add(const char *bytes, size_t len)
{
	struct spelling **p, *s;
	unsigned bucket;

	if (len < SECRET_MASK_MIN)
		return;
	p = spelling_find(bytes, len);
	if (*p) {
		(*p)->users++;
		return;
	}
	s = xcalloc(1, sizeof(*s) + len);
	memcpy(s->bytes, bytes, len);
	s->len = len;
	s->users = 1;
	*p = s;
	n_spellings++;
	bucket = bucket_of(bytes);
	filter[bucket / 64] |= UINT64_C(1) << bucket % 64;
}

static void spelling_drop(const char *bytes, size_t len)
{
	struct spelling **p, *s;
	unsigned bucket;

	if (len < SECRET_MASK_MIN)
		return;
	p = spelling_find(bytes, len);
	s = *p;
	assert(s);
	if (--s->users)
		return;
	*p = s->next;
	n_spellings--;
	explicit_bzero(s->bytes, s->len);
	free(s);
	bucket = bucket_of(bytes);
	if (!buckets[bucket])
		filter[bucket / 64] &= ~(UINT64_C(1) << bucket % 64);
}

static size_t spelling_match(
	const struct spelling *s, const char *text, size_t len)
{
	if (s->len <= len)
		return memcmp(s->bytes, text, s->len) ? 0 : s->len;
	if (len < CUT_MIN || len < s->len / 2)
		return 0;
	return memcmp(s->bytes, text, len) ? 0 : len;
}

static size_t longest_match(
	const struct spelling *s, const char *text, size_t len)
{
	size_t found, longest = 0;

	for (; s; s = s->next) {
		found = spelling_match(s, text, len);
		if (found > longest)
			longest = found;
	}
	return longest;
}

size_t secret_find(const char *text, size_t len, size_t i, size_t *len_r)
{
	unsigned bucket;

	if (!n_spellings)
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

/* ---- The spellings of a value. ---- */

typedef void spelling_fn(const char *bytes, size_t len);

static void percent(struct buf *out, const char *bytes, size_t len, bool upper)
{
	size_t i;

	for (i = 0; i < len; i++) {
		unsigned char c = (unsigned char)bytes[i];

		if (isalnum(c) || c == '-' || c == '.' || c == '_' || c == '~')
			buf_addc(out, (char)c);
		else
			buf_addf(out, upper ? "%%%02X" : "%%%02x", c);
	}
}

static void json_escape(
	struct buf *out, const char *bytes, size_t len, bool slashes)
{
	static const char names[] = "\b\f\n\r\t\"\\";
	static const char letters[] = "bfnrt\"\\";
	const char *p;
	size_t i;

	for (i = 0; i < len; i++) {
		unsigned char c = (unsigned char)bytes[i];

		p = c ? strchr(names, c) : NULL;
		if (p)
			buf_addf(out, "\\%c", letters[p - names]);
		else if (c < ' ')
			buf_addf(out, "\\u%04X", c);
		else if (c == '/' && slashes)
			buf_adds(out, "\\/");
		else
			buf_addc(out, (char)c);
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
	const char *bytes, size_t len, struct buf *out, spelling_fn *fn)
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
static void each_line(const char *bytes, size_t len, spelling_fn *fn)
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

/* Calls `fn` with each spelling, always in the same way, some twice. */
static void each_spelling(const struct secret *secret, spelling_fn *fn)
{
	const char *bytes = secret->bytes;
	size_t len = secret->len;
	struct buf out;

	if (len < SECRET_MASK_MIN)
		return;
	/* All the room at once: growing would leave copies behind. */
	buf_init(&out, len * GROWTH_MAX);
	buf_addf(&out, "%*s", (int)(len * GROWTH_MAX), "");
	buf_wipe(&out);
	fn(bytes, len);
	percent(&out, bytes, len, true);
	fn(out.data, out.len);
	buf_wipe(&out);
	percent(&out, bytes, len, false);
	fn(out.data, out.len);
	buf_wipe(&out);
	json_escape(&out, bytes, len, false);
	fn(out.data, out.len);
	buf_wipe(&out);
	json_escape(&out, bytes, len, true);
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
	each_spelling(secret, spelling_add);
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
		each_spelling(*secret, spelling_drop);
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
