/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon's configuration; see serve_config.h. */
#include "serve/serve_config.h"

#include <stdlib.h>

#include "base/duration.h"
#include "base/xalloc.h"
#include "policy/policy_freeze.h"
#include "serve/secret_list.h"

struct serve_config *serve_config_new(const char *owner)
{
	static const struct issuer_config tokens[] = {{.kind = ISSUER_TOKEN}};
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
	config->identity = (struct identity_config){
		.issuers = tokens, .n_issuers = 1, .unix_peers = true};
	return config;
}

void serve_config_free(struct serve_config **config)
{
	if (!*config)
		return;
	policy_free(&(*config)->file);
	secret_list_free(&(*config)->renewed);
	arena_fini(&(*config)->arena);
	free(*config);
	*config = NULL;
}

/* ---- for people ---- */

static void add_list(struct buf *out, const char *const *list, size_t n,
	const char *when_none)
{
	if (!n)
		buf_adds(out, when_none);
	for (size_t i = 0; i < n; i++)
		buf_addf(out, "%s%s", i ? ", " : "", list[i]);
}

static void add_rights(struct buf *out, unsigned may)
{
	const char *between = "";

	for (int right = 0; right < RIGHTS; right++)
		if (may & RIGHT_BIT(right)) {
			buf_addf(out, "%s%s", between, right_names[right]);
			between = ", ";
		}
}

static void add_row(struct buf *out, const struct access_row *row)
{
	buf_adds(out, "  ");
	add_list(out, row->who, row->n_who, "");
	buf_adds(out, ": ");
	add_rights(out, row->may);
	buf_adds(out, ", on ");
	add_list(out, row->services, row->n_services, "all services");
	if (row->n_policies) {
		buf_adds(out, ", by ");
		add_list(out, row->policies, row->n_policies, "");
	}
	if (row->trust_sent)
		buf_adds(out, ", trusted with what they send");
	buf_addc(out, '\n');
}

static void print_watch(const struct watch_config *watch, struct buf *out)
{
	char every[DURATION_TEXT_MAX];

	for (size_t i = 0; i < watch->n; i++) {
		const struct watch_row *row = &watch->rows[i];

		buf_addf(out, "watch     %s: ", row->project);
		add_list(out, row->regions, row->n_regions, "");
		buf_addf(out,
			", by the label %s, every %s (%.4g list calls a "
			"minute); a newer revision %s\n",
			row->label, duration_print(row->every_ms, every),
			watch_calls_per_minute(row),
			row->newer == NEWER_QUEUE
				? "waits for the rollout that runs"
				: "replaces the rollout that runs");
		if (row->pin)
			buf_adds(out, "          LATEST is pinned\n");
		if (row->freeze.n) {
			buf_adds(out, "          nothing is started ");
			freezes_print(&row->freeze, out);
			buf_addc(out, '\n');
		}
	}
}

void serve_config_print(const struct serve_config *config, struct buf *out)
{
	static const char *const kinds[] = {[ISSUER_IAP] = "iap",
		[ISSUER_GOOGLE] = "google",
		[ISSUER_GITHUB] = "github",
		[ISSUER_OIDC] = "oidc",
		[ISSUER_TOKEN] = "token",
		[ISSUER_SLACK] = "slack"};
	char text[DURATION_TEXT_MAX];
	size_t i;

	buf_addf(out, "listens at %s, as %s\n", config->listen,
		config->public_url ? config->public_url : "what it is called");
	buf_addf(out, "state     %s\npolicies  %s\nidentity ", config->state,
		config->policies);
	for (i = 0; i < config->identity.n_issuers; i++)
		buf_addf(out, " %s", kinds[config->identity.issuers[i].kind]);
	buf_adds(out, "\npeople   ");
	for (i = 0; i < config->people.n; i++)
		buf_addf(out, " %s", config->people.list[i].name);
	buf_adds(out, config->people.n ? "\naccess\n" : " none\naccess\n");
	for (i = 0; i < config->access.n_rows; i++)
		add_row(out, &config->access.rows[i]);
	print_watch(&config->watch, out);
	buf_addf(out, "limits    %d rollouts, %d of one person\n",
		config->rollouts_max, config->person_rollouts_max);
	for (i = 0; i < config->notify.n; i++)
		buf_addf(out, "%s %s", i ? "," : "notifies  slack",
			config->notify.rows[i].channel);
	if (config->notify.n)
		buf_addc(out, '\n');
	if (config->keep_ended_ms)
		buf_addf(out, "keeps     what has ended for %s\n",
			duration_print(config->keep_ended_ms, text));
}
