/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loader's values: what a policy means, its defaults, its secrets. What it
 * says to people is in test/policy.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/secret.h"
#include "policy/policy_load.h"
#include "policy/quantity.h"
#include "policy/template.h"
#include "policy/url.h"
#include "sample.h"

#define TEXT_MAX   (1024 * 1024)
#define ROWS(rows) (sizeof(rows) / sizeof((rows)[0]))

static const char *env_fake(const char *name, void *arg)
{
	if (!strcmp(name, "URL"))
		return "https://ada:horse-battery@m.example.com:8443/prom"
		       "?key=0123456789abcdef";
	if (!strcmp(name, "TOKEN"))
		return "correct-horse";
	if (!strcmp(name, "PORT"))
		return "8443";
	if (!strcmp(name, "HOOK"))
		return "https://chat.example.com/hooks/T0ken-42abc/send";
	if (!strcmp(name, "USERINFO"))
		return "ad%61:p%40ss%2Fw0rd";
	if (!strcmp(name, "PROJECT"))
		return "shop-project";
	if (!strcmp(name, "BRACES"))
		return "{{candidate}}a{{{b}}{";
	return NULL;
}

static int file_fake(
	const char *path, struct buf *out, struct err *err_r, void *arg)
{
	assert_string_equal(path, "some/where/token");
	buf_adds(out, "from-a-file\r\n");
	return 0;
}

static const struct policy_env fake = {
	.variable = env_fake, .read_file = file_fake};

/* A policy of the least there must be and `more`. */
static struct policy *parse_in(
	const struct policy_env *env, const char *metrics, const char *more)
{
	struct policy *policy;
	struct buf text, problems;
	struct err err;

	buf_init(&text, TEXT_MAX);
	buf_init(&problems, TEXT_MAX);
	buf_addf(&text,
		"version: 1\nname: test\nmetrics: {%s}\n"
		"steps: [{percent: 100, bake: 10m}]\n"
		"slos:\n- {name: up, query: up, max: 1}\n%s",
		metrics, more);
	policy = policy_parse("some/where/policy.yaml", text.data, text.len,
		env, &problems, &err);
	if (!policy)
		print_message("%s", problems.data);
	buf_fini(&text);
	buf_fini(&problems);
	return policy;
}

static struct policy *parse(const char *metrics, const char *more)
{
	return parse_in(&fake, metrics, more);
}

#define PLAIN "url: \"http://127.0.0.1:9090\""

static void what_is_not_said_has_a_default(void **state)
{
	struct policy *p = parse(PLAIN,
		"rollback:\n"
		"- {name: a, type: exec, command: [x]}\n"
		"- {name: b, type: http, url: \"https://b.example.com\"}\n");
	const struct slo *slo;

	assert_non_null(p);
	slo = &p->slos[0];
	assert_int_equal(slo->window_ms, 120000);
	assert_int_equal(slo->interval_ms, 30000);
	assert_int_equal(slo->timeout_ms, 10000);
	assert_int_equal(slo->fail_breaches, 2);
	assert_int_equal(slo->fail_of, 3);
	assert_int_equal(slo->min_passes, 3);
	assert_int_equal(slo->no_data, NO_DATA_WAIT);
	assert_int_equal(p->settle_ms, 30000);
	assert_int_equal(p->hold_timeout_ms, 1800000);
	assert_int_equal(p->revert_timeout_ms, 600000);
	assert_int_equal(p->metrics.timeout_ms, 10000);
	assert_int_equal(p->on_breach, ON_BREACH_ROLLBACK);
	assert_int_equal(p->on_undecided, ON_UNDECIDED_HOLD);
	assert_int_equal(p->on_drift, ON_DRIFT_STOP);
	assert_int_equal(p->on_interrupt, ON_INTERRUPT_ROLLBACK);
	assert_int_equal(p->finish, FINISH_AS_FOUND);
	assert_null(p->tag);
	assert_null(p->steps[0].approval);
	assert_int_equal(p->lists[LIST_ROLLBACK].n, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(
			p->lists[LIST_ROLLBACK].item[i].timeout_ms, 30000);
		assert_int_equal(p->lists[LIST_ROLLBACK].item[i].retries, 0);
		assert_int_equal(
			p->lists[LIST_ROLLBACK].item[i].when, WHEN_ALL);
		assert_false(p->lists[LIST_ROLLBACK].item[i].stop_on_failure);
	}
	assert_int_equal(p->lists[LIST_ROLLBACK].item[1].u.http.attempts, 1);
	policy_free(&p);
	assert_null(p);
}

