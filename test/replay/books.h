/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What must hold in every scenario, whatever goes wrong, kept in books of their
 * own: out of the requests that leave, the answers that are heard, the service
 * and the journal, never out of what the engine thinks. A promise that is
 * broken is told by promise().
 *
 *   - every table that is written sums to 100 and loses nothing of others;
 *   - the candidate gets more than serves on fresh evidence only: each SLO's
 *     latest answer passes (or may be missing, `no_data: pass`), was asked for
 *     by this process and not more than two intervals ago; nobody has paused;
 *     the step's gate was approved, by an approval that has not expired; stable
 *     is ready. All of that is durable. The first step needs no answers as long
 *     as the candidate was not seen serving;
 *   - while the candidate has users, each SLO is asked about it at its
 *     interval, but for the time the process stood still: at most a second
 *     late;
 *   - a revert is sent within two seconds of its decision, whatever hangs, is
 *     refused or cannot be written. If nothing was heard of the service since
 *     the last write, there is no list to send that keeps what others have:
 *     then the service is asked again and again, at most a second (or what
 *     Retry-After says, ten seconds at most) after an answer that was bad, as
 *     soon as the disk lets that be durable or is known not to, and the revert
 *     leaves at once when one is good;
 *   - a load has stopped when the revert is sent;
 *   - a write is sent when the entries that led to it are durable;
 *   - time goes on.
 */
#ifndef TIDEGATE_TEST_BOOKS_H
#define TIDEGATE_TEST_BOOKS_H

#include <stdint.h>

/* After the scenario was opened and its policy given. */
void books_open(void);
/* When an answer told of the service as it was then, last: a read, or a write that
 * was refused since something newer is there; -1: none did. */
int64_t books_told_ms(void);

/* Tags of others begin with this. */
#define BOOKS_TAG_OF_OTHERS "debug"

#endif
