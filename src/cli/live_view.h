/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A rollout on a terminal, for `run`, `resume` and `watch`: the panel at the
 * bottom (panel.h), what happens above it (status/happening.h), and keys. Who
 * hosts it drives the rollout or looks at it; the view decides nothing, and a
 * terminal that is stopped does not hold it.
 */
#ifndef TIDEGATE_CLI_LIVE_VIEW_H
#define TIDEGATE_CLI_LIVE_VIEW_H

#include "base/arena.h"
#include "cli/keys.h"
#include "cli/screen.h"
#include "io/loop.h"
#include "status/happening.h"
#include "status/summary.h"

#define LIVE_VIEW_TEXT_MAX 1024 /* of what leaving means, with the NUL */

struct live_view_host {
	const struct policy *policy;
	const char *service; /* full name */
	summary_clock_fn clock;
	/* The rollout as it is now. */
	const struct summary *(*look)(struct arena *arena, void *arg);
	/* Whether the engine would take it from this person now. */
	bool (*may)(enum verb verb, void *arg);
	void (*decide)(enum verb verb, const char *comment, void *arg);
	/* What leaving does, when it has to be asked for twice. NULL: nothing */
	const char *(*leaving)(char text[LIVE_VIEW_TEXT_MAX], void *arg);
	void (*leave)(void *arg);
	void *arg;
};

struct live_view {
	bool on;
	bool past; /* lines come without a panel: of what was before */
	struct live_view_host host;
	struct loop *loop;
	struct screen screen;
	struct timer *tick;
	struct watch *input;
	struct keys keys;
	struct happenings *happenings;
	int selected;
};

/* Standard error is a terminal that can be painted on. Before loop_run; the
 * loop takes signals of the terminal from now on. */
MUST_CHECK int live_view_start(struct live_view *view, struct loop *loop,
	const struct live_view_host *host, struct err *err_r);
/* The next entry of the journal, with the state after it. */
void live_view_take(struct live_view *view, const struct rollout *rollout,
	const struct store_event *entry);
/* A line from elsewhere, as it stands. */
void live_view_say(struct live_view *view, enum happening_tone tone,
	int64_t now_ms, const char *text);
/* The same by who does not know the view: false, there is none to tell. */
bool live_view_tell(const char *text);
/* The panel goes, the keyboard is as it was. May be called again. */
void live_view_stop(struct live_view *view);

#endif
