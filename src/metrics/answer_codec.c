/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decodes answers of the Prometheus HTTP API; see answer_codec.h. Owns the
 * envelope {"status", "data", "warnings"}, its errors and those of Google.
 * Must not know how the answer got here.
 */
#include "metrics/answer_codec.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/http_status.h"
#include "base/printable.h"
#include "base/xalloc.h"
#include "policy/quantity.h"

#define DETAIL_MAX      512 /* of the other side's own message */
#define WARNINGS_KEPT   16
#define USUAL_VALUE_MAX 32
#define USUAL_TIME_MAX  24

/* Duplicate keys would leave it to us which of two statuses is true. Integers
 * become reals, so that a counter beyond 2^63 in an extra field is harmless. */
#define LOAD_FLAGS \
	(JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL)

struct envelope {
	int status; /* HTTP's */
	const char *bytes;
	size_t len;
	json_t *root; /* NULL: not JSON */
};

/* Numbers. */

int sample_value_parse(const char *text, size_t len, double *value_r)
{
	static const struct {
		const char *text;
		double value;
	} words[] = {{"NaN", NAN}, {"+Inf", INFINITY}, {"Inf", INFINITY},
		{"-Inf", -INFINITY}};
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (len == strlen(words[i].text) &&
			memcmp(text, words[i].text, len) == 0) {
			*value_r = words[i].value;
			return 0;
		}
	}
	return decimal_parse(text, len, value_r);
}

/* Texts of the other side. */

static void add_warning(struct buf *text, const char *warning)
{
	if (text->len)
		buf_adds(text, "; ");
	buf_adds(text, warning);
}

/* PromQL's own remarks are about the query; the others say that something did
 * not answer, without which the query was evaluated nevertheless. */
static bool is_about_data(const char *warning)
{
	return strncmp(warning, "PromQL", strlen("PromQL")) != 0;
}

/* "warnings" of Prometheus and its kin, "isPartial" of VictoriaMetrics: the
 * value may lack a part of the data. "infos" are hints for authors. */
int answer_warnings(
	const json_t *root, struct metric_reading *reading, struct err *err_r)
{
	const json_t *list = json_object_get(root, "warnings"), *item;
	const json_t *partial = json_object_get(root, "isPartial");
	char shown[WARNINGS_BYTES_MAX];
	struct buf text;
	size_t i, n = 0;

	if (list && !json_is_null(list) && !json_is_array(list))
		return err_set(err_r, ERR_PROTOCOL,
			"\"warnings\" of the answer is not a list");
	if (partial && !json_is_null(partial) && !json_is_boolean(partial))
		return err_set(err_r, ERR_PROTOCOL,
			"\"isPartial\" of the answer is neither true nor "
			"false");
	if (!list && !partial)
		return 0;
	buf_init(&text, ANSWER_BYTES_MAX);
	if (json_is_true(partial)) {
		add_warning(&text, "the answer is partial");
		reading->answer.partial = true;
	}
	json_array_foreach(list, i, item) {
		const char *warning = json_is_string(item)
					      ? json_string_value(item)
					      : "(unreadable)";

		reading->answer.partial |= is_about_data(warning);
		if (n++ < WARNINGS_KEPT)
			add_warning(&text, warning);
	}
	if (n > WARNINGS_KEPT)
		buf_addf(&text, "; and %zu more", n - WARNINGS_KEPT);
	printable_copy(shown, sizeof(shown), text.data);
	if (*shown)
		reading->warnings = xstrdup(shown);
	buf_fini(&text);
	return 0;
}

/* Successes. */

static void take_number(struct metric_reading *reading, double number)
{
	reading->series = 1;
	if (isnan(number))
		return;
	reading->answer.kind = ANSWER_VALUE;
	reading->answer.value = number;
}

