/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state file of the program tidegate-remote: store/store.h as far as looking
 * and deciding goes, answered by a daemon. Commands that are written for a state
 * file work on it as they are, and so print the same.
 *
 * It defines the functions of store.h that they use, and is linked instead of
 * the files of src/store that read SQLite.
 */
#ifndef TIDEGATE_REMOTE_REMOTE_STORE_H
#define TIDEGATE_REMOTE_REMOTE_STORE_H

#include "base/err.h"

struct store;
struct wire;

/* From now on every store_open gives the records of this daemon. Borrowed. */
void remote_store_use(struct wire *wire);
struct wire *remote_store_wire(void);

/* Lets time pass, up to `ms`, until something new is there; -1: the daemon
 * cannot be followed any more. For who has nothing else to wait for. */
MUST_CHECK int remote_store_wait(
	struct store *store, int ms, struct err *err_r);

#endif
