/* SPDX-License-Identifier: Apache-2.0 */
/* Prints what a policy would catch; see plan_print.h. */
#include "cli/plan_print.h"

#include <math.h>
#include <stdlib.h>

#include "base/duration.h"
#include "base/jsonw.h"
#include "base/printable.h"
#include "engine/forecast_threshold.h"

#define LABEL_WIDTH 12
#define SHORT_TITLE "\nwhat it would find (tidegate plan tells more)\n"

/* ---- numbers for people ---- */

/* Three digits are enough: all of this is an estimate. */
static void add_number(struct buf *out, double v)
{
	if (v >= 1000)
		buf_addf(out, "%.0f", v);
	else
		buf_addf(out, "%.3g", v);
}

static void add_share(struct buf *out, double share)
{
	buf_addf(out, "%.3g %%", share * 100);
}

static void add_seconds(struct buf *out, double s)
{
	duration_add(out, (int64_t)(s * 1000 + 0.5));
}

static void add_label(struct buf *out, int indent, const char *label)
{
	buf_addf(out, "%*s%-*s", indent, "", LABEL_WIDTH, label);
}

static void print_row(struct buf *out, const char *label, const char *text)
{
	add_label(out, 4, label);
	buf_addf(out, "%s\n", text);
}

/* ---- an SLO ---- */

static int64_t before_bake_ms(
	const struct policy *policy, const struct step *step)
{
	return policy->settle_ms + policy_load_ms(policy, step);
}

/* Beyond the step's bake it is found in a later step, if at all. */
static void print_times(
	struct buf *out, const struct forecast_case *c, int64_t step_ms)
{
	if (!isfinite(c->median_s)) {
		buf_adds(out, "not found\n");
		return;
	}
	buf_adds(out, "half after ");
	add_seconds(out, c->median_s);
	if (isfinite(c->most_s)) {
		buf_adds(out, ", 90 % after ");
		add_seconds(out, c->most_s);
	} else {
		buf_adds(out, ", 90 % never");
	}
	buf_addf(out, "; %.0f requests, %.0f of them bad%s\n",
		ceil(c->requests), ceil(c->bad),
		c->median_s * 1000 > (double)step_ms ? " (longer than the step)"
						     : "");
}

static void print_case(struct buf *out, const struct forecast_slo *f,
	const struct forecast_case *c, int64_t step_ms)
{
	buf_addf(out, "      %2g times, ", c->size);
	add_share(out, fmin(1, c->size * f->base));
	buf_adds(out, ": ");
	print_times(out, c, step_ms);
}

static void print_smallest(struct buf *out, const struct forecast_slo *f,
	const struct forecast_step *step)
{
	if (!isfinite(step->smallest)) {
		buf_adds(out, "      nothing is found within the step nine "
			      "times of ten, not even an outage\n");
		return;
	}
	buf_adds(out, "      smallest found within the step, nine times of "
		      "ten: ");
	buf_addf(out, step->smallest >= 100 ? "%.0f times, " : "%.2g times, ",
		step->smallest);
	add_share(out, fmin(1, step->smallest * f->base));
	buf_addc(out, '\n');
}

/* Where stable has nothing to compare with, what is found may be an incident. */
static void print_step_back(
	struct buf *out, const struct policy *policy, const struct step *step)
{
	static const char *const then[] = {
		[WITHOUT_STEP_BACK] = "the first time that leads back to",
		[WITHOUT_REVERT] = "that reverts",
		[WITHOUT_HOLD] = "that holds the rollout: a person decides",
	};
	enum without_control without = policy->evidence.without_control;

	if (step->percent <= POLICY_CONTROL_PERCENT_MAX)
		return;
	if (policy->steps[0].percent > POLICY_CONTROL_PERCENT_MAX &&
		without == WITHOUT_STEP_BACK)
		without = WITHOUT_REVERT;
	buf_addf(out, "      stable has no traffic to compare with; %s",
		then[without]);
	if (without == WITHOUT_STEP_BACK)
		buf_addf(out, " %d %%, to ask it", policy->steps[0].percent);
	buf_addc(out, '\n');
}

