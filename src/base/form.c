/* SPDX-License-Identifier: Apache-2.0 */
/* Forms, decoded; see form.h. */
#include "base/form.h"

#include <string.h>

#include "base/utf8.h"

static int hex_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static bool is_utf8(const char *text)
{
	uint32_t c;
	size_t n;

	for (; *text; text += n) {
		n = utf8_decode(text, &c);
		if (!n)
			return false;
	}
	return true;
}

/* NULL: it is not what a browser sends. */
static const char *decode(const char *text, size_t len, struct arena *arena)
{
	char *out = arena_alloc(arena, len + 1), *at = out;
	int high, low;

	for (size_t i = 0; i < len; i++) {
		if (text[i] == '+') {
			*at++ = ' ';
		} else if (text[i] == '%') {
			high = i + 2 < len ? hex_of(text[i + 1]) : -1;
			low = high >= 0 ? hex_of(text[i + 2]) : -1;
			if (low < 0 || !(high << 4 | low))
				return NULL;
			*at++ = (char)(high << 4 | low);
			i += 2;
		} else if (!text[i]) {
			return NULL;
		} else {
			*at++ = text[i];
		}
	}
	return is_utf8(out) ? out : NULL;
}

static int add_field(const char *text, size_t len, struct arena *arena,
	struct form *form, struct err *err_r)
{
	const char *equals = memchr(text, '=', len);
	size_t name_len = equals ? (size_t)(equals - text) : len;
	struct form_field *field = &form->fields[form->n];

	if (form->n == FORM_FIELDS_MAX)
		return err_set(err_r, ERR_INVALID,
			"the form has more than %d fields", FORM_FIELDS_MAX);
	if (!equals || !name_len || name_len > FORM_NAME_MAX)
		return err_set(err_r, ERR_INVALID,
			"field %zu of the form is not NAME=VALUE with a name "
			"of at most %d bytes",
			form->n + 1, FORM_NAME_MAX);
	field->name = decode(text, name_len, arena);
	field->value = decode(equals + 1, len - name_len - 1, arena);
	if (!field->name || !field->value)
		return err_set(err_r, ERR_INVALID,
			"field %zu of the form is not percent-encoded UTF-8",
			form->n + 1);
	if (form_get(form, field->name))
		return err_set(
			err_r, ERR_INVALID, "a field of the form comes twice");
	form->n++;
	return 0;
}

int form_parse(const char *bytes, size_t len, struct arena *arena,
	struct form *form_r, struct err *err_r)
{
	const char *end = bytes + len, *stop;

	form_r->n = 0;
	while (bytes < end) {
		stop = memchr(bytes, '&', (size_t)(end - bytes));
		if (!stop)
			stop = end;
		if (add_field(bytes, (size_t)(stop - bytes), arena, form_r,
			    err_r) < 0)
			return -1;
		bytes = stop + 1;
	}
	return 0;
}

const char *form_get(const struct form *form, const char *name)
{
	for (size_t i = 0; i < form->n; i++) {
		if (strcmp(form->fields[i].name, name) == 0)
			return form->fields[i].value;
	}
	return NULL;
}
