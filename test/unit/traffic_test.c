/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The traffic rules. Lists are written as "a:90 b:10#canary LATEST:0#live":
 * revision, percent, tag. Tables first, then random lists and invariants.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/rng.h"
#include "engine/traffic.h"

static struct traffic list_read(struct arena *arena, const char *text)
{
	char *save = NULL, *word, *copy = arena_strdup(arena, text);
	struct traffic list = {arena_alloc(arena, 64 * sizeof(*list.item)), 0};

	for (word = strtok_r(copy, " ", &save); word;
		word = strtok_r(NULL, " ", &save)) {
		struct target *t = &list.item[list.n++];
		char *percent = strchr(word, ':'), *tag = strchr(word, '#');

		*percent++ = '\0';
		if (tag)
			*tag++ = '\0';
		t->percent = atoi(percent);
		t->tag = tag;
		t->type = TARGET_REVISION;
		if (strcmp(word, "LATEST") == 0)
			t->type = TARGET_LATEST;
		else if (strcmp(word, "?") == 0)
			t->type = TARGET_UNKNOWN;
		else
			t->revision = word;
	}
	return list;
}

static const char *list_text(struct arena *arena, const struct traffic *list)
{
	const char *text = "";
	size_t i;

	for (i = 0; i < list->n; i++) {
		const struct target *t = &list->item[i];

		text = arena_printf(arena, "%s%s%s:%d%s%s", text,
			i > 0 ? " " : "",
			t->type == TARGET_LATEST ? "LATEST" : t->revision,
			t->percent, t->tag ? "#" : "", t->tag ? t->tag : "");
	}
	return text;
}

struct plan_row {
	const char *now;
	int percent; /* of candidate c; stable is s; LATEST is c */
	const char *plan; /* NULL: refused */
	enum tag_change change; /* of tag "t" */
	const char *latest; /* NULL: c */
	bool by_latest;
	const char *says; /* in the refusal */
	bool reassert;
};

