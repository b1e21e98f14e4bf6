/* Files of GitHub Actions; see github.h. */
#include "cli/github.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/output.h"

void github_append(const char *variable, const struct buf *text)
{
	const char *path = getenv(variable);
	struct buf trouble;
	int fd;

	if (!path || !*path)
		return;
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
	if (fd >= 0 && write(fd, text->data, text->len) == (ssize_t)text->len) {
		close(fd);
		return;
	}
	buf_init(&trouble, 4096);
	buf_addf(&trouble, "cannot write $%s: %s", variable, strerror(errno));
	output_error(trouble.data);
	buf_fini(&trouble);
	if (fd >= 0)
		close(fd);
}

void github_add_cell(struct buf *out, const char *text)
{
	for (; *text; text++) {
		if (strchr("|\\`*_<>[]", *text))
			buf_addc(out, '\\');
		buf_addc(out, *text == '\n' ? ' ' : *text);
	}
}