/* [timestamp, "value"] */
static int decode_pair(
	const json_t *pair, struct metric_reading *reading, struct err *err_r)
{
	const json_t *value = json_array_get(pair, 1);
	double number;
	char shown[64];

	if (json_array_size(pair) != 2 ||
		!json_is_number(json_array_get(pair, 0)) ||
		!json_is_string(value))
		return err_set(err_r, ERR_PROTOCOL,
			"the sample is not [timestamp, \"value\"]");
	if (sample_value_parse(json_string_value(value),
		    json_string_length(value), &number) < 0) {
		printable_copy(shown, sizeof(shown), json_string_value(value));
		return err_set(err_r, ERR_PROTOCOL,
			"the sample's value \"%s\" is not a number", shown);
	}
	take_number(reading, number);
	return 0;
}

static int decode_scalar(
	const json_t *result, struct metric_reading *reading, struct err *err_r)
{
	return decode_pair(result, reading, err_r);
}

static int decode_vector(
	const json_t *result, struct metric_reading *reading, struct err *err_r)
{
	const json_t *series = json_array_get(result, 0);

	if (json_is_null(result))
		return 0; /* a list without entries, as some write it */
	if (!json_is_array(result))
		return err_set(err_r, ERR_PROTOCOL,
			"\"result\" of the vector is not a list");
	if (json_array_size(result) == 0)
		return 0;
	reading->series = json_array_size(result);
	if (reading->series > 1)
		return err_set(err_r, ERR_INVALID,
			"%zu series where there must be one: aggregate them, "
			"as with sum(…)",
			reading->series);
	if (!json_object_get(series, "value") &&
		json_object_get(series, "histogram"))
		return err_set(err_r, ERR_INVALID,
			"the query yields a native histogram, not a number; "
			"use histogram_quantile(), histogram_count() or the "
			"like");
	return decode_pair(json_object_get(series, "value"), reading, err_r);
}

static int decode_data(
	const json_t *data, struct metric_reading *reading, struct err *err_r)
{
	const char *type =
		json_string_value(json_object_get(data, "resultType"));
	const json_t *result = json_object_get(data, "result");
	char shown[64];

	if (!type || !result)
		return err_set(err_r, ERR_PROTOCOL,
			"the answer has no data.resultType and data.result");
	if (strcmp(type, "vector") == 0)
		return decode_vector(result, reading, err_r);
	if (strcmp(type, "scalar") == 0)
		return decode_scalar(result, reading, err_r);
	if (strcmp(type, "matrix") == 0)
		return err_set(err_r, ERR_INVALID,
			"the query yields ranges (a matrix), not a number; "
			"wrap the range in rate(), increase() or the like");
	if (strcmp(type, "string") == 0)
		return err_set(err_r, ERR_INVALID,
			"the query yields a string, not a number");
	printable_copy(shown, sizeof(shown), type);
	return err_set(err_r, ERR_PROTOCOL,
		"the answer is of the unknown type \"%s\"", shown);
}

/* Failures. */

/* A proxy in front speaks by its status; behind it the type is exacter, for
 * "unavailable" arrives as 500 and "timeout" as 503. */
static enum err_code code_of_type(int status, const char *type)
{
	static const struct {
		const char *type;
		enum err_code code;
	} rows[] = {
		{"bad_data", ERR_INVALID},
		{"canceled", ERR_UNAVAILABLE},
		{"execution", ERR_INVALID},
		{"internal", ERR_UNAVAILABLE},
		{"not_found", ERR_NOT_FOUND},
		{"timeout", ERR_TIMEOUT},
		{"too_many_requests", ERR_THROTTLED},
		{"unavailable", ERR_UNAVAILABLE},
	};
	size_t i;

	if (status == 401 || status == 403 || status == 429)
		return http_status_code(status);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (strcmp(rows[i].type, type) == 0)
			return rows[i].code;
	}
	return http_status_code(status);
}

