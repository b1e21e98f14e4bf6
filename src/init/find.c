/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looks for metrics of requests; see find.h. A metric is judged by its name
 * (find_names), then by the labels of its series (judge).
 */
#include "init/find.h"

#include <stdlib.h>
#include <string.h>

#include "base/label_value.h"

#define RANK_OTHER  40 /* by a name of nobody's that we know */
#define RANK_HTTP   10 /* more, when the name says so */
#define RANK_WANTED 1000 /* asked for by name */

/* ---- names ---- */

/* The best first: what is counted where the request is answered, in seconds and
 * at once, before what arrives minutes later. */
static const struct {
	const char *name, *style;
	enum find_kind kind;
	const char *unit;
	int rank;
} known[] = {
	{"http_server_request_duration_seconds", "OpenTelemetry",
		FIND_HISTOGRAM, "s", 100},
	{"http_server_duration_milliseconds", "OpenTelemetry before 1.23",
		FIND_HISTOGRAM, "ms", 95},
	{"http_requests_total", "Prometheus", FIND_COUNTER, NULL, 90},
	{"http_request_duration_seconds", "Prometheus", FIND_HISTOGRAM, "s",
		90},
	{"http_server_requests_total", "Prometheus", FIND_COUNTER, NULL, 85},
	{"http_server_requests_seconds", "Micrometer", FIND_HISTOGRAM, "s", 85},
	{"istio_requests_total", "Istio", FIND_COUNTER, NULL, 70},
	{"istio_request_duration_milliseconds", "Istio", FIND_HISTOGRAM, "ms",
		70},
	{"run_googleapis_com:request_count", "Cloud Run", FIND_COUNTER, NULL,
		60},
	{"run_googleapis_com:request_latencies", "Cloud Run", FIND_HISTOGRAM,
		"ms", 60},
};

/* Requests that the service sends, or that are not its users'. */
static const char *const others[] = {
	"client", "promhttp", "prometheus_http", "outbound", "upstream"};

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), n = strlen(end);

	return len >= n && strcmp(text + len - n, end) == 0;
}

static bool is_plain_name(const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789_:";

	return *name && name[strspn(name, allowed)] == '\0';
}

static const char *unit_of(const char *name)
{
	if (strstr(name, "milliseconds") || ends_with(name, "_ms") ||
		strstr(name, "_millis"))
		return "ms";
	if (strstr(name, "seconds") || ends_with(name, "_s"))
		return "s";
	return NULL;
}

/* A histogram's count is a counter, too: it is known by the histogram. */
static bool is_known(const struct found_metric *metric, size_t i)
{
	size_t len = strlen(known[i].name);

	if (strncmp(metric->name, known[i].name, len) != 0)
		return false;
	return known[i].kind == metric->kind
		       ? !metric->name[len]
		       : metric->kind == FIND_COUNTER &&
				 !strcmp(metric->name + len, "_count");
}

static void judge_name(struct found_metric *metric)
{
	size_t i;

	metric->style = "its own";
	metric->unit = unit_of(metric->name);
	metric->rank = RANK_OTHER;
	if (strstr(metric->name, "http"))
		metric->rank += RANK_HTTP;
	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (!is_known(metric, i))
			continue;
		metric->style = known[i].style;
		metric->unit = known[i].unit;
		metric->rank = known[i].rank;
	}
	/* A histogram's count tells as much as a counter, which comes first. */
	if (metric->kind == FIND_COUNTER && ends_with(metric->name, "_count") &&
		!ends_with(metric->name, "request_count"))
		metric->rank--;
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (strstr(metric->name, others[i]))
			metric->why_not =
				"these are no requests that users send";
	if (!is_plain_name(metric->name))
		metric->why_not = "such a name cannot be asked for: let it be "
				  "translated where it is written, to letters, "
				  "digits, \"_\" and \":\"";
}

void find_match_print(const struct find_match *match, struct buf *out)
{
	buf_adds(out, match->kind == FIND_COUNTER
			      ? "{__name__=~\".*(request|http).*_(total|count)"
				"|.*:request_count\""
			      : "{__name__=~\".*(request|http).*_bucket\","
				"le=\"+Inf\"");
	if (match->label) {
		buf_addf(out, ",%s=\"", match->label);
		label_value_add(out, match->value);
		buf_addc(out, '"');
	}
	if (*match->selector)
		buf_addf(out, ",%s", match->selector);
	buf_addc(out, '}');
}

