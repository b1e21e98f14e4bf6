/* SPDX-License-Identifier: Apache-2.0 */
/* Text for Slack; see mrkdwn.h. The three entities are all that Slack knows:
 * https://docs.slack.dev/messaging/formatting-message-text */
#include "base/mrkdwn.h"

#include <string.h>

#define ENTITY_MAX 5 /* "&amp;" */

void mrkdwn_escape(struct buf *out, const char *text)
{
	for (const char *p = text ? text : ""; *p; p++) {
		if (*p == '&')
			buf_adds(out, "&amp;");
		else if (*p == '<')
			buf_adds(out, "&lt;");
		else if (*p == '>')
			buf_adds(out, "&gt;");
		else
			buf_addc(out, *p);
	}
}

size_t mrkdwn_whole(const char *text, size_t max)
{
	size_t len = max, entity;

	while (len && ((unsigned char)text[len] & 0xc0) == 0x80)
		len--;
	for (entity = len; entity && len - entity < ENTITY_MAX;) {
		entity--;
		if (text[entity] == ';')
			break;
		if (text[entity] == '&')
			return entity;
	}
	return len;
}

void mrkdwn_cut(struct buf *text, size_t max)
{
	if (text->len <= max)
		return;
	buf_truncate(text, mrkdwn_whole(text->data, max - strlen("…")));
	buf_adds(text, "…");
}
