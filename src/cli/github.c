/* SPDX-License-Identifier: Apache-2.0 */
/* Files of GitHub Actions; see github.h. */
#include "cli/github.h"

#include <stdlib.h>

#include "cli/output.h"

void github_append(const char *variable, struct buf *text)
{
	const char *path = getenv(variable);

	if (!path || !*path)
		return;
	output_append(variable, path, text);
}
