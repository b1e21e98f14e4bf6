/* SPDX-License-Identifier: Apache-2.0 */
/* `tidegate watch`: follows a rollout's journal to its end, from outside. */
#include "cli/command.h"
#include "cli/watch.h"

static const struct option_spec options[] = {
	OPTION_STATE(struct watch_options),
	OPTION_SERVER(struct watch_options),
	OPTION_AS(struct watch_options),
	OPTION_UTC(struct watch_options),
	OPTION_FORMAT(struct watch_options),
	{0},
};

static int watch(int argc, char **argv, struct err *err_r)
{
	struct watch_options args = {0};

	if (args_parse(options, &args, &argc, argv, err_r) ||
		args_count(argc, argv, "[ROLLOUT]", 0, 1, err_r))
		return -1;
	return watch_follow(&args, argc > 1 ? argv[1] : NULL, err_r);
}

const struct command cmd_watch = {
	.name = "watch",
	.usage = "[ROLLOUT]",
	.summary = "Follow a rollout to its end and exit as it does",
	.options = options,
	.run = watch,
};