static const char *remedy(enum err_code code)
{
	switch (code) {
	case ERR_AUTH:
		return "; check metrics.auth";
	case ERR_DENIED:
		return "; the identity of metrics.auth may not read metrics";
	case ERR_NOT_FOUND:
		return "; check metrics.url, it ends before /api/v1";
	default:
		return "";
	}
}

static int set_refused(struct err *err_r, enum err_code code, int status,
	const char *type, const char *text)
{
	char detail[DETAIL_MAX], shown[64];

	printable_copy(detail, sizeof(detail), text);
	printable_copy(shown, sizeof(shown), type);
	if (code == ERR_INVALID)
		return err_set(err_r, code,
			"the query is refused (HTTP %d, %s): %s", status, shown,
			detail);
	return err_set(err_r, code, "HTTP %d, %s: %s%s", status, shown, detail,
		remedy(code));
}

/* {"status": "error", "errorType": …, "error": …} */
static int decode_refusal(const struct envelope *envelope, struct err *err_r)
{
	const char *type =
		json_string_value(json_object_get(envelope->root, "errorType"));
	const char *text =
		json_string_value(json_object_get(envelope->root, "error"));

	type = type ? type : "no errorType";
	return set_refused(err_r, code_of_type(envelope->status, type),
		envelope->status, type, text ? text : "no message");
}

/* {"error": {"code": …, "message": …, "status": …}}, maybe in a list */
static const json_t *google_error(const json_t *root)
{
	const json_t *error;

	if (json_is_array(root))
		root = json_array_get(root, 0);
	error = json_object_get(root, "error");
	return json_is_object(error) ? error : NULL;
}

static int decode_google_error(
	int status, const json_t *error, struct err *err_r)
{
	const char *name = json_string_value(json_object_get(error, "status"));
	const char *text = json_string_value(json_object_get(error, "message"));

	return set_refused(err_r, http_status_code(status), status,
		name ? name : "no status", text ? text : "no message");
}

static int decode_failure(const struct envelope *envelope, struct err *err_r)
{
	const json_t *error = google_error(envelope->root);
	enum err_code code = http_status_code(envelope->status);
	char detail[DETAIL_MAX];

	if (json_is_string(json_object_get(envelope->root, "error")))
		return decode_refusal(envelope, err_r);
	if (error)
		return decode_google_error(envelope->status, error, err_r);
	if (envelope->status >= 300 && envelope->status < 400)
		return err_set(err_r, ERR_PROTOCOL,
			"HTTP %d: redirects are not followed; metrics.url must "
			"name the server itself, not a login page",
			envelope->status);
	/* Nobody who knows the query has spoken: a proxy, or a wrong port. */
	if (code == ERR_INVALID)
		code = ERR_PROTOCOL;
	printable_quote(detail, envelope->bytes, envelope->len);
	return err_set(err_r, code, "HTTP %d with %s%s", envelope->status,
		detail, remedy(code));
}

static int decode_success(const struct envelope *envelope,
	struct metric_reading *reading_r, struct err *err_r)
{
	const char *word =
		json_string_value(json_object_get(envelope->root, "status"));
	char detail[DETAIL_MAX];

	if (word && strcmp(word, "error") == 0)
		return decode_refusal(envelope, err_r);
	if (word && strcmp(word, "success") == 0) {
		if (answer_warnings(envelope->root, reading_r, err_r) < 0)
			return -1;
		return decode_data(json_object_get(envelope->root, "data"),
			reading_r, err_r);
	}
	printable_quote(detail, envelope->bytes, envelope->len);
	return err_set(err_r, ERR_PROTOCOL,
		"the answer is not one of Prometheus: %s; check metrics.url",
		detail);
}

static int decode_garbage(const struct envelope *envelope,
	const json_error_t *where, struct err *err_r)
{
	char detail[DETAIL_MAX];

	printable_quote(detail, envelope->bytes, envelope->len);
	if (envelope->len &&
		json_error_code(where) == json_error_premature_end_of_input)
		return err_set(err_r, ERR_PROTOCOL,
			"the answer ends too early, after %zu bytes: %s",
			envelope->len, detail);
	return err_set(err_r, ERR_PROTOCOL,
		"the answer is not JSON: %s; check metrics.url", detail);
}

