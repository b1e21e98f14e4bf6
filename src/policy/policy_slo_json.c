/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SLOs of provider json: one request, and where in its answer the number
 * stands. What the requests mean is known here; asking is src/jsonapi's.
 */
#include <stdio.h>
#include <string.h>

#include "policy/json_pointer.h"
#include "policy/load_slo.h"
#include "policy/quantity.h"
#include "policy/template.h"
#include "policy/url.h"

#define NAME_BYTES_MAX 200 /* of a parameter */
#define TEXT_BYTES_MAX (64 * 1024) /* of a request for people */

struct json_draft {
	struct slo slo; /* first: the keys of every SLO go there */
	struct json_source source;
	const struct node *baseline, *requests; /* read after the rest */
};

/* ---- requests for people ---- */

void params_add(struct params *params, const char *name, struct secret *value,
	const char *shown)
{
	if (value && params->n < PARAMS_MAX)
		params->param[params->n++] = (struct param){name, value, shown};
}

void params_end(struct loader *loader, const struct params *params,
	struct json_question *question)
{
	struct param *copy =
		arena_alloc(loader->arena, params->n * sizeof(*copy));

	if (params->n)
		memcpy(copy, params->param, params->n * sizeof(*copy));
	question->params = copy;
	question->n_params = params->n;
}

static void param_text(struct buf *text, const struct param *param)
{
	const char *quote = strpbrk(param->shown, " \t\n") ? "\"" : "";

	buf_addf(text, " %s=%s%s%s", param->name, quote, param->shown, quote);
}

const char *json_question_text(
	struct loader *loader, const struct json_question *question)
{
	const char *shown;
	struct buf text;

	if (!question->url || !question->pointer)
		return NULL;
	buf_init(&text, TEXT_BYTES_MAX);
	buf_addf(&text, "%s %s%s", question->body ? "POST" : "GET",
		question->url_shown,
		strchr(secret_reveal(question->url), '?') ? "?***" : "");
	for (size_t i = 0; i < question->n_params; i++)
		param_text(&text, &question->params[i]);
	if (question->body)
		buf_addf(&text, " with %s", question->body);
	if (question->shape == SHAPE_ISSUES)
		buf_adds(&text, " and count them");
	else
		buf_addf(&text, " at %s",
			*question->pointer ? question->pointer : "\"\"");
	shown = arena_strdup(loader->arena, text.data);
	buf_fini(&text);
	return shown;
}

/* ---- one request ---- */

/* Templates that have no value while an SLO is asked. */
static void refuse_elsewhere(struct loader *loader, const struct node *node)
{
	static const char *const elsewhere[] = {"reason", "candidate_url"};

	for (size_t i = 0; node->text && i < 2; i++)
		if (template_uses(node->text, elsewhere[i]))
			problem_at(loader, node, "{{%s}} has no meaning here",
				elsewhere[i]);
}

static struct json_question *question_of(const struct key *key, void *into)
{
	return (struct json_question *)((char *)into + key->offset);
}

static void read_question_url(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	struct json_question *question = question_of(key, into);

	refuse_elsewhere(loader, value);
	question->url = secret_url(loader, value, true, &question->url_shown);
}

static const struct reader question_url_reader = {
	read_question_url, "a URL", URL_SCHEMA, .def = "url"};

static void params_add_value(struct loader *loader, const char *name,
	const struct node *node, struct params *params)
{
	struct secret *value;

	if (params->n == PARAMS_MAX) {
		problem_at(loader, node, "more than %d parameters are too many",
			PARAMS_MAX);
		return;
	}
	value = secret_template(loader, node);
	if (!value)
		return;
	refuse_elsewhere(loader, node);
	params_add(params, name, value, node->text);
}

static bool is_param_name(const char *name)
{
	for (const char *p = name; *p; p++)
		if ((unsigned char)*p <= 0x20 || *p == 0x7f)
			return false;
	return *name && strlen(name) <= NAME_BYTES_MAX && !strstr(name, "{{");
}

/* NAME: VALUE, or NAME: [VALUE, …] for one that is sent several times. */
static void read_json_params(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	struct params params = {.n = 0};
	const char *name;

	if (!is_name_list(loader, value, "parameters", PARAMS_MAX))
		return;
	for (const struct node *n = value->first; n; n = n->next) {
		name = n->key->text;
		if (!is_param_name(name))
			problem_at(loader, n->key,
				"\"%.60s\" is not a parameter's name: at most "
				"%d bytes without blanks and templates",
				name, NAME_BYTES_MAX);
		else if (n->kind != NODE_SEQUENCE)
			params_add_value(loader, name, n, &params);
		else
			for (const struct node *v = n->first; v; v = v->next)
				params_add_value(loader, name, v, &params);
	}
	params_end(loader, &params, question_of(key, into));
}