static void print_step(struct buf *out, const struct policy *policy, size_t i,
	const struct forecast_slo *f)
{
	const struct step *step = &policy->steps[i];
	const struct forecast_step *s = &f->step[i];
	size_t k;

	buf_addf(out, "    %d %%, ", step->percent);
	if (step->load) {
		buf_adds(out, "load and window ");
		duration_add(out, policy_load_ms(policy, step));
		buf_adds(out, ", ");
	}
	buf_adds(out, "bake ");
	duration_add(out, step->bake_ms);
	buf_adds(out, ": the candidate has ");
	add_number(out, s->requests);
	buf_adds(out, " requests/s\n");
	if (f->by == FORECAST_EVIDENCE)
		print_step_back(out, policy, step);
	for (k = 0; k < FORECAST_SIZES; k++)
		print_case(out, f, &s->sizes[k],
			before_bake_ms(policy, step) + step->bake_ms);
	print_smallest(out, f, s);
}

static void print_known(
	struct buf *out, const struct slo *slo, const struct forecast_slo *f)
{
	add_label(out, 4, f->measured ? "measured" : "assumed");
	add_number(out, f->rate);
	buf_adds(out, " requests/s, ");
	add_share(out, f->base);
	buf_adds(out, f->slow ? " of them slower than " : " of them bad");
	if (slo->buckets)
		add_seconds(out, slo->bound);
	else if (f->slow)
		printable_add(out, slo->texts.max);
	buf_addf(out, ", dispersion %.2g%s\n", f->phi,
		f->measured ? "" : " (a calm service)");
}

static void print_promise(struct buf *out, const struct policy *policy,
	const struct forecast_slo *f)
{
	add_label(out, 4, "false");
	if (f->by == FORECAST_EVIDENCE)
		buf_addf(out,
			"of all SLOs of kind evidence together, at most "
			"%.3g %% of good releases are taken back\n",
			policy->evidence.alpha * 100);
	else
		buf_addf(out,
			"%.3g %% of good releases are taken back, of 200 "
			"that were simulated\n",
			f->false_share * 100);
}

/* How long a step must bake to find what is found within `within_s`, where it
 * does not: what comes before it counts as well. */
static void print_longer(struct buf *out, const struct policy *policy,
	const struct step *step, double within_s, const char *what)
{
	double bake_s = within_s - (double)before_bake_ms(policy, step) / 1000;

	if (!isfinite(within_s) || (double)step->bake_ms >= bake_s * 1000)
		return;
	add_label(out, 2, "");
	buf_adds(out, " longer than the step: a bake of ");
	add_seconds(out, ceil(bake_s / 60) * 60);
	buf_adds(out, " or more instead of ");
	duration_add(out, step->bake_ms);
	buf_addf(out, " finds %s before the next one\n", what);
}

static void print_largest(struct buf *out, const struct forecast_step *s)
{
	const struct forecast_case *c = &s->sizes[FORECAST_SIZES - 1];

	buf_addf(out, "%g times ", c->size);
	if (isfinite(c->median_s)) {
		buf_adds(out, "half after ");
		add_seconds(out, c->median_s);
		buf_adds(out, ", 90 % after ");
		add_seconds(out, c->most_s);
	} else {
		buf_adds(out, "not found");
	}
	if (isfinite(s->smallest))
		buf_addf(out, "; within the step %.2g times and more",
			s->smallest);
	buf_addc(out, '\n');
}

/* A line for each step: the largest size, and the smallest that is found. */
static void print_instead(struct buf *out, const struct policy *policy,
	const struct forecast_slo *f)
{
	size_t i;

	buf_adds(out, "    the same requests by kind evidence, at most ");
	buf_addf(out, "%.3g %% of good releases taken back:\n",
		policy->evidence.alpha * 100);
	for (i = 0; i < policy->n_steps; i++) {
		buf_addf(out, "      %d %%: ", policy->steps[i].percent);
		print_largest(out, &f->step[i]);
	}
}