/* ---- labels ---- */

const char *const find_revision_labels[] = {"revision", "revision_name",
	"faas_version", "k_revision", "service_version", "version", NULL};
static const char *const service_labels[] = {
	"service", "service_name", "faas_name", "app", "job", NULL};
static const char *const code_labels[] = {"code", "status_code", "status",
	"http_response_status_code", "http_status_code", "response_code",
	"response_code_class", NULL};

/* Of two labels with what is looked for the better one. */
static int place_in(const char *const *list, const char *name)
{
	int i;

	for (i = 0; list[i]; i++)
		if (strcmp(list[i], name) == 0)
			return i;
	return i;
}

static const char *better(
	const char *const *list, const char *one, const char *other)
{
	int a, b;

	if (!one || !other)
		return one ? one : other;
	a = place_in(list, one);
	b = place_in(list, other);
	if (a != b)
		return a < b ? one : other;
	return strcmp(one, other) <= 0 ? one : other;
}

/* Other names would have to be quoted in a query. */
static bool is_plain_label(const char *name)
{
	return is_plain_name(name) && !strchr(name, ':');
}

/* The label of this series that has the value; NULL: none. */
static const char *label_with(const struct listed_series *series,
	const char *value, const char *const *list)
{
	const char *found = NULL;

	for (size_t i = 0; i < series->n; i++)
		if (strcmp(series->label[i].value, value) == 0 &&
			is_plain_label(series->label[i].name) &&
			strcmp(series->label[i].name, "configuration_name") !=
				0)
			found = better(list, found, series->label[i].name);
	return found;
}

/* "503", or the class of it, as "5xx". */
static const char *failures_of(const char *value)
{
	if (*value < '1' || *value > '5' || strlen(value) != 3)
		return NULL;
	if (strcmp(value + 1, "xx") == 0)
		return "5xx";
	if (strcmp(value + 1, "XX") == 0)
		return "5XX";
	return strspn(value, "0123456789") == 3 ? "5.." : NULL;
}

static bool may_be_code(const char *name)
{
	return is_plain_label(name) &&
	       (strstr(name, "code") || strstr(name, "status"));
}

/* ---- one metric ---- */

/* A series, and of which metric it is. */
struct named {
	const struct listed_series *series;
	const char *name;
};

static bool is_of(const struct named *named, const struct found_metric *metric)
{
	return strcmp(named->name, metric->name) == 0 &&
	       !!listed_value(named->series, "le") ==
		       (metric->kind == FIND_HISTOGRAM);
}

/* Every series that has the label has a status there. */
static const char *failures_in(const struct named *named, size_t n,
	const struct found_metric *metric, const char *label)
{
	const char *failures = NULL, *value, *one;

	for (size_t i = 0; i < n; i++) {
		if (!is_of(&named[i], metric))
			continue;
		value = listed_value(named[i].series, label);
		if (!value || !*value)
			continue;
		one = failures_of(value);
		if (!one || (failures && strcmp(one, failures) != 0))
			return NULL;
		failures = one;
	}
	return failures;
}

static void find_code(
	const struct named *named, size_t n, struct found_metric *metric)
{
	const struct listed_series *sample = metric->sample;
	const char *name, *failures;

	for (size_t i = 0; sample && i < sample->n; i++) {
		name = sample->label[i].name;
		if (!may_be_code(name))
			continue;
		failures = failures_in(named, n, metric, name);
		if (!failures ||
			better(code_labels, metric->code, name) != name)
			continue;
		metric->code = name;
		metric->failures = failures;
	}
}

/* One that all of stable's series have. */
static bool all_have(const struct named *named, size_t n,
	const struct found_metric *metric, const char *label, const char *value)
{
	const char *stable = listed_value(metric->sample, metric->revision);
	const char *revision, *own;

	for (size_t i = 0; i < n; i++) {
		if (!is_of(&named[i], metric))
			continue;
		revision = listed_value(named[i].series, metric->revision);
		if (!revision || strcmp(revision, stable) != 0)
			continue;
		own = listed_value(named[i].series, label);
		if (!own || strcmp(own, value) != 0)
			return false;
	}
	return true;
}

static void count_series(const struct named *named, size_t n,
	const struct find_what *what, struct found_metric *metric)
{
	const char *label;

	for (size_t i = 0; i < n; i++) {
		if (!is_of(&named[i], metric))
			continue;
		label = label_with(
			named[i].series, what->stable, find_revision_labels);
		if (!label)
			continue;
		metric->of_stable++;
		if (!metric->sample)
			metric->sample = named[i].series;
		metric->revision =
			better(find_revision_labels, metric->revision, label);
	}
}