static const struct reader params_reader = {read_json_params, "NAME: VALUE",
	"'type': 'object', 'maxProperties': 32, 'additionalProperties': "
	"{'type': ['string', 'number', 'boolean', 'array'], "
	"'items': {" TEXT_SCHEMA "}}",
	.def = "params"};

static void read_question_body(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	const char *body = template_text(loader, value);

	refuse_elsewhere(loader, value);
	if (body)
		question_of(key, into)->body = body;
}

static const struct reader question_body_reader = {
	read_question_body, "a template", TEXT_SCHEMA ", 'minLength': 1"};

static void read_pointer(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	const char *text;
	struct err err;

	/* The document itself is the one pointer that is empty. */
	if (value->kind == NODE_SCALAR && !*value->text)
		text = "";
	else
		text = plain_text(loader, value);
	if (!text)
		return;
	if (pointer_check(text, &err) < 0)
		problem_at(loader, value, "%s", err.text);
	else
		question_of(key, into)->pointer = text;
}

static const struct reader pointer_reader = {read_pointer, "a JSON pointer",
	"'type': 'string', 'pattern': '^(/([^~]|~[01])*)?$'", .def = "pointer"};

static void read_scale(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	const char *text = plain_text(loader, value);
	struct err err;
	double scale;

	if (!text)
		return;
	if (quantity_parse(text, &scale, &err) < 0)
		problem_at(loader, value, "%s", err.text);
	else if (scale == 0)
		problem_at(loader, value,
			"a scale of 0 makes every number 0: write what the "
			"number counts, such as 1ms, 1%% or 0.001");
	else
		question_of(key, into)->scale = scale;
}

static const struct reader scale_reader = {
	read_scale, "a limit", LIMIT_SCHEMA, .def = "limit"};

/* `at`: where the question is in what is read. */
#define REQUEST_KEYS(at)                                                    \
	{"params", &params_reader, at,                                      \
		.about = "Added to the URL; a list is sent several times"}, \
	{                                                                   \
		"body", &question_body_reader, at,                          \
			.about = "With {{templates}}; makes it a POST"      \
	}

#define REQUESTS  offsetof(struct json_draft, source.requests)
#define VALUE     offsetof(struct json_draft, source.value)
#define SOURCE(m) offsetof(struct json_draft, source.m)

static const struct key baseline_keys[] = {
	{"url", &question_url_reader, 0, .about = "Default: that of the value"},
	REQUEST_KEYS(0),
	{"pointer", &pointer_reader, 0, .about = "Default: that of the value"},
	{0},
};

static const struct section baseline_section = {
	"baseline of an SLO of provider json", baseline_keys,
	.def = "json_baseline",
	.about = "Another request; what is left out is as for the value"};

static const struct key requests_keys[] = {
	{"url", &question_url_reader, REQUESTS,
		.about = "Default: that of the value"},
	REQUEST_KEYS(REQUESTS),
	{"pointer", &pointer_reader, REQUESTS, .need = KEY_REQUIRED,
		.about = "Where the number of requests stands"},
	{"min", &requests_min_reader, .need = KEY_REQUIRED,
		.about = "With fewer a check is no-data"},
	{0},
};

static const struct section requests_section = {
	"requests of an SLO of provider json", requests_keys,
	.def = "json_requests", .about = "How many requests a check needs"};

static const struct reader baseline_reader = {read_node, "a mapping",
	.sections = (const struct section *const[]){&baseline_section, NULL}};
static const struct reader requests_reader = {read_node, "a mapping",
	.sections = (const struct section *const[]){&requests_section, NULL}};

/* ---- the SLO ---- */

static const size_t n_headers_at =
	offsetof(struct json_draft, source.n_headers);

static const struct key json_keys[] = {
	{"name", &identifier_reader, offsetof(struct slo, name),
		.need = KEY_REQUIRED, .about = "Its own in this policy"},
	{"url", &question_url_reader, VALUE, .need = KEY_REQUIRED,
		.about = "With ${VAR} and {{templates}}"},
	REQUEST_KEYS(VALUE),
	{"pointer", &pointer_reader, VALUE, .need = KEY_REQUIRED,
		.about = "Where the number stands; \"\": the whole answer"},
	{"scale", &scale_reader, VALUE, .value = "1",
		.about = "What the number counts: 1ms, 1%, 0.001"},
	{"headers", &headers_reader, SOURCE(headers), &n_headers_at,
		.about = "May hold ${VAR}"},
	{"auth", &auth_reader, SOURCE(auth),
		.about = "How to identify; default: not"},
	{"tls", &tls_reader, SOURCE(tls), .about = "Of https"},
	{"timeout", &duration_reader,
		offsetof(struct json_draft, slo.timeout_ms), &slo_timeout_range,
		.about = "Of one request; default: that of metrics"},
	{"baseline", &baseline_reader, offsetof(struct json_draft, baseline),
		.about = "Another request to compare with"},
	{"requests", &requests_reader, offsetof(struct json_draft, requests),
		.about = "Fewer requests than min are no data"},
	{0},
};

