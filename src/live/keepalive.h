/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What actions opened and what they captured: silences that end by themselves
 * are renewed while the rollout goes on and closed at its end; what was found
 * in preflight is handed back when the action runs. All of it is in the
 * journal, so that a process that takes the rollout up knows it too.
 *
 * A renewal or a closing that fails is logged and never changes the rollout:
 * what was opened ends by itself. A renewal that is skipped is the last: a
 * person has ended or taken over what was opened.
 */
#ifndef TIDEGATE_LIVE_KEEPALIVE_H
#define TIDEGATE_LIVE_KEEPALIVE_H

#include "engine/rollout.h"
#include "policy/policy.h"

struct keepalive;
struct release;
struct store_event;
struct world;

/* Release and state are borrowed. */
struct keepalive *keepalive_new(struct world *world,
	const struct release *release, const struct rollout *state);
void keepalive_free(struct keepalive **keepalive); /* leaves open what is */
void keepalive_stop(struct keepalive *keepalive); /* stops renewing */

/* What JOB_CAPTURE found for an action, for its runs. */
void keepalive_capture(struct keepalive *keepalive, const struct action *action,
	const char *text);
/* The same for the action of that name, if the policy has one; `arg` is the
 * keepalive. */
void keepalive_capture_named(const char *name, const char *text, void *arg);
/* NULL: nothing. Borrowed until the next capture. */
const char *keepalive_captured(
	const struct keepalive *keepalive, const struct action *action);

/* A run has ended. What it opened is renewed from now on; what it may have
 * opened, though it failed, is closed at the end like everything else; when
 * somebody else has decided about it, it is left alone. */
void keepalive_ran(struct keepalive *keepalive, enum action_list list,
	int index, enum action_result result);
/* What was captured and opened, out of the journal: entry by entry, and after
 * the last of them. */
MUST_CHECK int keepalive_take(struct keepalive *keepalive,
	const struct store_event *entry, struct err *err_r);
void keepalive_renew_soon(struct keepalive *keepalive);
/* Closes what is open, then calls `closed`, in a later turn. */
void keepalive_close(
	struct keepalive *keepalive, void (*closed)(void *arg), void *arg);

#endif
