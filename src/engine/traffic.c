/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Traffic rules; see traffic.h. Knows nothing of JSON, etags, motives.
 */
#include "engine/traffic.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

#define TABLE_MAX       640 /* bytes of a list inside an error's text */
#define PLAN_GROWTH     4 /* entries a plan may add: stable, candidate, tags */
#define KEEP_TAG        "tidegate-stable"
#define KEEP_TAG_SHORT  "tg-stable"
#define TAG_SERVICE_MAX 46 /* a tag and its service share one DNS label */

static bool same(const char *a, const char *b)
{
	return a && b && strcmp(a, b) == 0;
}

/* Who gets the entry's requests; NULL: not known. */
static const char *target_revision(const struct target *t, const char *latest)
{
	if (t->type == TARGET_LATEST && !t->revision)
		return latest;
	return t->revision;
}

static bool target_names(const struct target *t, const char *revision)
{
	return t->type == TARGET_REVISION && same(t->revision, revision);
}

static bool target_equal(const struct target *a, const struct target *b)
{
	if (a->type != b->type || a->percent != b->percent)
		return false;
	if ((a->tag || b->tag) && !same(a->tag, b->tag))
		return false;
	if (a->type == TARGET_LATEST)
		return true;
	return (!a->revision && !b->revision) || same(a->revision, b->revision);
}

bool split_equal(struct split a, struct split b)
{
	return a.candidate == b.candidate && a.stable == b.stable &&
	       a.other == b.other;
}

struct split traffic_split(const struct traffic *traffic, const char *candidate,
	const char *stable, const char *latest)
{
	struct split split = {0, 0, 0};
	size_t i;

	for (i = 0; i < traffic->n; i++) {
		const struct target *t = &traffic->item[i];
		const char *revision = target_revision(t, latest);

		if (same(revision, candidate))
			split.candidate += t->percent;
		else if (same(revision, stable))
			split.stable += t->percent;
		else
			split.other += t->percent;
	}
	return split;
}

bool traffic_has_latest(const struct traffic *traffic)
{
	size_t i;

	for (i = 0; i < traffic->n; i++)
		if (traffic->item[i].type == TARGET_LATEST &&
			traffic->item[i].percent > 0)
			return true;
	return false;
}

bool traffic_has_tag(
	const struct traffic *traffic, const char *tag, const char *revision)
{
	size_t i;

	for (i = 0; i < traffic->n; i++)
		if (same(traffic->item[i].tag, tag) &&
			target_names(&traffic->item[i], revision))
			return true;
	return false;
}

bool traffic_tag_is_taken(
	const struct traffic *traffic, const char *tag, const char *revision)
{
	size_t i;

	for (i = 0; i < traffic->n; i++)
		if (same(traffic->item[i].tag, tag) &&
			!target_names(&traffic->item[i], revision))
			return true;
	return false;
}

const char *traffic_uri(
	const struct traffic *traffic, const char *revision, const char *tag)
{
	for (size_t i = 0; i < traffic->n; i++) {
		const struct target *t = &traffic->item[i];

		if (t->tag && t->uri && (!tag || same(t->tag, tag)) &&
			target_names(t, revision))
			return t->uri;
	}
	return NULL;
}

const char *traffic_keep_tag(const char *service)
{
	size_t left = TAG_SERVICE_MAX - strlen(service);

	if (strlen(service) > TAG_SERVICE_MAX)
		return NULL;
	return left >= sizeof(KEEP_TAG) - 1         ? KEEP_TAG
	       : left >= sizeof(KEEP_TAG_SHORT) - 1 ? KEEP_TAG_SHORT
						    : NULL;
}

static size_t traffic_count(const struct traffic *in, const struct target *what)
{
	size_t i, n = 0;

	for (i = 0; i < in->n; i++)
		n += target_equal(&in->item[i], what);
	return n;
}

bool traffic_equal(const struct traffic *a, const struct traffic *b)
{
	size_t i;

	if (a->n != b->n)
		return false;
	for (i = 0; i < a->n; i++)
		if (!target_equal(&a->item[i], &b->item[i]))
			break;
	for (; i < a->n; i++)
		if (traffic_count(a, &a->item[i]) !=
			traffic_count(b, &a->item[i]))
			return false;
	return true;
}

static const char *target_name(const struct target *t)
{
	if (t->type == TARGET_LATEST)
		return "LATEST";
	return t->revision ? t->revision : "(unknown)";
}

/* Aligned when `width` is that of the longest name, plain when it is 0. */
static void add_target(const struct target *t, int width, struct buf *out)
{
	buf_addf(out, "%-*s %*d %%%s%s", width, target_name(t), width ? 3 : 0,
		t->percent, t->tag ? " tag " : "", t->tag ? t->tag : "");
}

