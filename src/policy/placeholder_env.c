/* SPDX-License-Identifier: Apache-2.0 */
/* An environment without secrets; see placeholder_env.h. */
#include "policy/placeholder_env.h"

#include <stdlib.h>

/* What is masked looks so: wherever it comes to be shown, it says the truth. */
static const char placeholder[] = "***";

static const char *env_or_placeholder(const char *name, void *arg)
{
	const char *value = getenv(name);

	return value && *value ? value : placeholder;
}

static int file_placeholder(
	const char *path, struct buf *out, struct err *err_r, void *arg)
{
	buf_adds(out, placeholder);
	return 0;
}

const struct policy_env placeholder_env = {
	.variable = env_or_placeholder,
	.read_file = file_placeholder,
	.placeholders = true,
};
