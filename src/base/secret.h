/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Secrets: a type without a printer, and the one place that masks.
 *
 * Every secret value that enters the program is made with secret_new, which
 * also teaches redact() the value; as long as a secret holds it, whatever
 * passes through redact() shows "***" instead. Logs, journal, reports and the
 * output of processes all pass through it.
 */
#ifndef TIDEGATE_BASE_SECRET_H
#define TIDEGATE_BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

struct secret;

/* Copies the bytes. Values shorter than SECRET_MASK_MIN are not masked:
 * masking "1" would hide nothing and spoil every message. A value is known in
 * other spellings, too: with any of the escapes of base/spelling.h, and escapes
 * of escapes; in hexadecimal, in base64 (alone or as a part), and line by line
 * when it has long lines. */
#define SECRET_MASK_MIN 4
#define SECRET_LINE_MIN 16

struct secret *secret_new(const char *bytes, size_t len);
/* Holds what is not secret as a whole, a URL or a header's value: redact() is
 * not taught it. */
struct secret *secret_hold(const char *bytes, size_t len);
struct secret *secret_dup(const struct secret *secret); /* NULL gives NULL */
void secret_free(struct secret **secret); /* wipes the bytes */

/* The value, NUL-terminated, borrowed: for the wire only, never for a text. */
const char *secret_reveal(const struct secret *secret);
size_t secret_len(const struct secret *secret);
bool secret_is_same(const struct secret *a, const struct secret *b);

/* Masks in place: known secrets, bearer and basic credentials, userinfo and
 * query of URLs, paths of chat webhooks, and values of fields whose names say
 * that they are secret (password, token, …) in JSON, headers and key=value. */
void redact(struct buf *buf);

/* The same for a fixed array; a text that grows beyond it is cut. */
void redact_text(char *text, size_t size);

/* For redact.c. Where the next known secret begins, from `i` on, and how long
 * it is; `len` when there is none. A long beginning of one at the very end
 * counts, for a text that was cut. */
size_t secret_longest(void); /* bytes; 0: no secret is known */
size_t secret_find(const char *text, size_t len, size_t i, size_t *len_r);

#endif
