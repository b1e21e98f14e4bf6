/* SPDX-License-Identifier: Apache-2.0 */
/* What GitHub Actions takes from a step: files named by the environment. */
#ifndef TIDEGATE_CLI_GITHUB_H
#define TIDEGATE_CLI_GITHUB_H

#include "base/buf.h"

#define GITHUB_BYTES_MAX (256 * 1024)

/* Appends to the file that $GITHUB_OUTPUT or $GITHUB_STEP_SUMMARY names, by
 * output_append; does nothing when it is not set. `variable` is a literal. */
void github_append(const char *variable, struct buf *text);

#endif