void check_auth_host(struct loader *loader, const struct node *where,
	const struct auth *auth, const struct secret *secret)
{
	struct err err;
	struct url url;

	if (auth->type == AUTH_GOOGLE && secret &&
		!may_be_placeholder(loader, where) &&
		url_parse(secret_reveal(secret), &url, &err) == 0 &&
		!url_takes_access_tokens(&url))
		problem_at(loader, where,
			"auth google sends an access token, which is for "
			"*.googleapis.com only: use another auth, or none");
}

static bool question_uses(const struct json_question *q, const char *name)
{
	if (q->url && template_uses(secret_reveal(q->url), name))
		return true;
	if (q->body && template_uses(q->body, name))
		return true;
	for (size_t i = 0; i < q->n_params; i++)
		if (template_uses(secret_reveal(q->params[i].value), name))
			return true;
	return false;
}

static void check_json(struct loader *loader, const struct node *node,
	const struct json_draft *draft)
{
	const struct json_question *value = &draft->source.value;
	const struct slo *slo = &draft->slo;
	const struct auth *auth = &draft->source.auth;

	if (slo->compare_stable && value->url &&
		!question_uses(value, "revision"))
		problem_at(loader, place_of(node, "compare"),
			"\"compare: stable\" asks for the candidate and for "
			"stable: write {{revision}} in url, params or body for "
			"the one being asked");
	if (question_uses(value, "window") && slo->window_ms < slo->interval_ms)
		problem_at(loader,
			place_of(node, node_get(node, "window") ? "window"
								: "interval"),
			"the window is shorter than the interval: what happens "
			"in between would never be looked at");
	if (slo->timeout_ms >= slo->interval_ms)
		problem_at(loader, place_of(node, "timeout"),
			"the timeout is not shorter than the interval: lower "
			"it, or raise the interval");
	check_auth_host(loader, place_of(node, "url"), auth, value->url);
	if (node_get(draft->baseline, "url"))
		check_auth_host(loader, node_get(draft->baseline, "url"), auth,
			draft->source.baseline.url);
	if (node_get(draft->requests, "url"))
		check_auth_host(loader, node_get(draft->requests, "url"), auth,
			draft->source.requests.url);
}

/* Baseline and requests start as a copy of the value's request; with a url of
 * their own they inherit neither params nor body. */
static void begin_other(const struct json_source *source,
	const struct node *node, struct json_question *question)
{
	*question = source->value;
	if (!node_get(node, "url"))
		return;
	question->params = NULL;
	question->n_params = 0;
	question->body = NULL;
}

static void read_others(struct loader *loader, struct json_draft *draft)
{
	struct json_source *source = &draft->source;

	if (draft->baseline) {
		begin_other(source, draft->baseline, &source->baseline);
		read_section(loader, draft->baseline, &baseline_section,
			&source->baseline);
		draft->slo.baseline =
			json_question_text(loader, &source->baseline);
	}
	if (draft->requests) {
		begin_other(source, draft->requests, &source->requests);
		source->requests.pointer = NULL;
		source->requests.scale = 1;
		read_section(loader, draft->requests, &requests_section, draft);
		draft->slo.requests =
			json_question_text(loader, &source->requests);
	}
}

static void read_json_slo(
	struct loader *loader, const struct node *node, struct slo *slo)
{
	struct json_draft draft = {.slo = *slo};
	struct json_source *source =
		arena_alloc(loader->arena, sizeof(*source));

	read_section(loader, node, &policy_slo_json.section, &draft);
	draft.slo.query = json_question_text(loader, &draft.source.value);
	read_others(loader, &draft);
	if (node->kind == NODE_MAPPING)
		check_json(loader, node, &draft);
	*source = draft.source;
	*slo = draft.slo;
	slo->json = source;
}

static const struct asked_key asked_keys[] = {
	{"url"}, {"params", true}, {"body", true}, {0}};

const struct policy_slo policy_slo_json = {
	.section = {"an SLO of provider json", json_keys,
		.base = &every_slo_section, .def = "slo_json",
		.about =
			"A request to a JSON API, and the number in its answer",
		.chosen = "json", .rules = slo_rules},
	.asked = asked_keys,
	.read = read_json_slo,
};
