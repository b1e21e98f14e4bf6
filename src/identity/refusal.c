/* SPDX-License-Identifier: Apache-2.0 */
/* Refusals; see refusal.h. */
#include "identity/refusal.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/printable.h"
#include "base/secret.h"

static const struct {
	const char *name;
	int status;
} codes[REFUSAL_CODES] = {
#define R(constant, name, status) [constant] = {name, status},
#include "identity/refusal.def"
#undef R
};

int refuse(
	struct refusal *refusal_r, enum refusal_code code, const char *fmt, ...)
{
	char text[2 * REFUSAL_REASON_MAX];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	redact_text(text, sizeof(text));
	*refusal_r = (struct refusal){.code = code};
	printable_copy(refusal_r->reason, sizeof(refusal_r->reason), text);
	/* It stands between quotes in the log. */
	for (char *p = refusal_r->reason; *p; p++)
		*p = *p == '"' ? '\'' : *p;
	return -1;
}

const char *refusal_name(enum refusal_code code)
{
	return codes[code].name;
}

int refusal_status(enum refusal_code code)
{
	return codes[code].status;
}
