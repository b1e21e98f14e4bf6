/* Regular expressions with limits; see match.h. The only user of PCRE2. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "policy/match.h"

#include <assert.h>
#include <pcre2.h>

/* Bytes that are not UTF-8 match nothing instead of ending the match. */
#define OPTIONS (PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C)

static pcre2_code *compile(const char *pattern, struct err *err_r)
{
	pcre2_compile_context *context = pcre2_compile_context_create(NULL);
	PCRE2_UCHAR why[160];
	PCRE2_SIZE at;
	pcre2_code *code;
	int error;

	assert(context);
	pcre2_set_max_pattern_length(context, MATCH_PATTERN_MAX);
	pcre2_set_parens_nest_limit(context, MATCH_NEST_MAX);
	code = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED,
		OPTIONS, &error, &at, context);
	pcre2_compile_context_free(context);
	if (code)
		return code;
	pcre2_get_error_message(error, why, sizeof(why));
	err_set(err_r, ERR_POLICY,
		"\"%.80s\" is not a regular expression: %s at offset %zu",
		pattern, (const char *)why, at);
	return NULL;
}

int match_check(const char *pattern, struct err *err_r)
{
	pcre2_code *code = compile(pattern, err_r);

	if (!code)
		return -1;
	pcre2_code_free(code);
	return 0;
}

int match_find(
	const char *pattern, const char *text, size_t len, struct err *err_r)
{
	pcre2_code *code = compile(pattern, err_r);
	pcre2_match_context *context;
	pcre2_match_data *data;
	PCRE2_UCHAR why[160];
	int rc;

	if (!code)
		return -1;
	context = pcre2_match_context_create(NULL);
	data = pcre2_match_data_create(1, NULL);
	assert(context && data);
	pcre2_set_match_limit(context, MATCH_STEPS_MAX);
	pcre2_set_depth_limit(context, MATCH_DEPTH_MAX);
	pcre2_set_heap_limit(context, MATCH_HEAP_MAX);
	rc = pcre2_match(code, (PCRE2_SPTR)text, len, 0, 0, data, context);
	pcre2_match_data_free(data);
	pcre2_match_context_free(context);
	pcre2_code_free(code);
	if (rc >= 0)
		return 1;
	if (rc == PCRE2_ERROR_NOMATCH)
		return 0;
	pcre2_get_error_message(rc, why, sizeof(why));
	return err_set(err_r, ERR_LIMIT,
		"matching \"%.80s\" against %zu bytes was given up: %s; "
		"write a simpler pattern",
		pattern, len, (const char *)why);
}
