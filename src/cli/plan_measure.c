/* SPDX-License-Identifier: Apache-2.0 */
/* Measures a service for its plan; see plan_measure.h. */
#include "cli/plan_measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "cli/output.h"
#include "io/loop.h"
#include "live/preflight.h"
#include "live/release.h"
#include "live/world.h"

struct measuring {
	const struct policy *policy;
	struct context_target target;
	struct arena arena;
	struct err credentials_err;
	struct world world;
	struct release *release;
	struct preflight *preflight;
	struct plan_measured *measured;
};

/* ---- what was found ---- */

/* Of what was looked at on the way only this stands in the way. */
static bool is_in_the_way(const struct finding *f)
{
	static const char *const what[] = {
		"credentials", "service", "history", "token"};
	size_t i;

	for (i = 0; i < sizeof(what) / sizeof(what[0]); i++) {
		if (strcmp(f->what, what[i]) == 0)
			return f->kind == FINDING_FAIL ||
			       f->kind == FINDING_WARN;
	}
	return false;
}

static void tell_finding(const struct finding *f, struct buf *out)
{
	buf_addf(out, "%s: %s %s: %s\n", finding_name(f->kind), f->what,
		f->name, f->detail);
	if (*f->remedy)
		buf_addf(out, "      -> %s\n", f->remedy);
}

static void looked(const struct preflight_report *report, void *arg)
{
	struct measuring *m = arg;
	struct buf out;
	size_t i;

	buf_init(&out, OUTPUT_BYTES_MAX);
	for (i = 0; i < report->n; i++)
		if (is_in_the_way(&report->finding[i]))
			tell_finding(&report->finding[i], &out);
	redact(&out);
	output_write(stderr, &out);
	buf_fini(&out);
	m->measured->n = report->n_histories;
	if (report->n_histories)
		memcpy(m->measured->history, report->histories,
			report->n_histories * sizeof(report->histories[0]));
	loop_stop(m->world.loop);
}

/* ---- the world ---- */

static int open_world(struct measuring *m, struct err *err_r)
{
	const struct world_options options = {
		.project = m->target.project,
		.region = m->target.region,
		.credentials_err_r = &m->credentials_err,
	};

	return world_open(&m->world, &options, err_r);
}

static int look(struct measuring *m, struct err *err_r)
{
	const struct release_wish wish = {.candidate = NULL};
	char *state_path = store_default_path();
	struct rollout none;
	struct preflight_what what = {
		/* With its advice preflight goes on, whatever it finds. */
		.parts = PREFLIGHT_SERVICE | PREFLIGHT_HISTORY |
			 PREFLIGHT_ADVICE,
		.state = &none,
		.tries_max = 1,
		.state_path = state_path,
		.credentials_err =
			m->world.credentials ? NULL : &m->credentials_err,
	};
	int rc = -1;

	rollout_init(&none);
	m->release =
		release_new(m->policy, m->target.name, "plan", &wish, err_r);
	if (m->release) {
		snprintf(m->release->id, sizeof(m->release->id), "plan");
		what.release = m->release;
		m->preflight = preflight_start(&m->world, &what, looked, m);
		rc = loop_run(m->world.loop, err_r);
	}
	preflight_free(&m->preflight);
	release_free(&m->release);
	free(state_path);
	return rc;
}

int plan_measure(const struct policy *policy,
	const struct context_target *target, struct plan_measured *measured_r,
	struct err *err_r)
{
	struct measuring m = {
		.policy = policy, .target = *target, .measured = measured_r};
	int rc = -1;

	measured_r->n = 0;
	arena_init(&m.arena);
	context_take_policy(&m.target, policy);
	if (context_resolve(&m.target, &m.arena, err_r) == 0 &&
		open_world(&m, err_r) == 0)
		rc = look(&m, err_r);
	world_close(&m.world);
	if (rc == 0 && !measured_r->n)
		rc = err_set(err_r, ERR_NOT_FOUND,
			"nothing could be measured of %.160s: write --rate "
			"50/s and --base 0.1%%, or --recording FILE",
			m.target.service);
	arena_fini(&m.arena);
	return rc;
}
