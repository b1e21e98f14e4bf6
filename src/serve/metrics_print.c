/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The page of metrics; see metrics_page.h. The two formats have the same series:
 * OpenMetrics calls families otherwise, and ends with a line that says so.
 */
#include "config.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/jsonw.h"
#include "base/label_value.h"
#include "io/request_head.h"
#include "io/usage.h"
#include "serve/metrics_parts.h"

enum family_type { GAUGE, COUNTER, HISTOGRAM };

enum family {
#define M(constant, name, type, help) FAMILY_##constant,
#include "serve/metrics.def"
#undef M
	FAMILIES
};

static const struct {
	const char *name;
	enum family_type type;
	const char *help;
} families[FAMILIES] = {
#define M(constant, name, type, help) {name, type, help},
#include "serve/metrics.def"
#undef M
};

const char *metrics_family_name(size_t i)
{
	return i < FAMILIES ? families[i].name : NULL;
}

static const char *const decision_fates[DECISION_FATES] = {
	"taken", "refused", "denied", "moved-on"};

/* A page while it is printed. */
struct printer {
	const struct metrics_page *page;
	int64_t now_ms;
	bool is_open;
	struct buf *out;
	const char *name; /* of its series */
};

/* ---- samples ---- */

static const char *const type_names[] = {"gauge", "counter", "histogram"};

/* Whether the name ends so; *len_r is how much of it stands before. */
static bool ends_with(const char *name, const char *end, size_t *len_r)
{
	size_t len = strlen(name), end_len = strlen(end);

	*len_r = len > end_len ? len - end_len : 0;
	return len > end_len && !strcmp(name + *len_r, end);
}

static bool is_family(const char *name, size_t len)
{
	for (size_t i = 0; i < FAMILIES; i++)
		if (strlen(families[i].name) == len &&
			!strncmp(families[i].name, name, len))
			return true;
	return false;
}

/* A counter's family there is its name without _total, that of an info without
 * _info. Where another family is called so already, the type is not said, since
 * no name may be told of twice. */
static void begin_open_family(struct printer *p, enum family family)
{
	enum family_type type = families[family].type;
	const char *type_name = type_names[type];
	size_t full = strlen(p->name), len = full;

	if (type == GAUGE && ends_with(p->name, "_info", &len))
		type_name = "info";
	else if (type == COUNTER && !ends_with(p->name, "_total", &len))
		type_name = "unknown";
	else if (type != COUNTER)
		len = full;
	if (len != full && is_family(p->name, len)) {
		len = full;
		type_name = "unknown";
	}
	buf_addf(p->out, "# TYPE %.*s %s\n# HELP %.*s %s\n", (int)len, p->name,
		type_name, (int)len, p->name, families[family].help);
}

static void begin_family(struct printer *p, enum family family)
{
	p->name = families[family].name;
	if (p->is_open)
		begin_open_family(p, family);
	else
		buf_addf(p->out, "# HELP %s %s\n# TYPE %s %s\n", p->name,
			families[family].help, p->name,
			type_names[families[family].type]);
}

static void end_sample(struct printer *p, double value)
{
	char text[JSONW_NUMBER_MAX];

	buf_addc(p->out, ' ');
	buf_adds(p->out, jsonw_print_number(value, text));
	buf_addc(p->out, '\n');
}

/* name{labels} value */
static void add_sample(struct printer *p, const char *labels, double value)
{
	buf_adds(p->out, p->name);
	if (*labels) {
		buf_addc(p->out, '{');
		buf_adds(p->out, labels);
		buf_addc(p->out, '}');
	}
	end_sample(p, value);
}

/* … with one label more; its value is ours, or an SLO's name. */
static void add_labelled(struct printer *p, const char *labels,
	const char *label, const char *of, double value)
{
	buf_adds(p->out, p->name);
	buf_addc(p->out, '{');
	if (*labels) {
		buf_adds(p->out, labels);
		buf_addc(p->out, ',');
	}
	buf_adds(p->out, label);
	buf_adds(p->out, "=\"");
	buf_adds(p->out, of);
	buf_adds(p->out, "\"}");
	end_sample(p, value);
}

static void add_alone(struct printer *p, enum family family, double value)
{
	begin_family(p, family);
	add_sample(p, "", value);
}

