/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the other programs of tidegate are: beside this one, as a build puts
 * them, or in libexec, or in bin.
 */
#ifndef TIDEGATE_IO_PROGRAM_H
#define TIDEGATE_IO_PROGRAM_H

#include "base/err.h"

/* The path of a program such as "tidegate-workbench": the caller owns it. NULL
 * with ERR_NOT_FOUND. */
MUST_CHECK char *program_find(const char *program, struct err *err_r);

#endif
