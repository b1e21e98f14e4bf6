/* SPDX-License-Identifier: Apache-2.0 */
/* Clients by provider, policy and project; see metrics_pool.h. */
#include "metrics/metrics_pool.h"

#include <stdlib.h>
#include <string.h>

#include "api/request.h"
#include "base/xalloc.h"

struct metrics_client {
	struct metrics_client *next;
	const struct provider *provider;
	const struct policy *policy;
	char *project; /* of the services it is for */
	void *client;
};

struct metrics_pool {
	struct api api;
	struct metrics_client *clients;
};

struct metrics_pool *metrics_pool_new(const struct api *api)
{
	struct metrics_pool *pool = xcalloc(1, sizeof(*pool));

	pool->api = *api;
	return pool;
}

struct loop *metrics_pool_loop(const struct metrics_pool *pool)
{
	return pool->api.loop;
}

const struct provider *provider_find(enum slo_provider provider)
{
#define TYPE(provider, name, text, asked) [SLO_##provider] = &provider_##asked,
	static const struct provider *const rows[SLO_PROVIDERS] = {
		SLO_PROVIDER_TYPES(TYPE)};
#undef TYPE

	return rows[provider];
}

/* Those of this policy; NULL: all. */
static void clients_drop(struct metrics_pool *pool, const struct policy *policy)
{
	struct metrics_client **at = &pool->clients, *old;

	while ((old = *at)) {
		if (policy && old->policy != policy) {
			at = &old->next;
			continue;
		}
		*at = old->next;
		old->provider->close(old->client);
		free(old->project);
		free(old);
	}
}

void metrics_pool_free(struct metrics_pool **pool)
{
	if (!*pool)
		return;
	clients_drop(*pool, NULL);
	free(*pool);
	*pool = NULL;
}

void metrics_pool_forget(struct metrics_pool *pool, const struct policy *policy)
{
	clients_drop(pool, policy);
}

void *metrics_pool_client(struct metrics_pool *pool,
	const struct provider *provider, const struct policy *policy,
	const char *project, struct err *err_r)
{
	struct metrics_client *client;
	void *made;

	for (client = pool->clients; client; client = client->next)
		if (client->provider == provider && client->policy == policy &&
			strcmp(client->project, project) == 0)
			return client->client;
	made = provider->open(&pool->api, policy, project, err_r);
	if (!made)
		return NULL;
	client = xcalloc(1, sizeof(*client));
	*client = (struct metrics_client){
		pool->clients, provider, policy, xstrdup(project), made};
	pool->clients = client;
	return made;
}