static const struct plan_row plan_rows[] = {
	{"s:100", 10, "s:90 c:10"},
	{"s:90 c:10", 50, "s:50 c:50"},
	{"s:50 c:50", 100, "c:100"},
	{"s:50 c:50", 0, "s:100"},
	{"s:100", 0, "s:100"},
	/* Tags and entries of others keep their place. */
	{"x:0#old s:100#live y:0 c:0#pr-1", 10,
		"x:0#old s:90#live y:0 c:10#pr-1"},
	{"c:0#pr-1 s:100 x:0", 10, "c:10#pr-1 s:90 x:0"},
	/* A tag on the one that goes down to nothing stays. */
	{"s:50#live c:50", 100, "s:0#live c:100"},
	/* The percent of several entries ends up in one, the untagged. */
	{"s:60#live s:40 c:0#new", 25, "s:0#live s:75 c:25#new"},
	{"s:60 s:40", 25, "s:75 c:25"},
	/* Among tagged ones in the entry that has it already. */
	{"s:0#a s:100#b", 10, "s:0#a s:90#b c:10"},
	/* LATEST with a percent is pinned in its place. */
	{"LATEST:100", 10, "s:90 c:10", .latest = "s"},
	{"LATEST:100 x:0#old", 10, "s:90 x:0#old c:10", .latest = "s"},
	{"LATEST:90 s:10", 10, "s:90 c:10", .latest = "s"},
	{"LATEST:100#live", 10, "LATEST:0#live s:90 c:10", .latest = "s"},
	{"s:90 LATEST:10", 50, "s:50 c:50"},
	{"s:100 LATEST:0#next", 10, "s:90 LATEST:0#next c:10"},
	/* LATEST again, at the finish only. */
	{"c:100", 100, "LATEST:100", .by_latest = true},
	{"c:100#t x:0#old", 100, "x:0#old LATEST:100", TAG_REMOVE,
		.by_latest = true},
	{"LATEST:0#live c:100", 100, "LATEST:100#live", .by_latest = true},
	{"LATEST:100", 100, "LATEST:100", .by_latest = true},
	{"c:100", 100, NULL, .by_latest = true, .latest = "d",
		.says = "LATEST is d"},
	/* Our tag. */
	{"s:100", 0, "s:100 c:0#t", TAG_ADD},
	{"s:100 c:0#t", 0, "s:100 c:0#t", TAG_ADD},
	{"s:100 c:0#t", 10, "s:90 c:10#t"},
	{"s:100 c:0#pr-1", 0, "s:100 c:0#pr-1 c:0#t", TAG_ADD},
	{"s:90 c:10", 10, "s:90 c:10#t", TAG_ADD},
	{"c:0#pr-1 c:10 s:90", 10, "c:0#pr-1 c:10#t s:90", TAG_ADD},
	{"s:90 c:10#t", 100, "c:100", TAG_REMOVE},
	{"s:90 c:10#t", 0, "s:100", TAG_REMOVE},
	{"s:90 c:10#t x:0#u", 0, "s:100 x:0#u", TAG_REMOVE},
	{"s:100 x:0#t", 0, "s:100 x:0#t", TAG_REMOVE},
	{"s:100 x:0#t", 0, NULL, TAG_ADD, .says = "tag t is in use"},
	{"s:100 LATEST:0#t", 0, NULL, TAG_ADD, .says = "tag t is in use"},
	/* Somebody else has traffic. */
	{"s:90 x:10", 10, NULL, .says = "somebody else"},
	{"LATEST:100", 10, NULL, .latest = "x", .says = "somebody else"},
	{"s:50 LATEST:50", 0, NULL, .latest = "x",
		.says = "s 50 %, LATEST 50 %"},
	/* … and is to lose it. */
	{"s:90 x:10", 10, "s:90 x:0 c:10", .reassert = true},
	{"x:50#old LATEST:50", 0, "x:0#old s:100", .latest = "y",
		.reassert = true},
	{"x:50 LATEST:50#live", 0, "x:0 LATEST:0#live s:100", .latest = "y",
		.reassert = true},
	{"LATEST:100", 10, "s:90 c:10", .latest = "s", .reassert = true},
	/* What could not be written back. */
	{"s:100 ?:0", 10, NULL, .says = "unknown type"},
	{"s:100 x:0#a y:0#a", 10, NULL, .says = "stands there twice"},
};

static int plan(const struct plan_row *row, const struct traffic *now,
	struct arena *arena, struct traffic *plan_r, struct err *err_r)
{
	struct traffic_wish wish = {
		.candidate = "c",
		.stable = "s",
		.latest = row->latest ? row->latest : "c",
		.candidate_percent = row->percent,
		.by_latest = row->by_latest,
		.tag = "t",
		.tag_change = row->change,
		.reassert = row->reassert,
	};

	return traffic_plan(now, &wish, arena, plan_r, err_r);
}

static void a_plan_changes_percents_and_nothing_else(void **state)
{
	size_t i;

	for (i = 0; i < sizeof(plan_rows) / sizeof(plan_rows[0]); i++) {
		const struct plan_row *row = &plan_rows[i];
		struct traffic now, out;
		struct arena arena;
		struct err err;

		arena_init(&arena);
		now = list_read(&arena, row->now);
		if (row->plan) {
			assert_int_equal(
				plan(row, &now, &arena, &out, &err), 0);
			assert_string_equal(list_text(&arena, &out), row->plan);
		} else {
			assert_int_equal(
				plan(row, &now, &arena, &out, &err), -1);
			assert_int_equal(err.code, ERR_CONFLICT);
			if (!strstr(err.text, row->says))
				fail_msg("%s: %s", row->now, err.text);
		}
		arena_fini(&arena);
	}
}

static void a_candidate_that_is_stable_cannot_be_shifted(void **state)
{
	struct traffic_wish wish = {.candidate = "s", .stable = "s"};
	struct traffic now, out;
	struct arena arena;
	struct err err;

	arena_init(&arena);
	now = list_read(&arena, "s:100");
	assert_int_equal(traffic_plan(&now, &wish, &arena, &out, &err), -1);
	assert_int_equal(err.code, ERR_INVALID);
	arena_fini(&arena);
}

