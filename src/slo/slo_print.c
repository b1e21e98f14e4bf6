/* SPDX-License-Identifier: Apache-2.0 */
/* Rules for Prometheus; see slo_print.h. */
#include "slo/slo_print.h"

#include <string.h>

#include "base/duration.h"
#include "base/jsonw.h"

/* What is being released, where the controller's metrics are scraped. */
#define RELEASE_LABELS_MAX 512

static const char *const short_windows[] = {
	"5m", "30m", "1h", "2h", "6h", NULL};
static const char *const long_windows[] = {"1d", "3d", NULL};

struct printer {
	const struct slo_rules *rules;
	const struct slo_objective *o;
	struct buf *out;
	struct arena arena;
	const char *labels; /* of the records, as YAML has them */
	const char *matchers; /* the same, as PromQL has them */
};

/* ---- pieces ---- */

/* 'text', in which YAML knows nothing but the quote. */
static void add_quoted(struct buf *out, const char *text)
{
	buf_addc(out, '\'');
	for (; *text; text++) {
		if (*text == '\'')
			buf_addc(out, '\'');
		buf_addc(out, *text);
	}
	buf_addc(out, '\'');
}

/* A literal block; lines of the text keep their own indent. */
static void add_expr(struct buf *out, const char *text)
{
	size_t len;

	buf_adds(out, "        expr: |-\n");
	for (; *text; text += len + (text[len] == '\n')) {
		len = strcspn(text, "\n");
		buf_adds(out, "          ");
		buf_add(out, text, len);
		buf_addc(out, '\n');
	}
}

static void set_labels(struct printer *p)
{
	const struct slo_wish *wish = &p->rules->wish;
	const struct {
		const char *name, *value;
	} labels[] = {{"project", wish->project}, {"region", wish->region},
		{"service", wish->service}, {"slo", p->o->name}};
	const char *yaml = "", *promql = "";

	for (size_t i = 0; i < sizeof(labels) / sizeof(*labels); i++) {
		if (!labels[i].value)
			continue;
		yaml = arena_printf(&p->arena, "%s%s%s: \"%s\"", yaml,
			*yaml ? ", " : "", labels[i].name, labels[i].value);
		promql = arena_printf(&p->arena, "%s%s%s=\"%s\"", promql,
			*promql ? "," : "", labels[i].name, labels[i].value);
	}
	p->labels = yaml;
	p->matchers = promql;
}

/* ---- recording rules ---- */

static void add_record(struct printer *p, const char *name, const char *expr)
{
	buf_addf(p->out, "      - record: %s\n", name);
	add_expr(p->out, expr);
	buf_addf(p->out, "        labels: {%s}\n", p->labels);
}

static void add_windows(struct printer *p, const char *const *windows)
{
	for (; *windows; windows++)
		add_record(p,
			arena_printf(&p->arena, "slo:sli_error:ratio_rate%s",
				*windows),
			slo_ratio(p->o, *windows, &p->arena));
}

static void add_bad(struct printer *p, bool pages)
{
	for (size_t i = 0; i < p->o->n_tiers; i++)
		if (p->o->tier[i].pages == pages)
			add_record(p,
				arena_printf(&p->arena,
					"slo:sli_bad:increase%s",
					p->o->tier[i].window),
				slo_bad(p->o, p->o->tier[i].window, &p->arena));
}

static const char *number(double value, struct arena *arena)
{
	char text[JSONW_NUMBER_MAX];

	return arena_strdup(arena, jsonw_print_number(value, text));
}

static void add_constants(struct printer *p)
{
	add_record(p, "slo:objective:ratio",
		arena_printf(&p->arena, "vector(%s)",
			number(p->o->target, &p->arena)));
	add_record(p, "slo:error_budget:ratio",
		arena_printf(&p->arena, "vector(%s)",
			number(p->o->budget, &p->arena)));
	add_record(p, "slo:current_burn_rate:ratio",
		arena_printf(&p->arena,
			"slo:sli_error:ratio_rate5m{%s}\n  / "
			"slo:error_budget:ratio{%s}",
			p->matchers, p->matchers));
}

/* Weighted by traffic: an idle night is no busy hour. */
static void add_remaining(struct printer *p)
{
	char period[DURATION_TEXT_MAX];
	const char *window = duration_print(p->rules->wish.period_ms, period);

	add_record(p, "slo:period_error_budget_remaining:ratio",
		arena_printf(&p->arena,
			"1 - (\n  (%s)\n  / sum(increase(%s[%s]))\n) / %s",
			slo_bad(p->o, window, &p->arena),
			selector_print(&p->o->total, &p->arena), window,
			number(p->o->budget, &p->arena)));
}