void traffic_print(const struct traffic *traffic, struct buf *out)
{
	size_t i, len, width = 0;

	for (i = 0; i < traffic->n; i++) {
		len = strlen(target_name(&traffic->item[i]));
		width = len > width ? len : width;
	}
	for (i = 0; i < traffic->n; i++) {
		add_target(&traffic->item[i], (int)width, out);
		buf_addf(out, "\n");
	}
}

void traffic_print_line(const struct traffic *traffic, struct buf *out)
{
	bool first = true;

	for (size_t i = 0; i < traffic->n; i++) {
		const struct target *t = &traffic->item[i];

		if (t->percent <= 0)
			continue;
		buf_addf(out, "%s%s %d %%", first ? "" : ", ",
			t->type == TARGET_LATEST ? "LATEST"
			: t->revision            ? t->revision
						 : "?",
			t->percent);
		first = false;
	}
}

/* An error of one line, since it is a reason of the journal, too; the list at
 * its end is cut where it would be too long. */
static int refuse(struct err *err_r, enum err_code code,
	const struct traffic *traffic, const char *why)
{
	struct buf list;

	buf_init(&list, TABLE_MAX);
	for (size_t i = 0; i < traffic->n; i++) {
		if (i > 0)
			buf_addf(&list, ", ");
		add_target(&traffic->item[i], 0, &list);
	}
	err_set(err_r, code, "%s; traffic now: %s%s", why, list.data,
		list.overflow ? " (and more)" : "");
	buf_fini(&list);
	return -1;
}

static int percent_of(
	const struct traffic *traffic, const char *revision, const char *latest)
{
	return traffic_split(traffic, revision, NULL, latest).candidate;
}

/* Every revision that has users in `a` has as many of them in `b`. */
static bool is_within(
	const struct traffic *a, const struct traffic *b, const char *latest)
{
	for (size_t i = 0; i < a->n; i++) {
		const char *revision = target_revision(&a->item[i], latest);

		if (a->item[i].percent > 0 &&
			(!revision || percent_of(a, revision, latest) !=
					      percent_of(b, revision, latest)))
			return false;
	}
	return true;
}

bool traffic_agrees(
	const struct traffic *a, const struct traffic *b, const char *latest)
{
	return is_within(a, b, latest) && is_within(b, a, latest);
}

int traffic_refuse_difference(const struct traffic *asked,
	const struct traffic *serving, struct err *err_r)
{
	struct buf asks, serves;

	buf_init(&asks, TABLE_MAX / 2);
	buf_init(&serves, TABLE_MAX / 2);
	traffic_print_line(asked, &asks);
	traffic_print_line(serving, &serves);
	err_set(err_r, ERR_REFUSED,
		"what is asked for does not serve: %s serves, and %s is asked "
		"for; wait until the change has ended, or give the revision "
		"that serves 100 %% first",
		serves.len ? serves.data : "nothing", asks.data);
	buf_fini(&asks);
	buf_fini(&serves);
	return -1;
}

/* The revisions with a positive percent; more than two are not told apart. */
struct holders {
	const char *revision[2];
	int percent[2];
	size_t n; /* may be larger than 2 */
	bool unknown;
};

static void holders_add(struct holders *h, const char *revision, int percent)
{
	size_t i, known = h->n < 2 ? h->n : 2;

	for (i = 0; i < known; i++)
		if (same(h->revision[i], revision)) {
			h->percent[i] += percent;
			return;
		}
	if (h->n < 2) {
		h->revision[h->n] = revision;
		h->percent[h->n] = percent;
	}
	h->n++;
}

static struct holders holders_of(
	const struct traffic *traffic, const char *latest)
{
	struct holders h = {{NULL, NULL}, {0, 0}, 0, false};
	size_t i;

	for (i = 0; i < traffic->n; i++) {
		const struct target *t = &traffic->item[i];
		const char *revision = target_revision(t, latest);

		if (t->type == TARGET_UNKNOWN || (t->percent > 0 && !revision))
			h.unknown = true;
		else if (t->percent > 0)
			holders_add(&h, revision, t->percent);
	}
	return h;
}

int traffic_find_stable(const struct traffic *traffic, const char *latest,
	const char *candidate, bool adopt, const char **stable_r,
	struct err *err_r)
{
	struct holders h = holders_of(traffic, latest);

