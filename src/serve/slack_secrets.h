/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets of Slack's apps: whether a file holds one, and reading the files again
 * while the daemon runs, beside the loop. */
#ifndef TIDEGATE_SERVE_SLACK_SECRETS_H
#define TIDEGATE_SERVE_SLACK_SECRETS_H

#include <stddef.h>

struct desk;
struct issuer_config;
struct secret_list;

/* NULL: it looks like one; else what it is not, and where it is found. */
const char *slack_signing_secret_problem(const char *text, size_t len);
const char *slack_bot_token_problem(const char *text, size_t len);

/* Puts what the files hold now into the issuers, later; a file that holds none
 * leaves the secret as it was, and the log says so. All is borrowed for as long as
 * the desk has jobs. */
void slack_secrets_renew(struct desk *desk, struct issuer_config *issuers,
	size_t n, struct secret_list *list);

#endif
