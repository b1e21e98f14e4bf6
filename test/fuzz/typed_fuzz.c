/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What arrives on the panel's keyboard: keys, sequences of a terminal, pasted
 * texts. The first byte says what may be decided, a zero byte ends what came
 * together. Whatever comes, a comment is one line that has room, and only keys
 * that came alone begin a decision, take an abort back or leave.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "cli/keys.h"

#define LEAVE_ASKS 0x80

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_comment(const struct keys *keys)
{
	const char *c;

	assert(keys->len < KEYS_COMMENT_MAX);
	assert(strlen(keys->comment) == keys->len);
	for (c = keys->comment; *c; c++)
		assert((unsigned char)*c >= ' ' && *c != 0x7f);
}

static void check_want(const struct keys *before, const struct keys *after,
	enum keys_want want, char byte, bool alone)
{
	bool enter = byte == '\r' || byte == '\n';

	if (want == WANT_DECISION && after->verb == VERB_ABORT)
		assert(before->asking == KEYS_SURE && byte == 'b' && alone);
	else if (want == WANT_DECISION)
		assert(before->asking == KEYS_COMMENT && enter);
	if (want == WANT_LEAVE)
		assert(byte == 'q' && alone);
}

static void take(struct keys *keys, char byte, bool alone, unsigned verbs,
	bool leave_asks)
{
	struct keys before = *keys;
	enum keys_want want = keys_take(keys, byte, alone, verbs, leave_asks);

	check_comment(keys);
	check_want(&before, keys, want, byte, alone);
	assert(keys->escape >= 0 && keys->escape <= 2);
	if (want == WANT_LEAVE && leave_asks)
		assert(before.asking == KEYS_LEAVE);
	if (keys->asking == KEYS_COMMENT && before.asking != KEYS_COMMENT)
		assert(alone && verbs & 1U << keys->verb);
	if (keys->asking == KEYS_SURE)
		assert(keys->verb == VERB_ABORT);
	if (byte == '\033')
		assert(keys->asking == KEYS_NOTHING && want == WANT_NOTHING);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct keys keys = {0};
	const uint8_t *end = data + size, *next, *c;
	unsigned verbs;
	bool leave_asks;

	if (!size)
		return 0;
	verbs = *data & ((1U << VERBS) - 1);
	leave_asks = *data & LEAVE_ASKS;
	for (data++; data < end; data = next + 1) {
		next = memchr(data, 0, (size_t)(end - data));
		if (!next)
			next = end;
		for (c = data; c < next; c++)
			take(&keys, (char)*c, next - data == 1, verbs,
				leave_asks);
	}
	return 0;
}
