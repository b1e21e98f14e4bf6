/* SPDX-License-Identifier: Apache-2.0 */
/* Alert policies for Cloud Monitoring's PromQL; see slo_print.h. */
#include <string.h>

#include "base/jsonw.h"
#include "slo/slo_print.h"

/* A policy: there are no recording rules, so that all of it is in its query. */
struct gcloud {
	const struct slo_rules *rules;
	const struct slo_objective *o;
	struct jsonw w;
	struct arena arena;
};

static const char *seconds_of(const char *wait)
{
	return strcmp(wait, "0s") ? "600s" : "0s";
}

static void add_documentation(
	struct gcloud *g, enum slo_alert alert, const struct slo_tier *tier)
{
	const char *summary =
		slo_alert_summary(g->rules, g->o, alert, tier, &g->arena);

	jsonw_object(&g->w, "documentation");
	jsonw_text(&g->w, "subject", summary);
	jsonw_text(&g->w, "content",
		arena_printf(&g->arena,
			"%s\n\nWhat is being released: `tidegate list`.",
			slo_alert_description(
				g->rules, g->o, alert, tier, &g->arena)));
	jsonw_text(&g->w, "mimeType", "text/markdown");
	jsonw_end(&g->w, '}');
}

static void add_labels(struct gcloud *g, const struct slo_tier *tier)
{
	jsonw_text(&g->w, "service", g->rules->wish.service);
	jsonw_text(&g->w, "slo", g->o->name);
	if (tier)
		jsonw_text(&g->w, "window", tier->window);
}

static void add_condition(struct gcloud *g, const char *group,
	enum slo_alert alert, const struct slo_tier *tier, const char *query)
{
	const char *name = slo_alert_name(alert, tier);

	jsonw_array(&g->w, "conditions");
	jsonw_object(&g->w, NULL);
	jsonw_text(&g->w, "displayName",
		arena_printf(&g->arena, "%s/%s", group, name));
	jsonw_object(&g->w, "conditionPrometheusQueryLanguage");
	jsonw_text(&g->w, "query", query);
	jsonw_text(&g->w, "duration", seconds_of(slo_alert_for(alert)));
	jsonw_text(&g->w, "evaluationInterval", "60s");
	jsonw_object(&g->w, "labels");
	add_labels(g, tier);
	jsonw_end(&g->w, '}');
	jsonw_text(&g->w, "ruleGroup", group);
	jsonw_text(&g->w, "alertRule", name);
	jsonw_end(&g->w, '}');
	jsonw_end(&g->w, '}');
	jsonw_end(&g->w, ']');
}

static void add_policy(struct gcloud *g, enum slo_alert alert,
	const struct slo_tier *tier, const char *query)
{
	const char *group = arena_printf(
		&g->arena, "slo-%s-%s", g->rules->wish.service, g->o->name);
	bool pages = !strcmp(slo_alert_severity(alert, tier), "critical");

	g->w.comma = false;
	jsonw_object(&g->w, NULL);
	jsonw_text(&g->w, "displayName",
		arena_printf(&g->arena, "%s %s%s%s", group,
			slo_alert_name(alert, tier), tier ? " " : "",
			tier ? tier->window : ""));
	add_documentation(g, alert, tier);
	jsonw_object(&g->w, "userLabels");
	add_labels(g, tier);
	jsonw_end(&g->w, '}');
	jsonw_text(&g->w, "severity", pages ? "CRITICAL" : "WARNING");
	jsonw_text(&g->w, "combiner", "OR");
	add_condition(g, group, alert, tier, query);
	jsonw_end(&g->w, '}');
	buf_addc(g->w.out, '\n');
}

static const char *burn_query(const struct slo_objective *o,
	const struct slo_tier *tier, struct arena *arena)
{
	char factor[JSONW_NUMBER_MAX], budget[JSONW_NUMBER_MAX];
	const char *limit = arena_printf(arena, "%s * %s",
		jsonw_print_number(tier->factor, factor),
		jsonw_print_number(o->budget, budget));

	return arena_printf(arena, "(%s) > %s\nand (%s) > %s\nand (%s) >= %d",
		slo_ratio(o, tier->window, arena), limit,
		slo_ratio(o, tier->brief, arena), limit,
		slo_bad(o, tier->window, arena), SLO_BAD_MIN);
}

static void add_objective(struct gcloud *g)
{
	for (size_t i = 0; i < g->o->n_tiers; i++)
		add_policy(g, SLO_ALERT_BURN, &g->o->tier[i],
			burn_query(g->o, &g->o->tier[i], &g->arena));
	if (g->o->part_is_good)
		add_policy(g, SLO_ALERT_PART_MISSING, NULL,
			slo_part_is_missing(g->o, &g->arena));
	add_policy(g, SLO_ALERT_TOTAL_MISSING, NULL,
		slo_total_is_missing(g->o, &g->arena));
}

void slo_print_gcloud(const struct slo_rules *rules, struct buf *out)
{
	struct gcloud g = {.rules = rules, .w = {.out = out}};

	arena_init(&g.arena);
	for (size_t i = 0; i < rules->n; i++) {
		g.o = &rules->objective[i];
		add_objective(&g);
	}
	arena_fini(&g.arena);
}
