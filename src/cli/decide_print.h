/* SPDX-License-Identifier: Apache-2.0 */
/* What is said about a decision that was taken, or is recorded (cmd_decide.c). */
#ifndef TIDEGATE_CLI_DECIDE_PRINT_H
#define TIDEGATE_CLI_DECIDE_PRINT_H

#include <stdbool.h>

struct rollout_snapshot;
struct store_command;

/* The snapshot is as it is now; `format` is one of enum format. */
void decide_print(const struct rollout_snapshot *snapshot,
	const struct store_command *command, bool driven, int format);

#endif
