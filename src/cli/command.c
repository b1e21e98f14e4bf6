/* The table of verbs; see command.h. */
#include "cli/command.h"

#include <stdio.h>

int command_main(int argc, char **argv)
{
	fputs("tidegate: no verb is built into this version\n", stderr);
	return err_exit_status(ERR_USAGE);
}
