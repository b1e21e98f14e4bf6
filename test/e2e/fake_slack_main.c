/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fake Slack of the unit tests as a program, for tests of the daemon as a
 * process. Prints where its API is, and runs until it is killed.
 *   GET  /fake        what was posted, and what it had to complain of
 *   POST /fake/MOOD   well or swallows: see enum fake_slack_mood
 */
#include <stdio.h>
#include <stdlib.h>

#include "fake_slack.h"
#include "io/loop.h"

int main(void)
{
	struct fake_slack fake = {0};
	struct loop *loop;
	struct err err;
	char *url;
	int rc;

	loop = loop_new(&err);
	if (!loop)
		return 1;
	fake_slack_open(&fake, loop, 0);
	url = fake_slack_url(&fake);
	printf("%s\n", url);
	fflush(stdout);
	rc = loop_run(loop, &err);
	free(url);
	fake_slack_fini(&fake);
	loop_free(&loop);
	return rc < 0;
}
