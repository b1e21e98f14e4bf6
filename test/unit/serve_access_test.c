/* SPDX-License-Identifier: Apache-2.0 */
/* Who may do what: people, keys, rows, rights. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "policy/policy.h"
#include "serve/access.h"
#include "serve/people.h"
#include "serve/rulings.h"
#include "serve/visitor.h"

#define SHOP "projects/acme/locations/europe-west1/services/shop-backend"

static const char *const alice_keys[] = {"google:1078", "github:583231"};
static const char *const bob_keys[] = {"email:bob@example.com"};
static const struct person persons[] = {
	{"alice", alice_keys, 2}, {"bob", bob_keys, 1}};
static const struct people people = {persons, 2};

/* "KEY KEY …"; vetted, machine, named=PERSON say more. */
static struct visitor *come(const char *text, unsigned rights)
{
	const char *keys[8];
	struct caller caller = {.method = "test",
		.issuer = "",
		.keys = keys,
		.rights = rights,
		.peer = "192.0.2.1"};
	char copy[256], *at = copy, *word;
	struct visitor *visitor;

	assert_true(strlen(text) < sizeof(copy));
	strcpy(copy, text);
	while ((word = strsep(&at, " "))) {
		if (!strcmp(word, "vetted"))
			caller.is_vetted = true;
		else if (!strcmp(word, "machine"))
			caller.is_machine = true;
		else if (!strncmp(word, "named=", 6))
			caller.person = word + 6;
		else
			keys[caller.n_keys++] = word;
	}
	visitor = visitor_new(&caller, &people);
	return visitor;
}

static void one_person_has_several_keys_and_a_machine_is_nobody(void **state)
{
	static const struct {
		const char *keys, *name;
		bool is_person;
	} rows[] = {
		{"google:1078", "alice", true},
		{"github:583231", "alice", true},
		{"slack:T/U github:583231", "alice", true},
		{"email:eve@example.com", "email:eve@example.com", false},
		{"token:ci named=alice", "alice", true},
		{"token:ci named=alice machine", "token:ci", false},
		{"github:583231 machine", "github:583231", false},
	};
	struct visitor *visitor;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		visitor = come(rows[i].keys, RIGHTS_ALL);
		assert_string_equal(visitor->name, rows[i].name);
		assert_int_equal(visitor->is_person, rows[i].is_person);
		visitor_free(&visitor);
		assert_null(visitor);
	}
}

