/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text on its way into a message of Slack, whose markup begins with "<" and "&":
 * what others wrote must not call everybody, nor be a link. Pure.
 */
#ifndef TIDEGATE_BASE_MRKDWN_H
#define TIDEGATE_BASE_MRKDWN_H

#include "base/buf.h"

/* Appends the text with &, < and > as entities; NULL is "". */
void mrkdwn_escape(struct buf *out, const char *text);

/* How much of a text, at most `max` bytes, is whole characters and entities;
 * the text is longer. */
size_t mrkdwn_whole(const char *text, size_t max);

/* Cuts to at most `max` bytes, with "…" at the end when something is lost.
 * Slack's limits are characters; bytes are never fewer. */
void mrkdwn_cut(struct buf *text, size_t max);

#endif
