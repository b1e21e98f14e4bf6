/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `tidegate export` beside a rollout that this process drives: started with its
 * first entry, and waited for a little at the end. See cmd_export.c.
 */
#ifndef TIDEGATE_CLI_EXPORTER_H
#define TIDEGATE_CLI_EXPORTER_H

#include <sys/types.h>

#include "base/err.h"

struct exporter_wish {
	const char *push, *otlp; /* URLs; NULL: not wanted */
};

#define OPTION_PUSH(args)                                                      \
	{                                                                      \
		"push-metrics", OPTION_TEXT, offsetof(args, wish.push), "URL", \
			"tell a Pushgateway of it while it runs"               \
	}
#define OPTION_OTLP(args)                                              \
	{                                                              \
		"otlp", OPTION_TEXT, offsetof(args, wish.otlp), "URL", \
			"send it as a trace when it has ended"         \
	}

/* Before anything begins: what is wanted can be sent to. */
MUST_CHECK int exporter_check(
	const struct exporter_wish *wish, struct err *err_r);
/* 0: nothing is wanted, or it cannot be started, which is said. */
pid_t exporter_start(const struct exporter_wish *wish, const char *state,
	const char *rollout);
/* A slow receiver is not waited for any longer than EXPORTER_END_MS. */
#define EXPORTER_END_MS 5000
void exporter_wait(pid_t exporter);

#endif
