/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes JSON text into a buffer, in order, without a tree: for the journal
 * and for results. What is written is always valid UTF-8 without control
 * characters, whatever the texts hold. Reading JSON is jansson's business.
 *
 *   struct jsonw w = {.out = &buf};
 *   jsonw_object(&w, NULL); jsonw_text(&w, "name", "x"); jsonw_end(&w, '}');
 */
#ifndef TIDEGATE_BASE_JSONW_H
#define TIDEGATE_BASE_JSONW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

#define JSONW_NUMBER_MAX 32 /* bytes of a number's text */

struct jsonw {
	struct buf *out;
	bool comma; /* the next value needs one */
};

/* `key` is NULL at the top and inside arrays; keys are ours, not escaped. */
void jsonw_object(struct jsonw *w, const char *key);
void jsonw_array(struct jsonw *w, const char *key);
void jsonw_end(struct jsonw *w, char bracket); /* '}' or ']' */

void jsonw_text(struct jsonw *w, const char *key, const char *text);
void jsonw_int(struct jsonw *w, const char *key, int64_t number);
/* The shortest text that reads back as the same number; infinities are the
 * strings "+Inf" and "-Inf", NaN is "NaN". */
void jsonw_number(struct jsonw *w, const char *key, double number);
void jsonw_bool(struct jsonw *w, const char *key, bool value);
void jsonw_null(struct jsonw *w, const char *key);
/* Valid JSON, as it is. */
void jsonw_raw(struct jsonw *w, const char *key, const char *json);

/* The members of a valid JSON object become ours; "{}" adds nothing. What a
 * terminal would obey inside its strings is escaped. */
void jsonw_members(struct jsonw *w, const char *object);

/* That shortest text, without quotes; it lies somewhere in `text`. */
const char *jsonw_print_number(double number, char text[JSONW_NUMBER_MAX]);

#endif
