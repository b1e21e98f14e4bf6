/* SPDX-License-Identifier: Apache-2.0 */
/* How a rollout ended, said everywhere; see run_end.h. */
#include "cli/run_end.h"

#include "cli/context.h"
#include "cli/github.h"
#include "cli/output.h"

static void tell_github(const struct rollout_end *end)
{
	struct buf out;

	buf_init(&out, GITHUB_BYTES_MAX);
	outcome_print_outputs(end, &out);
	github_append("GITHUB_OUTPUT", &out);
	buf_clear(&out);
	outcome_print_summary(end, &out);
	github_append("GITHUB_STEP_SUMMARY", &out);
	buf_fini(&out);
}

void run_end_print(const struct rollout_end *end, int format)
{
	struct buf line;

	buf_init(&line, OUTPUT_BYTES_MAX);
	if (format == FORMAT_JSON)
		outcome_print_json(end, &line);
	else
		outcome_print_text(end, &line);
	output_write(stdout, &line);
	buf_fini(&line);
	tell_github(end);
}
