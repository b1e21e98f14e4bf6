/* SPDX-License-Identifier: Apache-2.0 */
/* What was captured, inside the journal's entry of preflight. Pure. */
#ifndef TIDEGATE_LIVE_CAPTURED_CODEC_H
#define TIDEGATE_LIVE_CAPTURED_CODEC_H

/* Calls `fn` for every member of "kept"; the texts are borrowed. An entry
 * without it, or of another shape, has none. */
void captured_decode(const char *data,
	void (*fn)(const char *name, const char *text, void *arg), void *arg);

/* The service's, which is to be freed; NULL: it is not told. */
char *captured_uid(const char *data);

#endif