static void what_is_said_is_kept(void **state)
{
	struct policy *p = parse(PLAIN,
		"- name: all\n"
		"  query: a{r=\"{{revision}}\"}\n"
		"  max: 500ms\n  min: -1\n  critical: 2\n"
		"  compare: stable\n  max_ratio: 150%\n  max_increase: 0.5%\n"
		"  window: 5m\n  interval: 1m30s\n  fail_after: 4\n"
		"  min_passes: 1\n  no_data: breach\n"
		"  requests: {query: n, min: 50}\n"
		"on_breach: observe\non_undecided: rollback\n"
		"on_drift: reassert\non_interrupt: leave\nfinish: latest\n"
		"tag: green\nsettle: 0\n"
		"hooks: {promoted: [{name: x, type: exec,"
		" command: [a, \"\", \"{{percent}}\"], env: {A: b}, cwd: sub,"
		" timeout: 1h, retries: 2, on_failure: stop,"
		" idempotent: true}]}\n");
	const struct action *action;
	const struct slo *slo;

	assert_non_null(p);
	slo = &p->slos[1];
	assert_true(slo->has_max && slo->has_min && slo->has_critical &&
		    slo->has_max_ratio && slo->has_max_increase);
	assert_true(slo->max == 0.5 && slo->min == -1 && slo->critical == 2);
	assert_true(slo->max_ratio == 1.5 && slo->max_increase == 0.005);
	assert_true(slo->compare_stable);
	assert_int_equal(slo->window_ms, 300000);
	assert_int_equal(slo->interval_ms, 90000);
	assert_int_equal(slo->fail_breaches, 4);
	assert_int_equal(slo->fail_of, 4);
	assert_int_equal(slo->min_passes, 1);
	assert_int_equal(slo->no_data, NO_DATA_BREACH);
	assert_string_equal(slo->requests, "n");
	assert_true(slo->requests_min == 50);
	assert_string_equal(slo->texts.max, "500ms");
	assert_int_equal(slo->pos.line, 7);
	assert_int_equal(p->on_breach, ON_BREACH_OBSERVE);
	assert_int_equal(p->on_undecided, ON_UNDECIDED_ROLLBACK);
	assert_int_equal(p->on_drift, ON_DRIFT_REASSERT);
	assert_int_equal(p->on_interrupt, ON_INTERRUPT_LEAVE);
	assert_int_equal(p->finish, FINISH_LATEST);
	assert_string_equal(p->tag, "green");
	assert_int_equal(p->settle_ms, 0);
	assert_string_equal(p->folder, "some/where");
	action = &p->lists[LIST_PROMOTED].item[0];
	assert_int_equal(action->kind, ACTION_EXEC);
	assert_int_equal(action->u.exec.n_command, 3);
	assert_string_equal(action->u.exec.command[1], "");
	assert_null(action->u.exec.command[3]);
	assert_string_equal(action->u.exec.cwd, "sub");
	assert_string_equal(action->u.exec.env[0].name, "A");
	assert_string_equal(secret_reveal(action->u.exec.env[0].value), "b");
	assert_int_equal(action->timeout_ms, 3600000);
	assert_int_equal(action->retries, 2);
	assert_true(action->stop_on_failure && action->idempotent);
	policy_free(&p);
}

