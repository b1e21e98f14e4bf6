/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decodes the answers of JSON APIs; see number_codec.h. Owns what a number is,
 * what Sentry's answers look like, and what a refusal says. Must not know how
 * the answer got here.
 */
#include "metrics/number_codec.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/http_status.h"
#include "base/printable.h"
#include "base/xalloc.h"
#include "policy/json_pointer.h"
#include "policy/quantity.h"

#define DETAIL_MAX     400 /* of the other side's own message */
#define TEXT_SHOWN_MAX 64

/* Duplicate keys would leave it to us which of two values is true. Integers
 * become reals, so that one beyond 2^63 somewhere else is harmless. */
#define LOAD_FLAGS                                                   \
	(JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DECODE_ANY | \
		JSON_DECODE_INT_AS_REAL)

/* ---- refusals ---- */

static const char *remedy(enum err_code code)
{
	switch (code) {
	case ERR_AUTH:
		return "; check auth";
	case ERR_DENIED:
		return "; the identity of auth may not read this";
	case ERR_NOT_FOUND:
		return "; check the address";
	default:
		return "";
	}
}

/* Where APIs put what they have to say. */
static const char *own_words(json_t *root)
{
	static const char *const pointers[] = {"/detail", "/detail/message",
		"/error/message", "/error", "/message", "/errors/0/message",
		"/errors/0"};
	const char *text;

	for (size_t i = 0; i < sizeof(pointers) / sizeof(pointers[0]); i++) {
		text = json_string_value(pointer_get(root, pointers[i]));
		if (text && *text)
			return text;
	}
	return NULL;
}

static int refused(
	const struct number_reply *reply, json_t *root, struct err *err_r)
{
	enum err_code code = http_status_code(reply->status);
	const char *words = own_words(root);
	char detail[DETAIL_MAX];

	if (reply->status >= 300 && reply->status < 400)
		return err_set(err_r, ERR_PROTOCOL,
			"HTTP %d: redirects are not followed, for what "
			"identifies us would go along; write the address it "
			"leads to",
			reply->status);
	if (words) {
		printable_copy(detail, sizeof(detail), words);
		return err_set(err_r, code, "HTTP %d: %s%s", reply->status,
			detail, remedy(code));
	}
	printable_quote(detail, reply->bytes, reply->len);
	return err_set(err_r, code, "HTTP %d with %s%s", reply->status, detail,
		remedy(code));
}

void number_refused(const struct number_reply *reply, struct err *err_r)
{
	json_t *root = json_loadb(reply->bytes, reply->len, LOAD_FLAGS, NULL);

	(void)refused(reply, root, err_r);
	json_decref(root);
}

/* ---- numbers ---- */

static const char *name_of_type(const json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		return "an object";
	case JSON_ARRAY:
		return "a list";
	case JSON_TRUE:
		return "true";
	case JSON_FALSE:
		return "false";
	default:
		return "a text";
	}
}

static const char *place(const struct json_question *question)
{
	return *question->pointer ? question->pointer : "the whole answer";
}

/* A number, or a text that is one from its first byte to its last. */
static int read_number(const json_t *value,
	const struct json_question *question, double *number_r,
	struct err *err_r)
{
	char shown[TEXT_SHOWN_MAX];
	const char *text;

	if (json_is_number(value)) {
		*number_r = json_number_value(value);
		return 0;
	}
	if (!json_is_string(value))
		return err_set(err_r, ERR_INVALID,
			"%s is %s, not a number: check the pointer",
			place(question), name_of_type(value));
	text = json_string_value(value);
	if (decimal_parse(text, json_string_length(value), number_r) == 0)
		return 0;
	printable_copy(shown, sizeof(shown), text);
	return err_set(err_r, ERR_INVALID, "%s is \"%s\", which is no number",
		place(question), shown);
}

static int check_range(
	double number, const struct json_question *question, struct err *err_r)
{
	bool share = question->shape == SHAPE_RELEASE_SHARE;
	bool count = question->shape == SHAPE_COUNT ||
		     question->shape == SHAPE_RELEASE_COUNT;

	if (!isfinite(number))
		return err_set(err_r, ERR_INVALID,
			"%s times its scale is not a finite number",
			place(question));
	if ((share || count) && number < 0)
		return err_set(err_r, ERR_PROTOCOL,
			"%s is %g, which is below 0", place(question), number);
	if (share && number > 1)
		return err_set(err_r, ERR_PROTOCOL,
			"%s is %g, where a share is from 0 to 1",
			place(question), number);
	return 0;
}

