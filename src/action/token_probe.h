/* SPDX-License-Identifier: Apache-2.0 */
/* JOB_CAPTURE of types of which no more can be asked than a token. */
#ifndef TIDEGATE_ACTION_TOKEN_PROBE_H
#define TIDEGATE_ACTION_TOKEN_PROBE_H

#include "action/action.h"

/* Ends the run with whether a token can be had for a request to `url`, or with
 * a success when none is needed. It is the run's data until then. */
void token_probe_start(
	struct action_run *run, const struct auth *auth, const char *url);
void token_probe_cancel(struct action_run *run);

#endif
