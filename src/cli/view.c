/* The live view as text; see view.h. Knows nothing of terminals. */
#include "cli/view.h"

#include <limits.h>
#include <math.h>
#include <string.h>

#include "base/duration.h"
#include "base/printable.h"
#include "base/timestamp.h"
#include "cli/output.h"
#include "engine/evidence_text.h"

#define BAR_CELLS      30
#define NAME_CELLS     24
#define LINE_MAX_BYTES 1024

/* One line under construction: cut at the terminal's width when it ends. */
struct line {
	const struct view *view;
	struct buf *out;
	int used;
};

static int room_left(const struct line *line)
{
	return line->view->columns ? line->view->columns - line->used : INT_MAX;
}

static void put(struct line *line, enum colour colour, const char *text)
{
	char cut[LINE_MAX_BYTES], shown[LINE_MAX_BYTES];
	int room = room_left(line), width;
	size_t len;

	if (room <= 0)
		return;
	printable_copy(shown, sizeof(shown), text);
	width = (int)printable_width(shown);
	/* Cut whole characters off the end until it fits. */
	for (len = strlen(shown); width > room && len; len--) {
		if (((unsigned char)shown[len - 1] & 0xc0) != 0x80)
			width--;
	}
	memcpy(cut, shown, len);
	cut[len] = '\0';
	output_coloured(line->out, line->view->colour, colour, cut);
	line->used += width;
}

static void putf(struct line *line, enum colour colour, const char *fmt, ...)
	PRINTFLIKE(3, 4);

static void putf(struct line *line, enum colour colour, const char *fmt, ...)
{
	struct buf text;
	va_list args;

	buf_init(&text, LINE_MAX_BYTES - 1);
	va_start(args, fmt);
	buf_addv(&text, fmt, args);
	va_end(args);
	put(line, colour, text.data);
	buf_fini(&text);
}

static void end(struct line *line)
{
	buf_addc(line->out, '\n');
	line->used = 0;
}

static void pad_to(struct line *line, int column)
{
	while (line->used < column && room_left(line) > 0) {
		buf_addc(line->out, ' ');
		line->used++;
	}
}

static enum colour phase_colour(enum phase phase)
{
	switch (phase) {
	case PHASE_PROMOTED:
	case PHASE_BAKING:
	case PHASE_SHIFTING:
		return COLOUR_GOOD;
	case PHASE_AWAITING_APPROVAL:
	case PHASE_HELD:
	case PHASE_PAUSED:
		return COLOUR_WAIT;
	case PHASE_PREFLIGHT:
		return COLOUR_NONE;
	default:
		return COLOUR_BAD;
	}
}

static void render_title(struct line *line)
{
	const struct view *view = line->view;

	put(line, COLOUR_NONE, view->id);
	put(line, COLOUR_NONE, "  ");
	put(line, phase_colour(view->rollout->phase),
		phase_name(view->rollout->phase));
	if (*view->rollout->reason) {
		put(line, COLOUR_NONE, "  ");
		put(line, COLOUR_DIM, view->rollout->reason);
	}
	end(line);
	if (!*view->candidate)
		return;
	putf(line, COLOUR_NONE, "candidate %s", view->candidate);
	putf(line, COLOUR_GOOD, " %d %%",
		view->rollout->traffic.serving.candidate);
	putf(line, COLOUR_NONE, "  stable %s %d %%", view->stable,
		view->rollout->traffic.serving.stable);
	end(line);
}

static void render_steps(struct line *line)
{
	const struct rollout *r = line->view->rollout;
	bool utf8 = line->view->utf8;
	size_t i;

	put(line, COLOUR_DIM, "steps     ");
	for (i = 0; i < line->view->policy->n_steps; i++) {
		if ((int)i < r->step)
			put(line, COLOUR_GOOD, utf8 ? "✓ " : "+ ");
		else if ((int)i == r->step)
			put(line, phase_colour(r->phase), utf8 ? "● " : "* ");
		else
			put(line, COLOUR_DIM, utf8 ? "○ " : "- ");
		putf(line, (int)i > r->step ? COLOUR_DIM : COLOUR_NONE,
			"%d %%   ", line->view->policy->steps[i].percent);
	}
	end(line);
}

static void render_bar(
	struct line *line, const char *name, int64_t done_ms, int64_t whole_ms)
{
	char done[DURATION_TEXT_MAX], whole[DURATION_TEXT_MAX];
	bool utf8 = line->view->utf8;
	int full = whole_ms ? (int)(done_ms * BAR_CELLS / whole_ms) : BAR_CELLS;
	int i;

