/*
 * How the daemon is to be: where it listens, where its state and policies are,
 * who its people are and what they may do.
 */
#ifndef TIDEGATE_SERVE_SERVE_CONFIG_H
#define TIDEGATE_SERVE_SERVE_CONFIG_H

#include <stdint.h>

#include "base/arena.h"
#include "serve/access.h"
#include "serve/people.h"

struct serve_config {
	struct arena arena; /* of all texts */
	const char *path; /* of the file; NULL: flags alone */
	const char *listen; /* "127.0.0.1:8080" */
	const char *state; /* the state file */
	const char *policies; /* a folder with NAME.yaml each */
	const char *token_file; /* NULL: none */
	struct people people;
	struct access access;
	int rollouts_max, person_rollouts_max; /* at a time */
};

#define SERVE_ROLLOUTS_MAX        10000
#define SERVE_PERSON_ROLLOUTS_MAX 50

/* What flags alone give: whoever is `owner` may do everything, and nobody else
 * anything. The other members are the caller's to set. */
struct serve_config *serve_config_new(const char *owner);
void serve_config_free(struct serve_config **config);

#endif
