/* SPDX-License-Identifier: Apache-2.0 */
/* A folder for a while, which nobody else may look into. These calls wait for
 * the disk. */
#ifndef TIDEGATE_IO_TEMP_FOLDER_H
#define TIDEGATE_IO_TEMP_FOLDER_H

#include "base/err.h"

/* A new one in $TMPDIR, or /tmp, whose name begins so. The caller owns the
 * path; NULL with err_r. */
MUST_CHECK char *temp_folder_make(const char *name, struct err *err_r);
/* Removes it with all that is in it, and frees the path. NULL inside is
 * accepted. */
void temp_folder_remove(char **path);

#endif
