/* SPDX-License-Identifier: Apache-2.0 */
/* Masking: a registered secret never survives, whatever is around it, and the
 * text stays a text. The first line of the input is the secret. */
#define _GNU_SOURCE /* memmem */

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/secret.h"
#include "base/xalloc.h"

#define TEXT_MAX (1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void mask_once(const struct secret *secret, struct buf *buf)
{
	const char *value = secret_reveal(secret);
	size_t len = secret_len(secret);

	redact(buf);
	assert(!buf->overflow);
	assert(buf->data[buf->len] == '\0');
	assert(len < SECRET_MASK_MIN ||
		!memmem(buf->data, buf->len, value, len));
}

/* The value between two halves of the text, which is harder than chance. */
static void try_around(
	const struct secret *secret, const char *text, size_t len)
{
	struct buf buf;

	buf_init(&buf, TEXT_MAX);
	buf_add(&buf, text, len / 2);
	buf_add(&buf, secret_reveal(secret), secret_len(secret));
	buf_add(&buf, text + len / 2, len - len / 2);
	mask_once(secret, &buf);
	mask_once(secret, &buf);
	buf_fini(&buf);
}

enum way { PERCENT, HEX, OCTAL, UNICODE, ENTITY, TWICE, WAYS };

static void add_escaped(struct buf *buf, enum way way, unsigned c)
{
	switch (way) {
	case PERCENT:
		buf_addf(buf, "%%%02x", c);
		break;
	case HEX:
		buf_addf(buf, "\\x%02X", c);
		break;
	case OCTAL:
		buf_addf(buf, "\\%03o", c);
		break;
	case UNICODE:
		buf_addf(buf, "\\u%04x", c);
		break;
	case ENTITY:
		buf_addf(buf, "&#%u;", c);
		break;
	default:
		buf_addf(buf, "\\\\u%04x", c);
		break;
	}
}

/* The value with each of its bytes escaped; apart from what is around it, which
 * could be a backslash. */
static void try_escaped(
	const struct secret *secret, const char *text, size_t len)
{
	const char *value = secret_reveal(secret);
	struct buf buf, escaped;

	for (enum way way = 0; way < WAYS; way++) {
		buf_init(&buf, TEXT_MAX);
		buf_init(&escaped, TEXT_MAX / 2);
		for (size_t i = 0; i < secret_len(secret); i++)
			add_escaped(&escaped, way, (unsigned char)value[i]);
		buf_add(&buf, text, len / 2);
		buf_addf(&buf, " %s ", escaped.data);
		buf_add(&buf, text + len / 2, len - len / 2);
		redact(&buf);
		assert(secret_len(secret) < SECRET_MASK_MIN || buf.overflow ||
			!memmem(buf.data, buf.len, escaped.data, escaped.len));
		buf_fini(&escaped);
		buf_fini(&buf);
	}
}

static void try_array(const char *text, size_t len)
{
	size_t size = len + 1;
	char *array = xmemdup0(text, len);

	redact_text(array, size);
	assert(strlen(array) < size);
	free(array);
}

static bool is_ascii(const struct secret *secret)
{
	const char *value = secret_reveal(secret);

	for (size_t i = 0; i < secret_len(secret); i++)
		if ((unsigned char)value[i] >= 0x80)
			return false;
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *line = memchr(data, '\n', size);
	size_t len = line ? (size_t)(line - data) : 0;
	struct secret *secret = secret_new((const char *)data, len);
	const char *text = (const char *)data + len;

	try_around(secret, text, size - len);
	if (is_ascii(secret)) /* beyond, "\u00e9" is a character, no byte */
		try_escaped(secret, text, size - len);
	try_array(text, size - len);
	secret_free(&secret);
	return 0;
}
