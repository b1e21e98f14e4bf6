/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where values come from: `metrics`, and how far its samples lie behind. A
 * window is judged only when all of it is there and all of it comes after the
 * shift; the rules below see to that.
 */
#include <string.h>

#include "base/duration.h"
#include "policy/loader.h"

#define GOOGLE_SAMPLES_MS (60 * MS_SECOND)
#define GOOGLE_LATE_MS    (180 * MS_SECOND)
#define WINDOW_SAMPLES    4 /* fewer make no rate to rely on */

static const struct choice providers[] = {
	{"prometheus", METRICS_PROMETHEUS},
	{"google", METRICS_GOOGLE},
	{0},
};

static const struct choice partial_choices[] = {
	{"no-data", PARTIAL_NO_DATA},
	{"accept", PARTIAL_ACCEPT},
	{0},
};

static void read_metrics_url(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	struct metrics *metrics = into;

	metrics->url = secret_url(loader, value, false, &metrics->url_shown);
}

static const struct reader metrics_url_reader = {
	read_metrics_url, "a URL", URL_SCHEMA, .def = "url"};

static const struct duration_range timeout_range = {100, 5 * MS_MINUTE};
static const struct duration_range delay_range = {0, MS_HOUR};
static const struct duration_range resolution_range = {100, MS_HOUR};
static const size_t n_headers_at = offsetof(struct metrics, n_headers);

#define MEMBER(m) offsetof(struct metrics, m)

static const struct key metrics_keys[] = {
	{"provider", &choice_reader, MEMBER(provider), providers,
		.value = "prometheus",
		.about = "google: Cloud Monitoring's PromQL"},
	{"url", &metrics_url_reader, .need = KEY_REQUIRED_UNLESS,
		.about = "Of a Prometheus; plain http for loopback hosts only"},
	{"project", &cloud_name_reader, MEMBER(project),
		".:", .about = "google: whose metrics; default: the service's"},
	{"quota_project", &cloud_name_reader, MEMBER(quota_project), ".:",
		.about = "Whose quota pays; default: the credentials' one"},
	{"auth", &auth_reader, MEMBER(auth),
		.about = "How to identify; default: not, with google: google"},
	{"tls", &tls_reader, MEMBER(tls), .about = "Of https"},
	{"headers", &headers_reader, MEMBER(headers), &n_headers_at,
		.about = "Of every request; may hold ${VAR}"},
	{"delay", &duration_reader, MEMBER(delay_ms), &delay_range,
		.value = "0s",
		.about = "How late samples may arrive; with google 4m"},
	{"resolution", &duration_reader, MEMBER(resolution_ms),
		&resolution_range,
		.about = "From one sample to the next; with google 1m"},
	{"partial", &choice_reader, MEMBER(partial), partial_choices,
		.value = "no-data",
		.about = "What an answer that says it is incomplete is"},
	{"timeout", &duration_reader, MEMBER(timeout_ms), &timeout_range,
		.value = "10s",
		.about = "Of one query; shorter than every interval"},
	{0},
};

static const struct section metrics_section = {"metrics", metrics_keys,
	.def = "metrics", .about = "The Prometheus to ask, or Cloud Monitoring",
	.unless = "provider=google"};

static bool is_google(const struct node *metrics)
{
	const struct node *provider = node_get(metrics, "provider");

	return provider && provider->kind == NODE_SCALAR &&
	       !strcmp(provider->text, "google");
}

static void set_google_defaults(
	const struct node *node, struct metrics *metrics)
{
	if (!node_get(node, "auth"))
		metrics->auth.type = AUTH_GOOGLE;
	/* A sample covers the minute before it and may arrive late. */
	if (!node_get(node, "delay"))
		metrics->delay_ms = GOOGLE_SAMPLES_MS + GOOGLE_LATE_MS;
	if (!node_get(node, "resolution"))
		metrics->resolution_ms = GOOGLE_SAMPLES_MS;
}

void load_metrics(struct loader *loader)
{
	const struct node *node = node_get(loader->root, "metrics");
	struct metrics *metrics = &loader->policy->metrics;

	if (loader->metrics_read)
		return;
	*metrics = (struct metrics){0};
	read_defaults(loader, &metrics_section, metrics);
	if (!node || node_is_null(node))
		return;
	loader->metrics_read = true;
	read_section(loader, node, &metrics_section, metrics);
	if (node->kind == NODE_MAPPING && is_google(node))
		set_google_defaults(node, metrics);
}

static void read_metrics(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	load_metrics(loader);
}

const struct reader metrics_reader = {read_metrics, "a mapping",
	.sections = (const struct section *const[]){&metrics_section, NULL}};