static void print_slo(struct buf *out, const struct policy *policy, size_t i,
	const struct forecast *forecast)
{
	const struct forecast_slo *f = &forecast->slo[i];
	const struct slo *slo = &policy->slos[i];
	size_t k;

	buf_adds(out, "\n  ");
	printable_add(out, slo->name);
	buf_adds(out,
		slo->kind == SLO_EVIDENCE ? ": by evidence" : ": by limits");
	if (f->by == FORECAST_NONE) {
		buf_addf(out, ", no plan: %s\n", f->why);
		return;
	}
	buf_addc(out, '\n');
	print_known(out, slo, f);
	print_promise(out, policy, f);
	if (slo->kind == SLO_EVIDENCE && slo->buckets)
		print_row(out, "besides",
			"the distribution as a whole is compared, too: what "
			"is slower all over is found earlier than this");
	for (k = 0; k < policy->n_steps; k++)
		print_step(out, policy, k, f);
	if (forecast->instead[i].by != FORECAST_NONE)
		print_instead(out, policy, &forecast->instead[i]);
}

/* ---- advice ---- */

static void print_advice(struct buf *out, const struct forecast *forecast)
{
	const struct forecast_advice *a = &forecast->advice;

	if (!a->known)
		return;
	buf_addf(
		out, "\nadvice, for at most %g bad requests\n", forecast->hurt);
	add_label(out, 2, "first step");
	buf_addf(out,
		"%.0f %% of traffic: so an outage of 30 %% costs no more "
		"in the three checks it takes\n",
		fmax(1, floor(a->share * 100)));
	add_label(out, 2, "bake");
	add_seconds(out, ceil(a->bake_s / 60) * 60);
	buf_adds(out, " or more: finds 10 times stable's share nine times of "
		      "ten, after ");
	add_number(out, ceil(a->bad));
	buf_addf(out, " bad requests%s\n",
		a->bad > forecast->hurt
			? " (more than that: a larger first step is faster and "
			  "costs about as many)"
			: "");
	add_label(out, 2, "holdback");
	if (forecast->holdback == HOLDBACK_TOO_LITTLE)
		buf_addf(out,
			"none: stable would keep less than %d requests/s "
			"with 10 %%, and late trouble would be missed\n",
			FORECAST_HOLDBACK_RATE);
	else
		buf_adds(out, "a step of 90 % before 100 % keeps stable to "
			      "compare with, and finds late trouble sooner\n");
}

/* Steps that leave stable less than what a holdback needs. */
static void print_holdbacks(struct buf *out, const struct policy *policy,
	const struct forecast *forecast)
{
	double rate = 0, kept;
	size_t i;

	for (i = 0; i < forecast->n; i++)
		rate = fmax(rate, forecast->slo[i].rate);
	for (i = 0; i < policy->n_steps; i++) {
		kept = rate * (100 - policy->steps[i].percent) / 100;
		if (policy->steps[i].percent < 90 ||
			policy->steps[i].percent > POLICY_CONTROL_PERCENT_MAX ||
			kept >= FORECAST_HOLDBACK_RATE)
			continue;
		add_label(out, 2, "warning");
		buf_addf(out,
			"at %d %% stable keeps %.2g requests/s: below %d "
			"late trouble is missed\n",
			policy->steps[i].percent, kept, FORECAST_HOLDBACK_RATE);
	}
}

void plan_print_text(const struct policy *policy,
	const struct forecast *forecast, struct buf *out)
{
	size_t i;

	buf_adds(out, "what ");
	printable_add(out, policy->name);
	buf_adds(out, " would find: a candidate with so many times stable's "
		      "share of bad requests\n");
	for (i = 0; i < forecast->n; i++)
		print_slo(out, policy, i, forecast);
	print_advice(out, forecast);
	print_holdbacks(out, policy, forecast);
}

/* ---- for `check` ---- */

