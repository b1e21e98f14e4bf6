/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets of Slack's apps; see slack_secrets.h. */
#include "serve/slack_secrets.h"

#include <stdbool.h>
#include <string.h>

#define SIGNING_SECRET_MIN 16 /* bytes */

static bool is_visible(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] <= ' ' || text[i] > '~')
			return false;
	return true;
}

const char *slack_signing_secret_problem(const char *text, size_t len)
{
	if (len >= SIGNING_SECRET_MIN && is_visible(text, len))
		return NULL;
	return "no signing secret: take that of \"Basic Information\" of the "
	       "app, 32 characters";
}

const char *slack_bot_token_problem(const char *text, size_t len)
{
	if (len > 5 && !strncmp(text, "xoxb-", 5) && is_visible(text, len))
		return NULL;
	return "no bot token: take that of \"OAuth & Permissions\" of the app, "
	       "xoxb-…";
}
