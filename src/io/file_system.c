/* SPDX-License-Identifier: Apache-2.0 */
/* File systems that do not lock; see file_system.h. */
#include "io/file_system.h"

#include <string.h>
#include <sys/vfs.h>

#define PATH_BYTES_MAX 4096

const char *file_system_fault(unsigned long type)
{
	static const struct {
		unsigned long type;
		const char *name;
	} known[] = {
		{0x65735546, "FUSE (a mounted bucket, such as gcsfuse)"},
		{0x6969, "NFS"},
		{0x517b, "SMB"},
		{0xff534d42, "CIFS"},
		{0xfe534d42, "SMB"},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].type == (type & 0xffffffffUL))
			return known[i].name;
	return NULL;
}

int file_system_check(const char *path, struct err *err_r)
{
	const char *slash = strrchr(path, '/'), *fault;
	size_t len = slash ? (size_t)(slash - path) + 1 : 1;
	char folder[PATH_BYTES_MAX];
	struct statfs info;

	if (len >= sizeof(folder))
		return 0; /* nothing can lie there */
	memcpy(folder, slash ? path : ".", len);
	folder[len] = '\0';
	if (statfs(folder, &info) < 0)
		return 0;
	fault = file_system_fault((unsigned long)info.f_type);
	if (!fault)
		return 0;
	return err_set(err_r, ERR_USAGE,
		"the state file %.300s lies on %s, which does not lock as "
		"SQLite needs it: the state would be damaged; use a disk of "
		"the machine",
		path, fault);
}
