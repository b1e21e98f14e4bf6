/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of the panel; see keys.h. */
#include "cli/keys.h"

#include <string.h>

#define ESCAPE    '\033'
#define BACKSPACE '\b'
#define DELETE    0x7f
#define CONTROL_U 0x15

static void ask(struct keys *keys, enum keys_asking asking)
{
	keys->asking = asking;
}

static void begin_comment(struct keys *keys, enum verb verb)
{
	keys->verb = verb;
	keys->len = keys->dropped = 0;
	keys->comment[0] = '\0';
	ask(keys, KEYS_COMMENT);
}

/* The whole of the last character. */
static void take_back(struct keys *keys)
{
	while (keys->len &&
		((unsigned char)keys->comment[--keys->len] & 0xc0) == 0x80)
		;
	keys->comment[keys->len] = '\0';
}

static size_t bytes_of(unsigned char lead)
{
	return lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

/* Characters are whole: one that has no room is left out with all its bytes. */
static void add_byte(struct keys *keys, char byte)
{
	bool goes_on = ((unsigned char)byte & 0xc0) == 0x80;
	size_t n = bytes_of((unsigned char)byte);

	if (goes_on && keys->dropped) {
		keys->dropped--;
		return;
	}
	keys->dropped = 0;
	if (keys->len + n >= KEYS_COMMENT_MAX) {
		keys->dropped = n - 1;
		return;
	}
	keys->comment[keys->len++] = byte;
	keys->comment[keys->len] = '\0';
}

static enum keys_want take_comment(struct keys *keys, char byte)
{
	if (byte == '\r' || byte == '\n') {
		ask(keys, keys->verb == VERB_ABORT ? KEYS_SURE : KEYS_NOTHING);
		return keys->verb == VERB_ABORT ? WANT_NOTHING : WANT_DECISION;
	}
	if (byte == DELETE || byte == BACKSPACE) {
		take_back(keys);
	} else if (byte == CONTROL_U) {
		keys->len = 0;
		keys->comment[0] = '\0';
	} else if ((unsigned char)byte >= ' ') {
		add_byte(keys, byte);
	}
	return WANT_NOTHING;
}

static enum keys_want take_sure(struct keys *keys, char byte, bool alone)
{
	ask(keys, KEYS_NOTHING);
	return byte == 'b' && alone ? WANT_DECISION : WANT_NOTHING;
}

static enum keys_want take_leave(struct keys *keys, char byte, bool alone)
{
	ask(keys, KEYS_NOTHING);
	return byte == 'q' && alone ? WANT_LEAVE : WANT_NOTHING;
}

static enum keys_want take_plain(struct keys *keys, char byte, bool alone,
	unsigned verbs, bool leave_asks)
{
	static const struct {
		char key;
		enum verb verb;
	} decisions[] = {
		{'a', VERB_APPROVE},
		{'p', VERB_PAUSE},
		{'c', VERB_CONTINUE},
		{'b', VERB_ABORT},
	};
	size_t i;

	if (byte == 'j' || byte == 'k')
		return byte == 'j' ? WANT_DOWN : WANT_UP;
	if (!alone)
		return WANT_NOTHING;
	for (i = 0; i < sizeof(decisions) / sizeof(decisions[0]); i++) {
		if (byte == decisions[i].key && verbs & 1U << decisions[i].verb)
			begin_comment(keys, decisions[i].verb);
	}
	if (byte == 'q' && leave_asks)
		ask(keys, KEYS_LEAVE);
	else if (byte == 'q')
		return WANT_LEAVE;
	return WANT_NOTHING;
}

/* Whether the byte belongs to a sequence of the terminal's: ESC [ A and the
 * like. ESC alone takes back what is asked. */
static bool take_escape(struct keys *keys, char byte, enum keys_want *want_r)
{
	*want_r = WANT_NOTHING;
	if (byte == ESCAPE) {
		ask(keys, KEYS_NOTHING);
		keys->escape = 1;
		return true;
	}
	if (keys->escape == 1 && (byte == '[' || byte == 'O')) {
		keys->escape = 2;
		return true;
	}
	if (keys->escape != 2) {
		keys->escape = 0;
		return false;
	}
	if (strchr("0123456789;", byte) && byte)
		return true;
	keys->escape = 0;
	*want_r = byte == 'A'   ? WANT_UP
		  : byte == 'B' ? WANT_DOWN
				: WANT_NOTHING;
	return true;
}

enum keys_want keys_take(struct keys *keys, char byte, bool alone,
	unsigned verbs, bool leave_asks)
{
	enum keys_want want;

	if (take_escape(keys, byte, &want))
		return want;
	switch (keys->asking) {
	case KEYS_COMMENT:
		return take_comment(keys, byte);
	case KEYS_SURE:
		return take_sure(keys, byte, alone);
	case KEYS_LEAVE:
		return take_leave(keys, byte, alone);
	default:
		return take_plain(keys, byte, alone, verbs, leave_asks);
	}
}
