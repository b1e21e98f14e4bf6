/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What each test program of scenarios begins with. A scenario that breaks a
 * promise fails its test.
 */
#ifndef TIDEGATE_TEST_SCENARIO_TEST_H
#define TIDEGATE_TEST_SCENARIO_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scenario.h"

static inline void scenario_failed(const char *text)
{
	fail_msg("%s", text);
}

static inline int scenario_setup(void **state)
{
	promise_broken = scenario_failed;
	scenario_open(1);
	return 0;
}

static inline int scenario_teardown(void **state)
{
	scenario_close();
	return 0;
}

#define SCENARIO(name) \
	cmocka_unit_test_setup_teardown(name, scenario_setup, scenario_teardown)

#endif
