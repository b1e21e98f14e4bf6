/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the verb, runs it, turns the error into an exit status. */
#include "cli/command.h"
#include "io/process.h"

int main(int argc, char **argv)
{
	process_begin();
	process_harden();
	return command_main(argc, argv);
}
