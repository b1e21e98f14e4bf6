/* SPDX-License-Identifier: Apache-2.0 */
/* JSON pointers into an answer; see expect_codec.h. */
#include "action/expect_codec.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json_numbers.h"
#include "policy/json_pointer.h"

#define SHOWN_MAX  80 /* bytes of a value in a message */
#define TAMED_MORE 64 /* bytes by which one number may grow */
#define LOAD_FLAGS (JSON_DECODE_ANY | JSON_ALLOW_NUL)

/* An integer beyond int64 is as good JSON as any: it is read as a real. */
static json_t *load(const char *bytes, size_t len)
{
	json_t *value = json_loadb(bytes, len, LOAD_FLAGS, NULL);
	struct buf tamed;

	if (value)
		return value;
	buf_init(&tamed, 2 * len + TAMED_MORE);
	buf_adds(&tamed, "");
	if (json_numbers_tame(bytes, len, &tamed) && !tamed.overflow)
		value = json_loadb(tamed.data, tamed.len, LOAD_FLAGS, NULL);
	buf_fini(&tamed);
	return value;
}

int json_expect_check(const struct json_expect *expect, struct err *err_r)
{
	json_t *value;

	if (pointer_check(expect->pointer, err_r) < 0)
		return -1;
	if (expect->exists)
		return 0;
	value = load(expect->value, strlen(expect->value));
	if (!value)
		return err_set(err_r, ERR_POLICY,
			"\"%.80s\" at %s is not a JSON value", expect->value,
			expect->pointer);
	json_decref(value);
	return 0;
}

static bool values_equal(const json_t *a, const json_t *b)
{
	if (json_is_number(a) && json_is_number(b) &&
		json_typeof(a) != json_typeof(b))
		return json_number_value(a) == json_number_value(b);
	return json_equal(a, b);
}

/* Only numbers are less or greater than anything. */
static bool value_meets(
	const json_t *found, const json_t *wanted, enum json_relation relation)
{
	double difference;

	if (relation == JSON_EQUALS)
		return values_equal(found, wanted);
	if (!json_is_number(found) || !json_is_number(wanted))
		return false;
	difference = json_number_value(found) - json_number_value(wanted);
	return relation == JSON_LESS ? difference < 0 : difference > 0;
}

static int meet(
	const struct json_expect *expect, json_t *document, struct err *err_r)
{
	static const char *const relations[] = {
		"", "less than ", "greater than "};
	json_t *found = pointer_get(document, expect->pointer), *wanted;
	char *shown;
	bool met;

	if (!found)
		return err_set(err_r, ERR_ACTION, "%s is not in the answer",
			*expect->pointer ? expect->pointer : "the document");
	if (expect->exists)
		return 0;
	wanted = load(expect->value, strlen(expect->value));
	met = wanted && value_meets(found, wanted, expect->relation);
	json_decref(wanted);
	if (met)
		return 0;
	shown = json_dumps(found, JSON_ENCODE_ANY | JSON_COMPACT);
	err_set(err_r, ERR_ACTION, "%s is %.*s, expected %s%.*s",
		expect->pointer, SHOWN_MAX, shown ? shown : "not printable",
		relations[expect->relation], SHOWN_MAX, expect->value);
	free(shown);
	return -1;
}

int json_expect_meet(const struct json_expect *expects, size_t n,
	const char *body, size_t len, struct err *err_r)
{
	json_t *document;
	int rc = 0;

	if (!n)
		return 0;
	if (len > EXPECT_JSON_MAX)
		return err_set(err_r, ERR_ACTION,
			"the answer has %zu bytes: expect.json reads %d at "
			"most, ask for less of it",
			len, EXPECT_JSON_MAX);
	document = load(body, len);
	if (!document)
		return err_set(err_r, ERR_ACTION, "the answer is not JSON");
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = meet(&expects[i], document, err_r);
	json_decref(document);
	return rc;
}