/* ---- rules ---- */

static void check_source(struct loader *loader, const struct node *node)
{
	const struct metrics *m = &loader->policy->metrics;
	const struct node *project = node_get(node, "project");
	const struct node *quota = node_get(node, "quota_project");

	if (m->provider == METRICS_PROMETHEUS && !node_get(node, "url"))
		problem_at(loader, node, "metrics needs \"url\"");
	if (m->provider == METRICS_PROMETHEUS && project)
		problem_at(loader, project->key,
			"only \"provider: google\" has projects: remove it");
	if (m->provider == METRICS_GOOGLE && project && node_get(node, "url"))
		problem_at(loader, project->key,
			"both project and url, which names one: remove one");
	if (quota && m->auth.type != AUTH_GOOGLE)
		problem_at(loader, quota->key,
			"only \"auth: {type: google}\" has a quota project: "
			"remove it");
}

static const struct node *slo_key(
	struct loader *loader, size_t slo, const char *key)
{
	const struct node *node = node_get(loader->root, "slos"), *value;

	node = node ? node->first : NULL;
	while (node && slo--)
		node = node->next;
	value = node_get(node, key);
	if (!value)
		value = node_get(node, "use");
	return value ? value : node;
}

static void check_sampling(struct loader *loader, size_t i)
{
	const struct slo *slo = &loader->policy->slos[i];
	int64_t every_ms = loader->policy->metrics.resolution_ms;
	int64_t least_ms = WINDOW_SAMPLES * every_ms;
	char given[DURATION_TEXT_MAX], every[DURATION_TEXT_MAX],
		least[DURATION_TEXT_MAX];

	duration_print(every_ms, every);
	if (slo->interval_ms < every_ms)
		problem_at(loader, slo_key(loader, i, "interval"),
			"there is a sample every %s: checks every %s would "
			"judge the same one twice; write %s or more",
			every, duration_print(slo->interval_ms, given), every);
	if (slo->kind == SLO_THRESHOLD && slo->window_ms < least_ms)
		problem_at(loader, slo_key(loader, i, "window"),
			"there is a sample every %s: a window of %s holds too "
			"few of them for a rate; write %s or more",
			every, duration_print(slo->window_ms, given),
			duration_print(least_ms, least));
}

/* 0: nothing is known of the samples. */
static int64_t settle_needed_ms(const struct policy *policy)
{
	const struct metrics *m = &policy->metrics;
	int64_t window_ms = 0;

	for (size_t i = 0; i < policy->n_slos; i++) {
		const struct slo *slo = &policy->slos[i];
		/* Counts are those since the check before. */
		int64_t back_ms = slo->kind == SLO_EVIDENCE ? slo->interval_ms
							    : slo->window_ms;

		if (slo->provider == SLO_PROMETHEUS && back_ms > window_ms)
			window_ms = back_ms;
	}
	if (!window_ms || (!m->delay_ms && !m->resolution_ms))
		return 0;
	return m->delay_ms + window_ms + m->resolution_ms;
}

/* The window that the first check of a step looks at must begin after the
 * split was confirmed; a sample covers the time since the one before it. */
static void check_settle(struct loader *loader)
{
	const struct node *settle = node_get(loader->root, "settle");
	struct policy *policy = loader->policy;
	const struct metrics *m = &policy->metrics;
	int64_t least_ms = settle_needed_ms(policy);
	char given[DURATION_TEXT_MAX], least[DURATION_TEXT_MAX],
		delay[DURATION_TEXT_MAX], window[DURATION_TEXT_MAX],
		sample[DURATION_TEXT_MAX];

	if (policy->settle_ms >= least_ms)
		return;
	if (!settle) {
		policy->settle_ms = least_ms;
		return;
	}
	problem_at(loader, settle,
		"after %s a window still reaches back before the shift: it "
		"takes %s (delay %s, window %s, one sample of %s); write so "
		"much, or leave settle out",
		duration_print(policy->settle_ms, given),
		duration_print(least_ms, least),
		duration_print(m->delay_ms, delay),
		duration_print(
			least_ms - m->delay_ms - m->resolution_ms, window),
		duration_print(m->resolution_ms, sample));
}

void check_metrics(struct loader *loader)
{
	const struct node *node = node_get(loader->root, "metrics");
	const struct policy *policy = loader->policy;

	if (!node || node->kind != NODE_MAPPING)
		return;
	check_source(loader, node);
	for (size_t i = 0; i < policy->n_slos; i++)
		if (policy->slos[i].provider == SLO_PROMETHEUS)
			check_sampling(loader, i);
	check_settle(loader);
}
