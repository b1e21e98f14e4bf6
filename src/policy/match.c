/* SPDX-License-Identifier: Apache-2.0 */
/* Regular expressions with limits; see match.h. The only user of PCRE2. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "policy/match.h"

#include <assert.h>
#include <pcre2.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Bytes that are not UTF-8 match nothing instead of ending the match. */
#define OPTIONS                                                          \
	(PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C | \
		PCRE2_AUTO_CALLOUT)

/*
 * PCRE2's own limit is for each place in the text at which a match may begin,
 * so that a long text has as many times the limit as it has places. The work of
 * the whole call is counted in callouts, which come before each item of the
 * pattern. An item that repeats moves over many characters in one go, counted
 * by how far it came; what a repeat with a minimum or a back reference looks at
 * before it fails is counted as if it had come that far.
 */
struct work {
	size_t left;
	size_t at; /* in the text, at the callout before this one */
	size_t repeat_min; /* the largest number after a brace */
	bool refers_back;
};

#define WORK_CHARS 16 /* passed in the time of a callout */

static int work_done(pcre2_callout_block *block, void *arg)
{
	struct work *work = arg;
	size_t at = block->current_position;
	size_t chars = at > work->at ? at - work->at : work->at - at;
	size_t units;

	work->at = at;
	if (work->refers_back)
		chars += at - block->start_match;
	units = 1 + (chars + work->repeat_min) / WORK_CHARS;
	if (units > work->left)
		return PCRE2_ERROR_MATCHLIMIT;
	work->left -= units;
	return 0;
}

static void work_init(
	struct work *work, const pcre2_code *code, const char *pattern)
{
	uint32_t references = 0;
	size_t number;

	*work = (struct work){.left = MATCH_WORK_MAX};
	pcre2_pattern_info(code, PCRE2_INFO_BACKREFMAX, &references);
	work->refers_back = references > 0;
	while ((pattern = strchr(pattern, '{'))) {
		number = strtoul(++pattern, NULL, 10);
		if (number > work->repeat_min)
			work->repeat_min = number;
	}
}

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
	struct work work;
	int rc;

	if (!code)
		return -1;
	work_init(&work, code, pattern);
	context = pcre2_match_context_create(NULL);
	data = pcre2_match_data_create(1, NULL);
	assert(context && data);
	pcre2_set_match_limit(context, MATCH_STEPS_MAX);
	pcre2_set_depth_limit(context, MATCH_DEPTH_MAX);
	pcre2_set_heap_limit(context, MATCH_HEAP_MAX);
	pcre2_set_callout(context, work_done, &work);
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
