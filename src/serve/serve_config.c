/* The daemon's configuration; see serve_config.h. */
#include "serve/serve_config.h"

#include <stdlib.h>

#include "base/xalloc.h"

struct serve_config *serve_config_new(const char *owner)
{
	struct serve_config *config = xcalloc(1, sizeof(*config));
	struct access_row *row;
	const char **who;

	arena_init(&config->arena);
	row = arena_alloc(&config->arena, sizeof(*row));
	who = arena_alloc(&config->arena, sizeof(*who));
	*who = arena_strdup(&config->arena, owner);
	*row = (struct access_row){.who = who, .n_who = 1, .may = RIGHTS_ALL};
	config->access = (struct access){row, 1};
	config->rollouts_max = SERVE_ROLLOUTS_MAX;
	config->person_rollouts_max = SERVE_PERSON_ROLLOUTS_MAX;
	return config;
}

void serve_config_free(struct serve_config **config)
{
	if (!*config)
		return;
	arena_fini(&(*config)->arena);
	free(*config);
	*config = NULL;
}
