/* projects/P/locations/R/services/S; see service_name.h. */
#include "base/service_name.h"

#include <string.h>

#define PROJECT_BYTES_MAX 127
#define NAME_BYTES_MAX    63 /* of a region or a service */

/* The text after `prefix` up to a slash or the end; NULL: it is not so. */
static const char *take_part(const char **at, const char *prefix,
	size_t len_max, struct arena *arena)
{
	const char *text = *at + strlen(prefix);
	size_t len;

	if (strncmp(*at, prefix, strlen(prefix)) != 0)
		return NULL;
	len = strcspn(text, "/");
	if (len == 0 || len > len_max)
		return NULL;
	*at = text + len;
	return arena_strndup(arena, text, len);
}

int service_name_parse(struct service_name *name, const char *full,
	struct arena *arena, struct err *err_r)
{
	const char *at = full;

	*name = (struct service_name){.full = arena_strdup(arena, full)};
	name->project = take_part(&at, "projects/", PROJECT_BYTES_MAX, arena);
	if (name->project)
		name->region =
			take_part(&at, "/locations/", NAME_BYTES_MAX, arena);
	if (name->region)
		name->name =
			take_part(&at, "/services/", NAME_BYTES_MAX, arena);
	if (name->name && !*at)
		return 0;
	return err_set(err_r, ERR_USAGE,
		"\"%.200s\" is not the full name of a service "
		"(projects/…/locations/…/services/…)",
		full);
}
