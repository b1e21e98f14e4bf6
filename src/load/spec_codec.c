/* SPDX-License-Identifier: Apache-2.0 */
/* The order of a load, read; see spec_codec.h. */
#include "load/spec_codec.h"

#include <jansson.h>
#include <limits.h>
#include <string.h>

#include "action/expect_codec.h"
#include "base/xalloc.h"
#include "google/secret_json.h"
#include "io/http.h"
#include "load/course.h"
#include "policy/match.h"

#define REQUESTS_MAX 64
#define STAGES_MAX   128
#define HEADERS_MAX  64
#define STATUSES_MAX 64
#define POINTERS_MAX 64
#define WEIGHT_MAX   1000
#define DAY_MS       INT64_C(86400000)

/* One reading: after the first thing that is wrong nothing is believed. */
struct reading {
	struct load_spec *spec;
	bool bad;
	struct err *err_r;
};

static void spec_bad(struct reading *r, const char *name)
{
	if (!r->bad)
		(void)!err_set(r->err_r, ERR_INVALID,
			"the order of this load is not one: %s", name);
	r->bad = true;
}

static int64_t take_int(struct reading *r, const json_t *from, const char *name,
	int64_t min, int64_t max)
{
	const json_t *value = json_object_get(from, name);
	json_int_t number = json_integer_value(value);

	if (json_is_integer(value) && number >= min && number <= max)
		return number;
	spec_bad(r, name);
	return min;
}

/* NULL: it is not there, or empty. */
static const char *take_text(
	struct reading *r, const json_t *from, const char *name)
{
	const json_t *value = json_object_get(from, name);

	if (value && !json_is_string(value))
		spec_bad(r, name);
	if (!json_is_string(value) || !json_string_length(value))
		return NULL;
	return arena_strdup(&r->spec->arena, json_string_value(value));
}

/* Its items, n_r of them; NULL: none. */
static const json_t *take_list(struct reading *r, const json_t *from,
	const char *name, size_t max, size_t *n_r)
{
	const json_t *list = json_object_get(from, name);

	*n_r = json_array_size(list);
	if (json_is_array(list) && *n_r <= max)
		return list;
	spec_bad(r, name);
	*n_r = 0;
	return NULL;
}

static void take_headers(struct reading *r, const json_t *from,
	struct load_spec_request *request)
{
	size_t n;
	const json_t *list = take_list(r, from, "headers", HEADERS_MAX * 2, &n);
	const char **headers =
		arena_alloc(&r->spec->arena, (n + 1) * sizeof(*headers));
	const char *text;

	for (size_t i = 0; i < n; i++) {
		text = json_string_value(json_array_get(list, i));
		if (!text || strpbrk(text, "\r\n")) {
			spec_bad(r, "headers");
			text = "";
		}
		headers[i] = arena_strdup(&r->spec->arena, text);
	}
	if (n % 2)
		spec_bad(r, "headers");
	request->headers = headers;
	request->n_headers = n / 2;
}

static bool is_method(const char *method)
{
	static const char *const methods[] = {
		"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"};

	for (size_t i = 0; method && i < 6; i++)
		if (!strcmp(method, methods[i]))
			return true;
	return false;
}

static void take_request(struct reading *r, const json_t *from,
	struct load_spec_request *request)
{
	struct load_spec *spec = r->spec;
	struct err err;

	*request = (struct load_spec_request){
		.method = take_text(r, from, "method"),
		.url = take_text(r, from, "url"),
		.body = take_text(r, from, "body"),
		.content_type = take_text(r, from, "content_type"),
		.weight = (int)take_int(r, from, "weight", 1, WEIGHT_MAX),
	};
	spec->weights += request->weight;
	take_headers(r, from, request);
	if (!is_method(request->method))
		spec_bad(r, "method");
	if (request->content_type && strpbrk(request->content_type, "\r\n"))
		spec_bad(r, "content_type");
	if (!r->bad && (!request->url ||
			       http_url_check(request->url, false, &err) < 0))
		spec_bad(r, request->url ? err.text : "url");
}

static void take_requests(struct reading *r, const json_t *root)
{
	struct load_spec *spec = r->spec;
	size_t n;
	const json_t *list = take_list(r, root, "requests", REQUESTS_MAX, &n);

	if (!n)
		spec_bad(r, "requests");
	spec->requests =
		arena_alloc(&spec->arena, (n + 1) * sizeof(*spec->requests));
	for (size_t i = 0; i < n && !r->bad; i++)
		take_request(r, json_array_get(list, i),
			&spec->requests[spec->n_requests++]);
}

static void take_stages(struct reading *r, const json_t *root)
{
	struct load_spec *spec = r->spec;
	int most = spec->by_rate ? LOAD_PER_SECOND_MAX : LOAD_USERS_MAX;
	size_t n;
	const json_t *list = take_list(r, root, "stages", STAGES_MAX * 2, &n);
	json_int_t ms, to;

	if (!n || n % 2)
		spec_bad(r, "stages");
	spec->stages =
		arena_alloc(&spec->arena, (n + 1) * sizeof(*spec->stages));
	for (size_t i = 0; i + 1 < n; i += 2) {
		ms = json_integer_value(json_array_get(list, i));
		to = json_integer_value(json_array_get(list, i + 1));
		if (ms < 1 || ms > DAY_MS || to < 0 || to > most) {
			spec_bad(r, "stages");
			return;
		}
		spec->stages[spec->n_stages++] =
			(struct load_stage){ms, (int)to};
	}
}