static void an_action_is_idempotent_by_its_method(void **state)
{
	static const struct {
		const char *keys;
		const char *method;
		bool idempotent;
	} rows[] = {
		{"", "GET", true},
		{", body: x", "POST", false},
		{", method: HEAD", "HEAD", true},
		{", method: PUT, body: x", "PUT", true},
		{", method: DELETE", "DELETE", true},
		{", method: PATCH", "PATCH", false},
		{", method: PATCH, idempotent: true", "PATCH", true},
		{", method: PUT, idempotent: false", "PUT", false},
	};
	const struct action *action;
	struct policy *p;
	char more[200];

	for (size_t i = 0; i < ROWS(rows); i++) {
		snprintf(more, sizeof(more),
			"rollback: [{name: a, type: http, url: "
			"\"https://x.example.com\"%s}]\n",
			rows[i].keys);
		p = parse(PLAIN, more);
		assert_non_null(p);
		action = &p->lists[LIST_ROLLBACK].item[0];
		assert_string_equal(action->u.http.method, rows[i].method);
		assert_int_equal(action->idempotent, rows[i].idempotent);
		policy_free(&p);
	}
}

static void redacts_to(const char *text, const char *wanted)
{
	struct buf buf;

	buf_init(&buf, 4096);
	buf_adds(&buf, text);
	redact(&buf);
	assert_string_equal(buf.data, wanted);
	buf_fini(&buf);
}

static void secrets_are_revealed_to_the_wire_and_masked_elsewhere(void **state)
{
	struct policy *p = parse(
		"url: \"${URL}\", auth: {type: bearer, token_file: token},"
		" headers: {X-Team: blue, X-Price: $$5, X-Key: \"k ${TOKEN}\"}",
		"");
	const struct metrics *m;

	assert_non_null(p);
	m = &p->metrics;
	assert_string_equal(secret_reveal(m->url), env_fake("URL", NULL));
	assert_string_equal(m->url_shown, "https://m.example.com:8443/prom");
	assert_string_equal(secret_reveal(m->auth.secret), "from-a-file");
	assert_int_equal(m->n_headers, 3);
	assert_string_equal(secret_reveal(m->headers[1].value), "$5");
	assert_string_equal(
		secret_reveal(m->headers[2].value), "k correct-horse");
	redacts_to("a correct-horse b", "a *** b");
	redacts_to("a horse-battery b", "a *** b");
	redacts_to("a 0123456789abcdef b", "a *** b");
	redacts_to("a from-a-file b", "a *** b");
	redacts_to("team blue", "team blue");
	redacts_to(m->url_shown, "https://m.example.com:8443***");
	policy_free(&p);
	redacts_to("a correct-horse b", "a correct-horse b");
}

/* Nothing of what the environment holds may come back in a message. */
/* Scheme, host and port tell people whom it is about; what a variable put
 * anywhere else is nobody's business. */
static void what_a_variable_puts_into_a_url_is_masked(void **state)
{
	struct policy *p = parse("url: \"${URL}\"",
		"target: {project: shop-project}\n"
		"rollback:\n"
		"- {name: a, type: http, url: \"https://a.example.com/hooks/"
		"${TOKEN}/send\"}\n"
		"- {name: b, type: http, url: \"https://b.example.com:${PORT}/"
		"${PROJECT}/x\"}\n"
		"- {name: c, type: webhook, url: \"${HOOK}\"}\n"
		"- {name: d, type: http, url: \"https://${USERINFO}@d.example"
		".com\"}\n");

	assert_non_null(p);
	redacts_to("no route for /hooks/correct-horse/send",
		"no route for /hooks/***/send");
	redacts_to("https://m.example.com:8443/prom",
		"https://m.example.com:8443***");
	redacts_to("GET /prom?key=0123456789abcdef", "GET ***?***");
	redacts_to("projects/shop-project/locations",
		"projects/shop-project/locations");
	redacts_to("https://chat.example.com/hooks/T0ken-42abc/send",
		"https://chat.example.com***");
	redacts_to("no hook T0ken-42abc", "no hook ***");
	redacts_to("p%40ss%2Fw0rd, p@ss/w0rd, ada:p@ss/w0rd", "***, ***, ***");
	policy_free(&p);
	p = parse(PLAIN, "rollback:\n"
			 "- {name: a, type: slack, webhook: \"${HOOK}\"}\n");
	redacts_to("404 /hooks/T0ken-42abc/send and T0ken-42abc",
		"404 *** and ***");
	redacts_to("hooks are sent", "hooks are sent");
	policy_free(&p);
}

