/* SPDX-License-Identifier: Apache-2.0 */
/* Counts and histories as JSON and back; see evidence_codec.h. */
#include "store/evidence_codec.h"

#include <math.h>
#include <string.h>

#define COUNT_MAX 1e15 /* requests; whole numbers are exact up to there */

static void numbers_encode(
	struct jsonw *w, const char *key, const double *values, size_t n)
{
	size_t i;

	jsonw_array(w, key);
	for (i = 0; i < n; i++)
		jsonw_number(w, NULL, values[i]);
	jsonw_end(w, ']');
}

static void arm_encode(struct jsonw *w, const char *key,
	const struct evidence_counts *arm, size_t bins)
{
	if (arm->known)
		numbers_encode(w, key, arm->bin, bins);
	else
		jsonw_null(w, key);
}

void counts_encode(
	struct jsonw *w, const char *key, const struct check_counts *counts)
{
	if (!counts)
		return;
	jsonw_object(w, key);
	if (counts->bins > 2)
		numbers_encode(w, "le", counts->bounds, counts->bins - 1);
	arm_encode(w, "candidate", &counts->candidate, counts->bins);
	arm_encode(w, "stable", &counts->stable, counts->bins);
	jsonw_end(w, '}');
}

static void history_encode(struct jsonw *w, const struct policy *policy,
	const struct slo_history *history)
{
	jsonw_object(w, NULL);
	jsonw_text(w, "slo", policy->slos[history->slo].name);
	jsonw_number(w, "seconds", history->seconds);
	jsonw_number(w, "requests", history->past.n);
	jsonw_number(w, "bad", history->past.x);
	if (history->bins > 2) {
		numbers_encode(w, "le", history->bounds, history->bins - 1);
		numbers_encode(w, "buckets", history->histogram, history->bins);
	}
	jsonw_number(w, "phi", history->dispersion.phi);
	jsonw_number(w, "phi_level", history->dispersion.phi_level);
	jsonw_number(w, "phi_shape", history->dispersion.phi_shape);
	jsonw_end(w, '}');
}

void histories_encode(struct jsonw *w, const char *key,
	const struct policy *policy, const struct event *event)
{
	size_t i;

	if (!event->n_histories)
		return;
	jsonw_array(w, key);
	for (i = 0; i < event->n_histories; i++)
		history_encode(w, policy, &event->histories[i]);
	jsonw_end(w, ']');
}

/* ---- what the engine made of it ---- */

static void spec_encode(
	struct jsonw *w, const struct slo *slo, const struct evidence_slo *s)
{
	jsonw_object(w, NULL);
	jsonw_text(w, "slo", slo->name);
	jsonw_number(w, "objective", s->spec.objective);
	if (s->spec.latency)
		jsonw_number(w, "bound", slo->bound_le);
	jsonw_number(w, "tolerance", s->spec.tolerance);
	jsonw_number(w, "floor", s->spec.floor);
	jsonw_number(w, "requests", s->objective.learned.n);
	jsonw_number(w, "bad", s->objective.learned.x);
	jsonw_number(w, "rate", s->rate);
	jsonw_number(w, "phi", s->spec.phi);
	jsonw_number(w, "phi_level", s->spec.phi_level);
	jsonw_number(w, "phi_shape", s->spec.phi_shape);
	jsonw_end(w, '}');
}

void evidence_rules_encode(struct jsonw *w, const struct policy *policy,
	const struct evidence_memory *memory)
{
	size_t i;

	jsonw_object(w, "evidence");
	jsonw_number(w, "alpha", memory->rules.alpha);
	jsonw_number(w, "beta", memory->rules.beta);
	jsonw_int(w, "objectives", (int64_t)memory->n);
	jsonw_number(w, "check_s", memory->rules.check_s);
	jsonw_bool(w, "step_back", memory->rules.step_back);
	jsonw_array(w, "slos");
	for (i = 0; i < memory->n; i++)
		spec_encode(
			w, &policy->slos[memory->slo[i].slo], &memory->slo[i]);
	jsonw_end(w, ']');
	jsonw_end(w, '}');
}

void evidence_step_encode(struct jsonw *w, const struct policy *policy,
	const struct evidence_memory *memory)
{
	const struct evidence_objective *o;
	size_t i;

	jsonw_int(w, "climb", memory->climbs);
	jsonw_bool(w, "final", memory->state.final);
	jsonw_array(w, "limits");
	for (i = 0; i < memory->n; i++) {
		o = &memory->slo[i].objective;
		jsonw_object(w, NULL);
		jsonw_text(w, "slo", policy->slos[memory->slo[i].slo].name);
		jsonw_number(w, "share", o->share);
		jsonw_number(w, "limit", memory->slo[i].limit);
		jsonw_number(w, "below", o->limit_level);
		jsonw_number(w, "low", o->limit_low);
		jsonw_end(w, '}');
	}
	jsonw_end(w, ']');
}

static void own_encode(struct jsonw *w, const struct evidence_seen *seen)
{
	jsonw_number(w, "log_e", seen->own.log_e);
	jsonw_number(w, "ratio", seen->own.ratio);
	jsonw_number(w, "level", seen->own.level);
	if (seen->latency)
		jsonw_number(w, "shape", seen->own.shape);
	jsonw_number(w, "log_pass", seen->own.log_pass);
	jsonw_bool(w, "calm", seen->own.calm);
}

