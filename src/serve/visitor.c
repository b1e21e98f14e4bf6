/* SPDX-License-Identifier: Apache-2.0 */
/* Somebody who came in; see visitor.h. */
#include "serve/visitor.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "serve/people.h"

static void copy_caller(struct visitor *visitor, const struct caller *caller)
{
	struct arena *arena = &visitor->arena;
	const char **keys =
		arena_alloc(arena, (caller->n_keys + 1) * sizeof(*keys));

	visitor->caller = *caller;
	visitor->caller.method = arena_strdup(arena, caller->method);
	visitor->caller.label = arena_strdup(arena, caller->label);
	visitor->caller.person = arena_strdup(arena, caller->person);
	for (size_t i = 0; i < caller->n_keys; i++)
		keys[i] = arena_strdup(arena, caller->keys[i]);
	visitor->caller.keys = keys;
	visitor->caller.actor = arena_strdup(arena, caller->actor);
	visitor->caller.issuer = arena_strdup(arena, caller->issuer);
	visitor->caller.peer = arena_strdup(arena, caller->peer);
}

/* A machine is nobody, whatever it carries. */
static void find_name(struct visitor *visitor, const struct people *people)
{
	const struct caller *caller = &visitor->caller;
	const struct person *person =
		people_find(people, caller->keys, caller->n_keys);

	visitor->name = caller->n_keys ? caller->keys[0] : caller->method;
	if (caller->is_machine)
		return;
	if (person)
		visitor->name = arena_strdup(&visitor->arena, person->name);
	else if (caller->person)
		visitor->name = caller->person;
	visitor->is_person = person || caller->person;
}

static void find_starter(struct visitor *visitor, const struct people *people)
{
	const char *actor = visitor->caller.actor;
	const struct person *person =
		actor ? people_find(people, &actor, 1) : NULL;

	visitor->starter = person ? arena_strdup(&visitor->arena, person->name)
				  : visitor->name;
}

struct visitor *visitor_new(
	const struct caller *caller, const struct people *people)
{
	struct visitor *visitor = xcalloc(1, sizeof(*visitor));

	arena_init(&visitor->arena);
	copy_caller(visitor, caller);
	find_name(visitor, people);
	find_starter(visitor, people);
	return visitor;
}

void visitor_free(struct visitor **visitor)
{
	if (!*visitor)
		return;
	arena_fini(&(*visitor)->arena);
	free(*visitor);
	*visitor = NULL;
}

bool visitor_is(const struct visitor *visitor, const char *who)
{
	if (visitor->is_person && !strcmp(visitor->name, who))
		return true;
	return caller_has_all(&visitor->caller, who);
}