static void judge(const struct named *named, size_t n,
	const struct find_what *what, struct found_metric *metric)
{
	const char *wanted =
		metric->kind == FIND_COUNTER ? what->counter : what->histogram;

	judge_name(metric);
	count_series(named, n, what, metric);
	if (metric->sample) {
		find_code(named, n, metric);
		metric->service = label_with(
			metric->sample, what->service, service_labels);
	}
	if (metric->service &&
		!all_have(named, n, metric, metric->service, what->service))
		metric->service = NULL;
	if (wanted && strcmp(wanted, metric->name) == 0) {
		metric->rank += RANK_WANTED;
		metric->why_not =
			is_plain_name(metric->name) ? NULL : metric->why_not;
	} else if (wanted) {
		metric->why_not = "another one was asked for";
	}
	if (metric->why_not)
		return;
	if (!metric->sample)
		metric->why_not = "no label of it names the stable revision";
	else if (metric->kind == FIND_COUNTER && !metric->code)
		metric->why_not = "no label of it has the status of answers";
}

/* ---- all of them ---- */

/* Names as they are asked for; how many. */
static size_t take_names(
	const struct listing *listing, struct arena *arena, struct named *named)
{
	const char *name;
	size_t n = 0;

	for (size_t i = 0; i < listing->n; i++) {
		name = listed_value(&listing->series[i], "__name__");
		if (!name)
			continue;
		if (listed_value(&listing->series[i], "le")) {
			if (!ends_with(name, "_bucket"))
				continue;
			name = arena_strndup(
				arena, name, strlen(name) - strlen("_bucket"));
		}
		named[n++] = (struct named){&listing->series[i], name};
	}
	return n;
}

static int by_rank(const void *a, const void *b)
{
	const struct found_metric *left = a, *right = b;

	if (!left->why_not != !right->why_not)
		return left->why_not ? 1 : -1;
	if (left->rank != right->rank)
		return left->rank > right->rank ? -1 : 1;
	if (left->kind != right->kind)
		return left->kind > right->kind ? 1 : -1;
	return strcmp(left->name, right->name);
}

static bool is_there(const struct found *found, const struct named *named)
{
	for (size_t i = 0; i < found->n; i++)
		if (is_of(named, &found->metric[i]))
			return true;
	return false;
}

static void choose(struct found *found)
{
	for (size_t i = 0; i < found->n; i++) {
		const struct found_metric *metric = &found->metric[i];
		bool counts = metric->kind == FIND_COUNTER;
		const struct found_metric **best =
			counts ? &found->counter : &found->histogram;
		const struct found_metric **other =
			counts ? &found->other_counter
			       : &found->other_histogram;

		if (metric->why_not)
			continue;
		if (!*best)
			*best = metric;
		else if (!*other && metric->rank == (*best)->rank)
			*other = metric;
	}
}

void find_metrics(const struct listing *listing, const struct find_what *what,
	struct arena *arena, struct found *found_r)
{
	struct named *named =
		arena_alloc(arena, (listing->n + 1) * sizeof(*named));
	size_t n = take_names(listing, arena, named), i;

	*found_r = (struct found){.n = 0};
	for (i = 0; i < n && found_r->n < FIND_METRICS_MAX; i++) {
		if (is_there(found_r, &named[i]))
			continue;
		found_r->metric[found_r->n++] =
			(struct found_metric){.name = named[i].name,
				.kind = listed_value(named[i].series, "le")
						? FIND_HISTOGRAM
						: FIND_COUNTER};
	}
	for (i = 0; i < found_r->n; i++)
		judge(named, n, what, &found_r->metric[i]);
	qsort(found_r->metric, found_r->n, sizeof(found_r->metric[0]), by_rank);
	choose(found_r);
}

bool find_is_cloud_run(const struct found_metric *metric)
{
	static const char *const labels[] = {"monitored_resource", "project_id",
		"location", "service_name", "revision_name"};
	const char *name = metric->name;

	if (strcmp(name, "run_googleapis_com:request_count") != 0 &&
		strcmp(name, "run_googleapis_com:request_latencies") != 0)
		return false;
	for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++)
		if (!metric->sample || !listed_value(metric->sample, labels[i]))
			return false;
	return true;
}
