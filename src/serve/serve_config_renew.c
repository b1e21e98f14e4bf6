/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets of the daemon's configuration, read again; see serve_config.h. */
#include <string.h>

#include "serve/secret_list.h"
#include "serve/serve_config.h"

/* Those of the same app. */
static void take(const struct serve_config *config, struct issuer_config *to,
	const struct serve_config *read)
{
	const struct issuer_config *from = read->identity.issuers;

	for (size_t i = 0; i < read->identity.n_issuers; i++, from++) {
		if (from->kind != ISSUER_SLACK ||
			strcmp(to->app, from->app) != 0)
			continue;
		secret_list_put(config->renewed, &to->signing_secret,
			from->signing_secret);
		secret_list_put(
			config->renewed, &to->bot_token, from->bot_token);
	}
}

int serve_config_renew(const struct serve_config *config, struct buf *problems,
	struct err *err_r)
{
	struct serve_config *read;

	if (!config->path || !config->renewable)
		return 0; /* flags have no secrets */
	read = serve_config_load(config->path, config->env, problems, err_r);
	if (!read)
		return -1;
	for (size_t i = 0; i < config->identity.n_issuers; i++)
		if (config->renewable[i].kind == ISSUER_SLACK)
			take(config, &config->renewable[i], read);
	serve_config_free(&read);
	return 0;
}
