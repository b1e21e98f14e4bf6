/* SPDX-License-Identifier: Apache-2.0 */
/* Stable's past in a recording; see recording_histories.h. */
#include "sim/recording_histories.h"

#include <math.h>
#include <string.h>

#define HISTORIES_MAX  POLICY_SLOS_MAX
#define KEY_MAX        32
#define NAME_BYTES_MAX 256
#define COUNT_MAX      1e15

struct list {
	double value[EVIDENCE_BINS_MAX];
	size_t n;
	bool there;
};

/* What is read of one history. */
struct history {
	struct slo_history into;
	const char *slo;
	struct list le, buckets;
	unsigned seen; /* bits of the numbers, in their order */
};

static bool read_amount(struct scan *s, double *value_r)
{
	if (!scan_number(s, value_r))
		return false;
	if (!(*value_r >= 0 && *value_r <= COUNT_MAX))
		return scan_fail(s, "a number of a history is 0 to 1e15");
	return true;
}

static bool read_list(struct scan *s, struct list *list)
{
	bool first = true;

	if (list->there)
		return scan_fail(s, "a list of a history is there twice");
	list->there = true;
	if (!scan_open(s, '['))
		return false;
	while (scan_item(s, ']', &first)) {
		if (list->n == EVIDENCE_BINS_MAX)
			return scan_fail(s, "more than %d buckets of a history",
				EVIDENCE_BINS_MAX);
		if (!read_amount(s, &list->value[list->n++]))
			return false;
	}
	return !s->failed;
}

static bool read_member(
	struct scan *s, struct arena *arena, const char *key, struct history *h)
{
	const struct {
		const char *key;
		double *to;
	} numbers[] = {
		{"seconds", &h->into.seconds},
		{"requests", &h->into.past.n},
		{"bad", &h->into.past.x},
		{"phi", &h->into.dispersion.phi},
		{"phi_level", &h->into.dispersion.phi_level},
		{"phi_shape", &h->into.dispersion.phi_shape},
	};
	size_t i;

	if (strcmp(key, "slo") == 0 && !h->slo)
		return scan_text(s, arena, NAME_BYTES_MAX, &h->slo);
	if (strcmp(key, "le") == 0)
		return read_list(s, &h->le);
	if (strcmp(key, "buckets") == 0)
		return read_list(s, &h->buckets);
	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		if (strcmp(key, numbers[i].key) != 0 || h->seen & 1u << i)
			continue;
		h->seen |= 1u << i;
		return read_amount(s, numbers[i].to);
	}
	return scan_fail(s,
		"\"%.40s\" is there twice, or not a key of a history; see "
		"tidegate-recording(5)",
		key);
}

/* The last bucket has no bound. */
static bool take_buckets(struct scan *s, struct history *h)
{
	size_t i;

	if (!h->le.there && !h->buckets.there)
		return true;
	if (h->le.n < 1 || h->buckets.n != h->le.n + 1)
		return scan_fail(
			s, "a history has one bucket more than bounds (le)");
	for (i = 1; i < h->le.n; i++) {
		if (h->le.value[i] <= h->le.value[i - 1])
			return scan_fail(s, "the bounds of a history rise");
	}
	h->into.bins = h->buckets.n;
	memcpy(h->into.bounds, h->le.value, sizeof(h->le.value));
	h->into.bounds[h->into.bins - 1] = INFINITY;
	memcpy(h->into.histogram, h->buckets.value, sizeof(h->buckets.value));
	return true;
}

static bool read_history(
	struct scan *s, struct arena *arena, struct recording_history *to)
{
	struct history h = {.slo = NULL};
	char key[KEY_MAX];
	bool first = true;

	if (!scan_open(s, '{'))
		return false;
	while (scan_item(s, '}', &first)) {
		if (!scan_key(s, key, sizeof(key)) ||
			!read_member(s, arena, key, &h))
			return false;
	}
	if (s->failed)
		return false;
	if (!h.slo || h.seen != 0x3f)
		return scan_fail(s,
			"a history has slo, seconds, requests, bad, phi, "
			"phi_level and phi_shape");
	to->slo = h.slo;
	if (!take_buckets(s, &h))
		return false;
	to->history = h.into;
	return true;
}

bool histories_read(struct scan *s, struct recording *rec)
{
	bool first = true;

	if (scan_peek(s) == 'n')
		return scan_skip(s); /* a list may be written so */
	if (!scan_open(s, '['))
		return false;
	rec->history =
		arena_alloc(&rec->arena, HISTORIES_MAX * sizeof(*rec->history));
	rec->n_histories = 0;
	while (scan_item(s, ']', &first)) {
		if (rec->n_histories == HISTORIES_MAX)
			return scan_fail(
				s, "more than %d histories", HISTORIES_MAX);
		if (!read_history(
			    s, &rec->arena, &rec->history[rec->n_histories++]))
			return false;
	}
	return !s->failed;
}