/* Everywhere else the policy's target, or a name that is not one. */
static void names_of_the_target_stay_readable(void **state)
{
	static const char path[] =
		"rollback:\n"
		"- {name: b, type: http, url: \"https://b.example.com/"
		"${PROJECT}/${TOKEN}\"}\n";
	struct policy_env env = fake;
	struct policy *p = parse_in(&env, PLAIN, path);

	redacts_to("projects/shop-project/correct-horse", "projects/***/***");
	policy_free(&p);
	for (size_t i = 0; i < ROWS(env.names); i++) {
		env = fake;
		env.names[i] = "shop-project";
		p = parse_in(&env, PLAIN, path);
		redacts_to("projects/shop-project/correct-horse",
			"projects/shop-project/***");
		policy_free(&p);
	}
	env.names[0] = "shop";
	env.names[1] = "shop-project-2";
	env.names[2] = "";
	p = parse_in(&env, PLAIN, path);
	redacts_to("projects/shop-project", "projects/***");
	policy_free(&p);
}

static void messages_hold_no_secret(void **state)
{
	static const char *const rows[] = {
		"url: \"ftp://x/${TOKEN}\"",
		"url: \"https://x:${TOKEN}/\"",
		"url: \"${TOKEN}\"",
		"url: \"http://m.example.com/${TOKEN}\"",
		"url: \"https://m/${TOKEN} \"",
	};
	struct buf text, problems;
	struct err err;

	buf_init(&text, TEXT_MAX);
	buf_init(&problems, TEXT_MAX);
	for (size_t i = 0; i < ROWS(rows); i++) {
		buf_clear(&text);
		buf_addf(&text, "metrics: {%s}\n", rows[i]);
		assert_null(policy_parse(
			"p.yaml", text.data, text.len, &fake, &problems, &err));
		assert_null(strstr(err.text, "correct"));
	}
	assert_null(strstr(problems.data, "correct"));
	assert_non_null(strstr(problems.data, "not a URL"));
	buf_fini(&text);
	buf_fini(&problems);
}

static void a_timeout_nobody_chose_gives_way_to_a_short_interval(void **state)
{
	struct policy *p = parse(
		PLAIN, "- {name: fast, query: up, max: 1, interval: 5s}\n");

	assert_non_null(p);
	assert_int_equal(p->slos[0].timeout_ms, 10000);
	assert_int_equal(p->slos[1].timeout_ms, 2500);
	policy_free(&p);
}

static void what_an_answer_must_hold_becomes_json(void **state)
{
	static const struct {
		const char *yaml, *json;
	} rows[] = {
		{"1", "1"},
		{"-1.5e3", "-1.5e3"},
		{"\"1\"", "\"1\""},
		{"\"01\"", "\"01\""},
		{"true", "true"},
		{"yes", "\"yes\""},
		{"~", "null"},
		{"ok", "\"ok\""},
		{"'a\"b\\'", "\"a\\\"b\\\\\""},
		{"\"exists\"", "\"exists\""},
		{"{a: [1, x], b: {}}", "{\"a\":[1,\"x\"],\"b\":{}}"},
	};
	const struct http_expect *expect;
	struct policy *p;
	char more[300];

	for (size_t i = 0; i < ROWS(rows); i++) {
		snprintf(more, sizeof(more),
			"health: [{name: a, type: http, url: "
			"\"https://x.example.com\", expect: {json: {/a: %s, "
			"/b: exists}}}]\n",
			rows[i].yaml);
		p = parse(PLAIN, more);
		assert_non_null(p);
		expect = &p->lists[LIST_HEALTH].item[0].u.http.expect;
		assert_int_equal(expect->n_json, 2);
		assert_string_equal(expect->json[0].pointer, "/a");
		assert_false(expect->json[0].exists);
		assert_string_equal(expect->json[0].value, rows[i].json);
		assert_true(expect->json[1].exists);
		policy_free(&p);
	}
}