static void take_auth(struct reading *r, const json_t *root)
{
	struct load_spec *spec = r->spec;
	const json_t *secret = json_object_get(root, "secret");

	spec->auth = (struct auth){
		.type = (enum auth_type)take_int(
			r, root, "auth", AUTH_NONE, AUTH_ID_TOKEN),
		.username = take_text(r, root, "username"),
		.audience = take_text(r, root, "audience"),
	};
	spec->tls = (struct tls){
		.ca_file = take_text(r, root, "ca_file"),
		.cert_file = take_text(r, root, "cert_file"),
		.key_file = take_text(r, root, "key_file"),
	};
	if (spec->auth.type == AUTH_GOOGLE)
		spec_bad(r, "auth");
	if (json_string_length(secret))
		spec->auth.secret = secret_new(
			json_string_value(secret), json_string_length(secret));
	else if (spec->auth.type == AUTH_BASIC ||
		 spec->auth.type == AUTH_BEARER)
		spec_bad(r, "secret");
	if (spec->auth.secret &&
		strpbrk(secret_reveal(spec->auth.secret), "\r\n"))
		spec_bad(r, "secret");
}

static void take_json_expect(
	struct reading *r, const json_t *from, struct json_expect *expect)
{
	struct err err;

	expect->pointer = take_text(r, from, "pointer");
	if (!expect->pointer)
		expect->pointer = "";
	expect->value = take_text(r, from, "value");
	expect->exists = !expect->value;
	expect->relation = (enum json_relation)take_int(
		r, from, "relation", JSON_EQUALS, JSON_GREATER);
	if (!r->bad && json_expect_check(expect, &err) < 0)
		spec_bad(r, err.text);
}

static void take_answer(struct reading *r, const json_t *root)
{
	struct load_spec *spec = r->spec;
	struct http_expect *answer = &spec->expect.answer;
	size_t n;
	const json_t *list = take_list(r, root, "statuses", STATUSES_MAX, &n);
	int *statuses = arena_alloc(&spec->arena, (n + 1) * sizeof(*statuses));
	struct json_expect *json;
	struct err err;

	for (size_t i = 0; i < n; i++) {
		statuses[i] = (int)json_integer_value(json_array_get(list, i));
		if (statuses[i] < 100 || statuses[i] > 599)
			spec_bad(r, "statuses");
	}
	answer->statuses = statuses;
	answer->n_statuses = n;
	answer->body = take_text(r, root, "pattern");
	if (answer->body && match_check(answer->body, &err) < 0)
		spec_bad(r, "pattern");
	list = take_list(r, root, "json", POINTERS_MAX, &n);
	json = arena_alloc(&spec->arena, (n + 1) * sizeof(*json));
	for (size_t i = 0; i < n && !r->bad; i++)
		take_json_expect(r, json_array_get(list, i), &json[i]);
	answer->json = json;
	answer->n_json = n;
}

static void take_limits(struct reading *r, const json_t *root)
{
	struct load_limits *limits = &r->spec->expect.limits;
	const json_t *failed = json_object_get(root, "failed");

	limits->p50_ms = take_int(r, root, "p50_ms", 0, DAY_MS);
	limits->p95_ms = take_int(r, root, "p95_ms", 0, DAY_MS);
	limits->p99_ms = take_int(r, root, "p99_ms", 0, DAY_MS);
	limits->max_ms = take_int(r, root, "max_ms", 0, DAY_MS);
	limits->min_requests =
		(int)take_int(r, root, "min_requests", 0, INT_MAX);
	limits->failed = json_number_value(failed);
	if (!json_is_number(failed) ||
		!(limits->failed >= 0 && limits->failed <= 1))
		spec_bad(r, "failed");
}

static void take_load(struct reading *r, const json_t *root)
{
	struct load_spec *spec = r->spec;

	spec->by_rate = json_is_true(json_object_get(root, "by_rate"));
	take_requests(r, root);
	take_stages(r, root);
	take_auth(r, root);
	take_answer(r, root);
	spec->think_ms = take_int(r, root, "think_ms", 1, DAY_MS);
	spec->warmup_ms = take_int(r, root, "warmup_ms", 0, DAY_MS);
	spec->request_timeout_ms =
		take_int(r, root, "request_timeout_ms", 1, DAY_MS);
}

struct load_spec *load_spec_parse(
	const char *text, size_t len, struct err *err_r)
{
	struct load_spec *spec = xcalloc(1, sizeof(*spec));
	struct reading r = {.spec = spec, .err_r = err_r};
	json_t *root;

	arena_init(&spec->arena);
	root = secret_json_load(text, len, err_r);
	if (!root) {
		load_spec_free(&spec);
		return NULL;
	}
	spec->live = json_is_true(json_object_get(root, "live"));
	spec->k6 = take_text(&r, root, "k6");
	take_limits(&r, root);
	if (!spec->k6)
		take_load(&r, root);
	secret_json_free(&root);
	if (r.bad)
		load_spec_free(&spec);
	return spec;
}

void load_spec_free(struct load_spec **spec)
{
	if (!*spec)
		return;
	secret_free(&(*spec)->auth.secret);
	arena_fini(&(*spec)->arena);
	free(*spec);
	*spec = NULL;
}