static void a_list_that_is_too_long_is_refused(void **state)
{
	struct traffic_wish wish = {.candidate = "c", .stable = "s"};
	struct traffic now, out;
	struct arena arena;
	struct err err;
	size_t i;

	arena_init(&arena);
	now.n = TRAFFIC_ENTRIES_MAX;
	now.item = arena_alloc(&arena, now.n * sizeof(*now.item));
	for (i = 0; i < now.n; i++)
		now.item[i].revision = "s";
	assert_int_equal(traffic_plan(&now, &wish, &arena, &out, &err), -1);
	assert_int_equal(err.code, ERR_LIMIT);
	arena_fini(&arena);
}

/* A random list over a handful of revisions. Percents need not sum to 100:
 * a plan is to be right whatever it is given. */
static struct traffic random_list(struct rng *rng, struct arena *arena)
{
	static const char *const names[] = {"c", "s", "x", "y", NULL};
	static const char *const tags[] = {
		"t", "a", "b", "d", "e", "f", "g", "h"};
	struct traffic list = {arena_alloc(arena, 8 * sizeof(*list.item)),
		(size_t)rng_below(rng, 9)};
	size_t i;

	for (i = 0; i < list.n; i++) {
		struct target *t = &list.item[i];
		const char *name = names[rng_below(rng, 5)];

		t->type = name ? TARGET_REVISION : TARGET_LATEST;
		t->revision = name;
		if (rng_below(rng, 2))
			t->tag = tags[i];
		if (!name || name[0] == 'c' || name[0] == 's' ||
			rng_below(rng, 8) == 0)
			t->percent = (int)(rng_below(rng, 3) * 25);
	}
	return list;
}

static bool is_foreign(const struct target *t)
{
	if (t->type == TARGET_LATEST)
		return t->tag != NULL;
	if (t->revision[0] == 'x' || t->revision[0] == 'y')
		return true;
	return t->tag && strcmp(t->tag, "t") != 0;
}

static bool same_place(const struct target *a, const struct target *b)
{
	if (a->type != b->type || !a->tag != !b->tag)
		return false;
	if (a->tag && strcmp(a->tag, b->tag) != 0)
		return false;
	return a->type == TARGET_LATEST ||
	       strcmp(a->revision, b->revision) == 0;
}

/* Every entry of others is there still, in its order. */
static void assert_foreign_kept(
	const struct traffic *now, const struct traffic *out)
{
	size_t i, at = 0;

	for (i = 0; i < now->n; i++) {
		if (!is_foreign(&now->item[i]))
			continue;
		while (at < out->n &&
			!same_place(&out->item[at], &now->item[i]))
			at++;
		assert_true(at++ < out->n);
	}
}

static void assert_writable(const struct traffic *out)
{
	int sum = 0, carriers = 0;
	size_t i, j;

	for (i = 0; i < out->n; i++) {
		const struct target *t = &out->item[i];

		assert_true(t->percent >= 0);
		assert_true(t->type == TARGET_REVISION ? t->revision != NULL
						       : !t->revision);
		assert_null(t->uri);
		sum += t->percent;
		carriers += t->percent > 0;
		for (j = 0; t->tag && j < i; j++)
			if (out->item[j].tag)
				assert_string_not_equal(
					out->item[j].tag, t->tag);
	}
	assert_int_equal(sum, 100);
	assert_true(carriers <= 2);
}

static void check_plan(const struct plan_row *row, const struct traffic *now,
	struct arena *arena)
{
	struct traffic out, again;
	struct split split;
	struct err err;

	if (plan(row, now, arena, &out, &err) < 0) {
		assert_int_equal(err.code, ERR_CONFLICT);
		assert_false(row->reassert && row->change != TAG_ADD);
		return;
	}
	assert_writable(&out);
	assert_foreign_kept(now, &out);
	split = traffic_split(&out, "c", "s", row->latest);
	assert_int_equal(split.candidate, row->percent);
	assert_int_equal(split.other, 0);
	assert_int_equal(traffic_has_latest(&out), row->by_latest);
	if (row->change == TAG_ADD)
		assert_true(traffic_has_tag(&out, "t", "c"));
	if (row->change == TAG_REMOVE)
		assert_false(traffic_has_tag(&out, "t", "c"));
	assert_int_equal(plan(row, &out, arena, &again, &err), 0);
	assert_string_equal(list_text(arena, &out), list_text(arena, &again));
	assert_true(traffic_equal(&out, &again));
}

