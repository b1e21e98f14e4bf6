/* The policies of a simulation; see simulate.h. */
#include "cli/output.h"
#include "cli/simulate.h"
#include "policy/placeholder_env.h"

/* What a policy asks of the world is needed only when its Prometheus is. */
struct policy *simulate_policy(const char *path, const struct text_list *sets,
	bool asks, struct err *err_r)
{
	struct policy *policy = NULL;
	struct policy_env env;
	struct buf bytes, problems;

	buf_init(&bytes, POLICY_BYTES_MAX);
	if (policy_env_real.read_file(path, &bytes, err_r, NULL) < 0) {
		buf_fini(&bytes);
		return NULL;
	}
	env = asks ? policy_env_real : placeholder_env;
	env.sets = sets->item;
	env.n_sets = sets->n;
	buf_init(&problems, OUTPUT_BYTES_MAX);
	policy = policy_parse(
		path, bytes.data, bytes.len, &env, &problems, err_r);
	if (!policy) {
		output_write(stderr, &problems);
		err_set(err_r, ERR_POLICY, "%s is not a policy to work with",
			path);
	}
	buf_fini(&problems);
	buf_fini(&bytes);
	return policy;
}
