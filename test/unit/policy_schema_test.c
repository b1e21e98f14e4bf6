/*
 * The schema for editors and the loader's tables know the same keys, the same
 * needed ones, spellings and ranges: what is in one and not in the other is
 * named. What a schema cannot say is not compared.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "policy/loader.h"

/* A section of the loader and what the schema calls it. */
static const struct {
	const char *name;
	const struct section *section;
} rows[] = {
	{"policy", &policy_section},
	{"target", &target_section},
	{"metrics", &metrics_section},
	{"step", &step_section},
	{"approval", &approval_section},
	{"slo", &slo_section},
	{"fail_after", &fail_after_section},
	{"requests", &requests_section},
	{"slo_json", &json_slo_section},
	{"json_baseline", &json_baseline_section},
	{"json_requests", &json_requests_section},
	{"slo_sentry", &sentry_slo_section},
	{"sentry_baseline", &sentry_baseline_section},
	{"sentry_requests", &sentry_requests_section},
	{"hooks", &hooks_section},
	{"http", &http_section},
	{"expect", &expect_section},
	{"exec", &exec_section},
	{"silence", &silence_section},
	{"redis", &redis_section},
	{"database", &database_section},
	{"slack", &slack_section},
	{"webhook", &webhook_section},
	{"pagerduty", &pagerduty_section},
	{"secret_version", &secret_section},
	{"firebase", &firebase_section},
	{"kubernetes", &kubernetes_section},
	{"report", &report_section},
	{"auth", &auth_section},
	{"tls", &tls_section},
};

static int different;

static void differ(const char *section, const char *key, const char *how)
{
	printf("%s.%s: %s\n", section, key, how);
	different++;
}

static const struct key *key_find(
	const struct section *section, const char *name)
{
	for (const struct key *key = section->keys; key->name; key++)
		if (!strcmp(key->name, name))
			return key;
	return NULL;
}

static bool list_has(const json_t *list, const char *name)
{
	const char *text;

	for (size_t i = 0; i < json_array_size(list); i++) {
		text = json_string_value(json_array_get(list, i));
		if (text && !strcmp(text, name))
			return true;
	}
	return false;
}

static void compare_keys(
	const char *name, const struct section *section, json_t *schema)
{
	json_t *properties = json_object_get(schema, "properties"), *value;
	json_t *required = json_object_get(schema, "required");
	const struct key *key;
	const char *property;

	assert_true(
		json_is_false(json_object_get(schema, "additionalProperties")));
	json_object_foreach(properties, property, value) {
		key = key_find(section, property);
		if (!key || !key->read)
			differ(name, property, "the loader does not read it");
	}
	for (key = section->keys; key->name; key++) {
		if (key->read && !json_object_get(properties, key->name))
			differ(name, key->name, "not in the schema");
		if (key->required != list_has(required, key->name))
			differ(name, key->name, "needed in one of them only");
	}
}

static void compare_choices(
	const char *section, const struct key *key, const json_t *schema)
{
	const json_t *list = json_object_get(schema, "enum");
	size_t n = 0;

	for (const struct choice *c = key->detail; c->name; c++) {
		n += c->value >= 0;
		if ((c->value >= 0) != list_has(list, c->name))
			differ(section, key->name, c->name);
	}
	if (n != json_array_size(list))
		differ(section, key->name, "the schema has more values");
}

static void compare_range(
	const char *section, const struct key *key, const json_t *schema)
{
	const struct whole_range *range = key->detail;

	if (range->min != json_integer_value(
				  json_object_get(schema, "minimum")) ||
		range->max !=
			json_integer_value(json_object_get(schema, "maximum")))
		differ(section, key->name, "another range");
}

/* Follows "#/$defs/NAME". */
static json_t *resolve(json_t *defs, json_t *schema)
{
	const char *ref = json_string_value(json_object_get(schema, "$ref"));

	if (!ref)
		return schema;
	assert_int_equal(strncmp(ref, "#/$defs/", 8), 0);
	schema = json_object_get(defs, ref + 8);
	assert_non_null(schema);
	return schema;
}

static void compare_types(const char *name, const struct section *section,
	json_t *schema, json_t *defs)
{
	json_t *properties = json_object_get(schema, "properties"), *property;

	for (const struct key *key = section->keys; key->name; key++) {
		property = json_object_get(properties, key->name);
		if (!property)
			continue;
		property = resolve(defs, property);
		if (key->read == read_choice)
			compare_choices(name, key, property);
		if (key->read == read_whole)
			compare_range(name, key, property);
	}
}

static void the_schema_and_the_loader_know_the_same_keys(void **state)
{
	const char *top = getenv("srcdir");
	char path[4096];
	json_t *schema, *defs, *section;
	json_error_t error;

	snprintf(path, sizeof(path), "%s/policies/policy.schema.json",
		top ? top : ".");
	schema = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
	if (!schema)
		fail_msg("%s:%d: %s", path, error.line, error.text);
	defs = json_object_get(schema, "$defs");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		section = json_object_get(defs, rows[i].name);
		assert_non_null(section);
		compare_keys(rows[i].name, rows[i].section, section);
		compare_types(rows[i].name, rows[i].section, section, defs);
	}
	json_decref(schema);
	assert_int_equal(different, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_schema_and_the_loader_know_the_same_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
