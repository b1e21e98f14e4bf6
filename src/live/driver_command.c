/* What operators want: their commands become events, once each. */
#include <string.h>

#include "base/log.h"
#include "live/driver_parts.h"

static void refuse(struct driver *driver, const struct store_command *command,
	const char *answer)
{
	struct err err;

	if (journal_begin(driver->journal, &err) < 0 ||
		store_command_settle(driver->world->store, command->id, true,
			answer, &err) < 0)
		log_line(LOG_WARN, "rollout=%s event=command error=\"%s\"",
			driver->release->id, err.text);
}

static void take(struct driver *driver, const struct store_command *command)
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
		refuse(driver, command,
			"this version does not know the command");
	else
		driver_event(driver, &event, NULL);
}

void driver_commands(struct driver *driver)
{
	struct store_command *commands;
	struct arena arena;
	struct err err;
	size_t n = 0;

	/* Before its first event there is nothing to decide about. */
	if (driver->over || !driver->seq || driver->unjournaled)
		return;
	arena_init(&arena);
	if (store_commands_waiting(driver->world->store, driver->release->id,
		    &arena, &commands, &n, &err) < 0)
		log_line(LOG_WARN, "rollout=%s event=command error=\"%s\"",
			driver->release->id, err.text);
	for (size_t i = 0; i < n && !driver->over; i++)
		take(driver, &commands[i]);
	arena_fini(&arena);
}
