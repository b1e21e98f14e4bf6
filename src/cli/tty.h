/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The terminal's keyboard: keys come one by one and are not echoed. Signals'
 * keys (Ctrl-C, Ctrl-Z) stay what they are, and so does flow control. It is as
 * it was after tty_leave, at exit, after a fatal signal, and while stopped.
 */
#ifndef TIDEGATE_CLI_TTY_H
#define TIDEGATE_CLI_TTY_H

#include <stdbool.h>

/* True: standard input is a terminal, ours at the moment, and gives keys now.
 * May be called again, as after a stop. */
bool tty_enter(void);
void tty_leave(void);
/* Whether reading from it would not stop us: we are in its foreground. */
bool tty_is_ours(void);

#endif
