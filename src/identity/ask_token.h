/* SPDX-License-Identifier: Apache-2.0 */
/* For identity.c: questions with a token of ours, or from the OS user at the
 * other end of a Unix socket. */
#ifndef TIDEGATE_IDENTITY_ASK_TOKEN_H
#define TIDEGATE_IDENTITY_ASK_TOKEN_H

#include "identity/ask.h"

void ask_token_start(struct ask *ask, const char *text);
void ask_unix_start(struct ask *ask);

#endif