	putf(line, COLOUR_DIM, "%-10s", name);
	for (i = 0; i < BAR_CELLS; i++)
		put(line, i < full ? COLOUR_GOOD : COLOUR_DIM,
			i < full ? (utf8 ? "█" : "#") : (utf8 ? "░" : "."));
	putf(line, COLOUR_NONE, "  %s of %s",
		duration_print(done_ms / 1000 * 1000, done),
		duration_print(whole_ms, whole));
	end(line);
}

static void render_bake(struct line *line)
{
	const struct view *view = line->view;
	const struct rollout *r = view->rollout;
	int64_t settle_ms = view->policy->settle_ms, left_ms;

	if (r->phase != PHASE_BAKING && !rollout_waits_for_people(r))
		return;
	if (r->step < 0 || (size_t)r->step >= view->policy->n_steps)
		return;
	if (r->bake_open) {
		render_bar(line, "bake",
			rollout_baked_ms(view->policy, r, view->now_ms),
			view->policy->steps[r->step].bake_ms);
	} else if (r->bake_from_ms) {
		left_ms = r->bake_from_ms - view->now_ms;
		left_ms = left_ms < 0 ? 0 : left_ms;
		render_bar(line, "settle", settle_ms - left_ms, settle_ms);
	}
}

static enum colour outcome_colour(enum outcome outcome)
{
	switch (outcome) {
	case OUTCOME_PASS:
		return COLOUR_GOOD;
	case OUTCOME_BREACH:
		return COLOUR_BAD;
	case OUTCOME_NONE:
		return COLOUR_DIM;
	default:
		return COLOUR_WAIT;
	}
}

static void put_number(
	struct line *line, enum colour colour, double value, bool as_percent)
{
	if (isnan(value))
		put(line, COLOUR_DIM, " -");
	else if (as_percent)
		putf(line, colour, " %.3g %%", 100 * value);
	else
		putf(line, colour, " %.4g", value);
}

/* Instead of passes: how much evidence there is, and how much decides. */
static void put_meters(struct line *line, const struct evidence_slo *slo)
{
	char text[EVIDENCE_METER_MAX];
	const struct evidence_memory *memory = line->view->rollout->evidence;
	struct evidence_meter against = evidence_against(memory, slo);
	struct evidence_meter in_favour = evidence_for(memory, slo);

	putf(line,
		against.now >= against.full        ? COLOUR_BAD
		: against.now > 0.5 * against.full ? COLOUR_WAIT
		: in_favour.now >= in_favour.full  ? COLOUR_GOOD
						   : COLOUR_NONE,
		" %s", evidence_print_meters(memory, slo, text));
}

static void put_passes(struct line *line, size_t i)
{
	const struct slo *slo = &line->view->policy->slos[i];
	int passes = rollout_passes(line->view->rollout, i);

	putf(line, passes >= slo->min_passes ? COLOUR_GOOD : COLOUR_NONE,
		" %d of %d", passes, slo->min_passes);
}

static void render_slo(struct line *line, size_t i)
{
	const struct rollout *r = line->view->rollout;
	const struct evidence_slo *counted = evidence_find(r->evidence, (int)i);
	const struct check_state *check = &r->check[i];

	put(line, COLOUR_NONE, line->view->policy->slos[i].name);
	pad_to(line, NAME_CELLS);
	put_number(line, COLOUR_NONE,
		counted ? evidence_share(counted) : check->value, counted);
	pad_to(line, NAME_CELLS + 12);
	put_number(line, COLOUR_DIM,
		counted ? counted->spec.objective : check->limit, counted);
	pad_to(line, NAME_CELLS + 24);
	putf(line, outcome_colour(check->outcome), " %s",
		check->outcome == OUTCOME_NONE ? "-"
					       : outcome_name(check->outcome));
	pad_to(line, NAME_CELLS + 35);
	if (counted)
		put_meters(line, counted);
	else
		put_passes(line, i);
	if (check->partial)
		put(line, COLOUR_WAIT, ", incomplete");
	end(line);
}

static void render_slos(struct line *line)
{
	size_t i;

	if (!line->view->rollout->begun)
		return;
	put(line, COLOUR_DIM, "SLO");
	pad_to(line, NAME_CELLS);
	put(line, COLOUR_DIM, " value");
	pad_to(line, NAME_CELLS + 12);
	put(line, COLOUR_DIM, " limit");
	pad_to(line, NAME_CELLS + 24);
	put(line, COLOUR_DIM, " outcome");
	pad_to(line, NAME_CELLS + 35);
	put(line, COLOUR_DIM, " passes");
	end(line);
	for (i = 0; i < line->view->policy->n_slos; i++)
		render_slo(line, i);
}

