/* An environment without secrets; see placeholder_env.h. */
#include "policy/placeholder_env.h"

#include <stdlib.h>
#include <string.h>

/* The action that the place belongs to is of type redis, or the variable says
 * so itself: other URLs have another scheme. */
static bool is_redis(const char *source, const char *place, const char *name)
{
	static const char type[] = "type:";
	const char *p, *last = NULL;

	for (p = strstr(source, type); p && p < place; p = strstr(p + 1, type))
		last = p + sizeof(type) - 1;
	if (last && strncmp(last + strspn(last, " \"'"), "redis", 5) == 0)
		return true;
	return strstr(name, "REDIS") || strstr(name, "redis");
}

/*
 * A value for a variable that is not set here: it must only have the form that
 * the loader wants. What stands before ${NAME} tells which: nothing – it may
 * be a whole URL, a colon – a port, anything else – a part of a host or path.
 */
static const char *placeholder(const char *source, const char *name)
{
	size_t len = strlen(name);
	const char *p = source;

	while ((p = strstr(p, "${")) != NULL) {
		p += 2;
		if (strncmp(p, name, len) != 0 || p[len] != '}')
			continue;
		if (p - 2 == source || strchr(" \t\n\"'[{,", p[-3]))
			return is_redis(source, p, name)
				       ? "redis://unset.invalid"
				       : "https://unset.invalid";
		return p[-3] == ':' ? "1" : "127.0.0.1";
	}
	return "unset";
}

static const char *env_or_placeholder(const char *name, void *arg)
{
	const char *value = getenv(name);

	return value && *value ? value : placeholder(arg, name);
}

static int file_placeholder(
	const char *path, struct buf *out, struct err *err_r, void *arg)
{
	buf_adds(out, "unset");
	return 0;
}

struct policy_env placeholder_env(char *source)
{
	return (struct policy_env){
		.variable = env_or_placeholder,
		.read_file = file_placeholder,
		.arg = source,
		.placeholders = true,
	};
}
