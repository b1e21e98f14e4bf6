/* SPDX-License-Identifier: Apache-2.0 */
/* What the engine says; see told.h. */
#include "told.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/xalloc.h"
#include "sample.h"

#define TOLD_MAX (64 * 1024 * 1024) /* bytes of one rollout */

#define NEARLY_ZERO 1e-12

/* As people would read it, so that the last bits of a libm do not matter; nor do
 * they where two numbers that are the same have been subtracted. */
static void add_number(struct buf *told, const char *name, double value)
{
	if (!isnan(value))
		buf_addf(told, " %s %.6g", name,
			fabs(value) < NEARLY_ZERO ? 0 : value);
}

static void add_judgement(struct buf *told, const struct slo *slo,
	const struct judgement *judgement)
{
	char text[CHECK_TEXT_MAX];

	buf_addf(told, "  %s%s%s: %s", outcome_name(judgement->outcome),
		judgement->critical ? " critical" : "",
		judgement->partial ? " partial" : "",
		judgement_print(slo, judgement, text));
	add_number(told, "value", judgement->value);
	add_number(told, "limit", judgement->limit);
	add_number(told, "baseline", judgement->baseline);
	add_number(told, "requests", judgement->requests);
	add_number(told, "of", judgement->requests_min);
	buf_addf(told, " %s by %d\n", judgement->sign ? judgement->sign : "-",
		(int)judgement->by);
}

static void add_result(struct buf *told, const struct evidence_seen *seen)
{
	buf_addf(told, "  climb %u %d %d", seen->climb, seen->counted,
		seen->decided);
	add_number(told, "e", seen->own.log_e);
	add_number(told, "ratio", seen->own.ratio);
	add_number(told, "level", seen->own.level);
	add_number(told, "shape", seen->own.shape);
	add_number(told, "pass", seen->own.log_pass);
	buf_addc(told, '\n');
}

static void add_effect(struct buf *told, const struct effect *effect)
{
	buf_addf(told,
		"  -> %s slo %d %s[%d].%d %d%s%s%s%s%s tag %d %" PRId64 "\n",
		effect_name(effect->type), effect->slo,
		action_list_name(effect->list), effect->index, effect->attempt,
		effect->percent, effect->by_latest ? " latest" : "",
		effect->reassert ? " reassert" : "",
		effect->keep_stable ? " keep" : "",
		effect->look_at_stable ? " look" : "",
		effect->stable_first ? " first" : "", (int)effect->tag,
		effect->timeout_ms);
}

static void add_note(struct buf *told, const struct note *note)
{
	buf_addf(told, "  %s %s %s step %d slo %d %s[%d].%d",
		note_name(note->type), phase_name(note->from),
		phase_name(note->to), note->step, note->slo,
		action_list_name(note->list), note->index, note->attempt);
	add_number(told, "value", note->value);
	add_number(told, "limit", note->limit);
	buf_addf(told, ": %s\n", note->text);
}

void told_add(struct buf *told, const struct world *world,
	const struct event *event, const struct outcome_list *out)
{
	const struct rollout *r = &world->rollout;
	bool is_check = event->type == EVENT_CHECK && event->slo >= 0 &&
			(size_t)event->slo < world->policy->n_slos;
	size_t i;

	buf_addf(told, "%" PRId64 " %s: %s step %d", world->now_ms,
		event_name(event->type), phase_name(r->phase), r->step);
	if (out->wake_ms != INT64_MAX)
		buf_addf(told, " wakes %" PRId64, out->wake_ms);
	buf_addf(told, " %s%s\n", out->refused ? "refused: " : "",
		out->refused ? out->refusal : "");
	if (is_check)
		add_judgement(told, &world->policy->slos[event->slo],
			&out->judgement);
	if (is_check && world->policy->slos[event->slo].kind == SLO_EVIDENCE)
		add_result(told, &out->seen);
	for (i = 0; i < out->n_effects; i++)
		add_effect(told, &out->effect[i]);
	for (i = 0; i < out->n_notes; i++)
		add_note(told, &out->note[i]);
}

static uint32_t tell(uint64_t seed, told_fn fn, bool show)
{
	struct buf told;
	uint32_t crc;

	buf_init(&told, TOLD_MAX);
	fn(seed, &told);
	crc = crc32c(told.data, told.len);
	if (show)
		fwrite(told.data, 1, told.len, stdout);
	buf_fini(&told);
	return crc;
}

static int compare(FILE *file, const char *path, told_fn fn)
{
	uint64_t seed, every = (uint64_t)sample_every();
	uint32_t said;
	int n = 0, others = 0;

	while (fscanf(file, "%" SCNu64 " %" SCNx32, &seed, &said) == 2) {
		if (seed % every)
			continue;
		n++;
		if (tell(seed, fn, false) == said)
			continue;
		if (!others++)
			printf("seed %" PRIu64 " is told otherwise than in %s; "
			       "TIDEGATE_TOLD=%" PRIu64 " prints its text: "
			       "compare it with that of the commit before\n",
				seed, path, seed);
	}
	printf("%d seeds are told as in %s, %d otherwise\n", n - others, path,
		others);
	return n ? others : -1;
}

bool told_compare(const char *name, size_t n, told_fn fn)
{
	const char *srcdir = getenv("srcdir"), *asked = getenv("TIDEGATE_TOLD");
	bool writes = asked && strcmp(asked, "write") == 0;
	uint64_t shown = asked && !writes ? strtoull(asked, NULL, 10) : 0;
	char *path = xasprintf(
		"%s/test/vectors/told-%s.txt", srcdir ? srcdir : ".", name);
	FILE *file = fopen(path, writes ? "w" : "r");
	bool rc = file != NULL;

	if (!file)
		printf("%s cannot be opened\n", path);
	for (uint64_t seed = 1; file && writes && seed <= n; seed++)
		fprintf(file, "%" PRIu64 " %08" PRIx32 "\n", seed,
			tell(seed, fn, false));
	if (shown) {
		printf("told-%s, seed %" PRIu64 ":\n", name, shown);
		tell(shown, fn, true);
	}
	if (file && !writes && !shown)
		rc = compare(file, path, fn) == 0;
	if (file && fclose(file) != 0)
		rc = false;
	free(path);
	return rc;
}
