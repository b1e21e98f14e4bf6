/* SPDX-License-Identifier: Apache-2.0 */
/* What people have done and can do; see summary_parts.h. */
#include <ctype.h>
#include <string.h>

#include "status/summary_parts.h"

#define REMEDIES_MAX 4

/* ---- people ---- */

/* Who gave the approvals that count, and who has not. */
static void make_approvals(struct making *m)
{
	struct summary_people *p = &m->s->people;
	size_t n = p->approval->n_approvers, i;
	const char **given = arena_alloc(m->arena, n * sizeof(*given));
	const char **missing = arena_alloc(m->arena, n * sizeof(*missing));
	uint64_t approvals = rollout_approvals(m->r, m->from->now_ms);
	const char *name;

	for (i = 0; i < n; i++) {
		name = p->approval->approvers[i];
		if (approvals & UINT64_C(1) << i)
			given[p->n_given++] = name;
		else if (p->approval->self_approval ||
			 strcmp(name, m->r->starter) != 0)
			missing[p->n_missing++] = name;
	}
	p->given = given;
	p->missing = missing;
}

static const struct deed *find_pause(const struct making *m)
{
	const struct summary_people *p = &m->s->people;
	const struct deed *pause = NULL;
	size_t i;

	for (i = 0; i < p->n_deeds; i++) {
		if (p->deeds[i].verb == VERB_PAUSE && !p->deeds[i].refused)
			pause = &p->deeds[i];
	}
	return rollout_is_paused(m->r) ? pause : NULL;
}

void make_people(struct making *m)
{
	struct summary_people *p = &m->s->people;
	const struct step *step = step_of(m);

	p->starter = m->from->starter;
	if (m->from->lookback)
		p->deeds = lookback_deeds(m->from->lookback, &p->n_deeds);
	p->pause = find_pause(m);
	if (!step || !step->approval)
		return;
	p->approval = step->approval;
	p->gate_step = m->r->step + 1;
	p->gate_is_open = m->r->gate_deadline_ms != 0;
	p->gate_ms = m->r->gate_deadline_ms;
	make_approvals(m);
	p->expires_ms = p->n_given ? m->r->approved_until_ms : 0;
}

/* ---- verbs ---- */

static const char *say_approve(const struct making *m)
{
	const struct summary_people *p = &m->s->people;
	int n = p->approval->minimum - (int)p->n_given;

	if (n <= 0)
		return "is one more approval than is needed";
	if (n == 1)
		return arena_printf(
			m->arena, "lets %s begin", say_step(m, m->r->step));
	return arena_printf(m->arena, "is one of %d approvals missing for %s",
		n, say_step(m, m->r->step));
}

static const char *say_continue(const struct making *m)
{
	const struct rollout *r = m->r;

	if (r->phase == PHASE_HELD && r->cause == CAUSE_SLO)
		return "overrules the SLO: it has to earn its passes anew";
	if (r->phase == PHASE_HELD && r->cause == CAUSE_HOOK)
		return "goes on in spite of the hook";
	if (r->phase == PHASE_HELD)
		return "takes back the pause; it stays held";
	return "goes on after the pause";
}

static const char *say_verb(const struct making *m, enum verb verb)
{
	switch (verb) {
	case VERB_APPROVE:
		return say_approve(m);
	case VERB_REJECT:
		return "refuses the approval: the rollout is rolled back";
	case VERB_PAUSE:
		return "stops it before the next step; SLOs are checked all "
		       "the while";
	case VERB_CONTINUE:
		return say_continue(m);
	default:
		return m->r->begun ? "takes the traffic back and runs the "
				     "rollback sequence"
				   : "ends it before anything has moved";
	}
}

void make_verbs(struct making *m)
{
	char why[ROLLOUT_TEXT_MAX];
	struct summary_command *c;
	int verb;

	for (verb = 0; verb < VERBS; verb++) {
		c = &m->s->verbs[verb];
		c->line = arena_printf(m->arena, "tidegate %s %s",
			verb_name((enum verb)verb), m->from->id);
		c->is_taken = !rollout_refuses(m->policy, m->r, (enum verb)verb,
			m->r->step, NULL, why);
		c->says = c->is_taken ? say_verb(m, (enum verb)verb)
				      : arena_strdup(m->arena, why);
	}
}

/* ---- what helps ---- */

struct remedies {
	struct summary_command *list;
	size_t n;
};

static void add(struct remedies *r, const char *line, const char *says)
{
	r->list[r->n++] = (struct summary_command){line, true, says};
}

static void add_verb(struct remedies *r, const struct making *m, enum verb verb)
{
	if (m->s->verbs[verb].is_taken && m->r->gate_deadline_ms >= 0)
		r->list[r->n++] = m->s->verbs[verb];
}

static bool is_plain(char c)
{
	return isalnum((unsigned char)c) || strchr("_-./:@%+,=", c);
}

/* As one word of a shell. */
static const char *quoted(const struct making *m, const char *word)
{
	const char *at = word;
	struct buf out;

	while (*at && is_plain(*at))
		at++;
	if (*word && !*at)
		return word;
	buf_init(&out, SENTENCE_MAX);
	buf_addc(&out, '\'');
	for (; *word; word++)
		buf_adds(&out,
			*word == '\'' ? "'\\''" : (const char[]){*word, '\0'});
	buf_addc(&out, '\'');
	return keep(m, &out);
}

static void add_rollback(struct remedies *r, const struct making *m)
{
	add(r,
		arena_printf(m->arena, "tidegate rollback %s --policy %s",
			quoted(m, m->s->service),
			quoted(m, m->policy->path ? m->policy->path : "FILE")),
		"gives stable all traffic and runs the rollback sequence");
}

static void add_report(struct remedies *r, const struct making *m)
{
	add(r, arena_printf(m->arena, "tidegate report %s", m->from->id),
		"lists what is left to do");
}

void make_remedies(struct making *m)
{
	struct remedies r = {arena_alloc(m->arena,
		(REMEDIES_MAX + VERBS) * sizeof(struct summary_command))};

	if (m->r->phase == PHASE_ROLLBACK_FAILED)
		add_rollback(&r, m);
	if (m->r->phase == PHASE_ROLLBACK_FAILED ||
		m->r->phase == PHASE_STOPPED)
		add_report(&r, m);
	if (!phase_is_end(m->r->phase) && m->from->driver == SUMMARY_UNDRIVEN)
		add(&r,
			arena_printf(
				m->arena, "tidegate resume %s", m->from->id),
			"drives it from where it stands");
	if (m->s->waits_for_people) {
		add_verb(&r, m, VERB_APPROVE);
		add_verb(&r, m, VERB_REJECT);
		add_verb(&r, m, VERB_CONTINUE);
		add_verb(&r, m, VERB_ABORT);
	}
	m->s->remedies = r.list;
	m->s->n_remedies = r.n;
}
