/* SPDX-License-Identifier: Apache-2.0 */
/* The policies of a simulation; see simulate.h. */
#include "cli/output.h"
#include "cli/simulate.h"
#include "policy/placeholder_env.h"

/* What a policy asks of the world is needed only when its Prometheus is. */
static struct policy *load(const char *path, const struct text_list *sets,
	bool asks, struct buf *problems, struct err *err_r)
{
	struct policy *policy;
	struct policy_env env;
	struct buf bytes;

	buf_init(&bytes, POLICY_BYTES_MAX);
	if (policy_env_real.read_file(path, &bytes, err_r, NULL) < 0) {
		buf_fini(&bytes);
		return NULL;
	}
	env = asks ? policy_env_real : placeholder_env;
	env.sets = sets->item;
	env.n_sets = sets->n;
	policy = policy_parse(
		path, bytes.data, bytes.len, &env, problems, err_r);
	if (!policy)
		err_set(err_r, ERR_POLICY, "%s is not a policy to work with",
			path);
	buf_fini(&bytes);
	return policy;
}

struct policy *simulate_policy(const char *path, const struct text_list *sets,
	bool asks, struct err *err_r)
{
	struct policy *policy;
	struct buf problems;

	buf_init(&problems, OUTPUT_BYTES_MAX);
	policy = load(path, sets, asks, &problems, err_r);
	if (!policy)
		output_write(stderr, &problems);
	buf_fini(&problems);
	return policy;
}

struct policy *simulate_policy_quietly(
	const char *path, const struct text_list *sets)
{
	struct policy *policy;
	struct buf problems;
	struct err err;

	buf_init(&problems, OUTPUT_BYTES_MAX);
	policy = load(path, sets, false, &problems, &err);
	buf_fini(&problems);
	return policy;
}
