/* SPDX-License-Identifier: Apache-2.0 */
/* What a button carries; see slack_value.h. */
#include "serve/slack_value.h"

#include <jansson.h>
#include <string.h>

#include "base/jsonw.h"

#define VERSION  1 /* of what older messages carry, which may be pressed, too */
#define STEP_MAX 1000

void slack_value_print(const struct slack_value *value, struct buf *out)
{
	struct jsonw w = {.out = out};

	jsonw_object(&w, NULL);
	jsonw_int(&w, "v", VERSION);
	jsonw_text(&w, "verb", verb_name(value->verb));
	jsonw_text(&w, "rollout", value->rollout);
	jsonw_int(&w, "step", value->step);
	jsonw_text(&w, "candidate", value->candidate);
	jsonw_text(&w, "nonce", value->nonce);
	if (*value->answer_url)
		jsonw_text(&w, "url", value->answer_url);
	jsonw_end(&w, '}');
}

/* A text that fits; false: there is none. */
static bool take_text(
	const json_t *root, const char *name, char *out, size_t size)
{
	const json_t *member = json_object_get(root, name);
	size_t len = json_string_length(member);

	if (!json_is_string(member) || len >= size ||
		strlen(json_string_value(member)) != len)
		return false;
	memcpy(out, json_string_value(member), len + 1);
	return true;
}

static bool take_number(
	const json_t *root, const char *name, int max, int *number_r)
{
	const json_t *member = json_object_get(root, name);
	json_int_t number = json_integer_value(member);

	if (!json_is_integer(member) || number < 0 || number > max)
		return false;
	*number_r = (int)number;
	return true;
}

static bool take_all(const json_t *root, struct slack_value *v)
{
	bool has_url = json_object_get(root, "url") != NULL;
	char verb[32];
	int version;

	if (json_object_size(root) != 6U + has_url ||
		!take_number(root, "v", VERSION, &version) ||
		version != VERSION ||
		!take_text(root, "verb", verb, sizeof(verb)) ||
		!take_text(root, "rollout", v->rollout, sizeof(v->rollout)) ||
		!take_number(root, "step", STEP_MAX, &v->step) ||
		!take_text(root, "candidate", v->candidate,
			sizeof(v->candidate)) ||
		!take_text(root, "nonce", v->nonce, sizeof(v->nonce)))
		return false;
	if (has_url &&
		!take_text(root, "url", v->answer_url, sizeof(v->answer_url)))
		return false;
	v->verb = verb_find(verb);
	return v->verb != VERBS && *v->rollout && *v->nonce;
}

int slack_value_parse(
	const char *text, struct slack_value *value_r, struct err *err_r)
{
	json_t *root;
	bool is_good;

	*value_r = (struct slack_value){.verb = VERBS};
	if (!text || strlen(text) > SLACK_VALUE_BYTES)
		return err_set(err_r, ERR_INVALID, "a button without a value");
	root = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	is_good = json_is_object(root) && take_all(root, value_r);
	json_decref(root);
	if (!is_good)
		return err_set(err_r, ERR_INVALID,
			"the value of this button is none of ours");
	return 0;
}
