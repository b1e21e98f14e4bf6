/* Files of GitHub Actions; see github.h. */
#include "cli/github.h"

#include <stdlib.h>
#include <string.h>

#include "cli/output.h"

void github_append(const char *variable, struct buf *text)
{
	const char *path = getenv(variable);

	if (!path || !*path)
		return;
	output_append(variable, path, text);
}

void github_add_cell(struct buf *out, const char *text)
{
	for (; *text; text++) {
		if (strchr("|\\`*_<>[]", *text))
			buf_addc(out, '\\');
		buf_addc(out, *text == '\n' ? ' ' : *text);
	}
}
