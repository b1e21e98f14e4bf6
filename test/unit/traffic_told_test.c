/* SPDX-License-Identifier: Apache-2.0 */
/* What is read out of lists of traffic, planned upon them and said of them is
 * pinned, of seeded lists: see told.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "engine/traffic.h"
#include "told.h"

#define SEEDS       300
#define LISTS       20 /* of a seed */
#define ENTRIES_MAX 8

#define LENGTH(a)           (sizeof(a) / sizeof((a)[0]))
#define ONE_OF(rng, values) ((values)[rng_below(rng, LENGTH(values))])

/* Half of the lists sum to 100, as the service's do. */
static struct traffic random_list(struct rng *rng, struct arena *arena)
{
	static const char *const names[] = {"c", "s", "c", "s", "x"};
	static const char *const tags[] = {"t", "a", "b", "keep"};
	static const int percents[] = {0, 0, 0, 1, 25, 50, 99, 100};
	struct traffic list = {
		arena_alloc(arena, ENTRIES_MAX * sizeof(*list.item)),
		(size_t)rng_below(rng, ENTRIES_MAX + 1)};
	int left = 100;

	for (size_t i = 0; i < list.n; i++) {
		struct target *t = &list.item[i];
		int percent = ONE_OF(rng, percents);

		*t = (struct target){.revision = ONE_OF(rng, names)};
		t->percent = percent < left ? percent : left;
		if (t->revision[0] == 'x' && rng_below(rng, 4))
			t->percent = 0;
		left -= t->percent;
		if (rng_below(rng, 4) == 0)
			t->type = TARGET_LATEST;
		if (t->type == TARGET_LATEST && rng_below(rng, 2))
			t->revision = NULL;
		if (rng_below(rng, 12) == 0)
			t->type = TARGET_UNKNOWN;
		if (rng_below(rng, 3) == 0)
			t->tag = ONE_OF(rng, tags);
		if (rng_below(rng, 3) == 0)
			t->uri = i % 2 ? "https://odd" : "https://even";
	}
	if (list.n && rng_below(rng, 2))
		list.item[rng_below(rng, list.n)].percent += left;
	return list;
}

static void tell_list(struct buf *told, const struct traffic *list)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct target *t = &list->item[i];

		buf_addf(told, " %d:%s:%d#%s@%s", (int)t->type,
			t->revision ? t->revision : "", t->percent,
			t->tag ? t->tag : "", t->uri ? t->uri : "");
	}
	buf_addc(told, '\n');
}

static void tell_rc(struct buf *told, const char *what, int rc,
	const struct err *err, const char *result)
{
	buf_addf(told, "%s: ", what);
	if (rc < 0)
		buf_addf(told, "%s: %s\n", err_name(err->code), err->text);
	else
		buf_addf(told, "%s\n", result ? result : "none");
}

static void tell_facts(struct buf *told, const struct traffic *list)
{
	static const char *const names[] = {"c", "s", "x"}, *const tags[] = {
								    "t", "a"};

	for (size_t i = 0; i < 3; i++) {
		struct split split = traffic_split(list, "c", "s", names[i]);
		const char *uri = traffic_uri(list, names[i], NULL);

		buf_addf(told, "%d/%d/%d %s", split.candidate, split.stable,
			split.other, uri ? uri : "-");
		for (size_t k = 0; k < 2; k++) {
			uri = traffic_uri(list, names[i], tags[k]);
			buf_addf(told, " %d%d %s",
				traffic_has_tag(list, tags[k], names[i]),
				traffic_tag_is_taken(list, tags[k], names[i]),
				uri ? uri : "-");
		}
	}
	buf_addf(told, " %d\n", traffic_has_latest(list));
	traffic_print(list, told);
	traffic_print_line(list, told);
	buf_addc(told, '\n');
}

