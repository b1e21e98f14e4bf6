/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the folder of a shelf again while the loop turns: files on a thread, a
 * few at a time, and one policy is parsed in a turn, since the secrets that it
 * may hold are known to the loop's thread alone. A text that stands there
 * already is not parsed.
 */
#ifndef TIDEGATE_SERVE_SHELF_RELOAD_H
#define TIDEGATE_SERVE_SHELF_RELOAD_H

#include <stdint.h>

#include "base/err.h"

struct loop;
struct shelf;
struct shelf_reload;

/* Once, later, never after the cancel: err NULL: all is well; else the first of
 * what is wrong, which stays as it was. */
typedef void (*shelf_reload_fn)(const struct err *err, void *arg);

/* Both borrowed. */
MUST_CHECK struct shelf_reload *shelf_reload_start(struct loop *loop,
	struct shelf *shelf, shelf_reload_fn fn, void *arg, struct err *err_r);
/* Waits for what is being read no longer than this; NULL inside is accepted. */
void shelf_reload_cancel(struct shelf_reload **reload, int64_t wait_ms);

#endif
