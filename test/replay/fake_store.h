/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store of store/store.h in memory: transactions, fences, leases and
 * commands as the real one has them, and failures on request. What is not
 * committed is lost when the process dies. Must not decide anything.
 */
#ifndef TIDEGATE_TEST_FAKE_STORE_H
#define TIDEGATE_TEST_FAKE_STORE_H

#include <stdbool.h>

#include "store/store.h"

#define FAKE_ROLLOUTS_MAX 8

void fake_store_reset(void);

/* Writes fail: as on a full disk, or as long as somebody else has it locked
 * (each waits first, as the real one does). */
void fake_store_full(bool full);
void fake_store_lock(int64_t for_ms);
/* The disk is full from the transaction on that has an entry of this name. */
void fake_store_full_at(const char *name);
bool fake_store_is_in_trouble(void); /* full or locked, or was just now */
/* Another process has the lease and renews it. */
void fake_store_taken_over(bool taken);

/* The process died: its transaction is undone, its lease is nobody's. */
void fake_store_crash(void);

/* Told when the process gives its lease back; NULL: nobody is. */
extern void (*fake_store_on_drop)(void);

/* A command of another process. */
void fake_store_command(
	const char *verb, const char *who, const char *comment, int step);
/* How many commands wait, and how many were refused. */
int fake_store_waiting(void);
int fake_store_refused(void);
const char *fake_store_last_answer(void);

/* Durable entries of all rollouts, notes included. */
struct fake_entry {
	const char *rollout, *name, *phase, *data;
	int64_t time_ms;
	bool is_note;
};
size_t fake_store_entries(void);
struct fake_entry fake_store_entry(size_t i);
/* A durable entry of this name whose data contain `part`; how many. */
int fake_store_count(const char *name, const char *part);
/* The newest rollout, or NULL; its phase; whether it has ended. */
const char *fake_store_newest(void);
const char *fake_store_phase(const char *rollout);
const char *fake_store_reason(const char *rollout);
int64_t fake_store_last_seq(const char *rollout);
const char *fake_store_stable(const char *rollout); /* "": not known yet */
bool fake_store_has_ended(const char *rollout);

#endif
