/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plan: what a policy will do, in the words of a person who must sign it.
 * Prints what the engine does with the policy; decides nothing.
 */
#include <string.h>

#include "base/cells.h"
#include "base/duration.h"
#include "base/printable.h"
#include "base/secret.h"
#include "policy/policy_freeze.h"
#include "policy/policy_load.h"
#include "policy/policy_plan.h"
#include "policy/slo_preset.h"

#define LABEL_WIDTH 12 /* columns of the words on the left */

static void plan_label(struct buf *out, int indent, const char *label)
{
	int width = cells_width(label);

	buf_addf(out, "%*s", indent, "");
	printable_add(out, label);
	buf_addf(out, "%*s", width < LABEL_WIDTH ? LABEL_WIDTH - width : 1, "");
}

static void plan_row(
	struct buf *out, int indent, const char *label, const char *text)
{
	plan_label(out, indent, label);
	printable_add(out, text);
	buf_addc(out, '\n');
}

/* A text of several lines under each other; blank ends are left out. */
static void plan_block(
	struct buf *out, int indent, const char *label, const char *text)
{
	size_t len;

	while (*text) {
		len = strcspn(text, "\n");
		if (strspn(text, " \t\n") >= len) {
			text += len + (text[len] == '\n');
			continue;
		}
		struct buf line;

		buf_init(&line, POLICY_BYTES_MAX);
		buf_add(&line, text, len);
		plan_row(out, indent, label, line.data);
		buf_fini(&line);
		label = "";
		text += len + (text[len] == '\n');
	}
}

/* ---- head ---- */

static const char *or_flag(const char *text, const char *flag)
{
	return text ? text : flag;
}

/* Why the first check of a step comes late. */
static void plan_sampling(struct buf *out, const struct policy *p)
{
	const struct metrics *m = &p->metrics;

	if (!m->delay_ms && !m->resolution_ms)
		return;
	plan_label(out, 0, "");
	if (m->resolution_ms) {
		buf_adds(out, "a sample every ");
		duration_add(out, m->resolution_ms);
		buf_adds(out, m->delay_ms ? ", " : "");
	}
	if (m->delay_ms) {
		buf_adds(out, "queries are asked as of ");
		duration_add(out, m->delay_ms);
		buf_adds(out, " ago, when all of them are there");
	}
	buf_addc(out, '\n');
	plan_label(out, 0, "");
	buf_adds(out, "settle covers it and the longest {{window}}: no check "
		      "of a step looks at the time before its shift\n");
}

static const char *auth_text(const struct auth *auth)
{
	static const char *const auths[] = {
		[AUTH_NONE] = "no authentication",
		[AUTH_BASIC] = "basic authentication",
		[AUTH_BEARER] = "a bearer token",
		[AUTH_GOOGLE] = "Google credentials",
		[AUTH_ID_TOKEN] = "an ID token",
	};

	return auths[auth->type];
}

static void plan_metrics(struct buf *out, const struct policy *p)
{
	const struct metrics *m = &p->metrics;
	const char *project = m->project ? m->project : p->project;

	if (!m->url_shown && m->provider != METRICS_GOOGLE)
		return; /* no SLO asks them */
	plan_label(out, 0, "metrics");
	if (m->url_shown) {
		buf_adds(out, m->provider == METRICS_GOOGLE
				      ? "Cloud Monitoring at "
				      : "");
		printable_add(out, m->url_shown);
	} else {
		buf_addf(out, "Cloud Monitoring of project %s",
			or_flag(project, "of --project"));
	}
	buf_addf(out, ", %s, timeout ", auth_text(&m->auth));
	duration_add(out, m->timeout_ms);
	if (m->quota_project)
		buf_addf(out, ", quota of %s", m->quota_project);
	buf_addc(out, '\n');
	plan_sampling(out, p);
}

static void plan_head(struct buf *out, const struct policy *p)
{
	plan_label(out, 0, "policy");
	printable_add(out, p->name);
	buf_adds(out, " (");
	printable_add(out, p->path);
	buf_adds(out, ")\n");
	plan_label(out, 0, "target");
	buf_addf(out, "service %s in %s, project %s\n",
		or_flag(p->service, "of the command line"),
		or_flag(p->region, "the region of --region"),
		or_flag(p->project, "of --project"));
	plan_metrics(out, p);
}

/* ---- steps ---- */

