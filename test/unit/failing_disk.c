/* SPDX-License-Identifier: Apache-2.0 */
/* A disk whose n-th call fails; see failing_disk.h. */
#define _GNU_SOURCE /* O_TMPFILE */
#include "failing_disk.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static struct {
	sqlite3_vfs *real;
	sqlite3_mem_methods memory;
	enum disk_trouble trouble;
	int left; /* calls that still succeed, and the one that does not */
	bool lasts, failed;
	int syncs;
	bool own; /* our own files' calls are counted, not SQLite's */
} disk;

struct failing_file {
	sqlite3_file base;
	sqlite3_file *real; /* behind it */
};

static sqlite3_file *real_of(sqlite3_file *file)
{
	return ((struct failing_file *)file)->real;
}

void disk_fail(int n, enum disk_trouble trouble, bool lasts)
{
	disk.left = n;
	disk.trouble = trouble;
	disk.lasts = lasts;
	disk.failed = false;
	disk.own = false;
}

void disk_fail_own(int n, enum disk_trouble trouble, bool lasts)
{
	disk_fail(n, trouble, lasts);
	disk.own = true;
}

bool disk_heal(void)
{
	bool failed = disk.failed;

	disk_fail(0, DISK_ERROR, false);
	return failed;
}

bool disk_has_failed(void)
{
	return disk.failed;
}

static bool count_down(void)
{
	if (disk.failed)
		return disk.lasts;
	if (!disk.left || --disk.left)
		return false;
	disk.failed = true;
	return true;
}

static bool any_call_fails(void)
{
	if (disk.trouble == DISK_NO_MEMORY || !count_down())
		return false;
	errno = disk.trouble == DISK_FULL ? ENOSPC : EIO;
	return true;
}

int disk_syncs(void)
{
	return disk.syncs;
}

static bool call_fails(void)
{
	return !disk.own && any_call_fails();
}

static bool own_call_fails(void)
{
	return disk.own && any_call_fails();
}

/* ---- files of SQLite ---- */

static int f_close(sqlite3_file *file)
{
	return real_of(file)->pMethods->xClose(real_of(file));
}

static int f_read(sqlite3_file *file, void *to, int n, sqlite3_int64 at)
{
	return call_fails() ? SQLITE_IOERR_READ
			    : real_of(file)->pMethods->xRead(
				      real_of(file), to, n, at);
}

static int f_write(
	sqlite3_file *file, const void *from, int n, sqlite3_int64 at)
{
	sqlite3_file *real = real_of(file);

	if (!call_fails())
		return real->pMethods->xWrite(real, from, n, at);
	if (disk.trouble != DISK_FULL)
		return SQLITE_IOERR_WRITE;
	(void)real->pMethods->xWrite(real, from, n / 2, at);
	return SQLITE_FULL;
}

static int f_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	return call_fails() ? SQLITE_IOERR_TRUNCATE
			    : real_of(file)->pMethods->xTruncate(
				      real_of(file), size);
}

static int f_sync(sqlite3_file *file, int flags)
{
	disk.syncs++;
	return call_fails() ? SQLITE_IOERR_FSYNC : SQLITE_OK;
}

static int f_size(sqlite3_file *file, sqlite3_int64 *size)
{
	return call_fails() ? SQLITE_IOERR_FSTAT
			    : real_of(file)->pMethods->xFileSize(
				      real_of(file), size);
}

static int f_lock(sqlite3_file *file, int level)
{
	return call_fails()
		       ? SQLITE_IOERR_LOCK
		       : real_of(file)->pMethods->xLock(real_of(file), level);
}

static int f_unlock(sqlite3_file *file, int level)
{
	return real_of(file)->pMethods->xUnlock(real_of(file), level);
}

static int f_reserved(sqlite3_file *file, int *is)
{
	return real_of(file)->pMethods->xCheckReservedLock(real_of(file), is);
}

static int f_control(sqlite3_file *file, int op, void *arg)
{
	return real_of(file)->pMethods->xFileControl(real_of(file), op, arg);
}

static int f_sector(sqlite3_file *file)
{
	return real_of(file)->pMethods->xSectorSize(real_of(file));
}

static int f_device(sqlite3_file *file)
{
	return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

static int f_shm_map(sqlite3_file *file, int page, int size, int extend,
	void volatile **memory)
{
	return call_fails() ? SQLITE_IOERR_SHMMAP
			    : real_of(file)->pMethods->xShmMap(real_of(file),
				      page, size, extend, memory);
}

static int f_shm_lock(sqlite3_file *file, int offset, int n, int flags)
{
	/* Unlocking does not fail. */
	if ((flags & SQLITE_SHM_LOCK) && call_fails())
		return SQLITE_IOERR_SHMLOCK;
	return real_of(file)->pMethods->xShmLock(
		real_of(file), offset, n, flags);
}

static void f_shm_barrier(sqlite3_file *file)
{
	real_of(file)->pMethods->xShmBarrier(real_of(file));
}

static int f_shm_unmap(sqlite3_file *file, int delete)
{
	return real_of(file)->pMethods->xShmUnmap(real_of(file), delete);
}

static const sqlite3_io_methods methods = {2, f_close, f_read, f_write,
	f_truncate, f_sync, f_size, f_lock, f_unlock, f_reserved, f_control,
	f_sector, f_device, f_shm_map, f_shm_lock, f_shm_barrier, f_shm_unmap,
	NULL, NULL};

/* ---- the disk of SQLite ---- */

static int v_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file,
	int flags, int *flags_r)
{
	struct failing_file *f = (struct failing_file *)file;
	int rc = SQLITE_CANTOPEN;

	f->base.pMethods = NULL;
	f->real = (sqlite3_file *)(f + 1);
	if (!call_fails())
		rc = disk.real->xOpen(disk.real, name, f->real, flags, flags_r);
	if (rc == SQLITE_OK)
		f->base.pMethods = &methods;
	return rc;
}

