/* SPDX-License-Identifier: Apache-2.0 */
/* Where and as whom a command works. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <pwd.h>
#include <unistd.h>

#include "cli/context.h"

#define SOMEBODY 65534

static char folder[64], path[128];
static struct arena arena;
static struct store *store;

static int setup(void **state)
{
	static const char *const names[] = {"TIDEGATE_USER", "GITHUB_ACTOR",
		"CLOUDSDK_CORE_PROJECT", "GOOGLE_CLOUD_PROJECT",
		"GCLOUD_PROJECT", "CLOUDSDK_RUN_REGION", "GOOGLE_CLOUD_REGION"};
	struct err err;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unsetenv(names[i]);
	strcpy(folder, "/tmp/context_test.XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/db", folder);
	store = context_store(path, STORE_CREATE, &err);
	assert_non_null(store);
	arena_init(&arena);
	return 0;
}

static int teardown(void **state)
{
	char command[128];

	arena_fini(&arena);
	store_free(&store);
	snprintf(command, sizeof(command), "rm -r %s", folder);
	return system(command);
}

static void the_owner_may_decide_under_a_name(void **state)
{
	const struct passwd *login = getpwuid(geteuid());
	char who[CONTEXT_NAME_MAX];
	struct err err;

	assert_int_equal(context_who(store, NULL, who, &err), 0);
	if (login)
		assert_string_equal(who, login->pw_name);
	setenv("GITHUB_ACTOR", "octocat", 1);
	assert_int_equal(context_who(store, NULL, who, &err), 0);
	assert_string_equal(who, "octocat");
	setenv("TIDEGATE_USER", "bob", 1);
	assert_int_equal(context_who(store, NULL, who, &err), 0);
	assert_string_equal(who, "bob");
	assert_int_equal(context_who(store, "carol", who, &err), 0);
	assert_string_equal(who, "carol");
}

static void nobody_else_may(void **state)
{
	const struct passwd *login = getpwuid(geteuid());
	char who[CONTEXT_NAME_MAX];
	struct err err;

	if (geteuid() != 0) {
		/* Only root can give a file away. */
		skip();
	}
	assert_int_equal(chown(path, SOMEBODY, SOMEBODY), 0);
	setenv("TIDEGATE_USER", "bob", 1);
	setenv("GITHUB_ACTOR", "bob", 1);
	assert_int_equal(context_who(store, NULL, who, &err), 0);
	assert_string_equal(who, login->pw_name);
	assert_int_equal(context_who(store, "bob", who, &err), -1);
	assert_int_equal(err.code, ERR_REFUSED);
}

static void names_that_would_deceive_are_refused(void **state)
{
	static const char *const rows[] = {"", "a b", "a\nb", "a\033[2J",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		"aa"};
	char who[CONTEXT_NAME_MAX];
	struct err err;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(context_who(store, rows[i], who, &err), -1);
		assert_int_equal(err.code, ERR_REFUSED);
	}
}

static void flags_then_policy_then_environment(void **state)
{
	struct context_target t = {.service = "shop"};
	struct err err;

	assert_int_equal(context_resolve(&t, &arena, &err), -1);
	assert_non_null(strstr(err.text, "the project is missing"));
	setenv("GOOGLE_CLOUD_PROJECT", "from-env", 1);
	assert_int_equal(context_resolve(&t, &arena, &err), -1);
	assert_non_null(strstr(err.text, "the region is missing"));
	setenv("CLOUDSDK_RUN_REGION", "us-central1", 1);
	t = (struct context_target){.service = "shop"};
	assert_int_equal(context_resolve(&t, &arena, &err), 0);
	assert_string_equal(t.name,
		"projects/from-env/locations/us-central1/services/shop");
	setenv("CLOUDSDK_CORE_PROJECT", "from-gcloud", 1);
	t = (struct context_target){.policy_service = "shop"};
	assert_int_equal(context_resolve(&t, &arena, &err), 0);
	assert_string_equal(t.project, "from-gcloud");
	t = (struct context_target){.policy_project = "p",
		.policy_region = "r",
		.policy_service = "s"};
	assert_int_equal(context_resolve(&t, &arena, &err), 0);
	assert_string_equal(t.name, "projects/p/locations/r/services/s");
	t = (struct context_target){.project = "flag",
		.policy_project = "p",
		.service = "a",
		.policy_service = "s"};
	assert_int_equal(context_resolve(&t, &arena, &err), 0);
	assert_string_equal(
		t.name, "projects/flag/locations/us-central1/services/a");
}

static void a_full_name_gives_all_three(void **state)
{
	struct context_target t = {
		.service = "projects/p/locations/r/services/s"};
	struct err err;

	assert_int_equal(context_resolve(&t, &arena, &err), 0);
	assert_string_equal(t.project, "p");
	assert_string_equal(t.region, "r");
	assert_string_equal(t.service, "s");
	assert_string_equal(t.name, "projects/p/locations/r/services/s");
}

static void names_that_would_change_a_url_are_refused(void **state)
{
	static const char *const rows[] = {"", "a/b", "a?b", "a#b", "a b",
		"../x", "..", "%2e", "projects/p/locations/r/services/",
		"projects/p/locations/r/services/s/x",
		"projects/p/locations//services/s",
		"projects/p/regions/r/services/s"};
	struct context_target t;
	struct err err;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		t = (struct context_target){
			.project = "p", .region = "r", .service = rows[i]};
		assert_int_equal(context_resolve(&t, &arena, &err), -1);
		assert_int_equal(err.code, ERR_USAGE);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_owner_may_decide_under_a_name),
		TEST(nobody_else_may),
		TEST(names_that_would_deceive_are_refused),
		TEST(flags_then_policy_then_environment),
		TEST(a_full_name_gives_all_three),
		TEST(names_that_would_change_a_url_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
