/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of traffic: what is the same, what people read, who keeps a tag. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "engine/traffic.h"

#define MANY      60
#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

#define NAMED(revision, percent)                               \
	{                                                      \
		TARGET_REVISION, revision, percent, NULL, NULL \
	}
#define TAGGED(revision, percent, tag)                        \
	{                                                     \
		TARGET_REVISION, revision, percent, tag, NULL \
	}
#define LATEST(revision, percent)                            \
	{                                                    \
		TARGET_LATEST, revision, percent, NULL, NULL \
	}
#define UNKNOWN(revision, percent)                            \
	{                                                     \
		TARGET_UNKNOWN, revision, percent, NULL, NULL \
	}

static bool are_equal(struct target a, struct target b)
{
	struct traffic one = {&a, 1}, other = {&b, 1};
	bool equal = traffic_equal(&one, &other);

	assert_int_equal(traffic_equal(&other, &one), equal);
	return equal;
}

static void entries_are_equal_by_what_would_be_written(void **state)
{
	static const struct {
		struct target a, b;
		bool equal;
	} rows[] = {
		{NAMED("a", 100), NAMED("a", 100), true},
		{NAMED("a", 100), NAMED("b", 100), false},
		{NAMED("a", 100), NAMED("a", 90), false},
		{TAGGED("a", 0, "t"), TAGGED("a", 0, "t"), true},
		{TAGGED("a", 0, "t"), NAMED("a", 0), false},
		/* Who serves LATEST is not written. */
		{LATEST(NULL, 100), LATEST("a", 100), true},
		{LATEST("b", 100), LATEST("a", 100), true},
		{LATEST("a", 100), NAMED("a", 100), false},
		{UNKNOWN(NULL, 100), UNKNOWN(NULL, 100), true},
		{UNKNOWN(NULL, 100), UNKNOWN("a", 100), false},
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++)
		if (are_equal(rows[i].a, rows[i].b) != rows[i].equal)
			fail_msg("row %zu", i);
}

static void lists_agree_where_users_are_at_the_same_revisions(void **state)
{
	struct target by_name[] = {NAMED("a", 90), NAMED("b", 10)};
	struct target latest[] = {
		LATEST(NULL, 10), NAMED("a", 90), TAGGED("c", 0, "t")};
	struct target unknown[] = {UNKNOWN(NULL, 10), NAMED("a", 90)};
	struct target more[] = {NAMED("a", 90), NAMED("b", 10), NAMED("c", 5)};
	struct traffic one = {by_name, 2}, two = {latest, 3};
	struct traffic dark = {unknown, 2}, three = {more, 3};

	(void)state;
	assert_true(traffic_agrees(&one, &two, "b"));
	assert_true(traffic_agrees(&two, &one, "b"));
	assert_false(traffic_agrees(&one, &two, "c"));
	/* Who has the users is not known. */
	assert_false(traffic_agrees(&one, &two, NULL));
	assert_false(traffic_agrees(&dark, &dark, "b"));
	/* Each side may have somebody whom the other has not. */
	assert_false(traffic_agrees(&one, &three, "b"));
	assert_false(traffic_agrees(&three, &one, "b"));
}

static void one_line_says_who_has_users(void **state)
{
	struct target items[] = {NAMED("a", 80), TAGGED("b", 0, "t"),
		LATEST("c", 15), UNKNOWN(NULL, 5)};
	struct traffic list = {items, 4};
	struct buf out;

	(void)state;
	buf_init(&out, 256);
	traffic_print_line(&list, &out);
	assert_string_equal(out.data, "a 80 %, LATEST 15 %, ? 5 %");
	buf_fini(&out);
}

static void the_table_names_what_it_does_not_know(void **state)
{
	struct target items[] = {UNKNOWN(NULL, 5), NAMED("abc", 95)};
	struct traffic list = {items, 2};
	struct buf out;

	(void)state;
	buf_init(&out, 256);
	traffic_print(&list, &out);
	assert_string_equal(out.data, "(unknown)   5 %\nabc        95 %\n");
	buf_fini(&out);
}

static void a_difference_names_both_sides_and_what_to_do(void **state)
{
	struct target asked = NAMED("new", 100), dark = NAMED("old", 0);
	struct traffic asks = {&asked, 1}, serves = {&dark, 1};
	struct err err;

	(void)state;
	assert_int_equal(traffic_refuse_difference(&asks, &serves, &err), -1);
	assert_int_equal(err.code, ERR_REFUSED);
	assert_string_equal(err.text,
		"what is asked for does not serve: nothing serves, and new 100 "
		"% is asked for; wait until the change has ended, or give the "
		"revision that serves 100 % first");
	dark.percent = 100;
	assert_int_equal(traffic_refuse_difference(&asks, &serves, &err), -1);
	assert_non_null(strstr(err.text, ": old 100 % serves, and new"));
}

