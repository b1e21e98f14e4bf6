/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a file system keeps the promises that a state file needs: locks, and
 * memory that the processes of a machine share. */
#ifndef TIDEGATE_IO_FILE_SYSTEM_H
#define TIDEGATE_IO_FILE_SYSTEM_H

#include "base/err.h"

/* -1: the folder of `path` lies on one that is known not to, which is named. A
 * folder that is not there yet is not judged. */
MUST_CHECK int file_system_check(const char *path, struct err *err_r);

/* By its number, as statfs(2) tells it; NULL: nothing is known against it. */
const char *file_system_fault(unsigned long type);

#endif
