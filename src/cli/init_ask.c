/* SPDX-License-Identifier: Apache-2.0 */
/* Questions of `tidegate init`; see init_ask.h. */
#include "cli/init_ask.h"

#include <stdlib.h>

#include "base/label_value.h"
#include "io/http.h"

#define DAY_MS        INT64_C(86400000)
#define TEXT_MAX      (64 * 1024)
#define FORM_MAX      6000 /* it is a part of a URL */
#define SAMPLES_BYTES (1024 * 1024)

/* ---- forms ---- */

static void add_parameter(struct buf *form, const char *name, const char *value)
{
	char *escaped = http_escape(value);

	buf_addf(form, "%s%s=%s", form->len ? "&" : "", name, escaped);
	free(escaped);
}

static void add_day(struct buf *form, int64_t now_ms)
{
	buf_addf(form, "&start=%lld&end=%lld",
		(long long)((now_ms - DAY_MS) / 1000),
		(long long)(now_ms / 1000) + 1);
}

static void add_match(
	const struct init_ask *ask, const char *label, struct buf *form)
{
	struct find_match match = {.selector = ask->proposal->selector,
		.label = label,
		.value = ask->proposal->stable};
	struct buf text;

	buf_init(&text, TEXT_MAX);
	for (int kind = FIND_COUNTER; kind <= FIND_HISTOGRAM; kind++) {
		match.kind = (enum find_kind)kind;
		buf_clear(&text);
		find_match_print(&match, &text);
		add_parameter(form, "match[]", text.data);
	}
	buf_fini(&text);
}

/* NAME{revision="…",…} of stable. */
static void add_selector(const struct init_ask *ask,
	const struct found_metric *metric, const char *suffix, struct buf *out)
{
	buf_addf(out, "%s%s{%s=\"", metric->name, suffix, metric->revision);
	label_value_add(out, ask->proposal->stable);
	buf_addc(out, '"');
	if (*ask->proposal->selector)
		buf_addf(out, ",%s", ask->proposal->selector);
	buf_addc(out, '}');
}

/* ---- questions ---- */

static struct provider_call *start(const struct init_ask *ask,
	const struct prometheus_ask *what, struct buf *form)
{
	struct prometheus_ask whole = *what;
	struct provider_call *call;

	whole.form = form->data;
	call = prometheus_ask_start(ask->prometheus, &whole, ask->fn, ask->arg);
	buf_fini(form);
	return call;
}

struct provider_call *init_ask_series(const struct init_ask *ask, bool *is_wide)
{
	const struct prometheus_ask what = {.path = "series",
		.by_get = true,
		.bytes_max = LISTING_BYTES_MAX};
	struct buf form;
	size_t i;

	buf_init(&form, TEXT_MAX);
	for (i = 0; !*is_wide && find_revision_labels[i]; i++)
		add_match(ask, find_revision_labels[i], &form);
	if (form.len > FORM_MAX) {
		*is_wide = true;
		buf_clear(&form);
	}
	if (*is_wide)
		add_match(ask, NULL, &form);
	add_day(&form, ask->now_ms);
	buf_addf(&form, "&limit=%d", LISTING_SERIES_MAX);
	return start(ask, &what, &form);
}

struct provider_call *init_ask_bounds(
	const struct init_ask *ask, const struct found_metric *histogram)
{
	const struct prometheus_ask what = {.path = "label/le/values",
		.by_get = true,
		.bytes_max = LISTING_BYTES_MAX};
	struct buf form, match;

	buf_init(&form, TEXT_MAX);
	buf_init(&match, TEXT_MAX);
	add_selector(ask, histogram, "_bucket", &match);
	add_parameter(&form, "match[]", match.data);
	add_day(&form, ask->now_ms);
	buf_fini(&match);
	return start(ask, &what, &form);
}

struct provider_call *init_ask_samples(
	const struct init_ask *ask, const struct found_metric *counter)
{
	const struct prometheus_ask what = {
		.path = "query", .bytes_max = SAMPLES_BYTES};
	struct buf form, query;

	buf_init(&form, TEXT_MAX);
	buf_init(&query, TEXT_MAX);
	add_selector(ask, counter, "", &query);
	buf_adds(&query, "[10m]");
	add_parameter(&form, "query", query.data);
	buf_fini(&query);
	return start(ask, &what, &form);
}
