/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a verb: its help, its errors, and waiting for what it prints; see
 * command.h. Knows nothing of which verbs there are.
 */
#include "cli/command.h"

#include "cli/args.h"
#include "cli/output.h"

#define HELP_BYTES_MAX 65536

void command_print_help(const struct command *command, struct buf *out)
{
	buf_addf(out, "Usage: tidegate %s%s%s\n\n%s.\n", command->name,
		*command->usage ? " " : "", command->usage, command->summary);
	if (command->options && command->options->name) {
		buf_adds(out, "\nOptions:\n");
		args_print_options(command->options, out);
	}
	if (command->details)
		buf_addf(out, "\n%s", command->details);
}

int command_report(const struct command *command, const struct err *err)
{
	struct buf text;

	if (err->code == ERR_REPORTED)
		return err_exit_status(err->code);
	buf_init(&text, 4 * ERR_TEXT_MAX);
	if (err->pos.line > 0)
		buf_addf(&text,
			"%s:%d:%d: ", err->pos.file ? err->pos.file : "",
			err->pos.line, err->pos.col);
	buf_adds(&text, err->text);
	output_error(text.data);
	buf_fini(&text);
	if (err->code == ERR_USAGE && command)
		output_text(stderr,
			"usage: tidegate %s%s%s (more: tidegate help "
			"%s)\n",
			command->name, *command->usage ? " " : "",
			command->usage, command->name);
	else if (err->code == ERR_USAGE)
		output_text(stderr, "\"tidegate help\" lists the commands\n");
	return err_exit_status(err->code);
}

int command_carry_out(const struct command *command, int argc, char **argv)
{
	struct err err = {0};
	int status = command->run(argc, argv, &err);
	bool failed = status < 0;

	if (failed)
		status = command_report(command, &err);
	if (output_finish(&err) < 0 && !failed)
		return command_report(command, &err);
	return status;
}

int command_run(const struct command *command, int argc, char **argv)
{
	struct err err = {0};
	struct buf out;

	if (!args_want_help(command->options, argc, argv))
		return command_carry_out(command, argc, argv);
	buf_init(&out, HELP_BYTES_MAX);
	command_print_help(command, &out);
	output_write(stdout, &out);
	buf_fini(&out);
	return output_finish(&err) < 0 ? command_report(command, &err) : 0;
}