static void all_encode(struct jsonw *w, const struct evidence_result *all)
{
	jsonw_object(w, "all");
	jsonw_number(w, "log_e", all->log_e);
	jsonw_number(w, "log_pass", all->log_pass);
	jsonw_bool(w, "calm", all->calm);
	jsonw_text(w, "decision", evidence_decision_name(all->decision));
	jsonw_end(w, '}');
}

void evidence_check_encode(struct jsonw *w, const struct evidence_seen *seen)
{
	if (!seen || (!seen->counted && !seen->decided))
		return;
	jsonw_object(w, "evidence");
	jsonw_int(w, "climb", seen->climb);
	if (seen->counted)
		own_encode(w, seen);
	if (seen->decided)
		all_encode(w, &seen->all);
	jsonw_end(w, '}');
}

/* ---- back ---- */

/* A finite number from 0 to `max`. */
static bool number_decode(const json_t *value, double max, double *number_r)
{
	*number_r = json_number_value(value);
	return json_is_number(value) && *number_r >= 0 && *number_r <= max;
}

static bool numbers_decode(const json_t *list, double max, double *values_r,
	size_t n_max, size_t *n_r)
{
	const json_t *value;
	size_t i;

	*n_r = json_array_size(list);
	if (!json_is_array(list) || *n_r > n_max)
		return false;
	json_array_foreach(list, i, value) {
		if (!number_decode(value, max, &values_r[i]))
			return false;
	}
	return true;
}

static bool rises(const double *bounds, size_t n)
{
	size_t i;

	for (i = 1; i < n; i++) {
		if (bounds[i] <= bounds[i - 1])
			return false;
	}
	return true;
}

/* Without bounds there are two bins: good and bad requests. */
static bool bounds_decode(
	const json_t *object, double *bounds_r, size_t *bins_r)
{
	const json_t *le = json_object_get(object, "le");
	size_t n = 1;

	*bins_r = 2;
	if (!le)
		return true;
	if (!numbers_decode(le, COUNT_MAX, bounds_r, EVIDENCE_BINS_MAX - 1, &n))
		return false;
	*bins_r = n + 1;
	return n >= 2 && rises(bounds_r, n);
}

static bool arm_decode(const json_t *object, const char *key, size_t bins,
	struct evidence_counts *arm)
{
	const json_t *value = json_object_get(object, key);
	size_t n;

	arm->known = !json_is_null(value);
	return !arm->known || (numbers_decode(value, COUNT_MAX, arm->bin,
				       EVIDENCE_BINS_MAX, &n) &&
				      n == bins);
}

const char *counts_decode(const json_t *value, struct arena *arena,
	const struct check_counts **counts_r)
{
	struct check_counts *counts;

	*counts_r = NULL;
	if (!value)
		return NULL;
	counts = arena_alloc(arena, sizeof(*counts));
	*counts_r = counts;
	if (!bounds_decode(value, counts->bounds, &counts->bins))
		return "counts with rising bounds";
	if (!arm_decode(value, "candidate", counts->bins, &counts->candidate) ||
		!arm_decode(value, "stable", counts->bins, &counts->stable))
		return "counts of two arms, each as long as its bounds say";
	return NULL;
}

static int slo_find(const struct policy *policy, const json_t *name)
{
	size_t i;

	for (i = 0; json_is_string(name) && i < policy->n_slos; i++) {
		if (strcmp(policy->slos[i].name, json_string_value(name)) == 0)
			return (int)i;
	}
	return -1;
}

static const char *history_decode(const json_t *value,
	const struct policy *policy, struct slo_history *history)
{
	const struct {
		const char *key;
		double *to;
	} numbers[] = {
		{"seconds", &history->seconds},
		{"requests", &history->past.n},
		{"bad", &history->past.x},
		{"phi", &history->dispersion.phi},
		{"phi_level", &history->dispersion.phi_level},
		{"phi_shape", &history->dispersion.phi_shape},
	};
	size_t i, n;

	history->slo = slo_find(policy, json_object_get(value, "slo"));
	if (history->slo < 0)
		return "a history of the policy's SLOs";
	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		if (!number_decode(json_object_get(value, numbers[i].key),
			    COUNT_MAX, numbers[i].to))
			return "a history with all its numbers";
	}
	if (!bounds_decode(value, history->bounds, &history->bins))
		return "a history with rising bounds";
	if (history->bins == 2) {
		history->bins = 0; /* a ratio's, or not known */
		return NULL;
	}
	if (!numbers_decode(json_object_get(value, "buckets"), COUNT_MAX,
		    history->histogram, EVIDENCE_BINS_MAX, &n) ||
		n != history->bins)
		return "a history with as many buckets as bounds";
	return NULL;
}

const char *histories_decode(const json_t *value, const struct policy *policy,
	struct arena *arena, struct event *event)
{
	struct slo_history *histories;
	const char *wrong = NULL;
	const json_t *item;
	size_t i, n = json_array_size(value);

	if (!value)
		return NULL;
	if (!json_is_array(value) || n > policy->n_slos)
		return "a list with one history for each SLO";
	histories = arena_alloc(arena, (n ? n : 1) * sizeof(*histories));
	json_array_foreach(value, i, item) {
		wrong = history_decode(item, policy, &histories[i]);
		if (wrong)
			return wrong;
	}
	event->histories = histories;
	event->n_histories = n;
	return NULL;
}
