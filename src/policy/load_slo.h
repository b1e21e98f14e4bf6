/*
 * What the files that read SLOs share: the keys of every SLO, and what the
 * providers' own files do. Private to the loader.
 */
#ifndef TIDEGATE_POLICY_LOAD_SLO_H
#define TIDEGATE_POLICY_LOAD_SLO_H

#include <math.h>

#include "policy/loader.h"

/* ---- policy_slo_keys.c ---- */

extern const struct choice slo_kinds[], slo_providers[], no_data_choices[],
	no_baseline_choices[];
extern const struct duration_range slo_span_range, slo_timeout_range;
extern const struct whole_range passes_range;

void read_kind(
	struct loader *, const struct node *, const struct key *, void *);
void read_limit(
	struct loader *, const struct node *, const struct key *, void *);
void read_compare(
	struct loader *, const struct node *, const struct key *, void *);
void read_fail_after(
	struct loader *, const struct node *, const struct key *, void *);
/* A number of requests, 1 or more. */
void read_requests_min(
	struct loader *, const struct node *, const struct key *, void *);

/* Where a limit goes: the number, whether there is one, the text. */
struct limit_key {
	size_t given, text;
	double min; /* the least it may be */
};

#define LIMIT(name, least)                                                 \
	{                                                                  \
#name, read_limit, offsetof(struct slo, name),             \
			&(const struct limit_key){                         \
				offsetof(struct slo, has_##name),          \
				offsetof(struct slo, texts.name), least }, \
	}

/* The keys of every SLO beside its name, whoever is asked. The struct that is read into
 * begins with a struct slo. */
/* clang-format off */
#define SLO_KEYS \
	{"kind", read_kind, .value = "threshold"}, \
	{"provider", read_choice, offsetof(struct slo, provider), \
		slo_providers, .value = "prometheus"}, \
	LIMIT(max, -INFINITY), LIMIT(min, -INFINITY), \
	LIMIT(critical, -INFINITY), {"compare", read_compare}, \
	LIMIT(max_ratio, 0), LIMIT(max_increase, 0), \
	{"window", read_duration, offsetof(struct slo, window_ms), \
		&slo_span_range, .value = "2m"}, \
	{"interval", read_duration, offsetof(struct slo, interval_ms), \
		&slo_span_range, .value = "30s"}, \
	{"fail_after", read_fail_after, .value = "{breaches: 2, of: 3}"}, \
	{"min_passes", read_whole, offsetof(struct slo, min_passes), \
		&passes_range, .value = "3"}, \
	{"no_data", read_choice, offsetof(struct slo, no_data), \
		no_data_choices, .value = "wait"}, \
	{"no_baseline", read_choice, offsetof(struct slo, no_baseline), \
		no_baseline_choices, .value = "no-data"}
/* clang-format on */

/* ---- policy_slo_json.c ---- */

#define PARAMS_MAX 32 /* of one request */

/* A params mapping or list of parameters while it is put together. */
struct params {
	struct param param[PARAMS_MAX];
	size_t n;
};

void params_add(struct params *params, const char *name, struct secret *value,
	const char *shown);
void params_end(struct loader *loader, const struct params *params,
	struct json_question *question);
/* The request for people: method, URL and parameters without secrets, and
 * where the number stands. */
const char *json_question_text(
	struct loader *loader, const struct json_question *question);
/* auth google sends what opens everything: to Google's APIs only. */
void check_auth_host(struct loader *loader, const struct node *where,
	const struct auth *auth, const struct secret *url);

void read_json_slo(
	struct loader *loader, const struct node *node, struct slo *slo);

/* ---- policy_slo_sentry.c ---- */

void read_sentry_slo(
	struct loader *loader, const struct node *node, struct slo *slo);

#endif