	if (h.unknown)
		return refuse(err_r, ERR_REFUSED, traffic,
			"an entry names no revision that is known, so that it "
			"could not be written back; give every entry a "
			"revision or LATEST first");
	if (h.n == 1 && h.percent[0] == 100) {
		*stable_r = h.revision[0];
		return 0;
	}
	if (h.n == 2 && h.percent[0] + h.percent[1] == 100 &&
		(same(h.revision[0], candidate) ||
			same(h.revision[1], candidate))) {
		if (!adopt)
			return refuse(err_r, ERR_REFUSED, traffic,
				"traffic is split between the candidate and "
				"another revision already; use --adopt to "
				"start from this split, or give the other "
				"revision 100 % first");
		*stable_r = h.revision[same(h.revision[0], candidate) ? 1 : 0];
		return 0;
	}
	return refuse(err_r, ERR_REFUSED, traffic,
		"no single revision holds 100 % of the traffic, so that there "
		"is no stable one to go back to; give one revision 100 % "
		"first");
}

/* A plan under way: the entries of `now`, changed one after the other. */
struct plan {
	const struct traffic_wish *wish;
	const struct traffic *now;
	struct target *item;
	bool *ours; /* may be dropped when it carries nothing */
	size_t n;
};

static bool is_ours(const struct traffic_wish *wish, const char *revision)
{
	return same(revision, wish->candidate) || same(revision, wish->stable);
}

static int compare_tags(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool tags_are_unique(const struct traffic *traffic, struct arena *arena)
{
	const char **tags =
		arena_alloc(arena, (traffic->n + 1) * sizeof(*tags));
	size_t i, n = 0;

	for (i = 0; i < traffic->n; i++)
		if (traffic->item[i].tag)
			tags[n++] = traffic->item[i].tag;
	qsort(tags, n, sizeof(*tags), compare_tags);
	for (i = 1; i < n; i++)
		if (strcmp(tags[i - 1], tags[i]) == 0)
			return false;
	return true;
}

static int plan_check_list(const struct traffic *now,
	const struct traffic_wish *wish, struct arena *arena, struct err *err_r)
{
	size_t i;

	if (now->n > TRAFFIC_ENTRIES_MAX - PLAN_GROWTH)
		return err_set(err_r, ERR_LIMIT,
			"the service has %zu traffic entries, more than the %d "
			"that can be planned; remove old tags",
			now->n, TRAFFIC_ENTRIES_MAX - PLAN_GROWTH);
	for (i = 0; i < now->n; i++) {
		const struct target *t = &now->item[i];

		if (t->type == TARGET_UNKNOWN)
			return refuse(err_r, ERR_CONFLICT, now,
				"an entry of an unknown type cannot be "
				"written back");
		if (t->percent > 0 && !wish->reassert &&
			!is_ours(wish, target_revision(t, wish->latest)))
			return refuse(err_r, ERR_CONFLICT, now,
				"a revision that is neither candidate nor "
				"stable has traffic: somebody else changed "
				"it");
	}
	if (!tags_are_unique(now, arena))
		return refuse(err_r, ERR_CONFLICT, now,
			"a tag stands there twice, so that the list cannot be "
			"written back");
	return 0;
}

static int plan_check_wish(const struct traffic *now,
	const struct traffic_wish *wish, struct err *err_r)
{
	assert(wish->candidate && wish->stable);
	assert(wish->candidate_percent >= 0 && wish->candidate_percent <= 100);
	assert(wish->tag || wish->tag_change == TAG_KEEP);
	assert(!wish->by_latest || wish->candidate_percent == 100);
	if (same(wish->candidate, wish->stable))
		return err_set(err_r, ERR_INVALID,
			"candidate and stable are both %s: there is nothing to "
			"shift",
			wish->candidate);
	if (wish->by_latest && !same(wish->candidate, wish->latest))
		return err_set(err_r, ERR_CONFLICT,
			"LATEST is %s, not the candidate %s: the candidate "
			"stays pinned by name",
			wish->latest ? wish->latest : "not known",
			wish->candidate);
	if (wish->tag_change == TAG_ADD &&
		traffic_tag_is_taken(now, wish->tag, wish->candidate))
		return err_set(err_r, ERR_CONFLICT,
			"tag %s is in use by another entry of the service; "
			"remove it there or choose another name",
			wish->tag);
	return 0;
}

/* LATEST that carried traffic gives way to a named entry of ours, unless
 * somebody's tag hangs on it or the traffic is to go to LATEST. */
static void plan_pin(const struct traffic_wish *wish, struct target *t)
{
	if (t->percent == 0 || t->tag || wish->by_latest ||
		!is_ours(wish, wish->latest))
		return;
	t->type = TARGET_REVISION;
	t->revision = wish->latest;
}

/* Takes the list over with all percents at 0. */
static void plan_take(struct plan *p)
{
	size_t i;

	for (i = 0; i < p->now->n; i++) {
		struct target t = p->now->item[i];

		if (t.type == TARGET_LATEST) {
			p->ours[i] = t.percent > 0;
			t.revision = NULL;
			plan_pin(p->wish, &t);
		} else {
			p->ours[i] = is_ours(p->wish, t.revision);
		}
		t.percent = 0;
		t.uri = NULL;
		p->item[i] = t;
	}
	p->n = p->now->n;
}

static struct target *plan_add(struct plan *p, const char *revision)
{
	struct target *t = &p->item[p->n];

	t->type = revision ? TARGET_REVISION : TARGET_LATEST;
	t->revision = revision;
	p->ours[p->n++] = true;
	return t;
}

/* How well an entry suits to carry a percent; the first of the best does. One
 * that carries already keeps it before others do, so that lists stay calm. */
static int plan_rank(const struct plan *p, size_t i, const char *revision)
{
	const struct target *t = &p->item[i];

	if (revision ? !target_names(t, revision) : t->type != TARGET_LATEST)
		return 0;
	if (!t->tag)
		return 3;
	return i < p->now->n && p->now->item[i].percent > 0 ? 2 : 1;
}

/* The entry that is to carry the percent of `revision` (NULL: of LATEST). */
static struct target *plan_home(struct plan *p, const char *revision)
{
	size_t i, best = 0;
	int rank, best_rank = 0;

	for (i = 0; i < p->n; i++) {
		rank = plan_rank(p, i, revision);
		if (rank > best_rank) {
			best = i;
			best_rank = rank;
		}
	}
	return best_rank > 0 ? &p->item[best] : plan_add(p, revision);
}

static void plan_untag(struct plan *p)
{
	size_t i;

	for (i = 0; i < p->n; i++)
		if (same(p->item[i].tag, p->wish->tag) &&
			target_names(&p->item[i], p->wish->candidate))
			p->item[i].tag = NULL;
}

static bool has_tag(const struct plan *p, const char *revision)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->item[i].tag && target_names(&p->item[i], revision))
			return true;
	return false;
}