static void add_histogram(struct printer *p, const char *labels,
	const double bounds[HISTOGRAM_BUCKETS],
	const struct metrics_histogram *histogram)
{
	const char *comma = *labels ? "," : "";
	char text[JSONW_NUMBER_MAX];
	uint64_t n = 0;

	for (size_t i = 0; i <= HISTOGRAM_BUCKETS; i++) {
		n += histogram->bucket[i];
		buf_addf(p->out, "%s_bucket{%s%sle=\"%s\"} %" PRIu64 "\n",
			p->name, labels, comma,
			i < HISTOGRAM_BUCKETS
				? jsonw_print_number(bounds[i], text)
				: "+Inf",
			n);
	}
	buf_addf(p->out, "%s_sum%s%s%s", p->name, *labels ? "{" : "", labels,
		*labels ? "}" : "");
	end_sample(p, histogram->sum);
	buf_addf(p->out, "%s_count%s%s%s", p->name, *labels ? "{" : "", labels,
		*labels ? "}" : "");
	end_sample(p, (double)n);
}

static void add_histogram_alone(struct printer *p, enum family family,
	const double bounds[HISTOGRAM_BUCKETS],
	const struct metrics_histogram *histogram)
{
	begin_family(p, family);
	add_histogram(p, "", bounds, histogram);
}

/* ---- all rollouts ---- */

static void print_rollouts(struct printer *p)
{
	double n[PHASES] = {0}, oldest[PHASES];
	size_t without = 0;

	for (size_t i = 0; i < p->page->n_rollouts; i++) {
		const struct metrics_rollout *r = p->page->rollouts[i];

		without += !metrics_service_is_own(p->page, r->service);
		if (r->phase == PHASES)
			continue;
		if (!n[r->phase] || oldest[r->phase] > (double)r->phase_ms)
			oldest[r->phase] = (double)r->phase_ms;
		n[r->phase]++;
	}
	begin_family(p, FAMILY_ROLLOUTS);
	for (int i = 0; i < PHASES; i++)
		add_labelled(p, "", "phase", phase_name((enum phase)i), n[i]);
	begin_family(p, FAMILY_OLDEST_PHASE);
	for (int i = 0; i < PHASES; i++)
		if (n[i])
			add_labelled(p, "", "phase", phase_name((enum phase)i),
				oldest[i] / 1e3);
	add_alone(p, FAMILY_WITHOUT_SERIES, (double)without);
}

/* ---- the rollout of a service ---- */

/* An ended one is shown for a while, one that needs a person until the next. */
static bool is_shown(
	const struct printer *p, const struct metrics_service *service)
{
	if (!service->id)
		return false;
	return service->driven || service->phase == PHASE_ROLLBACK_FAILED ||
	       p->now_ms - service->over_ms < METRICS_ENDED_MS;
}

static void print_info(struct printer *p, const struct metrics_service *service)
{
	if (!service->driven || phase_is_end(service->phase))
		return;
	buf_addf(p->out, "%s{%s,rollout=\"", p->name, service->labels);
	label_value_add(p->out, service->id);
	buf_adds(p->out, "\",candidate=\"");
	label_value_add(p->out, service->candidate);
	buf_adds(p->out, "\",stable=\"");
	label_value_add(p->out, service->stable);
	buf_adds(p->out, "\"}");
	end_sample(p, 1);
}

static void print_phases(
	struct printer *p, const struct metrics_service *service)
{
	for (int i = 0; is_shown(p, service) && i < PHASES; i++)
		add_labelled(p, service->labels, "phase",
			phase_name((enum phase)i), (int)service->phase == i);
}

static void print_phase_start(
	struct printer *p, const struct metrics_service *service)
{
	if (is_shown(p, service))
		add_sample(p, service->labels, (double)service->phase_ms / 1e3);
}

static void print_traffic(
	struct printer *p, const struct metrics_service *service)
{
	if (is_shown(p, service))
		add_sample(p, service->labels, service->percent / 100.0);
}

static void print_drill(
	struct printer *p, const struct metrics_service *service)
{
	if (service->drill_ms)
		add_sample(p, service->labels, (double)service->drill_ms / 1e3);
}

/* ---- counters of a service ---- */

static void print_checks(
	struct printer *p, const struct metrics_service *service)
{
	char labels[METRICS_LABELS_MAX];

	for (size_t i = 0; i < service->n_slos; i++) {
		const struct metrics_slo *slo = &service->slos[i];

		snprintf(labels, sizeof(labels), "%s,slo=\"%s\"",
			service->labels, slo->name);
		for (int o = OUTCOME_PASS; o <= OUTCOME_ERROR; o++)
			add_labelled(p, labels, "outcome",
				outcome_name((enum outcome)o),
				(double)slo->checks[o]);
	}
}

static void print_ended(
	struct printer *p, const struct metrics_service *service)
{
	for (int i = 0; i < METRICS_OUTCOMES; i++)
		add_labelled(p, service->labels, "outcome",
			phase_name((enum phase)(PHASE_PROMOTED + i)),
			(double)service->ended[i]);
}