/* The first step that has a control, and users. */
static size_t first_controlled(const struct policy *policy)
{
	size_t i;

	for (i = 0; i < policy->n_steps; i++)
		if (policy->steps[i].percent > 0 &&
			policy->steps[i].percent <= POLICY_CONTROL_PERCENT_MAX)
			return i;
	return policy->n_steps;
}

/* What is found of a kind is said below one title. */
static void print_title(struct buf *out, bool *begun)
{
	if (!*begun)
		buf_adds(out, SHORT_TITLE);
	*begun = true;
}

static void print_short_evidence(
	struct buf *out, const struct policy *policy, size_t i, bool *begun)
{
	double objective = policy->slos[i].objective, requests;
	size_t step = first_controlled(policy);

	if (step == policy->n_steps)
		return;
	requests =
		forecast_requests(policy, i, step, objective / 10, objective);
	if (!isfinite(requests))
		return;
	print_title(out, begun);
	add_label(out, 2, policy->slos[i].name);
	buf_adds(out, " ");
	add_share(out, objective);
	buf_adds(out, " where stable has ");
	add_share(out, objective / 10);
	buf_addf(out,
		": half of such candidates within %.0f of their "
		"requests, at %d %%\n",
		ceil(requests), policy->steps[step].percent);
}

/* An SLO of kind threshold that limits a share: jumps beyond the limit. */
static void print_short_limit(struct buf *out, const struct policy *policy,
	const struct slo *slo, bool *begun)
{
	static const double times[] = {2, 10};
	struct threshold_query query;
	double limit, share;
	const char *why;
	size_t i;

	if (slo->scope == SCOPE_SERVICE ||
		!threshold_query_look(slo, &query, &why))
		return;
	limit = threshold_share(&query, slo);
	if (!(limit > 0 && limit * times[0] <= 1))
		return;
	print_title(out, begun);
	add_label(out, 2, slo->name);
	buf_adds(out, " a jump of bad requests");
	for (i = 0; i < sizeof(times) / sizeof(*times); i++) {
		share = fmin(1, limit * times[i]);
		buf_adds(out, i ? ", to " : " to ");
		add_share(out, share);
		buf_adds(out, " within ");
		add_seconds(out,
			ceil(threshold_within(policy, slo, &query, share)));
	}
	if (slo->requests)
		buf_addf(out, ", with %g requests or more", slo->requests_min);
	buf_addc(out, '\n');
	share = fmin(1, limit * times[0]);
	print_longer(out, policy, &policy->steps[0],
		threshold_within(policy, slo, &query, share), "both");
}

void plan_print_short(const struct policy *policy, struct buf *out)
{
	bool begun = false;
	size_t i;

	for (i = 0; i < policy->n_slos; i++)
		if (policy->slos[i].kind == SLO_EVIDENCE)
			print_short_evidence(out, policy, i, &begun);
		else
			print_short_limit(
				out, policy, &policy->slos[i], &begun);
}

/* The largest size in one step: a line of an SLO. */
static void print_brief(struct buf *out, const struct policy *policy,
	const struct slo *slo, const struct forecast_slo *f)
{
	const struct step *step = &policy->steps[0];

	add_label(out, 2, slo->name);
	buf_adds(out, " where stable has ");
	add_share(out, f->base);
	buf_addf(out, ", at %d %%: ", step->percent);
	print_largest(out, &f->step[0]);
	print_longer(out, policy, step,
		f->step[0].sizes[FORECAST_SIZES - 1].most_s, "that");
}

void plan_print_measured(const struct policy *policy,
	const struct slo_history *histories, size_t n, struct buf *out)
{
	const struct forecast_load load = {.rate = NAN,
		.bad = NAN,
		.slow = NAN,
		.histories = histories,
		.n_histories = n,
		.counted_only = true};
	struct forecast *forecast;
	size_t i;

	if (!n)
		return;
	forecast = forecast_new(policy, &load, policy->evidence.harm);
	buf_adds(out, SHORT_TITLE);
	for (i = 0; i < forecast->n; i++)
		if (forecast->slo[i].measured)
			print_brief(out, policy, &policy->slos[i],
				&forecast->slo[i]);
	free(forecast);
}