static void patterns_of_services_hold_part_by_part(void **state)
{
	static const struct {
		const char *pattern;
		bool matches;
	} rows[] = {
		{"acme/europe-west1/shop-backend", true},
		{"acme/*/shop-backend", true},
		{"*/*/*", true},
		{"acme/europe-*/shop-*", true},
		{"acme/*west*/*back*end", true},
		{"acme/*/shop", false},
		{"acme/*", false},
		{"*", false},
		{"*/*/*/*", false},
		{"acm/*/shop-backend", false},
		{"acme/*/shop-backend*x", false},
		{"", false},
		{"acme//shop-backend", false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_int_equal(access_service_matches(rows[i].pattern, SHOP),
			rows[i].matches);
}

/* The rows of a configuration as people write them. */
static const struct access_row access_rows[] = {
	{(const char *const[]){"alice", "bob"}, 2,
		RIGHT_BIT(RIGHT_READ) | RIGHT_BIT(RIGHT_OPERATE) |
			RIGHT_BIT(RIGHT_APPROVE),
		(const char *const[]){"acme/*/shop-*"}, 1, NULL, 0},
	{(const char *const[]){"github:repository_id=1,ref=refs/heads/main"}, 1,
		RIGHT_BIT(RIGHT_START) | RIGHT_BIT(RIGHT_APPROVE),
		(const char *const[]){"acme/*/shop-backend"}, 1,
		(const char *const[]){"shop"}, 1},
	{(const char *const[]){ACCESS_ANYONE}, 1, RIGHT_BIT(RIGHT_READ), NULL,
		0, NULL, 0},
	{(const char *const[]){"token:prometheus"}, 1, RIGHT_BIT(RIGHT_METRICS),
		NULL, 0, NULL, 0},
};
static const struct access access_list = {access_rows, 4};

static void what_no_row_grants_is_denied(void **state)
{
	static const char workflow[] = "github:repository_id=1 "
				       "github:ref=refs/heads/main machine";
	static const char branch[] = "github:repository_id=1 "
				     "github:ref=refs/heads/x machine";
	static const struct {
		const char *who;
		unsigned rights; /* of the way in */
		enum right right;
		const char *service, *policy;
		const char *why; /* NULL: granted */
	} rows[] = {
		{"google:1078", RIGHTS_ALL, RIGHT_APPROVE, SHOP, "shop", NULL},
		{"google:1078", RIGHTS_ALL, RIGHT_APPROVE, NULL, NULL, NULL},
		{"google:1078", RIGHTS_ALL, RIGHT_START, SHOP, "shop",
			"does not have the right \"start\" for " SHOP},
		{"google:1078", RIGHTS_ALL, RIGHT_APPROVE,
			"projects/other/locations/r/services/shop-backend",
			"shop", "does not have the right \"approve\""},
		{"google:1078", RIGHT_BIT(RIGHT_READ), RIGHT_OPERATE, SHOP,
			NULL, "a token that does not have the right"},
		{"email:eve@example.com vetted", RIGHTS_ALL, RIGHT_READ, SHOP,
			NULL, NULL},
		{"email:eve@example.com", RIGHTS_ALL, RIGHT_READ, SHOP, NULL,
			"does not have the right \"read\""},
		{"email:eve@example.com", RIGHTS_ALL, RIGHT_APPROVE, SHOP, NULL,
			"nobody among the people"},
		{workflow, RIGHTS_ALL, RIGHT_START, SHOP, "shop", NULL},
		{workflow, RIGHTS_ALL, RIGHT_START, SHOP, "other",
			"does not have the right \"start\""},
		{workflow, RIGHTS_ALL, RIGHT_START, SHOP, "",
			"does not have the right \"start\""},
		{workflow, RIGHTS_ALL, RIGHT_APPROVE, SHOP, "shop",
			"a machine never approves"},
		{branch, RIGHTS_ALL, RIGHT_START, SHOP, "shop",
			"does not have the right \"start\""},
		{"token:prometheus machine", RIGHTS_ALL, RIGHT_METRICS, NULL,
			NULL, NULL},
		{"token:prometheus machine", RIGHTS_ALL, RIGHT_ADMIN, NULL,
			NULL, "does not have the right \"admin\""},
	};
	struct visitor *visitor;
	struct err why;
	bool may;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		visitor = come(rows[i].who, rows[i].rights);
		may = access_may(&access_list, visitor, rows[i].right,
			rows[i].service, rows[i].policy, &why);
		assert_int_equal(may, !rows[i].why);
		if (!may) {
			assert_int_equal(why.code, ERR_DENIED);
			assert_non_null(strstr(why.text, rows[i].why));
		}
		visitor_free(&visitor);
	}
}

static void all_rows_of_a_visitor_count_together(void **state)
{
	struct visitor *visitor = come("github:583231", RIGHTS_ALL);

	assert_int_equal(access_rights(&access_list, visitor),
		RIGHT_BIT(RIGHT_READ) | RIGHT_BIT(RIGHT_OPERATE) |
			RIGHT_BIT(RIGHT_APPROVE));
	visitor_free(&visitor);
	visitor = come("token:prometheus machine", RIGHT_BIT(RIGHT_METRICS));
	assert_int_equal(
		access_rights(&access_list, visitor), RIGHT_BIT(RIGHT_METRICS));
	visitor_free(&visitor);
}

/* Whoever it is is called alice now, who is listed. */
static void who_started_it_under_a_key_or_a_name_of_theirs_does_not_approve_it(
	void **state)
{
	static const struct {
		const char *who, *starter;
		bool self_approval;
		enum ruling_why why;
	} rows[] = {
		{"google:1078", "alice", false, RULING_REFUSED},
		{"google:1078", "google:1078", false, RULING_REFUSED},
		{"github:583231 google:1078", "google:1078", false,
			RULING_REFUSED},
		{"google:1078 named=al", "al", false, RULING_REFUSED},
		{"google:1078", "google:1078", true, RULING_ALLOWED},
		{"google:1078 named=al", "al", true, RULING_ALLOWED},
		{"google:1078", "google:1079", false, RULING_ALLOWED},
		{"google:1078 named=al", "bob", false, RULING_ALLOWED},
	};
	const char *approvers[] = {"alice", "bob"};
	struct approval approval = {
		.approvers = approvers, .n_approvers = 2, .minimum = 1};
	struct step step = {.percent = 100, .approval = &approval};
	const struct policy policy = {.steps = &step, .n_steps = 1};
	struct rollout rollout = {.phase = PHASE_AWAITING_APPROVAL,
		.started_ms = 1,
		.gate_deadline_ms = 1};
	struct ruling_case about = {.access = &access_list,
		.policy = &policy,
		.rollout = &rollout,
		.service = SHOP};
	struct visitor *visitor;
	struct ruling ruling;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		visitor = come(rows[i].who, RIGHTS_ALL);
		assert_string_equal(visitor->name, "alice");
		approval.self_approval = rows[i].self_approval;
		strcpy(rollout.starter, rows[i].starter);
		about.visitor = visitor;
		ruling = ruling_of(&about, VERB_APPROVE);
		if (ruling.why != rows[i].why)
			fail_msg("%s of %s: %s", rows[i].who, rows[i].starter,
				ruling.text);
		visitor_free(&visitor);
	}
}

static void verbs_need_their_rights(void **state)
{
	for (int verb = 0; verb < VERBS; verb++)
		assert_int_equal(right_of_verb((enum verb)verb),
			verb == VERB_APPROVE ? RIGHT_APPROVE : RIGHT_OPERATE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			one_person_has_several_keys_and_a_machine_is_nobody),
		cmocka_unit_test(patterns_of_services_hold_part_by_part),
		cmocka_unit_test(what_no_row_grants_is_denied),
		cmocka_unit_test(all_rows_of_a_visitor_count_together),
		cmocka_unit_test(
			who_started_it_under_a_key_or_a_name_of_theirs_does_not_approve_it),
		cmocka_unit_test(verbs_need_their_rights),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