static void tell_stable(struct buf *told, const struct traffic *list)
{
	static const char *const latest[] = {"c", "s", NULL};
	const char *stable = NULL;
	struct err err;
	int rc;

	for (int i = 0; i < 6; i++) {
		rc = traffic_find_stable(
			list, latest[i / 2], "c", i % 2, &stable, &err);
		tell_rc(told, "stable", rc, &err, stable);
	}
}

static void tell_pair(struct buf *told, const struct traffic *list,
	const struct traffic *other)
{
	struct err err;
	int rc = traffic_refuse_difference(list, other, &err);

	tell_rc(told, "differs", rc, &err, "no");
	buf_addf(told, "equal %d%d agree %d%d\n", traffic_equal(list, other),
		traffic_equal(other, list), traffic_agrees(list, other, "c"),
		traffic_agrees(other, list, "s"));
}

static void tell_plan(struct buf *told, struct rng *rng, struct arena *arena,
	const struct traffic *list)
{
	static const int percents[] = {0, 1, 50, 99, 100};
	static const char *const latest[] = {"c", "s", "x"};
	struct traffic_wish wish = {.candidate = "c",
		.stable = "s",
		.latest = ONE_OF(rng, latest),
		.candidate_percent = ONE_OF(rng, percents),
		.tag = rng_below(rng, 4) ? "t" : NULL,
		.reassert = rng_below(rng, 2),
		.keep_tag = rng_below(rng, 2) ? "keep" : NULL};
	struct traffic plan;
	struct err err;
	int rc;

	if (wish.tag)
		wish.tag_change = (enum tag_change)rng_below(rng, 3);
	wish.by_latest = wish.candidate_percent == 100 &&
			 wish.latest[0] == 'c' && rng_below(rng, 2);
	rc = traffic_plan(list, &wish, arena, &plan, &err);
	tell_rc(told, "plan", rc, &err, "");
	if (rc < 0)
		return;
	tell_list(told, &plan);
	tell_pair(told, list, &plan);
}

static void tell_long_list(struct buf *told, struct arena *arena, size_t n)
{
	struct traffic_wish wish = {.candidate = "c", .stable = "s"};
	struct traffic plan,
		list = {arena_alloc(arena, n * sizeof(*list.item)), n};
	struct err err;
	int rc;

	for (size_t i = 0; i < n; i++)
		list.item[i] = (struct target){.revision = "x", .tag = "a"};
	list.item[0] = (struct target){.revision = "s", .percent = 100};
	rc = traffic_plan(&list, &wish, arena, &plan, &err);
	tell_rc(told, "long", rc, &err, "");
	buf_addf(told, "%zu of %zu\n", rc < 0 ? 0 : plan.n, n);
	traffic_print_line(&list, told);
}

static void tell_keep_tags(struct buf *told)
{
	char name[80];
	const char *tag;

	for (size_t n = 0; n < sizeof(name); n++) {
		memset(name, 'n', n);
		name[n] = '\0';
		tag = traffic_keep_tag(name);
		buf_addf(told, "%zu: %s\n", n, tag ? tag : "none");
	}
}

static void tell(uint64_t seed, struct buf *told)
{
	struct traffic list, before = {NULL, 0};
	struct arena arena;
	struct rng rng;

	rng_init(&rng, seed);
	arena_init(&arena);
	for (int i = 0; i < LISTS; i++, before = list) {
		list = random_list(&rng, &arena);
		tell_list(told, &list);
		tell_facts(told, &list);
		tell_stable(told, &list);
		tell_pair(told, &list, &before);
		tell_plan(told, &rng, &arena, &list);
	}
	if (seed <= 16)
		tell_long_list(
			told, &arena, TRAFFIC_ENTRIES_MAX - 15 + (size_t)seed);
	if (seed == 1)
		tell_keep_tags(told);
	arena_fini(&arena);
}

static void lists_are_read_and_planned_as_ever(void **state)
{
	(void)state;
	assert_true(told_compare("traffic", SEEDS, tell));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_are_read_and_planned_as_ever),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