static void random_plans_keep_the_invariants(void **state)
{
	static const char *const latest[] = {"c", "s", "x"};
	struct rng rng;
	int i;

	rng_init(&rng, 1);
	for (i = 0; i < 50000; i++) {
		struct plan_row row = {.percent = (int)rng_below(&rng, 101),
			.latest = latest[rng_below(&rng, 3)],
			.change = (enum tag_change)rng_below(&rng, 3)};
		struct traffic now;
		struct arena arena;

		if (rng_below(&rng, 4) == 0)
			row.percent = (int)rng_below(&rng, 2) * 100;
		row.reassert = rng_below(&rng, 2);
		row.by_latest = row.percent == 100 && row.latest[0] == 'c' &&
				rng_below(&rng, 2);
		arena_init(&arena);
		now = random_list(&rng, &arena);
		check_plan(&row, &now, &arena);
		arena_fini(&arena);
	}
}

static void stable_is_the_one_with_everything(void **state)
{
	static const struct {
		const char *now;
		bool adopt;
		const char *stable; /* NULL: refused */
		const char *says;
	} rows[] = {
		{"s:100", false, "s"},
		{"x:0#a s:100#b c:0", false, "s"},
		{"s:60 s:40#b", false, "s"},
		{"LATEST:100", false, "l"},
		{"LATEST:50 l:50", false, "l"},
		{"c:100", false, "c"},
		{"s:90 c:10", true, "s"},
		{"c:10 s:90", true, "s"},
		{"LATEST:90 c:10", true, "l"},
		{"s:90 c:10", false, NULL, "--adopt"},
		{"s:90 c:10", false, NULL, "now: s 90 %, c 10 %"},
		{"s:90 x:10", false, NULL, "100 % first"},
		{"s:90 x:10", true, NULL, "100 % first"},
		{"s:80 c:10 x:10", true, NULL, "100 % first"},
		{"s:90", false, NULL, "100 % first"},
		{"s:100 c:10", true, NULL, "100 % first"},
		{"s:0", false, NULL, "100 % first"},
		{"s:100 ?:0#a", false, NULL,
			"traffic now: s 100 %, (unknown) 0 % tag a"},
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *stable = NULL;
		struct arena arena;
		struct traffic now;
		struct err err;
		int rc;

		arena_init(&arena);
		now = list_read(&arena, rows[i].now);
		rc = traffic_find_stable(
			&now, "l", "c", rows[i].adopt, &stable, &err);
		assert_int_equal(rc, rows[i].stable ? 0 : -1);
		if (rc == 0) {
			assert_string_equal(stable, rows[i].stable);
		} else {
			assert_int_equal(err.code, ERR_REFUSED);
			if (!strstr(err.text, rows[i].says))
				fail_msg("%s: %s", rows[i].now, err.text);
		}
		arena_fini(&arena);
	}
}

static void latest_that_nobody_knows_is_refused(void **state)
{
	struct target item = {TARGET_LATEST, NULL, 100, NULL, NULL};
	struct traffic now = {&item, 1};
	const char *stable;
	struct err err;

	assert_int_equal(
		traffic_find_stable(&now, NULL, "c", false, &stable, &err), -1);
	assert_non_null(strstr(err.text, "LATEST 100 %"));
}

static void a_long_list_is_cut_and_says_so(void **state)
{
	struct target item[200] = {{0}};
	struct traffic now = {item, 200};
	const char *stable;
	struct err err;
	size_t i;

	for (i = 0; i < 200; i++)
		item[i].revision = "backend-00041-xyz";
	assert_int_equal(
		traffic_find_stable(&now, "l", "c", false, &stable, &err), -1);
	assert_non_null(strstr(err.text, "give one revision 100 %"));
	assert_non_null(strstr(err.text, "(and more)"));
	assert_null(strchr(err.text, '\n')); /* it is a reason, too */
}

