/* SPDX-License-Identifier: Apache-2.0 */
/* What operators want: their commands become events, once each. */
#include <string.h>

#include "base/log.h"
#include "live/driver_parts.h"

static void take(struct driver *driver, const struct store_command *command)
{
	static const char unknown[] = "this version does not know the command";
	const struct command_ack refusal = {command->id, true, unknown};
	struct event event = {
		.type = EVENT_COMMAND,
		.who = command->who,
		.text = command->comment,
		.verb = verb_find(command->verb),
		.step = command->step,
		.command_id = command->id,
	};

	/* It was taken before; its answer is not durable yet. */
	if (journal_settles(driver->writer, command->id))
		return;
	if (event.verb == VERBS)
		journal_settle(driver->writer, &refusal);
	else
		driver_event(driver, &event, NULL);
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
		take(driver, &commands[i]);
	arena_fini(&arena);
	if (rc < 0)
		log_line(LOG_WARN, "rollout=%s event=command error=\"%s\"",
			driver->release->id, err.text);
	return rc == 0 && n < STORE_COMMANDS_MAX;
}

void driver_decide(struct driver *driver, enum verb verb, const char *who,
	const char *comment)
{
	const struct event event = {
		.type = EVENT_COMMAND,
		.who = who,
		.text = comment,
		.verb = verb,
		/* The gate that the person saw. */
		.step = driver->state->step,
	};

	if (!driver->over && !driver->unjournaled && !driver->walk &&
		driver->seq)
		driver_event(driver, &event, NULL);
}
