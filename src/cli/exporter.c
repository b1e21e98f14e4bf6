/* SPDX-License-Identifier: Apache-2.0 */
/* Starts and leaves `tidegate export`; see exporter.h. */
#include "cli/exporter.h"

#include <sys/wait.h>

#include "base/log.h"
#include "cli/command.h"
#include "cli/context.h"
#include "io/http.h"

#define LOOK_MS 20

static int check_url(const char *option, const char *url, struct err *err_r)
{
	struct err why;

	if (!url || http_url_check(url, false, &why) == 0)
		return 0;
	return err_set(
		err_r, ERR_USAGE, "--%s \"%.160s\": %s", option, url, why.text);
}

int exporter_check(const struct exporter_wish *wish, struct err *err_r)
{
	if (check_url("push-metrics", wish->push, err_r) < 0)
		return -1;
	return check_url("otlp", wish->otlp, err_r);
}

pid_t exporter_start(const struct exporter_wish *wish, const char *state,
	const char *rollout)
{
	const char *args[10] = {"", "export", rollout, "--state", state};
	size_t n = 5;
	pid_t pid;

	if (!wish->push && !wish->otlp)
		return 0;
	if (wish->push) {
		args[n++] = "--push-metrics";
		args[n++] = wish->push;
	}
	if (wish->otlp) {
		args[n++] = "--otlp";
		args[n++] = wish->otlp;
	}
	pid = command_start_elsewhere("tidegate-workbench", (char **)args);
	if (pid < 0)
		log_line(LOG_WARN, "event=export error=\"no process\"");
	return pid < 0 ? 0 : pid;
}

void exporter_wait(pid_t exporter)
{
	int waited_ms, status;

	for (waited_ms = 0; exporter && waited_ms < EXPORTER_END_MS &&
			    waitpid(exporter, &status, WNOHANG) == 0;
		waited_ms += LOOK_MS)
		context_pause(LOOK_MS);
}
