/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The options of the sandbox; see sandbox_options.h. Pure.
 *
 *   operationDelay     how long a write takes
 *   clockAhead         what the Date of answers is ahead
 *   deny               permissions that are not granted
 *   readsPerMinute     429 for more than so many within 60 s; 0: no limit
 *   writesPerMinute
 *   etag               strict: a stale one is a conflict; lax: it is ignored
 *   uris               absent: no uri, urls and URIs of tags
 *   routesCondition    absent: conditions lack RoutesReady
 *   observedWhenBroken whether observedGeneration follows a good write while
 *                      the newest revision is broken, or stays
 *   writeWhenBroken    fails: such a write serves, its operation fails
 *   idleTargets        unchecked: at 0 % they may be gone or broken
 *   busyWrite          refused: 409 while another write is under way
 *   sameWrite          counted: one that changes nothing is a generation
 *   failedWriteAgain   ignored: the list that failed, written again, changes
 *                      nothing
 *   fieldWrite         ignored: one without traffic is no generation
 */
#include "sandbox/sandbox_options.h"

#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "base/xalloc.h"

#define TIME_MAX  3600000 /* ms */
#define QUOTA_MAX 1000000

/* Each is one of two words; the first one is false. */
#define MODEL(member) true, offsetof(struct model_rules, member)
#define ADMIN(member) false, offsetof(struct admin_rules, member)
static const struct {
	const char *name, *word[2];
	bool of_model;
	size_t offset;
} switches[] = {
	{"etag", {"lax", "strict"}, ADMIN(etag_is_strict)},
	{"uris", {"given", "absent"}, MODEL(uris_absent)},
	{"routesCondition", {"given", "absent"},
		MODEL(routes_condition_absent)},
	{"observedWhenBroken", {"follows", "stays"},
		MODEL(broken_stays_behind)},
	{"writeWhenBroken", {"succeeds", "fails"}, MODEL(broken_fails_writes)},
	{"idleTargets", {"checked", "unchecked"},
		MODEL(idle_targets_unchecked)},
	{"busyWrite", {"preempts", "refused"}, MODEL(busy_refuses)},
	{"sameWrite", {"ignored", "counted"}, MODEL(same_write_counts)},
	{"failedWriteAgain", {"reconciles", "ignored"},
		MODEL(failed_write_is_final)},
	{"fieldWrite", {"counted", "ignored"}, MODEL(fields_do_not_count)},
};

#define SWITCHES (sizeof(switches) / sizeof(switches[0]))

/* The options before they hold. */
struct wish {
	struct model_rules model;
	struct admin_rules admin;
	int64_t delay_ms, ahead_ms;
	unsigned quota[COUNT_KINDS];
};

static bool *flag_of(struct wish *wish, size_t i)
{
	char *rules = switches[i].of_model ? (char *)&wish->model
					   : (char *)&wish->admin;

	return (bool *)(rules + switches[i].offset);
}

static int read_switch(struct wish *wish, size_t i, const json_t *value,
	struct rpc_error *error)
{
	const char *const *word = switches[i].word;
	const char *text = json_string_value(value);
	int k;

	for (k = 0; k < 2 && text; k++) {
		if (strcmp(text, word[k]) != 0)
			continue;
		*flag_of(wish, i) = k;
		return 0;
	}
	return rpc_error_field(error, switches[i].name,
		"%s must be \"%s\" or \"%s\"", switches[i].name, word[0],
		word[1]);
}

static int read_time(const char *name, const json_t *value, int64_t *ms_r,
	struct rpc_error *error)
{
	const char *text = json_string_value(value);
	struct err err;

	if (!text)
		return rpc_error_field(
			error, name, "%s must be a time such as \"2s\"", name);
	if (duration_parse(text, ms_r, &err) < 0)
		return rpc_error_field(error, name, "%.200s", err.text);
	if (*ms_r > TIME_MAX)
		return rpc_error_field(error, name, "%s is longer than %d s",
			name, TIME_MAX / 1000);
	return 0;
}

/* A number, or one as text. */
static int read_quota(const char *name, const json_t *value, unsigned *quota_r,
	struct rpc_error *error)
{
	const char *text = json_string_value(value);
	long n = json_is_integer(value) ? (long)json_integer_value(value) : -1;
	char *end = NULL;

	if (text && *text)
		n = strtol(text, &end, 10);
	if (n < 0 || n > QUOTA_MAX || (end && *end))
		return rpc_error_field(error, name,
			"%s must be a number between 0 and %d", name,
			QUOTA_MAX);
	*quota_r = (unsigned)n;
	return 0;
}

