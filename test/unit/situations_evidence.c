/* SPDX-License-Identifier: Apache-2.0 */
/* Situations with evidence; see situations_evidence.h. */
#include "situations_evidence.h"

#include <math.h>
#include <string.h>

#define CHECK_MS 15000
#define MINUTE   INT64_C(60000)

/* What comes, and what of it is bad; more than a whole request is kept for the
 * next check. */
static struct {
	double rate, candidate_share, stable_share;
	bool candidate_is_silent, stable_is_silent;
	int64_t counted_ms;
	double kept[4];
} show;

static double whole(double *kept, double more)
{
	double n = floor(*kept + more);

	*kept += more - n;
	return n;
}

static void count_arm(struct evidence_counts *arm, double *kept,
	double requests, double share, bool is_silent)
{
	double n = whole(&kept[0], requests);
	double bad = whole(&kept[1], requests * share);

	arm->known = !is_silent;
	arm->bin[1] = fmin(bad, n);
	arm->bin[0] = n - arm->bin[1];
}

static struct answers counted(struct world *w, int slo)
{
	static struct check_counts ring[WORLD_QUEUE_MAX];
	static size_t next;
	struct check_counts *c = &ring[next++ % WORLD_QUEUE_MAX];
	double s = show.counted_ms
			   ? (double)(w->now_ms - show.counted_ms) / 1000
			   : 0;
	double part = w->serving.candidate / 100.0;

	(void)slo;
	show.counted_ms = w->now_ms;
	*c = (struct check_counts){.bins = 2};
	count_arm(&c->candidate, show.kept, show.rate * s * part,
		show.candidate_share, show.candidate_is_silent);
	count_arm(&c->stable, show.kept + 2, show.rate * s * (1 - part),
		show.stable_share, show.stable_is_silent);
	return (struct answers){
		.item[QUERY_TOTAL] = {ANSWER_VALUE, NAN}, .counts = c};
}

static void set(struct stage *s)
{
	size_t i;

	memset(&show, 0, sizeof(show));
	show.rate = 50;
	show.candidate_share = show.stable_share = 0.001;
	s->test.policy.evidence =
		(struct evidence_policy){.alpha = 0.05, .harm = 10};
	s->test.slos[0] = (struct slo){.name = "errors",
		.kind = SLO_EVIDENCE,
		.total = "total",
		.bad = "bad",
		.objective = 0.01,
		.tolerance = -1,
		.floor = -1,
		.requests_needed = 100,
		.interval_ms = CHECK_MS,
		.timeout_ms = 5000};
	for (i = 0; i < s->test.policy.n_steps; i++)
		s->test.steps[i].bake_ms = 10 * MINUTE;
	lookback_free(&s->lookback);
	s->lookback = lookback_new(&s->test.policy);
	s->world.answer = counted;
}

static void begin(struct stage *s, int64_t seconds)
{
	world_start(&s->world);
	world_run(&s->world, seconds * 1000);
}

static void reach(struct stage *s, int percent)
{
	begin(s, 0);
	while (s->world.serving.candidate < percent &&
		!phase_is_end(s->world.rollout.phase))
		world_run(&s->world, 1000);
}

static void until_held(struct stage *s)
{
	int i;

	for (i = 0; i < 3600 && s->world.rollout.phase != PHASE_HELD; i++)
		world_run(&s->world, 1000);
	world_run(&s->world, 1000);
}

void weighed(struct stage *s)
{
	set(s);
	begin(s, 120);
}

void weighed_by_pace(struct stage *s)
{
	weighed(s);
	s->test.policy.pace = PACE_EVIDENCE;
}

static void bad_at_100_percent(struct stage *s)
{
	set(s);
	reach(s, 100);
	world_run(&s->world, MINUTE);
	show.candidate_share = 0.2;
}

void going_back_to_ask(struct stage *s)
{
	bad_at_100_percent(s);
	s->world.serve_delay_ms = MINUTE;
	while (s->world.rollout.phase == PHASE_BAKING)
		world_run(&s->world, 1000);
	world_run(&s->world, 5000);
}

void stepped_back(struct stage *s)
{
	bad_at_100_percent(s);
	while (s->world.serving.candidate == 100)
		world_run(&s->world, 1000);
	show.candidate_share = 0.001;
	world_run(&s->world, 2 * MINUTE);
}

/* Stable does not have it: it is the candidate. */
void stepped_back_twice(struct stage *s)
{
	bad_at_100_percent(s);
	world_run(&s->world, 20 * MINUTE);
}

void held_without_control(struct stage *s)
{
	set(s);
	s->test.policy.evidence.without_control = WITHOUT_HOLD;
	reach(s, 100);
	show.candidate_share = 0.2;
	until_held(s);
}

void held_by_stable_in_trouble(struct stage *s)
{
	set(s);
	reach(s, 50);
	show.candidate_share = show.stable_share = 0.03;
	until_held(s);
}

void held_with_few_to_weigh(struct stage *s)
{
	set(s);
	show.rate = 0.5;
	begin(s, 0);
	until_held(s);
}

void held_in_doubt(struct stage *s)
{
	set(s);
	s->test.slos[0].requests_needed = 1e6; /* it has to wait anyway */
	begin(s, 18 * 60);
	show.candidate_share = 0.022;
	while (s->world.rollout.phase == PHASE_BAKING) {
		if (s->world.rollout.evidence->result.log_e >= 1)
			show.candidate_share = 0.001;
		world_run(&s->world, CHECK_MS);
	}
}

void silent(struct stage *s)
{
	set(s);
	begin(s, 60);
	show.candidate_is_silent = true;
	world_run(&s->world, MINUTE);
}

void weighed_without_control(struct stage *s)
{
	set(s);
	reach(s, 100);
	world_run(&s->world, MINUTE);
}

void held_in_silence(struct stage *s)
{
	set(s);
	begin(s, 60);
	show.candidate_is_silent = true;
	until_held(s);
}

void stable_is_silent(struct stage *s)
{
	set(s);
	show.stable_is_silent = true;
	begin(s, 120);
}