static void print_reverts(
	struct printer *p, const struct metrics_service *service)
{
	for (int i = CAUSE_NONE + 1; i < CAUSES; i++)
		add_labelled(p, service->labels, "reason",
			cause_name((enum cause)i), (double)service->reverts[i]);
}

static void print_attempts(
	struct printer *p, const struct metrics_service *service)
{
	for (int i = 0; i < ATTEMPT_RESULTS; i++)
		add_labelled(p, service->labels, "result",
			i == ATTEMPT_UNREAD
				? "unread"
				: write_result_name((enum write_result)i),
			(double)service->attempts[i]);
}

static void print_drift(
	struct printer *p, const struct metrics_service *service)
{
	add_sample(p, service->labels, (double)service->drift);
}

/* ---- services, family by family ---- */

typedef void (*print_service_fn)(
	struct printer *p, const struct metrics_service *service);

static const struct {
	enum family family;
	print_service_fn print; /* NULL: a number of each SLO, … */
	size_t offset; /* … this one of struct metrics_slo */
	bool for_all; /* for those without series of their own, too */
} of_services[] = {
	{FAMILY_ROLLOUT_INFO, print_info},
	{FAMILY_ROLLOUT_PHASE, print_phases},
	{FAMILY_PHASE_START, print_phase_start},
	{FAMILY_TRAFFIC_RATIO, print_traffic},
	{FAMILY_SLO_VALUE, NULL, offsetof(struct metrics_slo, value)},
	{FAMILY_SLO_LIMIT, NULL, offsetof(struct metrics_slo, limit)},
	{FAMILY_SLO_STABLE, NULL, offsetof(struct metrics_slo, stable)},
	{FAMILY_CHECK_SUCCESS, NULL, offsetof(struct metrics_slo, success_s)},
	{FAMILY_CHECK_INTERVAL, NULL, offsetof(struct metrics_slo, interval_s)},
	{FAMILY_DRILL, print_drill},
	{FAMILY_CHECKS, print_checks, .for_all = true},
	{FAMILY_ROLLOUTS_ENDED, print_ended, .for_all = true},
	{FAMILY_REVERTS, print_reverts, .for_all = true},
	{FAMILY_REVERT_ATTEMPTS, print_attempts, .for_all = true},
	{FAMILY_DRIFT, print_drift, .for_all = true},
};

static void print_slo_numbers(
	struct printer *p, const struct metrics_service *service, size_t offset)
{
	size_t n = is_shown(p, service) ? service->n_slos : 0;
	double value;

	for (size_t i = 0; i < n; i++) {
		memcpy(&value, (const char *)&service->slos[i] + offset,
			sizeof(value));
		if (!isnan(value))
			add_labelled(p, service->labels, "slo",
				service->slos[i].name, value);
	}
}

static void print_services(struct printer *p, bool others)
{
	const struct metrics_page *page = p->page;

	for (size_t i = 0; i < sizeof(of_services) / sizeof(*of_services);
		i++) {
		print_service_fn print = of_services[i].print;

		begin_family(p, of_services[i].family);
		for (size_t s = 0; s < page->n_services; s++)
			if (print)
				print(p, page->services[s]);
			else
				print_slo_numbers(p, page->services[s],
					of_services[i].offset);
		if (of_services[i].for_all && others)
			print(p, &page->other);
	}
}

/* ---- the process ---- */

static void print_writes(struct printer *p)
{
	begin_family(p, FAMILY_TRAFFIC_WRITES);
	for (int i = 0; i < WRITE_RESULTS; i++)
		add_labelled(p, "", "result",
			write_result_name((enum write_result)i),
			(double)p->page->writes[i]);
}

static void print_actions(struct printer *p)
{
	char labels[METRICS_LABELS_MAX];

	begin_family(p, FAMILY_ACTIONS);
	for (int kind = 0; kind < ACTION_KINDS; kind++) {
		snprintf(labels, sizeof(labels), "type=\"%s\"",
			action_kind_name((enum action_kind)kind));
		for (int i = 0; i < ACTION_RESULTS; i++)
			add_labelled(p, labels, "result",
				action_result_name((enum action_result)i),
				(double)p->page->actions[kind][i]);
	}
}

static void print_decisions(struct printer *p)
{
	char labels[METRICS_LABELS_MAX];

	begin_family(p, FAMILY_DECISIONS);
	for (int verb = 0; verb < VERBS; verb++) {
		snprintf(labels, sizeof(labels), "verb=\"%s\"",
			verb_name((enum verb)verb));
		for (int i = 0; i < DECISION_FATES; i++)
			add_labelled(p, labels, "result", decision_fates[i],
				(double)p->page->decisions[verb][i]);
	}
}

