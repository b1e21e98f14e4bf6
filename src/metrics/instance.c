/* SPDX-License-Identifier: Apache-2.0 */
/* The instance that a series is of; see instance.h. */
#include "metrics/instance.h"

#include <string.h>

/* The value of the label, between its quotes; NULL: there is none. */
static const char *label_value(
	const char *labels, const char *name, size_t *len_r)
{
	size_t len = strlen(name), n = 0;
	const char *at = labels;

	/* In a value a quote has a backslash before it. */
	while ((at = strchr(at, '"')) != NULL) {
		if (at > labels && strchr("{,", at[-1]) &&
			strncmp(at + 1, name, len) == 0 &&
			strncmp(at + 1 + len, "\":\"", 3) == 0)
			break;
		at++;
	}
	if (!at)
		return NULL;
	at += len + 4;
	while (at[n] && at[n] != '"')
		n += at[n] == '\\' && at[n + 1] ? 2 : 1;
	*len_r = n;
	return at;
}

struct instance instance_of(const char *labels)
{
	static const char *const names[] = {"instance", "instance_id",
		"instanceId", "service_instance_id", "pod", "container_id",
		"host", "hostname"};
	struct instance instance = {NULL, 0};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]) && !instance.name; i++)
		instance.name = label_value(labels, names[i], &instance.len);
	return instance;
}

int instance_order(const struct instance *a, const struct instance *b)
{
	size_t len = a->len < b->len ? a->len : b->len;
	int order = len ? memcmp(a->name, b->name, len) : 0;

	return order ? order : (a->len > b->len) - (a->len < b->len);
}
