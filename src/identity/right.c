/* SPDX-License-Identifier: Apache-2.0 */
/* Names of rights; see right.h. */
#include "identity/right.h"

#include <stdio.h>
#include <string.h>

const char *const right_names[RIGHTS + 1] = {
	[RIGHT_READ] = "read",
	[RIGHT_START] = "start",
	[RIGHT_OPERATE] = "operate",
	[RIGHT_APPROVE] = "approve",
	[RIGHT_METRICS] = "metrics",
	[RIGHT_ADMIN] = "admin",
};

static enum right find(const char *name, size_t len)
{
	int right = 0;

	while (right < RIGHTS && (strlen(right_names[right]) != len ||
					 memcmp(right_names[right], name, len)))
		right++;
	return (enum right)right;
}

enum right right_find(const char *name)
{
	return find(name, strlen(name));
}

int rights_parse(const char *text, unsigned *rights_r, struct err *err_r)
{
	const char *at = text;
	enum right right;
	size_t len;

	*rights_r = 0;
	for (;; at += len + 1) {
		len = strcspn(at, ",");
		right = find(at, len);
		if (right == RIGHTS)
			return err_set(err_r, ERR_USAGE,
				"\"%.*s\" is not a right: there are read, "
				"start, operate, approve, metrics and admin, "
				"with commas between them",
				len < 40 ? (int)len : 40, at);
		if (*rights_r & RIGHT_BIT(right))
			return err_set(err_r, ERR_USAGE,
				"the right %s is named twice",
				right_names[right]);
		*rights_r |= RIGHT_BIT(right);
		if (!at[len])
			return 0;
	}
}

void rights_print(struct buf *out, unsigned rights)
{
	const char *comma = "";

	for (int right = 0; right < RIGHTS; right++) {
		if (rights & RIGHT_BIT(right)) {
			buf_addf(out, "%s%s", comma, right_names[right]);
			comma = ",";
		}
	}
}
