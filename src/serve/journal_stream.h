/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal of one rollout as server-sent events: what there is, and each
 * entry that follows, to its end. It need not be this daemon that drives it.
 */
#ifndef TIDEGATE_SERVE_JOURNAL_STREAM_H
#define TIDEGATE_SERVE_JOURNAL_STREAM_H

#include <stdint.h>

#include "serve/visit.h"

/* Whether that is what was asked for. */
bool journal_stream_is_wanted(const struct visit *visit);

/* Answers the visit, whose first part is the rollout: entries after this seq, or
 * after that of Last-Event-ID. */
void journal_stream_open(struct visit *visit, int64_t after_seq);

#endif
