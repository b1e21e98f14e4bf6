/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes a load: sends requests when they are due by the clock, however slow the
 * answers are, and counts what comes. A request is timed from the moment that
 * it was due, so that one that had to wait for an answer before it tells of
 * that ("coordinated omission"); one that could not be sent within the
 * request's timeout is dropped, and counted as failed.
 *
 * Owns its HTTP client and credentials. Runs on a loop that has little else to
 * do: a process of its own.
 */
#ifndef TIDEGATE_LOAD_GENERATOR_H
#define TIDEGATE_LOAD_GENERATOR_H

#include "load/spec_codec.h"
#include "load/tally.h"

#define GENERATOR_AGENT_NAME "tidegate-load"

struct generator;
struct loop;

struct generator_events {
	/* Each second. */
	void (*live)(const struct tally *tally, const struct tally_now *now,
		void *arg);
	/* Once; `err` (may be NULL): it could not be done. The generator is to
	 * be freed later, not here. */
	void (*over)(
		const struct tally *tally, const struct err *err, void *arg);
	void *arg;
};

/* `spec` is borrowed. NULL: it cannot be begun. */
MUST_CHECK struct generator *generator_start(struct loop *loop,
	const struct load_spec *spec, const struct generator_events *events,
	struct err *err_r);
/* From now on nothing is sent; `over` is called, unless it was. */
void generator_stop(struct generator *generator);
void generator_free(struct generator **generator); /* NULL inside is fine */

#endif
