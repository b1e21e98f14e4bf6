/* SPDX-License-Identifier: Apache-2.0 */
/* Orders for a load and what comes back; see load_codec.h. */
#include "action/load_codec.h"

#include <jansson.h>
#include <string.h>
#include <strings.h>

#include "base/jsonw.h"
#include "base/secret.h"

static const char *shown(const char *text)
{
	return text ? text : "";
}

static void put_rendered(struct jsonw *w, const char *key, const char *text,
	const struct template_values *values, enum template_escape escape)
{
	struct buf out;

	buf_init_secret(&out, LOAD_ORDER_MAX / 8);
	template_render(&out, text, values, escape);
	jsonw_text(w, key, out.overflow ? "" : out.data);
	buf_wipe(&out);
	buf_fini(&out);
}

static const char *type_of(const struct load_request *request)
{
	const char *body = request->body;

	for (size_t i = 0; i < request->n_headers; i++)
		if (!strcasecmp(request->headers[i].name, "content-type"))
			return secret_reveal(request->headers[i].value);
	body += strspn(body, " \t\r\n");
	return *body == '{' || *body == '[' ? "application/json"
					    : "text/plain; charset=utf-8";
}

static void put_request(struct jsonw *w, const struct load_request *request,
	const struct template_values *values)
{
	jsonw_object(w, NULL);
	jsonw_text(w, "method", request->method);
	put_rendered(w, "url", secret_reveal(request->url), values, ESCAPE_URL);
	jsonw_int(w, "weight", request->weight);
	jsonw_array(w, "headers");
	for (size_t i = 0; i < request->n_headers; i++) {
		jsonw_text(w, NULL, request->headers[i].name);
		jsonw_text(w, NULL, secret_reveal(request->headers[i].value));
	}
	jsonw_end(w, ']');
	if (request->body) {
		jsonw_text(w, "content_type", type_of(request));
		put_rendered(w, "body", request->body, values,
			template_escape_of(type_of(request)));
	}
	jsonw_end(w, '}');
}

static void put_auth(
	struct jsonw *w, const struct auth *auth, const struct tls *tls)
{
	jsonw_int(w, "auth", auth->type);
	jsonw_text(w, "username", shown(auth->username));
	jsonw_text(
		w, "secret", auth->secret ? secret_reveal(auth->secret) : "");
	jsonw_text(w, "audience", shown(auth->audience));
	jsonw_text(w, "ca_file", shown(tls->ca_file));
	jsonw_text(w, "cert_file", shown(tls->cert_file));
	jsonw_text(w, "key_file", shown(tls->key_file));
}

static void put_answer(struct jsonw *w, const struct http_expect *expect)
{
	jsonw_array(w, "statuses");
	for (size_t i = 0; i < expect->n_statuses; i++)
		jsonw_int(w, NULL, expect->statuses[i]);
	jsonw_end(w, ']');
	if (expect->body)
		jsonw_text(w, "pattern", expect->body);
	jsonw_array(w, "json");
	for (size_t i = 0; i < expect->n_json; i++) {
		jsonw_object(w, NULL);
		jsonw_text(w, "pointer", expect->json[i].pointer);
		jsonw_int(w, "relation", expect->json[i].relation);
		if (!expect->json[i].exists)
			jsonw_text(w, "value", expect->json[i].value);
		jsonw_end(w, '}');
	}
	jsonw_end(w, ']');
}

static void put_limits(struct jsonw *w, const struct load_limits *limits)
{
	jsonw_int(w, "p50_ms", limits->p50_ms);
	jsonw_int(w, "p95_ms", limits->p95_ms);
	jsonw_int(w, "p99_ms", limits->p99_ms);
	jsonw_int(w, "max_ms", limits->max_ms);
	jsonw_number(w, "failed", limits->failed);
	jsonw_int(w, "min_requests", limits->min_requests);
}

void load_order_print(struct buf *out, const struct action_load *load,
	const struct template_values *values, bool live)
{
	struct jsonw w = {.out = out};

	jsonw_object(&w, NULL);
	jsonw_bool(&w, "live", live);
	jsonw_array(&w, "requests");
	if (!load->n_requests)
		put_request(&w, &load->only, values);
	for (size_t i = 0; i < load->n_requests; i++)
		put_request(&w, &load->requests[i], values);
	jsonw_end(&w, ']');
	put_auth(&w, &load->auth, &load->tls);
	jsonw_bool(&w, "by_rate", load->by_rate);
	jsonw_array(&w, "stages");
	for (size_t i = 0; i < load->n_stages; i++) {
		jsonw_int(&w, NULL, load->stages[i].for_ms);
		jsonw_int(&w, NULL, load->stages[i].to);
	}
	jsonw_end(&w, ']');
	jsonw_int(&w, "think_ms", load->think_ms);
	jsonw_int(&w, "warmup_ms", load->warmup_ms);
	jsonw_int(&w, "request_timeout_ms", load->request_timeout_ms);
	put_answer(&w, &load->expect.answer);
	put_limits(&w, &load->expect.limits);
	jsonw_end(&w, '}');
	buf_addc(out, '\n');
}

void k6_order_print(struct buf *out, const struct action_k6 *k6, bool live)
{
	struct jsonw w = {.out = out};

	jsonw_object(&w, NULL);
	jsonw_bool(&w, "live", live);
	jsonw_text(&w, "k6", k6->script);
	put_limits(&w, &k6->expect.limits);
	jsonw_end(&w, '}');
	buf_addc(out, '\n');
}

bool load_summary_read(const char *output, size_t len, struct buf *detail)
{
	const char *end = output + len, *line;
	const char *text;
	json_t *root;

	while (end > output && end[-1] == '\n')
		end--;
	for (line = end; line > output && line[-1] != '\n';)
		line--;
	if (end - line > LOAD_SUMMARY_MAX)
		return false;
	root = json_loadb(
		line, (size_t)(end - line), JSON_REJECT_DUPLICATES, NULL);
	text = json_string_value(json_object_get(root, "text"));
	if (text)
		buf_adds(detail, text);
	json_decref(root);
	return text != NULL;
}
