/* SPDX-License-Identifier: Apache-2.0 */
/* How a runner tells what became of its work: an event for the engine. */
#ifndef TIDEGATE_LIVE_EVENT_FN_H
#define TIDEGATE_LIVE_EVENT_FN_H

struct event;
struct event_context;

/* Once for each piece of work, in a later turn than its start and never after
 * its cancel. All borrowed; `context` may be NULL. The piece of work is gone
 * already: forget it, then hear the event. */
typedef void (*event_fn)(const struct event *event,
	const struct event_context *context, void *arg);

#endif