static int v_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
	return call_fails() ? SQLITE_IOERR_DELETE
			    : disk.real->xDelete(disk.real, name, 0);
}

static int v_access(sqlite3_vfs *vfs, const char *name, int flags, int *is)
{
	return call_fails() ? SQLITE_IOERR_ACCESS
			    : disk.real->xAccess(disk.real, name, flags, is);
}

static int v_full_name(sqlite3_vfs *vfs, const char *name, int n, char *full)
{
	return disk.real->xFullPathname(disk.real, name, n, full);
}

static int v_random(sqlite3_vfs *vfs, int n, char *to)
{
	return disk.real->xRandomness(disk.real, n, to);
}

static int v_sleep(sqlite3_vfs *vfs, int us)
{
	return disk.real->xSleep(disk.real, us);
}

static int v_time(sqlite3_vfs *vfs, double *now)
{
	return disk.real->xCurrentTime(disk.real, now);
}

static int v_error(sqlite3_vfs *vfs, int n, char *text)
{
	return errno;
}

/* ---- the memory of SQLite ---- */

static bool memory_fails(void)
{
	return disk.trouble == DISK_NO_MEMORY && count_down();
}

static void *m_malloc(int n)
{
	return memory_fails() ? NULL : disk.memory.xMalloc(n);
}

static void *m_realloc(void *old, int n)
{
	return memory_fails() ? NULL : disk.memory.xRealloc(old, n);
}

void disk_install(void)
{
	static sqlite3_vfs vfs = {.iVersion = 1,
		.zName = "failing",
		.xOpen = v_open,
		.xDelete = v_delete,
		.xAccess = v_access,
		.xFullPathname = v_full_name,
		.xRandomness = v_random,
		.xSleep = v_sleep,
		.xCurrentTime = v_time,
		.xGetLastError = v_error};
	sqlite3_mem_methods memory;
	int rc;

	sqlite3_shutdown();
	rc = sqlite3_config(SQLITE_CONFIG_GETMALLOC, &disk.memory);
	assert(rc == SQLITE_OK);
	memory = disk.memory;
	memory.xMalloc = m_malloc;
	memory.xRealloc = m_realloc;
	rc = sqlite3_config(SQLITE_CONFIG_MALLOC, &memory);
	assert(rc == SQLITE_OK);
	rc = sqlite3_initialize();
	assert(rc == SQLITE_OK);
	disk.real = sqlite3_vfs_find(NULL);
	vfs.szOsFile = (int)sizeof(struct failing_file) + disk.real->szOsFile;
	vfs.mxPathname = disk.real->mxPathname;
	rc = sqlite3_vfs_register(&vfs, 1);
	assert(rc == SQLITE_OK);
}

/* ---- our own files ---- */

int __real_open64(const char *path, int flags, ...);
int __real_mkdir(const char *path, mode_t mode);
int __real_fsync(int fd);
int __real_close(int fd);
int __real_rename(const char *from, const char *to);
int __real_linkat(
	int from_dir, const char *from, int to_dir, const char *to, int flags);
ssize_t __real_write(int fd, const void *from, size_t n);
int __wrap_open64(const char *path, int flags, ...);
int __wrap_mkdir(const char *path, mode_t mode);
int __wrap_fsync(int fd);
int __wrap_close(int fd);
int __wrap_rename(const char *from, const char *to);
int __wrap_linkat(
	int from_dir, const char *from, int to_dir, const char *to, int flags);
ssize_t __wrap_write(int fd, const void *from, size_t n);

int __wrap_open64(const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list args;

	if (flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE) {
		va_start(args, flags);
		mode = va_arg(args, mode_t);
		va_end(args);
	}
	return own_call_fails() ? -1 : __real_open64(path, flags, mode);
}

int __wrap_mkdir(const char *path, mode_t mode)
{
	return own_call_fails() ? -1 : __real_mkdir(path, mode);
}

int __wrap_fsync(int fd)
{
	disk.syncs++;
	return own_call_fails() ? -1 : 0;
}

/* As on Linux the descriptor is gone all the same. */
int __wrap_close(int fd)
{
	bool fails = own_call_fails();
	int error = errno, rc = __real_close(fd);

	if (fails)
		errno = error;
	return fails ? -1 : rc;
}

int __wrap_rename(const char *from, const char *to)
{
	return own_call_fails() ? -1 : __real_rename(from, to);
}

int __wrap_linkat(
	int from_dir, const char *from, int to_dir, const char *to, int flags)
{
	return own_call_fails()
		       ? -1
		       : __real_linkat(from_dir, from, to_dir, to, flags);
}

/* A full disk takes half of it, and fails with the next call. */
ssize_t __wrap_write(int fd, const void *from, size_t n)
{
	bool was_full = disk.failed, fails = own_call_fails();

	if (!fails)
		return __real_write(fd, from, n);
	if (disk.trouble == DISK_FULL && !was_full && n > 1)
		return __real_write(fd, from, n / 2);
	return -1;
}
