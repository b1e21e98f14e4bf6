/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets of Slack's apps: whether a file holds one. */
#ifndef TIDEGATE_SERVE_SLACK_SECRETS_H
#define TIDEGATE_SERVE_SLACK_SECRETS_H

#include <stddef.h>

/* NULL: it looks like one; else what it is not, and where it is found. */
const char *slack_signing_secret_problem(const char *text, size_t len);
const char *slack_bot_token_problem(const char *text, size_t len);

#endif