static void plan_gate(struct buf *out, const struct approval *a)
{
	plan_label(out, 4, "first");
	buf_addf(out, "%d of %zu must approve: ", a->minimum, a->n_approvers);
	for (size_t i = 0; i < a->n_approvers; i++) {
		if (i)
			buf_adds(out, ", ");
		printable_add(out, a->approvers[i]);
	}
	buf_adds(out, "; within ");
	duration_add(out, a->timeout_ms);
	buf_adds(out, a->self_approval ? "; who started it may approve\n"
				       : "; not who started it\n");
}

static void plan_load_of(
	struct buf *out, const struct policy *p, const struct step *s)
{
	buf_adds(out, "        load ");
	plan_one_action(out, p, LIST_LOAD, (size_t)s->load - 1);
	buf_adds(out, "        the bake begins ");
	if (policy_look_ms_max(p)) {
		duration_add(out, policy_look_ms_max(p));
		buf_adds(out, " after its end: the longest window\n");
	} else {
		buf_adds(out, "with its end\n");
	}
}

static void plan_steps(struct buf *out, const struct policy *p)
{
	static const char *const last[] = {
		[ON_BREACH_ROLLBACK] = "; a breach still reverts",
		[ON_BREACH_HOLD] = "; a breach still holds",
		[ON_BREACH_OBSERVE] = "",
	};
	int64_t total_ms = 0, least_ms = 0;

	for (size_t i = 0; i < p->n_steps; i++) {
		total_ms += p->settle_ms + p->steps[i].bake_ms;
		least_ms += p->settle_ms + POLICY_DWELL_MS;
		total_ms += policy_load_ms(p, &p->steps[i]);
		least_ms += policy_load_ms(p, &p->steps[i]);
	}
	buf_adds(out, "\nsteps, ");
	if (p->pace == PACE_EVIDENCE) {
		duration_add(out, least_ms);
		buf_adds(out, " with early evidence, else ");
	}
	buf_adds(out, "at least ");
	duration_add(out, total_ms);
	buf_adds(out, " in all\n");
	for (size_t i = 0; i < p->n_steps; i++) {
		const struct step *s = &p->steps[i];

		buf_addf(out, "  %2zu. %3d%% of traffic, settle ", i + 1,
			s->percent);
		duration_add(out, p->settle_ms);
		buf_adds(out, ", bake ");
		duration_add(out, s->bake_ms);
		buf_adds(out, s->percent == 100 ? last[p->on_breach] : "");
		buf_addc(out, '\n');
		if (s->load)
			plan_load_of(out, p, s);
		if (s->approval)
			plan_gate(out, s->approval);
	}
}

/* ---- SLOs ---- */

/* As the file has it, otherwise the number. */
static void plan_number(
	struct buf *out, const char *before, const char *text, double value)
{
	buf_adds(out, before);
	if (text)
		printable_add(out, text);
	else
		buf_addf(out, "%.6g", value);
}

static void plan_limit(struct buf *out, const struct slo *s, const char *before,
	const char *text, double value)
{
	plan_number(out, before, text, value);
	if (!s->unit)
		return;
	buf_addc(out, ' ');
	printable_add(out, s->unit);
}

static void plan_limits(struct buf *out, const struct slo *s)
{
	const char *against = s->compare_stable ? "stable" : "the baseline";
	bool upper = s->has_max || !s->has_min;
	const char *comma = "";

	plan_label(out, 4, "breach");
	if (s->has_max) {
		plan_limit(out, s, "value > ", s->texts.max, s->max);
		comma = ", or ";
	}
	if (s->has_min) {
		buf_adds(out, comma);
		plan_limit(out, s, "value < ", s->texts.min, s->min);
		comma = ", or ";
	}
	if (s->has_max_ratio) {
		buf_addf(out, "%svalue > %s x ", comma, against);
		plan_number(out, "", s->texts.max_ratio, s->max_ratio);
		comma = ", or ";
	}
	if (s->has_max_increase) {
		buf_addf(out, "%svalue > %s + ", comma, against);
		plan_limit(out, s, "", s->texts.max_increase, s->max_increase);
	}
	buf_addc(out, '\n');
	if (!s->has_critical)
		return;
	plan_label(out, 4, "critical");
	plan_limit(out, s, upper ? "value > " : "value < ", s->texts.critical,
		s->critical);
	buf_adds(out, " once fails it at once\n");
}

static void plan_use(struct buf *out, const struct slo *s)
{
	const struct slo_preset *preset =
		s->use ? slo_preset_find(s->use) : NULL;

	if (!preset)
		return;
	plan_label(out, 4, "use");
	buf_addf(out, "%s: %s\n", preset->use, preset->about);
}

