/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Masking; see secret.h. One pass over the text collects what to mask: the
 * values that secret.c knows, however they are written, and what the rules of
 * redact_rules.c say. Only a text with some of it is written anew.
 */
#include <stdlib.h>
#include <string.h>

#include "base/redact_rules.h"
#include "base/secret.h"
#include "base/spelling.h"

#define PART_BYTES ((size_t)64 * 1024) /* of a text, read back at once */
#define OVERLAP    2 /* longest values of room between parts */

/* A part of the text, which may be read back to what was meant, twice: JSON in
 * JSON. Where its bytes come from in the part: NULL is as they stand. */
struct part {
	const char *bytes;
	size_t len;
	const struct spelled *first, *second;
	size_t at; /* of the part in the text */
	bool is_last; /* a value may be cut off by its end */
};

static size_t place_of(const struct part *part, size_t i)
{
	if (part->second)
		i = part->second->from[i];
	if (part->first)
		i = part->first->from[i];
	return part->at + i;
}

static void scan_part(struct scan *s, const struct part *part)
{
	size_t i = 0, n;

	while ((i = secret_find(part->bytes, part->len, i, &n)) < part->len) {
		if (i + n < part->len || part->is_last)
			scan_mask(s, place_of(part, i), place_of(part, i + n));
		i++; /* another may begin inside it */
	}
}

static void scan_spellings(struct scan *s, const struct part *plain)
{
	struct spelled first, second;
	struct part part = *plain;

	for (enum spelling a = 0; a < SPELLINGS; a++) {
		if (!spelling_read(a, plain->bytes, plain->len, &first))
			continue;
		part.first = &first;
		part.second = NULL;
		part.bytes = first.bytes;
		part.len = first.len;
		scan_part(s, &part);
		for (enum spelling b = 0; b < SPELLINGS; b++) {
			if (!spelling_read(b, first.bytes, first.len, &second))
				continue;
			part.second = &second;
			part.bytes = second.bytes;
			part.len = second.len;
			scan_part(s, &part);
			spelled_fini(&second);
		}
		spelled_fini(&first);
	}
}

/* Part by part, so that reading back needs little memory. They overlap by more
 * than a value may take: each is whole in one of them. */
static void scan_known(struct scan *s)
{
	size_t overlap = OVERLAP * SPELLING_GROWTH_MAX * secret_longest();
	struct part part = {.bytes = s->text, .len = s->len, .is_last = true};

	if (!overlap)
		return;
	scan_part(s, &part);
	for (size_t at = 0; at < s->len; at += PART_BYTES) {
		part.at = at;
		part.bytes = s->text + at;
		part.len = s->len - at;
		part.is_last = part.len <= PART_BYTES + overlap;
		if (!part.is_last)
			part.len = PART_BYTES + overlap;
		scan_spellings(s, &part);
		if (part.is_last)
			return;
	}
}

static int span_compare(const void *a, const void *b)
{
	const struct span *x = a, *y = b;

	return x->from < y->from ? -1 : x->from > y->from;
}

/* Spans that touch become one mask. Frees them. */
static void rewrite(struct scan *s, struct buf *out)
{
	size_t i = 0, done = 0, from, to;
	bool number;

	qsort(s->spans, s->n_spans, sizeof(*s->spans), span_compare);
	while (i < s->n_spans) {
		from = s->spans[i].from;
		to = s->spans[i].to;
		number = s->spans[i].number;
		for (i++; i < s->n_spans && s->spans[i].from <= to; i++) {
			if (s->spans[i].to > to)
				to = s->spans[i].to;
		}
		buf_add(out, s->text + done, from - done);
		buf_adds(out, number ? "\"***\"" : "***");
		done = to;
	}
	buf_add(out, s->text + done, s->len - done);
	free(s->spans);
}

/* One pass; false: nothing to mask, `out` is untouched. */
static bool pass(const char *text, size_t len, bool rules, struct buf *out)
{
	struct scan s = {.text = text, .len = len};

	scan_known(&s);
	if (rules)
		scan_rules(&s);
	if (!s.n_spans)
		return false;
	buf_init(out, len + s.n_spans * sizeof("\"***\""));
	rewrite(&s, out);
	return true;
}

static void replace(struct buf *buf, struct buf *by)
{
	buf_wipe(buf);
	buf_fini(buf);
	*buf = *by;
}

/* Masks may join what is around them to another secret, so known values are
 * looked for until there are none; each round makes the text shorter. */
static bool redact_copy(const char *text, size_t len, struct buf *out)
{
	struct buf again;

	if (!pass(text, len, true, out))
		return false;
	while (pass(out->data, out->len, false, &again))
		replace(out, &again);
	return true;
}

void redact(struct buf *buf)
{
	size_t max = buf->max;
	bool overflow = buf->overflow;
	struct buf out;

	if (!redact_copy(buf->data, buf->len, &out))
		return;
	replace(buf, &out);
	buf->max = max;
	buf->overflow = overflow || buf->len > max;
	if (buf->len > max)
		buf_truncate(buf, max);
}

void redact_text(char *text, size_t size)
{
	struct buf out;
	size_t len;

	if (!redact_copy(text, strlen(text), &out))
		return;
	len = out.len < size ? out.len : size - 1;
	explicit_bzero(text, strlen(text));
	memcpy(text, out.data, len);
	text[len] = '\0';
	buf_fini(&out);
}
