/* SPDX-License-Identifier: Apache-2.0 */
/* The environment and the files as they are. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/printable.h"
#include "policy/policy_load.h"

static const char *env_real(const char *name, void *arg)
{
	return getenv(name);
}

/* Up to one byte more than `out` takes, so that too much is noticed; a large
 * file is refused unread. */
static int read_all(int fd, struct buf *out)
{
	char chunk[16 * 1024];
	struct stat info;
	ssize_t n;

	if (fstat(fd, &info) < 0)
		return -1;
	if (S_ISREG(info.st_mode) && (uintmax_t)info.st_size > out->max) {
		out->overflow = true;
		return 0;
	}
	while (!out->overflow) {
		n = read(fd, chunk, sizeof(chunk));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			explicit_bzero(chunk, sizeof(chunk));
			return (int)n;
		}
		buf_add(out, chunk, (size_t)n);
	}
	return 0;
}

static int read_file_real(
	const char *path, struct buf *out, struct err *err_r, void *arg)
{
	bool standard_input = !strcmp(path, "-");
	int fd = standard_input ? STDIN_FILENO
				: open(path, O_RDONLY | O_CLOEXEC);
	int rc = fd < 0 ? -1 : read_all(fd, out);

	if (rc < 0)
		err_set(err_r, ERR_POLICY, "\"%.400s\" cannot be read: %s",
			path, strerror(errno));
	else if (out->overflow)
		rc = err_set(err_r, ERR_POLICY,
			"\"%.400s\" is larger than %zu KiB", path,
			out->max / 1024);
	if (fd >= 0 && !standard_input)
		close(fd);
	return rc;
}

const struct policy_env policy_env_real = {
	.variable = env_real,
	.read_file = read_file_real,
};

struct policy *policy_load(const char *path, const struct policy_env *env,
	struct buf *problems, struct err *err_r)
{
	struct policy *policy = NULL;
	struct buf bytes;

	buf_init(&bytes, POLICY_BYTES_MAX);
	if (env->read_file(path, &bytes, err_r, env->arg) < 0) {
		printable_add(problems, err_r->text);
		buf_addc(problems, '\n');
	} else {
		policy = policy_parse(strcmp(path, "-") ? path : "<stdin>",
			bytes.data, bytes.len, env, problems, err_r);
	}
	buf_fini(&bytes);
	return policy;
}