/* The provider, unless it is the policy's metrics. */
static void plan_provider(struct buf *out, const struct slo *s)
{
	enum json_shape shape;

	if (!s->json)
		return;
	shape = s->json->value.shape;
	plan_label(out, 4, "provider");
	buf_addf(out, "%s, %s, timeout ", slo_provider_name(s->provider),
		auth_text(&s->json->auth));
	duration_add(out, s->timeout_ms);
	buf_addc(out, '\n');
	if (s->json->value.scale != 1) {
		plan_label(out, 4, "scale");
		buf_addf(out, "the number is multiplied by %.6g\n",
			s->json->value.scale);
	}
	if (shape == SHAPE_RELEASE_SHARE ||
		s->json->requests.shape == SHAPE_RELEASE_COUNT)
		plan_row(out, 4, "sessions",
			"are told apart by release, not by time: Sentry counts "
			"them in whole hours");
}

static void plan_evidence_slo(struct buf *out, const struct slo *s)
{
	buf_adds(out, "  ");
	printable_add(out, s->name);
	buf_adds(out, ": every ");
	duration_add(out, s->interval_ms);
	buf_adds(out, ", by evidence\n");
	plan_use(out, s);
	plan_label(out, 4, "objective");
	buf_addf(out, "%.6g %% of requests may be bad", s->objective * 100);
	if (s->buckets)
		buf_addf(out, ": slower than %.6g s", s->bound);
	buf_addc(out, '\n');
	if (s->tolerance >= 0 || s->floor >= 0)
		plan_label(out, 4, "tolerates");
	if (s->tolerance >= 0)
		buf_addf(out, "%.6g times stable's share%s", s->tolerance,
			s->floor >= 0 ? ", " : "\n");
	if (s->floor >= 0)
		buf_addf(out, "anything below %.6g %%\n", s->floor * 100);
	plan_label(out, 4, "undecided");
	buf_addf(out, "a step is left with %g requests of the candidate\n",
		s->requests_needed);
	if (s->total)
		plan_block(out, 4, "total", s->total);
	if (s->bad)
		plan_block(out, 4, "bad", s->bad);
	if (s->buckets)
		plan_block(out, 4, "buckets", s->buckets);
}

/* What SLOs of kind evidence promise together. */
static void plan_evidence(struct buf *out, const struct policy *p)
{
	static const char *const without[] = {
		[WITHOUT_STEP_BACK] =
			("back to the first step's share once, to "
			 "ask stable; a second time ends the "
			 "rollout"),
		[WITHOUT_REVERT] = "a revert, as with one",
		[WITHOUT_HOLD] = "hold: a person decides",
	};
	enum without_control then = p->evidence.without_control;
	size_t i;

	for (i = 0; i < p->n_slos && p->slos[i].kind != SLO_EVIDENCE; i++)
		;
	if (i == p->n_slos)
		return;
	plan_label(out, 2, "evidence");
	buf_addf(out,
		"of all of them: one good release in %.0f may be taken back\n",
		1 / p->evidence.alpha);
	/* There is no step to go back to. */
	if (then == WITHOUT_STEP_BACK &&
		p->steps[0].percent > POLICY_CONTROL_PERCENT_MAX)
		then = WITHOUT_REVERT;
	plan_row(out, 2, "no control", without[then]);
	plan_label(out, 2, "history");
	buf_adds(out, "of stable, ");
	duration_add(out, p->evidence.history_ms);
	buf_addc(out, '\n');
	plan_label(out, 2, "pace");
	if (p->pace == PACE_EVIDENCE)
		buf_addf(out,
			"a step is left when the evidence is there: what may "
			"still be wrong costs %g requests at the next share\n",
			p->evidence.harm);
	else
		buf_adds(out, "a step lasts as long as its bake\n");
}