/* What happens at a time, if somebody is there to do it. */
static void put_left(struct line *line, const char *what, int64_t at_ms)
{
	char text[DURATION_TEXT_MAX], clock[TIMESTAMP_TEXT_MAX];
	int64_t left_ms = at_ms - line->view->now_ms;

	if (line->view->undriven) {
		putf(line, COLOUR_NONE, "; its time is over at %s UTC",
			timestamp_print_clock(at_ms, clock));
		return;
	}
	left_ms = left_ms < 0 ? 0 : left_ms / 1000 * 1000;
	putf(line, COLOUR_NONE, "; %s in %s", what,
		duration_print(left_ms, text));
}

/* Which evidence a hold waits for. */
static void render_missing(struct line *line)
{
	const struct view *view = line->view;
	char text[ROLLOUT_MISS_MAX];

	for (size_t i = 0; i < view->policy->n_slos; i++) {
		if (!rollout_misses(
			    view->policy, view->rollout, i, view->now_ms, text))
			continue;
		putf(line, COLOUR_WAIT, "  %s: %s", view->policy->slos[i].name,
			text);
		end(line);
	}
}

static void render_gate(struct line *line)
{
	const struct rollout *r = line->view->rollout;
	const struct approval *approval =
		line->view->policy->steps[r->step].approval;
	size_t i;

	putf(line, COLOUR_WAIT, "waits for approval of step %d (%d of %d) by",
		r->step + 1, __builtin_popcountll(r->approvals),
		approval->minimum);
	for (i = 0; i < approval->n_approvers; i++)
		putf(line, COLOUR_WAIT, "%s %s", i ? "," : "",
			approval->approvers[i]);
	put_left(line, "held", r->gate_deadline_ms);
	end(line);
	putf(line, COLOUR_NONE, "  tidegate approve %s", line->view->id);
	end(line);
	putf(line, COLOUR_NONE, "  tidegate reject %s", line->view->id);
	end(line);
}

static void render_hold(struct line *line)
{
	const struct rollout *r = line->view->rollout;
	bool by_itself =
		r->cause == CAUSE_UNDECIDED || r->cause == CAUSE_METRICS;

	put(line, COLOUR_WAIT,
		by_itself ? "held until the evidence is there" : "held");
	put_left(line, "reverts", r->hold_deadline_ms);
	end(line);
	if (rollout_is_paused(r)) {
		put(line, COLOUR_WAIT,
			"paused as well: it stays where it is when the hold "
			"ends");
		end(line);
	}
	if (by_itself)
		render_missing(line);
	if (r->cause == CAUSE_SLO || r->cause == CAUSE_HOOK ||
		rollout_is_paused(r)) {
		putf(line, COLOUR_NONE, "  tidegate continue %s",
			line->view->id);
		end(line);
	}
	putf(line, COLOUR_NONE, "  tidegate abort %s", line->view->id);
	end(line);
}

static void render_waiting(struct line *line)
{
	const struct rollout *r = line->view->rollout;

	switch (r->phase) {
	case PHASE_AWAITING_APPROVAL:
		render_gate(line);
		break;
	case PHASE_HELD:
		render_hold(line);
		if (r->gate_deadline_ms && r->cause == CAUSE_APPROVAL) {
			putf(line, COLOUR_NONE, "  tidegate approve %s",
				line->view->id);
			end(line);
		}
		break;
	case PHASE_PAUSED:
		put(line, COLOUR_WAIT, "paused; SLOs are still checked");
		end(line);
		putf(line, COLOUR_NONE, "  tidegate continue %s",
			line->view->id);
		end(line);
		break;
	default:
		break;
	}
}

/* What the list of actions is doing, while one runs. */
static void render_action(struct line *line)
{
	const struct sequence *q = &line->view->rollout->sequence;
	const struct actions *list;

	if (!q->active)
		return;
	list = &line->view->policy->lists[q->list];
	putf(line, COLOUR_NONE, "%s: %s (%d of %zu)", action_list_name(q->list),
		list->item[q->index].name, q->index + 1, list->n);
	if (q->attempt > 1)
		putf(line, COLOUR_WAIT, ", attempt %d", q->attempt);
	end(line);
}

void view_render(const struct view *view, struct buf *out)
{
	struct line line = {.view = view, .out = out};

	render_title(&line);
	render_steps(&line);
	render_bake(&line);
	render_slos(&line);
	render_action(&line);
	render_waiting(&line);
}