/* ---- for programs ---- */

/* JSON has no infinity: what never happens is null. */
static void json_number(struct jsonw *w, const char *key, double v)
{
	if (isfinite(v))
		jsonw_number(w, key, v);
	else
		jsonw_null(w, key);
}

static void json_step(struct jsonw *w, const struct policy *policy, size_t i,
	const struct forecast_step *s)
{
	const struct step *step = &policy->steps[i];
	size_t k;

	jsonw_object(w, NULL);
	jsonw_int(w, "percent", step->percent);
	if (step->load)
		jsonw_number(w, "load_s",
			(double)policy_load_ms(policy, step) / 1000);
	jsonw_number(w, "bake_s", (double)step->bake_ms / 1000);
	jsonw_number(w, "requests_per_s", s->requests);
	json_number(w, "smallest", s->smallest);
	jsonw_array(w, "sizes");
	for (k = 0; k < FORECAST_SIZES; k++) {
		const struct forecast_case *c = &s->sizes[k];

		jsonw_object(w, NULL);
		jsonw_number(w, "times", c->size);
		json_number(w, "median_s", c->median_s);
		json_number(w, "most_s", c->most_s);
		json_number(w, "requests", c->requests);
		json_number(w, "bad", c->bad);
		jsonw_end(w, '}');
	}
	jsonw_end(w, ']');
	jsonw_end(w, '}');
}

static void json_steps(struct jsonw *w, const char *key,
	const struct policy *policy, const struct forecast_slo *f)
{
	size_t i;

	jsonw_array(w, key);
	for (i = 0; i < policy->n_steps; i++)
		json_step(w, policy, i, &f->step[i]);
	jsonw_end(w, ']');
}

static void json_slo(struct jsonw *w, const struct policy *policy, size_t i,
	const struct forecast *forecast)
{
	const struct forecast_slo *f = &forecast->slo[i];
	const struct slo *slo = &policy->slos[i];

	jsonw_object(w, NULL);
	jsonw_text(w, "name", slo->name);
	jsonw_text(w, "kind",
		slo->kind == SLO_EVIDENCE ? "evidence" : "threshold");
	if (f->by == FORECAST_NONE) {
		jsonw_text(w, "why", f->why);
		jsonw_end(w, '}');
		return;
	}
	jsonw_bool(w, "measured", f->measured);
	jsonw_number(w, "requests_per_s", f->rate);
	jsonw_number(w, "base", f->base);
	jsonw_number(w, "dispersion", f->phi);
	if (f->by == FORECAST_WORLDS)
		jsonw_number(w, "false", f->false_share);
	json_steps(w, "steps", policy, f);
	if (forecast->instead[i].by != FORECAST_NONE)
		json_steps(w, "by_evidence", policy, &forecast->instead[i]);
	jsonw_end(w, '}');
}

static void json_advice(struct jsonw *w, const struct forecast *forecast)
{
	const struct forecast_advice *a = &forecast->advice;

	if (!a->known)
		return;
	jsonw_object(w, "advice");
	jsonw_number(w, "hurt", forecast->hurt);
	jsonw_number(w, "percent", fmax(1, floor(a->share * 100)));
	jsonw_number(w, "bake_s", ceil(a->bake_s / 60) * 60);
	jsonw_number(w, "bad", a->bad);
	jsonw_bool(w, "holdback", forecast->holdback == HOLDBACK_WORTHWHILE);
	jsonw_end(w, '}');
}

void plan_print_json(const struct policy *policy,
	const struct forecast *forecast, struct buf *out)
{
	struct jsonw w = {.out = out};
	size_t i;

	jsonw_object(&w, NULL);
	jsonw_text(&w, "policy", policy->name);
	jsonw_number(&w, "alpha", policy->evidence.alpha);
	jsonw_array(&w, "slos");
	for (i = 0; i < forecast->n; i++)
		json_slo(&w, policy, i, forecast);
	jsonw_end(&w, ']');
	json_advice(&w, forecast);
	jsonw_end(&w, '}');
	buf_addc(out, '\n');
}