/* ---- alerts ---- */

static const char *say_release(struct printer *p)
{
	const struct slo_wish *wish = &p->rules->wish;

	return arena_printf(&p->arena,
		"{{ range query \"tidegate_rollout_info{%s%s%s%s%s%s"
		"service=\\\"%s\\\"}\" }} Being released: "
		"{{ .Labels.candidate }} in place of {{ .Labels.stable }} "
		"(rollout {{ .Labels.rollout }}).{{ end }}",
		wish->project ? "project=\\\"" : "",
		wish->project ? wish->project : "",
		wish->project ? "\\\"," : "", wish->region ? "region=\\\"" : "",
		wish->region ? wish->region : "", wish->region ? "\\\"," : "",
		wish->service);
}

static void add_alert(struct printer *p, enum slo_alert alert,
	const struct slo_tier *tier, const char *expr)
{
	const char *wait = slo_alert_for(alert);

	buf_addf(p->out, "      - alert: %s\n", slo_alert_name(alert, tier));
	add_expr(p->out, expr);
	if (strcmp(wait, "0s") != 0)
		buf_addf(p->out, "        for: %s\n", wait);
	buf_addf(p->out, "        labels: {severity: %s, %s%s%s%s}\n",
		slo_alert_severity(alert, tier), tier ? "window: \"" : "",
		tier ? tier->window : "", tier ? "\", " : "", p->labels);
	buf_adds(p->out, "        annotations:\n          summary: ");
	add_quoted(p->out,
		slo_alert_summary(p->rules, p->o, alert, tier, &p->arena));
	buf_adds(p->out, "\n          description: ");
	add_quoted(p->out, arena_printf(&p->arena, "%s%s",
				   slo_alert_description(p->rules, p->o, alert,
					   tier, &p->arena),
				   say_release(p)));
	buf_addc(p->out, '\n');
}

static void add_burn(struct printer *p, const struct slo_tier *tier)
{
	const char *limit = arena_printf(&p->arena, "%s * %s",
		number(tier->factor, &p->arena),
		number(p->o->budget, &p->arena));

	add_alert(p, SLO_ALERT_BURN, tier,
		arena_printf(&p->arena,
			"slo:sli_error:ratio_rate%s{%s} > %s\n"
			"  and slo:sli_error:ratio_rate%s{%s} > %s\n"
			"  and slo:sli_bad:increase%s{%s} >= %d",
			tier->window, p->matchers, limit, tier->brief,
			p->matchers, limit, tier->window, p->matchers,
			SLO_BAD_MIN));
}

static void add_alerts(struct printer *p)
{
	for (size_t i = 0; i < p->o->n_tiers; i++)
		add_burn(p, &p->o->tier[i]);
	if (p->o->part_is_good)
		add_alert(p, SLO_ALERT_PART_MISSING, NULL,
			slo_part_is_missing(p->o, &p->arena));
	add_alert(p, SLO_ALERT_TOTAL_MISSING, NULL,
		slo_total_is_missing(p->o, &p->arena));
}

/* ---- the file ---- */

static void add_objective(struct printer *p)
{
	const char *service = p->rules->wish.service;

	set_labels(p);
	/* What looks far back is read more rarely. */
	buf_addf(p->out,
		"  - name: slo-%s-%s-long\n    interval: 2m\n"
		"    rules:\n",
		service, p->o->name);
	add_windows(p, long_windows);
	add_bad(p, false);
	add_remaining(p);
	buf_addf(p->out, "  - name: slo-%s-%s\n    rules:\n", service,
		p->o->name);
	add_windows(p, short_windows);
	add_bad(p, true);
	add_constants(p);
	add_alerts(p);
}

static void add_head(struct printer *p)
{
	char period[DURATION_TEXT_MAX];

	buf_addf(p->out,
		"# Error budgets of %s, written by `tidegate slo`: write them "
		"anew rather than\n"
		"# change them. The budget is that of %s; what is left of it "
		"takes a Prometheus\n"
		"# that keeps its samples that long "
		"(--storage.tsdb.retention.time).\n"
		"groups:\n",
		p->rules->wish.service,
		duration_print(p->rules->wish.period_ms, period));
}

void slo_print_prometheus(const struct slo_rules *rules, struct buf *out)
{
	struct printer p = {.rules = rules, .out = out};

	arena_init(&p.arena);
	add_head(&p);
	for (size_t i = 0; i < rules->n; i++) {
		p.o = &rules->objective[i];
		add_objective(&p);
	}
	arena_fini(&p.arena);
}
