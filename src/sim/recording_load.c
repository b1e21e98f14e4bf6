/* SPDX-License-Identifier: Apache-2.0 */
/* A recording from a file or a pipe, piece by piece: a file that is cut short
 * or replaced while it is read is an error, not a signal. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/recording.h"

#define FILE_BYTES_MAX (INT64_C(4) * 1024 * 1024 * 1024)

struct input {
	const char *path; /* for messages */
	int fd;
	int64_t n; /* bytes that were read */
};

static ssize_t read_more(char *bytes, size_t size, void *arg, struct err *err_r)
{
	struct input *input = arg;
	ssize_t n;

	do
		n = read(input->fd, bytes, size);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_set(err_r, ERR_POLICY, "%s: cannot be read: %s",
			input->path, strerror(errno));
	input->n += n;
	if (input->n > FILE_BYTES_MAX)
		return err_set(
			err_r, ERR_LIMIT, "%s: larger than 4 GiB", input->path);
	return n;
}

static struct recording *read_input(
	struct input *input, size_t size, struct err *err_r)
{
	const struct recording_source source = {read_more, input, size};

	return recording_read(input->path, &source, err_r);
}

struct recording *recording_load(const char *path, struct err *err_r)
{
	struct input input = {.path = path};
	struct recording *recording;
	struct stat st;

	if (strcmp(path, "-") == 0) {
		input.path = "standard input";
		input.fd = STDIN_FILENO;
		return read_input(&input, 0, err_r);
	}
	input.fd = open(path, O_RDONLY | O_CLOEXEC);
	if (input.fd < 0 || fstat(input.fd, &st) < 0) {
		err_set(err_r, ERR_POLICY, "%s: cannot be read: %s", path,
			strerror(errno));
		if (input.fd >= 0)
			close(input.fd);
		return NULL;
	}
	recording = read_input(&input,
		S_ISREG(st.st_mode) && st.st_size > 0 ? (size_t)st.st_size : 0,
		err_r);
	close(input.fd);
	return recording;
}
