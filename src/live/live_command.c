/* What operators want: their commands become events, once each. */
#include <string.h>

#include "base/log.h"
#include "live/driver.h"

static void refuse(struct live *live, const struct store_command *command,
	const char *answer)
{
	struct err err;

	if (journal_begin(live->hub->journal, &err) < 0 ||
		store_command_settle(live->world->store, command->id, true,
			answer, &err) < 0)
		log_line(LOG_WARN, "rollout=%s event=command error=\"%s\"",
			live->release->id, err.text);
}

static void take(struct live *live, const struct store_command *command)
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
		refuse(live, command, "this version does not know the command");
	else
		live_event(live, &event, NULL);
}

void live_commands(struct live *live)
{
	struct store_command *commands;
	struct arena arena;
	struct err err;
	size_t n = 0;

	/* Before its first event there is nothing to decide about. */
	if (live_is_over(live) || !live->seq || live->unjournaled)
		return;
	arena_init(&arena);
	if (store_commands_waiting(live->world->store, live->release->id,
		    &arena, &commands, &n, &err) < 0)
		log_line(LOG_WARN, "rollout=%s event=command error=\"%s\"",
			live->release->id, err.text);
	for (size_t i = 0; i < n && !live_is_over(live); i++)
		take(live, &commands[i]);
	arena_fini(&arena);
}