static void plan_slo(struct buf *out, const struct slo *s)
{
	static const char *const no_data[] = {
		[NO_DATA_WAIT] = ("wait: no data is no pass, the step goes on "
				  "waiting for it"),
		[NO_DATA_PASS] = "pass: no data counts as a pass",
		[NO_DATA_BREACH] = "breach: no data counts as a breach",
	};

	if (s->kind == SLO_EVIDENCE) {
		plan_evidence_slo(out, s);
		return;
	}
	buf_adds(out, "  ");
	printable_add(out, s->name);
	buf_adds(out, ": every ");
	duration_add(out, s->interval_ms);
	buf_adds(out, ", {{window}} is ");
	duration_add(out, s->window_ms);
	buf_addc(out, '\n');
	plan_use(out, s);
	plan_provider(out, s);
	plan_limits(out, s);
	plan_label(out, 4, "fails");
	buf_addf(out, "when %d of the last %d checks are breaches\n",
		s->fail_breaches, s->fail_of);
	plan_label(out, 4, "passes");
	buf_addf(out, "%d needed in each step\n", s->min_passes);
	plan_row(out, 4, "no data", no_data[s->no_data]);
	if (s->partial == PARTIAL_ACCEPT && !s->json)
		plan_row(out, 4, "incomplete",
			"accept: what an answer lacks is taken for good");
	if (s->no_baseline == NO_BASELINE_SKIP)
		plan_row(out, 4, "no baseline",
			"skip: the limits on the value decide alone");
	if (s->requests) {
		plan_label(out, 4, "requests");
		buf_addf(out, "fewer than %g are no data\n", s->requests_min);
	}
	plan_block(out, 4, "query", s->query);
	if (s->baseline)
		plan_block(out, 4, "baseline", s->baseline);
	if (s->requests)
		plan_block(out, 4, "requests", s->requests);
	if (s->counters.good) {
		plan_block(out, 4, "total", s->counters.total);
		plan_block(out, 4, "good", s->counters.good);
	}
}

/* ---- what happens when ---- */

static void plan_rules(struct buf *out, const struct policy *p)
{
	static const char *const breach[] = {
		[ON_BREACH_ROLLBACK] = ("the traffic goes back to stable, then "
					"the rollback sequence runs"),
		[ON_BREACH_HOLD] = "hold: traffic stays, a person decides",
		[ON_BREACH_OBSERVE] = "observe: it is reported, nothing else",
	};
	static const char *const undecided[] = {
		[ON_UNDECIDED_HOLD] = "hold until the evidence is there",
		[ON_UNDECIDED_ROLLBACK] = "rollback",
	};
	static const char *const drift[] = {
		[ON_DRIFT_STOP] = "stop: nothing more is written",
		[ON_DRIFT_REASSERT] = "reassert: the split is set again",
	};
	static const char *const interrupt[] = {
		[ON_INTERRUPT_ROLLBACK] = "rollback",
		[ON_INTERRUPT_LEAVE] = "leave: traffic stays as it is",
	};
	static const char *const finish[] = {
		[FINISH_AS_FOUND] = ("as-found: LATEST again only if it was so "
				     "before and the candidate is the latest"),
		[FINISH_PINNED] = "pinned: new deployments get no traffic",
		[FINISH_LATEST] = "latest: the latest ready revision serves",
	};

	buf_adds(out, "\nwhat happens on\n");
	plan_row(out, 2, "breach", breach[p->on_breach]);
	plan_row(out, 2, "undecided", undecided[p->on_undecided]);
	plan_label(out, 2, "hold");
	buf_adds(out, "nobody resolves it for ");
	duration_add(out, p->hold_timeout_ms);
	buf_adds(out, ": rollback\n");
	plan_label(out, 2, "revert");
	buf_adds(out, "is tried for ");
	duration_add(out, p->revert_timeout_ms);
	buf_adds(out, ", then a person is needed\n");
	plan_row(out, 2, "drift", drift[p->on_drift]);
	plan_row(out, 2, "interrupt", interrupt[p->on_interrupt]);
	plan_row(out, 2, "finish", finish[p->finish]);
	if (p->freeze.n) {
		plan_label(out, 2, "freeze");
		buf_adds(out, "nothing goes forward, ");
		freezes_print(&p->freeze, out);
		buf_addc(out, '\n');
	}
	if (p->tag) {
		plan_label(out, 2, "tag");
		printable_add(out, p->tag);
		buf_adds(out, ", for the candidate's own URL\n");
	}
}

void policy_print_plan(const struct policy *policy, struct buf *out)
{
	plan_head(out, policy);
	plan_steps(out, policy);
	buf_adds(out, "\nSLOs, checked from the moment that the candidate may "
		      "have users\n");
	for (size_t i = 0; i < policy->n_slos; i++)
		plan_slo(out, &policy->slos[i]);
	plan_evidence(out, policy);
	plan_rules(out, policy);
	plan_actions(out, policy, LIST_PREFLIGHT, "before any traffic");
	plan_actions(out, policy, LIST_STARTED, "before the first step");
	plan_actions(out, policy, LIST_STEP_PASSED, "after each passed step");
	plan_actions(out, policy, LIST_PROMOTED, "at the good end");
	plan_actions(out, policy, LIST_ROLLBACK,
		"after the traffic is back, in this order");
	plan_actions(out, policy, LIST_HEALTH, "after the sequence");
	plan_actions(out, policy, LIST_ROLLED_BACK, "at the bad end");
	plan_actions(out, policy, LIST_STOPPED, "when it is stopped");
	redact(out);
}
