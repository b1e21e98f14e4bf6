/* SPDX-License-Identifier: Apache-2.0 */
/* What `tidegate rollback` prints that is no rollout. */
#ifndef TIDEGATE_CLI_ROLLBACK_PRINT_H
#define TIDEGATE_CLI_ROLLBACK_PRINT_H

struct drill_report;

/* What a drill has looked at: the exit status. `format` is one of enum format. */
int rollback_print_drill(const struct drill_report *report, int format);
/* That stable holds all traffic. */
void rollback_print_nothing(const char *stable, int format);

#endif
