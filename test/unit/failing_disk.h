/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A disk whose n-th call fails. What SQLite asks of it goes by a VFS around the
 * real one, which does not wait for the disk; SQLite's memory is counted, too,
 * if that is asked for. Calls of our own files are those that the linker wraps:
 * see the test's LDFLAGS.
 *
 * One of these in a process, and from one thread at a time.
 */
#ifndef TIDEGATE_TEST_FAILING_DISK_H
#define TIDEGATE_TEST_FAILING_DISK_H

#include <stdbool.h>

enum disk_trouble {
	DISK_ERROR, /* EIO */
	DISK_FULL, /* ENOSPC: of what is written half is there */
	DISK_NO_MEMORY, /* SQLite's allocations alone */
};

/* Before anything opens a state file. */
void disk_install(void);

/* The n-th call from now on fails, and if `lasts` so do all after it. 0: none.
 * It is a call of SQLite, or of our own files. */
void disk_fail(int n, enum disk_trouble trouble, bool lasts);
void disk_fail_own(int n, enum disk_trouble trouble, bool lasts);
/* Nothing fails any more. Whether something did since disk_fail. */
bool disk_heal(void);
bool disk_has_failed(void);
/* How often the disk was waited for, by SQLite and by us. */
int disk_syncs(void);

#endif
