/* SPDX-License-Identifier: Apache-2.0 */
/* For identity.c: who pressed a button in Slack. */
#ifndef TIDEGATE_IDENTITY_ASK_SLACK_H
#define TIDEGATE_IDENTITY_ASK_SLACK_H

#include "identity/ask.h"
#include "identity/identity_config.h"

/* Of the issuers of kind ISSUER_SLACK, the one by whose secret it is signed. */
void ask_slack_start(
	struct ask *ask, const struct issuer_config *issuers, size_t n);

#endif