static void quoted_texts_mean_what_yaml_says(void **state)
{
	static const struct {
		const char *yaml, *text;
	} rows[] = {
		{"'a'", "a"},
		{"'it''s'", "it's"},
		{"'x'''''''''", "x''''"},
		{"'a\\n'", "a\\n"},
		{"'a \n    b'", "a b"},
		{"'a\r\n\r\n    \tb '", "a\nb "},
		{"' a\n\n\n    b'", " a\n\nb"},
		{"\"a\\n\\u00e9\\\"\"", "a\n\xc3\xa9\""},
		{"\"a\n   b\"", "a b"},
		{"|\n    a\n     b\n", "a\n b\n"},
		{">-\n    a\n    b\n", "a b"},
		{"a\n    b", "a b"},
	};
	struct policy *p;
	char more[300];

	for (size_t i = 0; i < ROWS(rows); i++) {
		snprintf(more, sizeof(more),
			"health:\n- name: a\n  type: http\n"
			"  url: https://x.example.com\n  body: %s\n",
			rows[i].yaml);
		p = parse(PLAIN, more);
		assert_non_null(p);
		assert_string_equal(p->lists[LIST_HEALTH].item[0].u.http.body,
			rows[i].text);
		policy_free(&p);
	}
}

static void a_matcher_in_quotes_is_read_as_amtool_writes_it(void **state)
{
	static const struct matcher wanted[] = {
		{"plain", "a\\.b", true, true},
		{"a", "x \"y\" \\ z", false, true},
		{"b", "Err\\d+", true, true},
		{"c", "v\\d+", true, false},
		{"d", "one\ntwo", false, false},
		{"e", "", false, true},
	};
	struct policy *p = parse(PLAIN, "rollback:\n"
					"- name: a\n"
					"  type: alertmanager-silence\n"
					"  url: https://a.example.com\n"
					"  matchers:\n"
					"  - 'plain=~a\\.b'\n"
					"  - 'a=\"x \\\"y\\\" \\\\ z\"'\n"
					"  - 'b=~\"Err\\\\d+\"'\n"
					"  - 'c!~\"v\\d+\"'\n"
					"  - 'd!=\"one\\ntwo\"'\n"
					"  - 'e=\"\"'\n");
	const struct action_silence *silence;

	assert_non_null(p);
	silence = &p->lists[LIST_ROLLBACK].item[0].u.silence;
	assert_int_equal(silence->n_matchers, 6);
	for (size_t i = 0; i < 6; i++) {
		assert_string_equal(silence->matchers[i].name, wanted[i].name);
		assert_string_equal(
			silence->matchers[i].value, wanted[i].value);
		assert_int_equal(
			silence->matchers[i].is_regex, wanted[i].is_regex);
		assert_int_equal(
			silence->matchers[i].is_equal, wanted[i].is_equal);
	}
	policy_free(&p);
	assert_null(parse(PLAIN,
		"rollback:\n"
		"- {name: a, type: alertmanager-silence, url: "
		"https://a.example.com, matchers: ['a=\"x\"y\"']}\n"));
	assert_null(parse(PLAIN,
		"rollback:\n"
		"- {name: a, type: alertmanager-silence, url: "
		"https://a.example.com, matchers: ['a=\"x\\\"']}\n"));
}

static void quantities_are_read(void **state)
{
	static const struct {
		const char *text;
		double value;
	} rows[] = {
		{"0", 0},
		{"1", 1},
		{"-5.5", -5.5},
		{"+2", 2},
		{"1e3", 1000},
		{"1%", 0.01},
		{"0.5%", 0.005},
		{"100%", 1},
		{"500ms", 0.5},
		{"1m30s", 90},
	};
	static const char *const bad[] = {"", "%", "1 %", ".5", "5.", "1e",
		"0x10", "nan", "inf", "1e999", "1_000", "1,5", "1%%", "-5s",
		"1s%", "٣"};
	struct err err;
	double value;

	for (size_t i = 0; i < ROWS(rows); i++) {
		assert_int_equal(quantity_parse(rows[i].text, &value, &err), 0);
		assert_true(value == rows[i].value);
	}
	for (size_t i = 0; i < ROWS(bad); i++)
		assert_int_equal(quantity_parse(bad[i], &value, &err), -1);
}

