/* SPDX-License-Identifier: Apache-2.0 */
/* In which order preflight looks; see preflight.h. */
#include "live/preflight.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "google/credentials.h"
#include "live/preflight_parts.h"

static void report(struct preflight *preflight)
{
	struct preflight_report end = {
		.finding = preflight->finding,
		.n = preflight->n,
		.capture = preflight->capture,
		.n_captures = preflight->n_captures,
		.histories = preflight->histories,
		.n_histories = preflight->n_histories,
	};

	for (size_t i = 0; i < preflight->n; i++)
		end.counts[preflight->finding[i].kind]++;
	preflight->fn(&end, preflight->arg);
}

struct part {
	unsigned of; /* of enum preflight_part */
	bool needs_service;
	void (*look)(struct preflight *preflight);
};

static bool is_wanted(
	const struct preflight *preflight, const struct part *part)
{
	return (preflight->what.parts & part->of) != 0 &&
	       !(part->needs_service && preflight->is_stopped);
}

/* One turn for each part that is wanted. The report is the last, always
 * wanted, and may free it all. */
static void look(void *arg)
{
	static const struct part parts[] = {
		{PREFLIGHT_ADVICE, false, preflight_google},
		{PREFLIGHT_ADVICE, false, preflight_permissions},
		{PREFLIGHT_SERVICE, false, preflight_service},
		{PREFLIGHT_SERVICE, true, preflight_rival},
		{PREFLIGHT_ADVICE, false, preflight_stable},
		{PREFLIGHT_SLOS, true, preflight_slos},
		{PREFLIGHT_HISTORY, true, preflight_history},
		{PREFLIGHT_ACTIONS, true, preflight_actions},
		{PREFLIGHT_PEOPLE, false, preflight_people},
		{PREFLIGHT_ADVICE, false, preflight_local},
		{~0u, false, report},
	};
	struct preflight *preflight = arg;
	const struct part *part = &parts[preflight->part];

	preflight->next = NULL;
	while (!is_wanted(preflight, part))
		part++;
	preflight->part = (size_t)(part - parts) + 1;
	part->look(preflight);
}

struct preflight *preflight_start(struct world *world,
	const struct preflight_what *what, preflight_fn fn, void *arg)
{
	struct preflight *preflight = xcalloc(1, sizeof(*preflight));

	preflight->world = world;
	preflight->what = *what;
	preflight->release = what->release;
	preflight->look = look;
	preflight->fn = fn;
	preflight->arg = arg;
	preflight->cut_off = what->credentials_err != NULL;
	rng_init(&preflight->rng, what->state->rng.state);
	arena_init(&preflight->arena);
	preflight_next(preflight);
	return preflight;
}

struct service *preflight_take_service(struct preflight *preflight)
{
	struct service *service = preflight->snapshot;

	preflight->snapshot = NULL;
	return service;
}

void preflight_free(struct preflight **preflight_p)
{
	struct preflight *preflight = *preflight_p;

	if (!preflight)
		return;
	timer_cancel(&preflight->next);
	timer_cancel(&preflight->again);
	token_cancel(&preflight->token);
	cloudrun_cancel(&preflight->call);
	preflight_slos_cancel(preflight);
	preflight_history_cancel(preflight);
	preflight_actions_cancel(preflight);
	service_free(&preflight->snapshot);
	arena_fini(&preflight->arena);
	free(preflight->finding);
	free(preflight->capture);
	free(preflight);
	*preflight_p = NULL;
}
