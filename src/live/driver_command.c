/* What operators want: their commands become events, once each. */
#include <string.h>

#include "base/log.h"
#include "live/driver_parts.h"

static int refuse(struct driver *driver, const struct store_command *command,
	const char *answer, struct err *err_r)
{
	return journal_begin(driver->journal, err_r) < 0
		       ? -1
		       : store_command_settle(driver->world->store, command->id,
				 true, answer, err_r);
}

static int take(struct driver *driver, const struct store_command *command,
	struct err *err_r)
{
	struct event event = {
		.type = EVENT_COMMAND,
		.who = command->who,
		.text = command->comment,
		.verb = verb_find(command->verb),
		.step = command->step,
		.command_id = command->id,
	};

	if (event.verb == VERBS)
		return refuse(driver, command,
			"this version does not know the command", err_r);
	driver_event(driver, &event, NULL);
	return 0;
}

bool driver_commands(struct driver *driver)
{
	struct store_command *commands;
	struct arena arena;
	struct err err;
	size_t n = 0;
	int rc;

	if (driver->over || driver->unjournaled)
		return true;
	/* Before its first event there is nothing to decide about. */
	if (!driver->seq)
		return false;
	arena_init(&arena);
	rc = store_commands_waiting(driver->world->store, driver->release->id,
		&arena, &commands, &n, &err);
	for (size_t i = 0; rc == 0 && i < n && !driver->over; i++)
		rc = take(driver, &commands[i], &err);
	arena_fini(&arena);
	if (rc < 0)
		log_line(LOG_WARN, "rollout=%s event=command error=\"%s\"",
			driver->release->id, err.text);
	return rc == 0 && n < STORE_COMMANDS_MAX;
}