static void urls_are_taken_apart(void **state)
{
	static const struct {
		const char *url;
		const char *shown; /* NULL: refused */
	} rows[] = {
		{"https://a.example.com", "https://a.example.com"},
		{"HTTPS://a:b@c@d:1/x?y", "HTTPS://d:1/x"},
		{"http://localhost:9090/p", "http://localhost:9090/p"},
		{"http://127.8.9.1/", "http://127.8.9.1/"},
		{"http://[::1]:80", "http://[::1]:80"},
		{"https://[2001:db8::1]/", "https://[2001:db8::1]/"},
		{"{{candidate_url}}/x?y=z", "{{candidate_url}}/x"},
		{"https://{{service}}.example.com/{{ percent }}",
			"https://{{service}}.example.com/{{ percent }}"},
		{"http://a.example.com", NULL},
		{"http://localhost.evil.com", NULL},
		{"http://127.evil.com", NULL},
		{"http://127.0.0.1.evil.com", NULL},
		{"http://localhost@evil.com", NULL},
		{"http://{{service}}/", NULL},
		{"http://[::2]/", NULL},
		{"https://[::1/", NULL},
		{"https://", NULL},
		{"https://:80/", NULL},
		{"https://a:/", NULL},
		{"https://a:80x/", NULL},
		{"https://a:123456/", NULL},
		{"https://a/#b", NULL},
		{"https://a/ b", NULL},
		{"https://a/\nb", NULL},
		{"https://a\\b/", NULL},
		{"ftp://a/", NULL},
		{"a.example.com", NULL},
		{"", NULL},
	};
	struct buf shown;
	struct url url;
	struct err err;

	buf_init(&shown, URL_BYTES_MAX);
	for (size_t i = 0; i < ROWS(rows); i++) {
		buf_clear(&shown);
		if (url_parse(rows[i].url, &url, &err) == 0)
			url_show(&url, &shown);
		assert_string_equal(
			shown.data, rows[i].shown ? rows[i].shown : "");
	}
	buf_fini(&shown);
}

static void a_file_that_cannot_be_a_policy_is_refused(void **state)
{
	static const struct {
		const char *path, *says;
	} rows[] = {
		{"/nowhere/policy.yaml", "No such file"},
		{"/", "directory"},
		{"/dev/zero", "larger than 1024 KiB"},
		{"/dev/null", "the file is empty"},
	};
	struct buf problems;
	struct err err;

	buf_init(&problems, TEXT_MAX);
	for (size_t i = 0; i < ROWS(rows); i++) {
		buf_clear(&problems);
		assert_null(policy_load(
			rows[i].path, &policy_env_real, &problems, &err));
		assert_int_equal(err.code, ERR_POLICY);
		assert_non_null(strstr(err.text, rows[i].says));
		assert_non_null(strstr(problems.data, rows[i].says));
	}
	buf_fini(&problems);
}

/* What takes long or nests deep is refused quickly, whatever it is. */
static void hostile_texts_of_a_mebibyte_are_refused(void **state)
{
	static const char *const patterns[] = {"[", "{a: ", "- ", "? ",
		"a: 1\n", "[a,", "&a ", "!a ", "---\n", "%FOO x\n", "\"", "'",
		"|\n", "# \n", "a:\n ", "\xc3", "\t", "* ", "<<: ", "${A}",
		"{{a}}", ": ", ","};
	char *text = malloc(POLICY_BYTES_MAX + 1);
	struct buf problems;
	struct err err;
	size_t len, more;

	assert_non_null(text);
	buf_init(&problems, TEXT_MAX);
	for (size_t i = 0; i < ROWS(patterns); i += (size_t)sample_every()) {
		len = strlen(patterns[i]);
		memcpy(text, patterns[i], len);
		for (size_t n = len; n < POLICY_BYTES_MAX + 1; n += more) {
			more = POLICY_BYTES_MAX + 1 - n;
			more = more < n ? more : n; /* twice what is there */
			memcpy(text + n, text, more);
		}
		buf_clear(&problems);
		assert_null(policy_parse("p.yaml", text, POLICY_BYTES_MAX,
			&fake, &problems, &err));
		assert_true(problems.len > 0);
		assert_null(policy_parse("p.yaml", text, POLICY_BYTES_MAX + 1,
			&fake, &problems, &err));
	}
	buf_fini(&problems);
	free(text);
}

static void lists_of_actions_are_named_as_in_the_file(void **state)
{
	assert_string_equal(action_list_name(LIST_ROLLBACK), "rollback");
	assert_string_equal(
		action_list_name(LIST_ROLLED_BACK), "hooks.rolled_back");
}

