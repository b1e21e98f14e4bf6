/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Errors: a value on the caller's stack, filled in by whoever fails.
 *
 * A fallible function takes `struct err *err_r` last and returns 0 or -1 (or
 * NULL); on failure the error is filled in, on success it is left alone. An
 * error is logged or returned, never both. Messages are lower case, have no
 * full stop, and name the value, the rule and what to do.
 */
#ifndef TIDEGATE_BASE_ERR_H
#define TIDEGATE_BASE_ERR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

#define ERR_TEXT_MAX 1024 /* bytes with the NUL; longer texts are cut */

#define PRINTFLIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#define MUST_CHECK            __attribute__((warn_unused_result))

enum err_code {
#define E(code, name, status, retry) code,
#include "base/err.def"
#undef E
	ERR_CODES
};

/* A place in a file that a person wrote. `file` is borrowed; line 0: none. */
struct srcpos {
	const char *file;
	int line, col; /* both count from 1 */
};

struct err {
	enum err_code code;
	struct srcpos pos;
	int64_t retry_after_ms; /* what the other side asked for; 0: nothing */
	char text[ERR_TEXT_MAX];
};

/* Each returns -1, so that `return err_set(…)` reads well. */
int err_set(struct err *err_r, enum err_code code, const char *fmt, ...)
	PRINTFLIKE(3, 4);
int err_setv(struct err *err_r, enum err_code code, const char *fmt,
	va_list args) PRINTFLIKE(3, 0);

/* Puts "context: " in front of the text; code and position stay. */
int err_wrap(struct err *err, const char *fmt, ...) PRINTFLIKE(2, 3);

const char *err_name(enum err_code code);
int err_exit_status(enum err_code code);
bool err_is_retryable(enum err_code code);

#endif