bool traffic_is_keep_tag(const char *tag)
{
	return same(tag, KEEP_TAG) || same(tag, KEEP_TAG_SHORT);
}

/* Stable without another tag stays referenced under ours while it serves
 * nobody; at any other time our tag goes. */
static void plan_keep(struct plan *p, int stable_percent)
{
	const struct traffic_wish *wish = p->wish;
	struct traffic list = {p->item, p->n};
	struct target *t;

	for (size_t i = 0; i < p->n; i++)
		if (traffic_is_keep_tag(p->item[i].tag) &&
			target_names(&p->item[i], wish->stable))
			p->item[i].tag = NULL;
	if (!wish->keep_tag || stable_percent > 0 || has_tag(p, wish->stable) ||
		traffic_tag_is_taken(&list, wish->keep_tag, wish->stable))
		return;
	t = plan_home(p, wish->stable);
	t->tag = wish->keep_tag;
}

static void plan_tag(struct plan *p)
{
	struct traffic list = {p->item, p->n};
	struct target *t;

	if (traffic_has_tag(&list, p->wish->tag, p->wish->candidate))
		return;
	t = plan_home(p, p->wish->candidate);
	if (t->tag)
		t = plan_add(p, p->wish->candidate);
	t->tag = p->wish->tag;
}

static void plan_drop_empty(struct plan *p)
{
	size_t i, n = 0;

	for (i = 0; i < p->n; i++)
		if (p->item[i].percent > 0 || p->item[i].tag || !p->ours[i])
			p->item[n++] = p->item[i];
	p->n = n;
}

int traffic_plan(const struct traffic *now, const struct traffic_wish *wish,
	struct arena *arena, struct traffic *plan_r, struct err *err_r)
{
	int stable_percent = 100 - wish->candidate_percent;
	struct plan p = {.wish = wish, .now = now};

	if (plan_check_wish(now, wish, err_r) < 0 ||
		plan_check_list(now, wish, arena, err_r) < 0)
		return -1;
	p.item = arena_alloc(arena, (now->n + PLAN_GROWTH) * sizeof(*p.item));
	p.ours = arena_alloc(arena, (now->n + PLAN_GROWTH) * sizeof(*p.ours));
	plan_take(&p);
	if (wish->tag_change == TAG_REMOVE)
		plan_untag(&p);
	if (stable_percent > 0)
		plan_home(&p, wish->stable)->percent = stable_percent;
	if (wish->candidate_percent > 0)
		plan_home(&p, wish->by_latest ? NULL : wish->candidate)
			->percent = wish->candidate_percent;
	if (wish->tag_change == TAG_ADD)
		plan_tag(&p);
	plan_keep(&p, stable_percent);
	plan_drop_empty(&p);
	plan_r->item = p.item;
	plan_r->n = p.n;
	return 0;
}
