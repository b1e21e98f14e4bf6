/*
 * Bytes from outside made fit for eyes, logs and JSON: valid UTF-8, no control
 * characters but newline and tab, bounded. Masking secrets is redact()'s.
 */
#ifndef TIDEGATE_ACTION_SHOWN_H
#define TIDEGATE_ACTION_SHOWN_H

#include <stddef.h>

#include "base/buf.h"

/* In place; what is not text becomes "?", which never makes it longer. */
void shown_clean(struct buf *text);

/* Appends `bytes` redacted, cleaned, without blanks around, and cut to `max`
 * bytes: what is left out is said. `dropped`: bytes that were not even kept. */
void shown_add(struct buf *out, const char *bytes, size_t len, size_t max,
	size_t dropped);

#endif
