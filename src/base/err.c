/* SPDX-License-Identifier: Apache-2.0 */
/* Errors as values; see err.h. Knows nothing of who prints them. */
#include "base/err.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	int status;
	bool retry;
} codes[ERR_CODES] = {
#define E(code, name, status, retry) {name, status, retry},
#include "base/err.def"
#undef E
};

int err_setv(
	struct err *err_r, enum err_code code, const char *fmt, va_list args)
{
	assert(code > ERR_NONE && code < ERR_CODES);
	err_r->code = code;
	err_r->pos = (struct srcpos){NULL, 0, 0};
	err_r->retry_after_ms = 0;
	vsnprintf(err_r->text, sizeof(err_r->text), fmt, args);
	return -1;
}

int err_set(struct err *err_r, enum err_code code, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	err_setv(err_r, code, fmt, args);
	va_end(args);
	return -1;
}

int err_wrap(struct err *err, const char *fmt, ...)
{
	char inner[ERR_TEXT_MAX];
	size_t at, len;
	va_list args;
	int n;

	memcpy(inner, err->text, sizeof(inner));
	va_start(args, fmt);
	n = vsnprintf(err->text, sizeof(err->text), fmt, args);
	va_end(args);
	if (n < 0 || (size_t)n + 3 > sizeof(err->text))
		return -1;
	at = (size_t)n + 2;
	len = strnlen(inner, sizeof(err->text) - 1 - at);
	memcpy(err->text + n, ": ", 2);
	memcpy(err->text + at, inner, len);
	err->text[at + len] = '\0';
	return -1;
}

const char *err_name(enum err_code code)
{
	return codes[code].name;
}

int err_exit_status(enum err_code code)
{
	return codes[code].status;
}

bool err_is_retryable(enum err_code code)
{
	return codes[code].retry;
}
