/* For identity.c: who pressed a button in Slack. */
#ifndef TIDEGATE_IDENTITY_ASK_SLACK_H
#define TIDEGATE_IDENTITY_ASK_SLACK_H

#include "identity/ask.h"
#include "identity/identity_config.h"

void ask_slack_start(struct ask *ask, const struct issuer_config *config);

#endif
