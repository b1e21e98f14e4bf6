/* SPDX-License-Identifier: Apache-2.0 */
/* The last that `run` and `resume` say, to people, programs and GitHub. */
#ifndef TIDEGATE_CLI_RUN_END_H
#define TIDEGATE_CLI_RUN_END_H

#include "status/outcome_print.h"

/* `format` is one of enum format. */
void run_end_print(const struct rollout_end *end, int format);

#endif
