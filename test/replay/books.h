/*
 * What must hold in every scenario, whatever goes wrong, kept in books of their
 * own: out of the requests that leave, the service and the journal, never out
 * of what the engine thinks. A promise that is broken is told by promise().
 *
 *   - every table that is written sums to 100 and loses nothing of others;
 *   - while the candidate has users, each SLO is asked about it at its
 *     interval, but for the time the process stood still;
 *   - a write is sent when the entries that led to it are durable;
 *   - time goes on.
 */
#ifndef TIDEGATE_TEST_BOOKS_H
#define TIDEGATE_TEST_BOOKS_H

/* After the scenario was opened and its policy given. */
void books_open(void);

/* Tags of others begin with this. */
#define BOOKS_TAG_OF_OTHERS "debug"

#endif
