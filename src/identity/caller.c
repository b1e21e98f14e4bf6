/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of a caller against keys of a rule; see caller.h. */
#include "identity/caller.h"

#include <string.h>

#define WORKFLOW "github:" /* with an "=" in the rest */
#define EMAIL    "email:"

/* What a rule may ask of a workflow. */
static const char *const claims[] = {"repository_id", "repository_owner_id",
	"ref", "environment", "workflow_ref", "job_workflow_ref", "event_name",
	"runner_environment"};

static const char *const kinds[] = {"google:", "iap:", "oidc:", EMAIL, WORKFLOW,
	"token:", "os:", "slack:", "invite:"};

static bool has_bytes(const struct caller *caller, const char *prefix,
	const char *rest, size_t len)
{
	size_t prefix_len = strlen(prefix), i;
	const char *key;

	for (i = 0; i < caller->n_keys; i++) {
		key = caller->keys[i];
		if (strncmp(key, prefix, prefix_len) == 0 &&
			strlen(key) == prefix_len + len &&
			memcmp(key + prefix_len, rest, len) == 0)
			return true;
	}
	return false;
}

bool caller_has(const struct caller *caller, const char *key)
{
	return has_bytes(caller, "", key, strlen(key));
}

static bool is_about_workflows(const char *rule)
{
	return strncmp(rule, WORKFLOW, strlen(WORKFLOW)) == 0 &&
	       strchr(rule, '=');
}

static bool begins_with_claim(const char *part, size_t len, const char *claim)
{
	size_t claim_len = strlen(claim);

	return len > claim_len + 1 && part[claim_len] == '=' &&
	       memcmp(part, claim, claim_len) == 0;
}

static int check_workflow_part(
	const char *part, size_t len, bool *owned, struct err *err_r)
{
	size_t i = 0, n = sizeof(claims) / sizeof(*claims);

	while (i < n && !begins_with_claim(part, len, claims[i]))
		i++;
	if (i == n)
		return err_set(err_r, ERR_INVALID,
			"\"%.*s\" is nothing that can be asked of a workflow: "
			"repository_id, repository_owner_id, ref, environment, "
			"workflow_ref, job_workflow_ref, event_name or "
			"runner_environment, and =VALUE",
			len < 80 ? (int)len : 80, part);
	*owned = *owned || i < 2;
	return 0;
}

static int check_workflow(const char *rule, struct err *err_r)
{
	const char *at = rule + strlen(WORKFLOW);
	bool owned = false;
	size_t len;

	for (;; at += len + 1) {
		len = strcspn(at, ",");
		if (check_workflow_part(at, len, &owned, err_r) < 0)
			return -1;
		if (!at[len])
			break;
	}
	if (!owned)
		return err_set(err_r, ERR_INVALID,
			"\"%.200s\" would let in workflows of anybody: it must "
			"say repository_id or repository_owner_id",
			rule);
	return 0;
}

/* Issuers write addresses as they like: ours are compared in lower case. */
static int check_address(const char *rule, struct err *err_r)
{
	const char *c = rule;

	while (*c && !(*c >= 'A' && *c <= 'Z'))
		c++;
	if (!*c || strncmp(rule, EMAIL, strlen(EMAIL)) != 0)
		return 0;
	return err_set(err_r, ERR_INVALID,
		"\"%.80s\" would be nobody: write the address in lower case",
		rule);
}

int caller_rule_check(const char *rule, struct err *err_r)
{
	size_t i, n = sizeof(kinds) / sizeof(*kinds);

	if (strlen(rule) >= CALLER_KEY_MAX)
		return err_set(err_r, ERR_INVALID, "a key has at most %d bytes",
			CALLER_KEY_MAX - 1);
	if (is_about_workflows(rule))
		return check_workflow(rule, err_r);
	for (i = 0; i < n; i++) {
		if (strncmp(rule, kinds[i], strlen(kinds[i])) == 0 &&
			rule[strlen(kinds[i])])
			return check_address(rule, err_r);
	}
	return err_set(err_r, ERR_INVALID,
		"\"%.80s\" is no key: it begins with google:, oidc:, email:, "
		"github:, token:, os: or slack:",
		rule);
}

bool caller_has_all(const struct caller *caller, const char *rule)
{
	const char *at = rule + strlen(WORKFLOW);
	struct err err;
	size_t len;

	if (!is_about_workflows(rule))
		return caller_has(caller, rule);
	if (check_workflow(rule, &err) < 0)
		return false;
	for (;; at += len + 1) {
		len = strcspn(at, ",");
		if (!has_bytes(caller, WORKFLOW, at, len))
			return false;
		if (!at[len])
			return true;
	}
}
