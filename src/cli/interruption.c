/* SPDX-License-Identifier: Apache-2.0 */
/* Signals of who follows; see interruption.h. */
#include "cli/interruption.h"

#include <signal.h>

#include "io/loop.h"
#include "remote/wire.h"

void interruption_note(struct interruption *interruption, const char *what)
{
	interruption->what = what;
	interruption->n++;
	wire_interrupt(interruption->wire);
}

static void on_signal(int signo, void *arg)
{
	interruption_note(arg, signo == SIGINT    ? "SIGINT"
			       : signo == SIGTERM ? "SIGTERM"
						  : "SIGHUP");
}

int interruption_await(
	struct interruption *interruption, struct wire *wire, struct err *err_r)
{
	*interruption = (struct interruption){.wire = wire};
	/* The reader of our output may go away. */
	signal(SIGPIPE, SIG_IGN);
	return loop_on_end_signals(
		wire_loop(wire), on_signal, interruption, err_r);
}
