/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes a policy from YAML 1.2 or JSON, and says everything that is wrong
 * with it: each problem with file, line, column, the source line and carets,
 * up to POLICY_PROBLEMS_MAX at once. Unknown keys get a did-you-mean; keys of
 * the contract that this version does not have are refused by name.
 */
#ifndef TIDEGATE_POLICY_POLICY_LOAD_H
#define TIDEGATE_POLICY_POLICY_LOAD_H

#include "base/buf.h"
#include "policy/policy.h"

#define POLICY_PROBLEMS_MAX 20
#define POLICY_SETS_MAX     64

/* What the loader asks of its surroundings, so that it can be tested and fuzzed
 * without them. */
struct policy_env {
	/* Value of ${NAME}, borrowed; NULL: unset. */
	const char *(*variable)(const char *name, void *arg);
	/* Content of a *_file, at most `max` bytes; -1 with a reason. */
	int (*read_file)(const char *path, struct buf *out, struct err *err_r,
		void *arg);
	void *arg;
	/* Why no variable has a value; NULL: each is said to be unset. */
	const char *no_variables;
	/* Variables and files may be placeholders: the form of what was
	 * expanded or read is not judged. */
	bool placeholders;
	/* Project, region and service as the target is named elsewhere than in
	 * the policy, NULL or "": not there. They stand in every line, so that
	 * they are no secrets; borrowed. */
	const char *names[3];
	/* Put over what the file says: "KEY=VALUE", see override.h; borrowed. */
	const char *const *sets;
	size_t n_sets; /* at most POLICY_SETS_MAX */
};

extern const struct policy_env policy_env_real;

/* Reads the file ("-": standard input) and parses it. On failure `problems`
 * holds the full text of all problems for a person, `err_r` a summary; else
 * `problems` holds the warnings, if there are any. */
MUST_CHECK struct policy *policy_load(const char *path,
	const struct policy_env *env, struct buf *problems, struct err *err_r);

/* The same from bytes; `path` is for messages and relative paths. */
MUST_CHECK struct policy *policy_parse(const char *path, const char *bytes,
	size_t len, const struct policy_env *env, struct buf *problems,
	struct err *err_r);

/* The plan for a person: steps, SLOs with their limits and no-data rule,
 * gates, actions in order. Colour is the caller's business: none here. */
void policy_print_plan(const struct policy *policy, struct buf *out);

/* What there is to write: a JSON schema for editors, and all keys for people.
 * policies/policy.schema.json and tidegate-policy(5) hold them. */
void policy_print_schema(struct buf *out);
void policy_print_keys(struct buf *out);

#endif
