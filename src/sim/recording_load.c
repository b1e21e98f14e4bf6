/* A recording from a file: mapped, not copied; from a pipe: read whole. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "sim/recording.h"

#define PIPE_BYTES_MAX (256 * 1024 * 1024)
#define FILE_BYTES_MAX (4LL * 1024 * 1024 * 1024)

static struct recording *load_pipe(const char *path, int fd, struct err *err_r)
{
	struct recording *recording = NULL;
	char chunk[65536];
	struct buf bytes;
	ssize_t n;

	buf_init(&bytes, PIPE_BYTES_MAX);
	while ((n = read(fd, chunk, sizeof(chunk))) > 0 && !bytes.overflow)
		buf_add(&bytes, chunk, (size_t)n);
	if (n < 0)
		err_set(err_r, ERR_IO, "%s: cannot be read: %s", path,
			strerror(errno));
	else if (bytes.overflow)
		err_set(err_r, ERR_LIMIT,
			"%s: more than %d bytes from a pipe; save it to a file",
			path, PIPE_BYTES_MAX);
	else
		recording = recording_parse(path, bytes.data, bytes.len, err_r);
	buf_fini(&bytes);
	return recording;
}

static struct recording *load_mapped(
	const char *path, int fd, off_t size, struct err *err_r)
{
	struct recording *recording;
	char *bytes;

	if (size > FILE_BYTES_MAX) {
		err_set(err_r, ERR_LIMIT, "%s: larger than 4 GiB", path);
		return NULL;
	}
	bytes = mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (bytes == MAP_FAILED)
		return load_pipe(path, fd, err_r);
	madvise(bytes, (size_t)size, MADV_SEQUENTIAL);
	recording = recording_parse(path, bytes, (size_t)size, err_r);
	munmap(bytes, (size_t)size);
	return recording;
}

struct recording *recording_load(const char *path, struct err *err_r)
{
	struct recording *recording;
	struct stat st;
	int fd;

	if (strcmp(path, "-") == 0)
		return load_pipe("standard input", STDIN_FILENO, err_r);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0) {
		err_set(err_r, ERR_POLICY, "%s: cannot be read: %s", path,
			strerror(errno));
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	if (S_ISREG(st.st_mode) && st.st_size > 0)
		recording = load_mapped(path, fd, st.st_size, err_r);
	else
		recording = load_pipe(path, fd, err_r);
	close(fd);
	return recording;
}
