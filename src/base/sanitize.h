/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes from outside made fit for journal, logs and eyes: secrets masked,
 * printable, bounded.
 */
#ifndef TIDEGATE_BASE_SANITIZE_H
#define TIDEGATE_BASE_SANITIZE_H

#include <stddef.h>

#include "base/buf.h"

/* Masks and makes printable in place; lines stay lines. */
void sanitize(struct buf *text);

/* Appends `bytes` cleaned, without blanks around, cut between characters to
 * about `max` bytes: what is left out is said. `dropped`: bytes that were not
 * even kept. */
void sanitize_add(struct buf *out, const char *bytes, size_t len, size_t max,
	size_t dropped);

#endif