static void print_histograms(struct printer *p)
{
	const struct metrics_page *page = p->page;
	char labels[METRICS_LABELS_MAX];

	add_histogram_alone(p, FAMILY_CHECK_DURATION, metrics_bounds_short,
		&page->check_duration);
	add_histogram_alone(p, FAMILY_CHECK_LATENESS, metrics_bounds_short,
		&page->check_lateness);
	add_histogram_alone(p, FAMILY_REVERT_DURATION, metrics_bounds_short,
		&page->revert_duration);
	add_histogram_alone(
		p, FAMILY_LEAD_TIME, metrics_bounds_long, &page->lead_time);
	add_histogram_alone(p, FAMILY_RESTORE_TIME, metrics_bounds_long,
		&page->restore_time);
	begin_family(p, FAMILY_ROLLOUT_DURATION);
	for (int i = 0; i < METRICS_OUTCOMES; i++) {
		snprintf(labels, sizeof(labels), "outcome=\"%s\"",
			phase_name((enum phase)(PHASE_PROMOTED + i)));
		add_histogram(p, labels, metrics_bounds_long,
			&page->rollout_duration[i]);
	}
	add_histogram_alone(p, FAMILY_STORE_COMMIT, metrics_bounds_short,
		&page->store_commit);
	add_histogram_alone(
		p, FAMILY_LOOP_LAG, metrics_bounds_short, &page->loop_lag);
}

static void print_routes(struct printer *p)
{
	char labels[METRICS_LABELS_MAX];

	begin_family(p, FAMILY_HTTP_REQUESTS);
	for (size_t i = 0; i < p->page->n_routes; i++) {
		const struct metrics_route *r = &p->page->route[i];

		snprintf(labels, sizeof(labels), "code=\"%d\"", r->status);
		add_labelled(p, labels, "route", r->route, (double)r->n);
	}
}

/* From zero on, so that rate() sees the first. */
static void print_refused(struct printer *p)
{
	begin_family(p, FAMILY_HTTP_REFUSED);
	for (int i = GATE_PASSED + 1; i < GATE_REFUSALS; i++)
		add_labelled(p, "", "reason",
			gate_row((enum gate_refusal)i)->code,
			(double)p->page->server.refused[i]);
}

static void print_known(struct printer *p, enum family family, int64_t value)
{
	if (value >= 0)
		add_alone(p, family, (double)value);
}

static void print_usage(struct printer *p, const struct process_usage *usage)
{
	if (!usage)
		return;
	add_alone(p, FAMILY_PROCESS_CPU, usage->cpu_s);
	print_known(p, FAMILY_PROCESS_RESIDENT, usage->resident);
	print_known(p, FAMILY_PROCESS_VIRTUAL, usage->virtual);
	print_known(p, FAMILY_PROCESS_FDS, usage->fds);
	print_known(p, FAMILY_PROCESS_FDS_MAX, usage->fds_max);
	if (usage->started_ms)
		add_alone(p, FAMILY_PROCESS_START,
			(double)usage->started_ms / 1e3);
}

/* ---- all of it ---- */

void metrics_page_print(struct metrics_page *page,
	const struct metrics_moment *moment, struct buf *out)
{
	struct printer p = {.page = page,
		.now_ms = moment->wall_ms,
		.is_open = moment->is_open,
		.out = out};

	for (size_t i = 0; i < page->n_rollouts; i++)
		metrics_rollout_settle(page->rollouts[i]);
	begin_family(&p, FAMILY_BUILD_INFO);
	add_labelled(&p, "", "version", PACKAGE_VERSION, 1);
	add_alone(&p, FAMILY_TIME, (double)moment->wall_ms / 1e3);
	print_rollouts(&p);
	print_services(&p, true);
	print_writes(&p);
	print_actions(&p);
	print_decisions(&p);
	print_histograms(&p);
	add_alone(&p, FAMILY_JOURNAL_ERRORS, (double)page->journal_errors);
	add_alone(&p, FAMILY_LEASE_FAILURES, (double)page->lease_failures);
	add_alone(&p, FAMILY_SSE_CLIENTS, page->server.streams);
	add_alone(&p, FAMILY_SSE_DROPPED, (double)page->server.streams_dropped);
	print_routes(&p);
	print_refused(&p);
	add_alone(&p, FAMILY_HTTP_TIMEOUTS, (double)page->server.timeouts);
	print_usage(&p, moment->usage);
	if (p.is_open)
		buf_adds(out, "# EOF\n");
}

void metrics_page_print_services(struct metrics_page *page,
	const struct metrics_moment *moment, struct buf *out)
{
	struct printer p = {
		.page = page, .now_ms = moment->wall_ms, .out = out};

	begin_family(&p, FAMILY_BUILD_INFO);
	add_labelled(&p, "", "version", PACKAGE_VERSION, 1);
	print_services(&p, false);
}