static int take_number(json_t *root, const struct json_question *question,
	struct answer *answer_r, struct err *err_r)
{
	json_t *value = pointer_get(root, question->pointer);
	double number;

	*answer_r = (struct answer){.kind = ANSWER_NO_DATA};
	if (!value || json_is_null(value))
		return 0;
	if (read_number(value, question, &number, err_r) < 0)
		return -1;
	number *= question->scale;
	if (check_range(number, question, err_r) < 0)
		return -1;
	*answer_r = (struct answer){ANSWER_VALUE, number};
	return 0;
}

/* ---- Sentry ---- */

/* {"groups": [{"by": {"release": R}, "totals": …}]}; without sessions there is
 * no group. */
static int check_groups(json_t *root, const char *release, struct err *err_r)
{
	const json_t *groups = json_object_get(root, "groups");
	const char *found =
		json_string_value(pointer_get(root, "/groups/0/by/release"));
	char shown[TEXT_SHOWN_MAX];

	if (json_is_null(groups))
		return 0;
	if (!json_is_array(groups))
		return err_set(err_r, ERR_PROTOCOL,
			"the answer has no list \"groups\": it is not one of "
			"Sentry's sessions");
	if (json_array_size(groups) > 1)
		return err_set(err_r, ERR_INVALID,
			"%zu groups where there must be one: the release's",
			json_array_size(groups));
	if (!json_array_size(groups) || (found && !strcmp(found, release)))
		return 0;
	printable_copy(shown, sizeof(shown), found ? found : "nothing");
	return err_set(err_r, ERR_PROTOCOL,
		"the sessions are those of %s, not of release %s", shown,
		release);
}

/* Their number of events is a text; what has none is no issue. */
static bool is_issue(const json_t *item)
{
	const json_t *count = json_object_get(item, "count");
	double number;

	if (json_is_number(count))
		return true;
	return json_is_string(count) &&
	       decimal_parse(json_string_value(count),
		       json_string_length(count), &number) == 0;
}

static int count_issues(
	const json_t *root, struct answer *answer_r, struct err *err_r)
{
	const json_t *item;
	size_t i;

	if (!json_is_array(root) && !json_is_null(root))
		return err_set(err_r, ERR_PROTOCOL,
			"the answer is not a list of issues");
	json_array_foreach(root, i, item) {
		if (!is_issue(item))
			return err_set(err_r, ERR_PROTOCOL,
				"entry %zu of the answer is no issue: it has "
				"no \"count\"",
				i + 1);
	}
	*answer_r =
		(struct answer){ANSWER_VALUE, (double)json_array_size(root)};
	return 0;
}

/* ---- answers ---- */

static int take_answer(json_t *root, const struct json_question *question,
	const char *release, struct answer *answer_r, struct err *err_r)
{
	switch (question->shape) {
	case SHAPE_ISSUES:
		return count_issues(root, answer_r, err_r);
	case SHAPE_RELEASE_SHARE:
	case SHAPE_RELEASE_COUNT:
		if (check_groups(root, release ? release : "", err_r) < 0)
			return -1;
		break;
	case SHAPE_COUNT:
	case SHAPE_ANY:
		break;
	}
	return take_number(root, question, answer_r, err_r);
}

static int garbage(const struct number_reply *reply, const json_error_t *where,
	struct err *err_r)
{
	char detail[DETAIL_MAX];

	printable_quote(detail, reply->bytes, reply->len);
	if (reply->len &&
		json_error_code(where) == json_error_premature_end_of_input)
		return err_set(err_r, ERR_PROTOCOL,
			"the answer ends too early, after %zu bytes: %s",
			reply->len, detail);
	return err_set(
		err_r, ERR_PROTOCOL, "the answer is not JSON: %s", detail);
}

int number_decode(const struct number_reply *reply,
	const struct json_question *question, const char *release,
	struct answer *answer_r, struct err *err_r)
{
	json_error_t where = {0};
	json_t *root;
	int rc;

	if (reply->len > NUMBER_BODY_MAX)
		return err_set(err_r, ERR_LIMIT,
			"the answer has more than %zu bytes: ask for less",
			NUMBER_BODY_MAX);
	root = json_loadb(reply->bytes, reply->len, LOAD_FLAGS, &where);
	if (!http_status_is_success(reply->status))
		rc = refused(reply, root, err_r);
	else if (root)
		rc = take_answer(root, question, release, answer_r, err_r);
	else
		rc = garbage(reply, &where, err_r);
	json_decref(root);
	return rc;
}
