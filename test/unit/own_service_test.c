/* SPDX-License-Identifier: Apache-2.0 */
/* What the daemon is itself, and where its state must not lie. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/file_system.h"
#include "serve/own_service.h"

#define NAMED(project, region, name) \
	"projects/" project "/locations/" region "/services/" name

static void a_service_is_ours_by_name_and_place(void **state)
{
	static const struct {
		const char *service;
		bool is;
	} rows[] = {
		{NAMED("acme", "us-central1", "tidegate"), true},
		{NAMED("123", "us-central1", "tidegate"), true},
		{NAMED("acme", "us-central1", "tidegate2"), false},
		{NAMED("acme", "us-central1", "tide"), false},
		{NAMED("acme", "us-central", "tidegate"), false},
		{NAMED("acme", "europe-west1", "tidegate"), false},
		{NAMED("acme2", "us-central1", "tidegate"), false},
		{NAMED("12", "us-central1", "tidegate"), false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(own_service_is("tidegate", "acme", "123",
					 "us-central1", rows[i].service),
			rows[i].is);
}

static void what_is_not_known_may_be_it(void **state)
{
	const char *other = NAMED("other", "europe-west1", "tidegate");

	(void)state;
	assert_true(own_service_is("tidegate", "", "", "", other));
	assert_false(own_service_is("tidegate", "acme", "", "", other));
	assert_false(own_service_is("tidegate", "", "", "us-central1", other));
	assert_true(own_service_is("tidegate", "other", "", "", other));
	assert_int_equal(own_service_check(NULL, other, NULL), 0);
}

static void a_bucket_and_a_share_are_no_place_for_a_state_file(void **state)
{
	struct err err;

	(void)state;
	assert_non_null(file_system_fault(0x65735546)); /* fuse */
	assert_non_null(file_system_fault(0x6969)); /* nfs */
	assert_non_null(file_system_fault(0xff534d42)); /* cifs */
	/* As a signed number of 32 bits is told. */
	assert_non_null(file_system_fault((unsigned long)(int)0xff534d42));
	assert_null(file_system_fault(0xef53)); /* ext4 */
	assert_null(file_system_fault(0x01021994)); /* tmpfs */
	assert_null(file_system_fault(0x794c7630)); /* overlay */
	assert_int_equal(file_system_check("/tmp/state.db", &err), 0);
	assert_int_equal(file_system_check("/no/such/state.db", &err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_service_is_ours_by_name_and_place),
		cmocka_unit_test(what_is_not_known_may_be_it),
		cmocka_unit_test(
			a_bucket_and_a_share_are_no_place_for_a_state_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
