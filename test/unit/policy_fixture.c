/* SPDX-License-Identifier: Apache-2.0 */
/* Makes policies from text for tests; see policy_fixture.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy_fixture.h"

#define TEXT_MAX 65536

struct policy *policy_given(
	const struct policy_env *env, const char *format, ...)
{
	static const struct policy_env nothing = {0};
	struct buf text, problems;
	struct policy *policy;
	struct err err;
	va_list args;

	buf_init(&text, TEXT_MAX);
	buf_init(&problems, TEXT_MAX);
	va_start(args, format);
	buf_addv(&text, format, args);
	va_end(args);
	policy = policy_parse("test.yaml", text.data, text.len,
		env ? env : &nothing, &problems, &err);
	if (!policy)
		fail_msg("%s", problems.data);
	buf_fini(&text);
	buf_fini(&problems);
	return policy;
}
