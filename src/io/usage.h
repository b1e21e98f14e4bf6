/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What this process has used so far, as the kernel tells it. Reads a few small
 * files of /proc, which never wait for a disk.
 */
#ifndef TIDEGATE_IO_USAGE_H
#define TIDEGATE_IO_USAGE_H

#include <stdint.h>

struct process_usage {
	double cpu_s; /* user and system */
	int64_t resident, virtual; /* bytes; -1: not known */
	int64_t fds, fds_max; /* -1: not known */
	int64_t started_ms; /* wall clock; 0: not known */
};

void usage_read(struct process_usage *usage_r);

/* Lets this process have `wanted` descriptors, or as many as it may allow
 * itself: how many that is. */
int64_t usage_allow_files(int64_t wanted);

#endif
