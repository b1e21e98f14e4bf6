/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The body of a request to a token endpoint: application/x-www-form-urlencoded.
 * What is in it is secret: it is built in place, and wiped.
 */
#ifndef TIDEGATE_GOOGLE_FORM_CODEC_H
#define TIDEGATE_GOOGLE_FORM_CODEC_H

#include "base/buf.h"
#include "base/secret.h"

#define FORM_TYPE      "application/x-www-form-urlencoded"
#define FORM_BYTES_MAX (128 * 1024) /* a subject token of 32 KiB, encoded */

void form_init(struct buf *form);
void form_add(struct buf *form, const char *name, const char *value);
void form_add_secret(
	struct buf *form, const char *name, const struct secret *value);
/* The body; the form is gone. */
struct secret *form_finish(struct buf *form);

#endif