/* Both lists are cut, so that what to do is not. */
static void a_difference_of_long_lists_still_says_what_to_do(void **state)
{
	static char names[MANY][32];
	struct target items[MANY];
	struct traffic list = {items, MANY};
	struct err err;

	(void)state;
	for (int i = 0; i < MANY; i++) {
		snprintf(names[i], sizeof(names[i]), "revision-%05d-xyz", i);
		items[i] = (struct target)NAMED(names[i], 1);
	}
	assert_int_equal(traffic_refuse_difference(&list, &list, &err), -1);
	assert_non_null(strstr(err.text, "revision-00000-xyz 1 %, "));
	assert_non_null(
		strstr(err.text, "give the revision that serves 100 % first"));
}

/* ---- the tag that keeps stable ---- */

/* Both are one label of a host name, which leaves them 46 bytes. */
static void a_tag_fits_beside_the_service(void **state)
{
	static const char *const long_tag = "tidegate-stable",
				 *const short_tag = "tg-stable";
	char service[64];

	(void)state;
	memset(service, 's', sizeof(service));
	service[46 - strlen(long_tag)] = '\0';
	assert_string_equal(traffic_keep_tag(service), long_tag);
	service[46 - strlen(long_tag)] = 's';
	service[46 - strlen(long_tag) + 1] = '\0';
	assert_string_equal(traffic_keep_tag(service), short_tag);
	service[46 - strlen(long_tag) + 1] = 's';
	service[46 - strlen(short_tag)] = '\0';
	assert_string_equal(traffic_keep_tag(service), short_tag);
	service[46 - strlen(short_tag)] = 's';
	service[46 - strlen(short_tag) + 1] = '\0';
	assert_null(traffic_keep_tag(service));
	service[46 - strlen(short_tag) + 1] = 's';
	service[47] = '\0';
	assert_null(traffic_keep_tag(service));
}

/* The plan of a candidate "c" with that percent, as "c 50 %#tag, …". */
static void expect_plan(
	const struct traffic *now, int percent, const char *wanted)
{
	const struct traffic_wish wish = {.candidate = "c",
		.stable = "s",
		.candidate_percent = percent,
		.keep_tag = "tidegate-stable"};
	struct traffic plan;
	struct arena arena;
	struct buf out;
	struct err err;

	arena_init(&arena);
	buf_init(&out, 1024);
	assert_int_equal(traffic_plan(now, &wish, &arena, &plan, &err), 0);
	for (size_t i = 0; i < plan.n; i++)
		buf_addf(&out, "%s%s:%d%s%s", i ? " " : "",
			plan.item[i].revision, plan.item[i].percent,
			plan.item[i].tag ? "#" : "",
			plan.item[i].tag ? plan.item[i].tag : "");
	assert_string_equal(out.data, wanted);
	buf_fini(&out);
	arena_fini(&arena);
}

#define PLANS(percent, wanted, ...)                                 \
	do {                                                        \
		struct target items[] = {__VA_ARGS__};              \
		const struct traffic list = {items, LENGTH(items)}; \
                                                                    \
		expect_plan(&list, percent, wanted);                \
	} while (0)

static void stable_is_kept_under_a_tag_while_it_serves_nobody(void **state)
{
	(void)state;
	PLANS(100, "s:0#tidegate-stable c:100", NAMED("s", 50), NAMED("c", 50));
	/* One of its own does as well. */
	PLANS(100, "s:0#live c:100", TAGGED("s", 50, "live"), NAMED("c", 50));
	/* It goes when it serves again, whichever of ours it is. */
	PLANS(50, "s:50 c:50", TAGGED("s", 0, "tidegate-stable"),
		NAMED("c", 100));
	PLANS(50, "s:50 c:50", TAGGED("s", 0, "tg-stable"), NAMED("c", 100));
	PLANS(100, "s:0#tidegate-stable c:100", TAGGED("s", 0, "tg-stable"),
		NAMED("c", 100));
	/* Another revision has it: that is not taken away. */
	PLANS(100, "x:0#tidegate-stable c:100", NAMED("s", 50),
		TAGGED("x", 0, "tidegate-stable"), NAMED("c", 50));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries_are_equal_by_what_would_be_written),
		cmocka_unit_test(
			lists_agree_where_users_are_at_the_same_revisions),
		cmocka_unit_test(one_line_says_who_has_users),
		cmocka_unit_test(the_table_names_what_it_does_not_know),
		cmocka_unit_test(a_difference_names_both_sides_and_what_to_do),
		cmocka_unit_test(
			a_difference_of_long_lists_still_says_what_to_do),
		cmocka_unit_test(a_tag_fits_beside_the_service),
		cmocka_unit_test(
			stable_is_kept_under_a_tag_while_it_serves_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