static int read_deny(
	const json_t *list, struct admin_rules *rules, struct rpc_error *error)
{
	const char *text;
	json_t *item;
	size_t i;

	if (!json_is_array(list) || json_array_size(list) > ADMIN_DENY_MAX)
		return rpc_error_field(error, "deny",
			"deny must be a list of at most %d permissions",
			ADMIN_DENY_MAX);
	rules->n_deny = 0;
	json_array_foreach(list, i, item) {
		text = json_string_value(item);
		if (!text || strlen(text) >= ADMIN_PERMISSION_MAX)
			return rpc_error_field(error, "deny",
				"deny[%zu] must be a permission such as "
				"run.operations.get",
				i);
		strcpy(rules->deny[rules->n_deny++], text);
	}
	return 0;
}

static int read_option(struct wish *wish, const char *name, const json_t *value,
	struct rpc_error *error)
{
	size_t i;

	if (strcmp(name, "operationDelay") == 0)
		return read_time(name, value, &wish->delay_ms, error);
	if (strcmp(name, "clockAhead") == 0)
		return read_time(name, value, &wish->ahead_ms, error);
	if (strcmp(name, "deny") == 0)
		return read_deny(value, &wish->admin, error);
	if (strcmp(name, "readsPerMinute") == 0)
		return read_quota(
			name, value, &wish->quota[COUNT_READS], error);
	if (strcmp(name, "writesPerMinute") == 0)
		return read_quota(
			name, value, &wish->quota[COUNT_WRITES], error);
	for (i = 0; i < SWITCHES; i++) {
		if (strcmp(switches[i].name, name) == 0)
			return read_switch(wish, i, value, error);
	}
	return rpc_error_field(error, "",
		"there is no option \"%.40s\": see GET /sandbox", name);
}

int sandbox_options_set(struct cloud *cloud, const json_t *body, int64_t now_ms,
	struct rpc_error *error)
{
	struct wish wish = {
		.model = cloud->model->rules,
		.admin = cloud->rules,
		.delay_ms = cloud->model->operation_delay_ms,
		.ahead_ms = cloud->clock_ahead_ms,
	};
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)body, name, value) {
		if (read_option(&wish, name, value, error) < 0)
			return -1;
	}
	cloud->rules = wish.admin;
	memcpy(cloud->quota, wish.quota, sizeof(wish.quota));
	cloud->clock_ahead_ms = wish.ahead_ms;
	cloud->model->operation_delay_ms = wish.delay_ms;
	if (memcmp(&wish.model, &cloud->model->rules, sizeof(wish.model)) != 0)
		model_set_rules(cloud->model, &wish.model, now_ms);
	return 0;
}

int sandbox_option_parse(struct cloud *cloud, const char *text, int64_t now_ms,
	struct rpc_error *error)
{
	const char *equals = strchr(text, '=');
	json_t *body = json_object();
	char *name;
	int rc;

	if (equals) {
		name = xmemdup0(text, (size_t)(equals - text));
		json_object_set_new(body, name, json_string(equals + 1));
		free(name);
	}
	if (json_object_size(body))
		rc = sandbox_options_set(cloud, body, now_ms, error);
	else
		rc = rpc_error_field(
			error, "", "\"%.40s\" is not NAME=VALUE", text);
	json_decref(body);
	return rc;
}

json_t *sandbox_options_json(const struct cloud *cloud)
{
	struct wish wish = {
		.model = cloud->model->rules, .admin = cloud->rules};
	char delay[DURATION_TEXT_MAX], ahead[DURATION_TEXT_MAX];
	json_t *deny = json_array(), *all;
	size_t i;

	for (i = 0; i < cloud->rules.n_deny; i++)
		json_array_append_new(deny, json_string(cloud->rules.deny[i]));
	duration_print(cloud->model->operation_delay_ms, delay);
	duration_print(cloud->clock_ahead_ms, ahead);
	all = json_pack("{s:s, s:s, s:o, s:i, s:i}", "operationDelay", delay,
		"clockAhead", ahead, "deny", deny, "readsPerMinute",
		(int)cloud->quota[COUNT_READS], "writesPerMinute",
		(int)cloud->quota[COUNT_WRITES]);
	for (i = 0; i < SWITCHES; i++)
		json_object_set_new(all, switches[i].name,
			json_string(switches[i].word[*flag_of(&wish, i)]));
	return all;
}
