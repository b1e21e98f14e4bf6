/* SPDX-License-Identifier: Apache-2.0 */
/* What all sources of tokens say in the same words; see source.h. */
#include <stdarg.h>
#include <stdio.h>

#include "google/source.h"

void source_not_found(struct err *err_r, const char *fmt, ...)
{
	char why[ERR_TEXT_MAX / 2];
	va_list args;

	va_start(args, fmt);
	vsnprintf(why, sizeof(why), fmt, args);
	va_end(args);
	/* What to do comes first: long texts are cut where people read them. */
	err_set(err_r, ERR_AUTH,
		"no Google credentials: set GOOGLE_APPLICATION_CREDENTIALS to "
		"a credential file, or log in (gcloud auth application-default "
		"login); neither is there, and %s",
		why);
}
