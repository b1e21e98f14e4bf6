/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The daemon's doors: listens, finds out who asks, and hands each request to
 * its handler when that may be.
 */
#ifndef TIDEGATE_SERVE_FRONT_H
#define TIDEGATE_SERVE_FRONT_H

#include "base/buf.h"
#include "base/err.h"

struct daemon;
struct front;

/* The daemon is borrowed. */
MUST_CHECK struct front *front_open(struct daemon *daemon, struct err *err_r);
/* Takes nothing more; what was asked is still answered. */
void front_drain(struct front *front);
void front_close(struct front **front);

/* Appends the address to ask: "http://127.0.0.1:8080". */
void front_print_address(const struct front *front, struct buf *out);
/* Appends what lets whoever started it in, once, with a browser; nothing where a
 * file says who may come in, or where no browser comes. */
void front_print_invitation(const struct front *front, struct buf *out);

#endif
