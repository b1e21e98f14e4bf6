/* Finds the verb, runs it, turns the error into an exit status. */
#include "cli/command.h"

int main(int argc, char **argv)
{
	return command_main(argc, argv);
}