static void an_id_token_is_for_the_service_not_for_its_tag(void **state)
{
	static const struct {
		const char *url, *audience;
	} rows[] = {
		{"https://shop-abc-uc.a.run.app/health?x=1",
			"https://shop-abc-uc.a.run.app"},
		{"https://canary---shop-abc-uc.a.run.app/health",
			"https://shop-abc-uc.a.run.app"},
		{"https://canary---shop.example.com/",
			"https://canary---shop.example.com"},
		{"https://u:p@shop.example.com:8443/a",
			"https://shop.example.com:8443"},
		{"http://127.0.0.1:80/", "http://127.0.0.1:80"},
		{"not a url", NULL},
	};
	struct err err;
	char *audience;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		audience = url_audience(rows[i].url, &err);
		if (rows[i].audience)
			assert_string_equal(audience, rows[i].audience);
		else
			assert_null(audience);
		free(audience);
	}
}

static void renders_to(const char *text, const char *wanted)
{
	static const struct template_values values = {.candidate = "new"};
	struct buf out;

	buf_init(&out, TEXT_MAX);
	template_render(&out, text, &values, ESCAPE_NONE);
	assert_string_equal(out.data, wanted);
	buf_fini(&out);
}

static void a_variables_value_is_never_taken_for_a_template(void **state)
{
#define BRACES "{{candidate}}a{{{b}}{"
	struct policy *p = parse(PLAIN,
		"- {name: js, provider: json, pointer: /n, max: 1,\n"
		"   url: \"https://x.example.com/{{candidate}}?k=${BRACES}\",\n"
		"   params: {a: \"{${BRACES}{{candidate}}}\"}}\n"
		"rollback:\n"
		"- {name: a, type: http,\n"
		"   url: \"https://b.example.com/${BRACES}{{candidate}}\"}\n"
		"- {name: b, type: secret, secret: s,\n"
		"   value: \"${BRACES}${BRACES}{{candidate}}\"}\n"
		"- {name: c, type: webhook,\n"
		"   url: \"https://c.example.com/{{candidate}}/${BRACES}\"}\n");
	const struct json_question *question;
	const struct action *action;

	assert_non_null(p);
	question = &p->slos[1].json->value;
	renders_to(secret_reveal(question->url),
		"https://x.example.com/new?k=" BRACES);
	renders_to(secret_reveal(question->params[0].value), "{" BRACES "new}");
	action = p->lists[LIST_ROLLBACK].item;
	renders_to(secret_reveal(action[0].u.http.url),
		"https://b.example.com/" BRACES "new");
	renders_to(
		secret_reveal(action[1].u.secret.value), BRACES BRACES "new");
	renders_to(secret_reveal(action[2].u.webhook.url),
		"https://c.example.com/new/" BRACES);
	policy_free(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_variables_value_is_never_taken_for_a_template),
		cmocka_unit_test(
			an_id_token_is_for_the_service_not_for_its_tag),
		cmocka_unit_test(what_is_not_said_has_a_default),
		cmocka_unit_test(what_is_said_is_kept),
		cmocka_unit_test(an_action_is_idempotent_by_its_method),
		cmocka_unit_test(
			secrets_are_revealed_to_the_wire_and_masked_elsewhere),
		cmocka_unit_test(what_a_variable_puts_into_a_url_is_masked),
		cmocka_unit_test(names_of_the_target_stay_readable),
		cmocka_unit_test(messages_hold_no_secret),
		cmocka_unit_test(
			a_timeout_nobody_chose_gives_way_to_a_short_interval),
		cmocka_unit_test(what_an_answer_must_hold_becomes_json),
		cmocka_unit_test(quoted_texts_mean_what_yaml_says),
		cmocka_unit_test(
			a_matcher_in_quotes_is_read_as_amtool_writes_it),
		cmocka_unit_test(quantities_are_read),
		cmocka_unit_test(urls_are_taken_apart),
		cmocka_unit_test(a_file_that_cannot_be_a_policy_is_refused),
		cmocka_unit_test(hostile_texts_of_a_mebibyte_are_refused),
		cmocka_unit_test(lists_of_actions_are_named_as_in_the_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
