/* Masking: a registered secret never survives, whatever is around it, and the
 * text stays a text. The first line of the input is the secret. */
#define _GNU_SOURCE /* memmem */

#include <assert.h>
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

static void try_array(const char *text, size_t len)
{
	size_t size = len + 1;
	char *array = xmemdup0(text, len);

	redact_text(array, size);
	assert(strlen(array) < size);
	free(array);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *line = memchr(data, '\n', size);
	size_t len = line ? (size_t)(line - data) : 0;
	struct secret *secret = secret_new((const char *)data, len);
	const char *text = (const char *)data + len;

	try_around(secret, text, size - len);
	try_array(text, size - len);
	secret_free(&secret);
	return 0;
}