int answer_open(int status, const char *bytes, size_t len,
	struct json_t **root_r, struct err *err_r)
{
	struct envelope envelope = {
		.status = status, .bytes = bytes, .len = len};
	json_error_t where = {0};
	struct metric_reading ignored = {0};
	const char *word;
	int rc = 0;

	envelope.root = json_loadb(bytes, len, LOAD_FLAGS, &where);
	word = json_string_value(json_object_get(envelope.root, "status"));
	if (status / 100 != 2)
		rc = decode_failure(&envelope, err_r);
	else if (!envelope.root)
		rc = decode_garbage(&envelope, &where, err_r);
	else if (!word || strcmp(word, "success") != 0)
		rc = decode_success(&envelope, &ignored, err_r);
	if (rc == 0)
		*root_r = envelope.root;
	else
		json_decref(envelope.root);
	return rc;
}

/* The length of what `from` has at `at`, or 0. */
static size_t has(const char *at, const char *end, const char *from)
{
	size_t len = strlen(from);

	return (size_t)(end - at) >= len && memcmp(at, from, len) == 0 ? len
								       : 0;
}

/* One value without labels, as Prometheus writes nearly all of our answers:
 * read without making a tree of it. Everything else is left to jansson. */
static bool decode_usual(
	const char *bytes, size_t len, struct metric_reading *reading)
{
	static const char head[] =
		"{\"status\":\"success\",\"data\":{\"resultType\":\"vector\","
		"\"result\":[{\"metric\":{},\"value\":[";
	const char *at = bytes, *end = bytes + len;
	char text[USUAL_VALUE_MAX];
	double number;
	size_t n = has(at, end, head);

	at += n;
	if (!n || at == end || *at < '1' || *at > '9')
		return false;
	while (at < end && *at >= '0' && *at <= '9')
		at++;
	if (end - at > 1 && *at == '.' && at[1] >= '0' && at[1] <= '9')
		at++;
	while (at < end && *at >= '0' && *at <= '9')
		at++;
	if (at - bytes > (ptrdiff_t)sizeof(head) + USUAL_TIME_MAX)
		return false;
	n = has(at, end, ",\"");
	at += n;
	if (!n)
		return false;
	for (n = 0; at < end && n + 1 < sizeof(text) && *at != '"'; n++)
		text[n] = *at++;
	text[n] = '\0';
	if (!has(at, end, "\"]}]}}") || end - at > 7 ||
		(end - at == 7 && at[6] != '\n') ||
		sample_value_parse(text, n, &number) < 0)
		return false;
	take_number(reading, number);
	return true;
}

int answer_decode(int status, const char *bytes, size_t len,
	struct metric_reading *reading_r, struct err *err_r)
{
	struct envelope envelope = {
		.status = status, .bytes = bytes, .len = len};
	json_error_t where = {0};
	int rc;

	*reading_r =
		(struct metric_reading){.answer = {.kind = ANSWER_NO_DATA}};
	if (len > ANSWER_BYTES_MAX)
		return err_set(err_r, ERR_LIMIT,
			"the answer has more than %d bytes; let the query "
			"yield one series, with sum() or the like",
			ANSWER_BYTES_MAX);
	if (status == 200 && decode_usual(bytes, len, reading_r))
		return 0;
	envelope.root = json_loadb(bytes, len, LOAD_FLAGS, &where);
	if (status / 100 != 2)
		rc = decode_failure(&envelope, err_r);
	else if (envelope.root)
		rc = decode_success(&envelope, reading_r, err_r);
	else
		rc = decode_garbage(&envelope, &where, err_r);
	json_decref(envelope.root);
	if (rc < 0)
		xfree(&reading_r->warnings);
	return rc;
}