static void splits_are_summed_per_revision(void **state)
{
	struct arena arena;
	struct traffic list;
	struct split split;

	arena_init(&arena);
	list = list_read(&arena, "c:5 c:5#a s:60 LATEST:20 x:10");
	split = traffic_split(&list, "c", "s", "c");
	assert_true(split_equal(split, (struct split){30, 60, 10}));
	split = traffic_split(&list, "c", "s", NULL);
	assert_true(split_equal(split, (struct split){10, 60, 30}));
	assert_false(split_equal(split, (struct split){10, 60, 20}));
	assert_true(traffic_has_latest(&list));
	arena_fini(&arena);
}

static void tags_are_found_on_their_revision_only(void **state)
{
	struct arena arena;
	struct traffic list;

	arena_init(&arena);
	list = list_read(&arena, "s:100#a c:0#b LATEST:0#d");
	list.item[1].uri = "https://b---x.a.run.app";
	assert_true(traffic_has_tag(&list, "b", "c"));
	assert_false(traffic_has_tag(&list, "b", "s"));
	assert_true(traffic_tag_is_taken(&list, "b", "s"));
	assert_false(traffic_tag_is_taken(&list, "b", "c"));
	assert_true(traffic_tag_is_taken(&list, "d", "c"));
	assert_false(traffic_has_tag(&list, "e", "c"));
	assert_string_equal(
		traffic_uri(&list, "c", "b"), "https://b---x.a.run.app");
	assert_null(traffic_uri(&list, "s", "b"));
	assert_null(traffic_uri(&list, "s", "a"));
	assert_null(traffic_uri(&list, "c", "e"));
	list.item[0].tag = NULL; /* no URL of its own */
	list.item[0].uri = "https://x.a.run.app";
	assert_string_equal(
		traffic_uri(&list, "c", NULL), "https://b---x.a.run.app");
	assert_null(traffic_uri(&list, "s", NULL));
	assert_null(traffic_uri(&list, "e", NULL));
	arena_fini(&arena);
}

static void lists_are_equal_in_any_order(void **state)
{
	static const struct {
		const char *a, *b;
		bool equal;
	} rows[] = {
		{"", "", true},
		{"s:90 c:10", "c:10 s:90", true},
		{"s:50 s:50 c:0", "s:50 c:0 c:0", false},
		{"s:90 c:10", "s:90 c:10#t", false},
		{"s:90 c:10#u", "s:90 c:10#t", false},
		{"s:90 c:10", "s:90", false},
		{"LATEST:100", "s:100", false},
	};
	struct arena arena;
	size_t i;

	arena_init(&arena);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct traffic a = list_read(&arena, rows[i].a);
		struct traffic b = list_read(&arena, rows[i].b);

		assert_int_equal(traffic_equal(&a, &b), rows[i].equal);
		assert_int_equal(traffic_equal(&b, &a), rows[i].equal);
	}
	arena_fini(&arena);
}

static void the_table_is_aligned(void **state)
{
	struct arena arena;
	struct traffic list;
	struct buf out;

	arena_init(&arena);
	buf_init(&out, 1024);
	list = list_read(&arena, "backend-00041-xyz:100#stable LATEST:0");
	traffic_print(&list, &out);
	assert_string_equal(out.data, "backend-00041-xyz 100 % tag stable\n"
				      "LATEST              0 %\n");
	buf_fini(&out);
	arena_fini(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plan_changes_percents_and_nothing_else),
		cmocka_unit_test(a_candidate_that_is_stable_cannot_be_shifted),
		cmocka_unit_test(a_list_that_is_too_long_is_refused),
		cmocka_unit_test(random_plans_keep_the_invariants),
		cmocka_unit_test(stable_is_the_one_with_everything),
		cmocka_unit_test(latest_that_nobody_knows_is_refused),
		cmocka_unit_test(a_long_list_is_cut_and_says_so),
		cmocka_unit_test(splits_are_summed_per_revision),
		cmocka_unit_test(tags_are_found_on_their_revision_only),
		cmocka_unit_test(lists_are_equal_in_any_order),
		cmocka_unit_test(the_table_is_aligned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
