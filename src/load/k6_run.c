/* SPDX-License-Identifier: Apache-2.0 */
/* A script of k6; see k6_run.h. */
#define _GNU_SOURCE /* environ */
#include "load/k6_run.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/duration.h"
#include "base/sanitize.h"
#include "base/xalloc.h"
#include "io/loop.h"
#include "io/process.h"
#include "io/temp_folder.h"
#include "load/k6_codec.h"

#define SAID_MAX 400 /* bytes of its output in a message */

struct k6_run {
	char *folder, *summary;
	struct process *process;
	k6_fn fn;
	void *arg;
};

/* false: there is none, or it is too long. */
static bool read_summary(const struct k6_run *run, struct buf *out)
{
	char bytes[16384];
	int fd = open(run->summary, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t n = -1;

	if (fd < 0)
		return false;
	while (!out->overflow && (n = read(fd, bytes, sizeof(bytes))) > 0)
		buf_add(out, bytes, (size_t)n);
	close(fd);
	return n == 0 && !out->overflow;
}

static void say_error(
	const struct process_end *end, const char *why, struct err *err)
{
	struct buf said;

	buf_init(&said, SAID_MAX * 8);
	buf_adds(&said, "");
	sanitize_add(&said, end->output, end->output_len, SAID_MAX,
		end->output_dropped);
	if (end->err)
		*err = *end->err;
	else if (end->signal)
		(void)!err_set(err, ERR_ACTION, "k6 was ended by signal %d",
			end->signal);
	else
		(void)!err_set(err, ERR_ACTION,
			"k6 did not judge: %s (exit %d)%s%s", why,
			end->exit_status, said.len ? ": " : "", said.data);
	buf_fini(&said);
}

static int understand(const struct k6_run *run, const struct process_end *end,
	struct load_figures *figures, struct err *err)
{
	const char *why = NULL;
	enum k6_verdict verdict = k6_verdict_of(end->exit_status, &why);
	struct buf summary;
	int rc = 0;

	if (end->err || end->signal || verdict == K6_ERROR) {
		say_error(end, why, err);
		return -1;
	}
	buf_init(&summary, K6_SUMMARY_MAX);
	buf_adds(&summary, "");
	if (!read_summary(run, &summary))
		rc = err_set(err, ERR_PROTOCOL,
			"k6 left no summary that can be read");
	else
		rc = k6_summary_parse(summary.data, summary.len, figures, err);
	buf_fini(&summary);
	/* The thresholds have judged, whatever its figures are. */
	if (rc < 0 && verdict == K6_MISSED) {
		*figures = (struct load_figures){.generator = "k6",
			.p50_ms = -1,
			.p95_ms = -1,
			.p99_ms = -1,
			.max_ms = -1,
			.mean_ms = -1};
		rc = 0;
	}
	figures->verdict = why;
	figures->duration_ms = end->duration_ms;
	return rc;
}

static void k6_ended(const struct process_end *end, void *arg)
{
	struct k6_run *run = arg;
	struct load_figures figures = {0};
	struct err err;

	run->process = NULL;
	if (understand(run, end, &figures, &err) < 0)
		run->fn(NULL, &err, run->arg);
	else
		run->fn(&figures, NULL, run->arg);
}

struct k6_run *k6_start(struct loop *loop, const char *script, k6_fn fn,
	void *arg, struct err *err_r)
{
	struct k6_run *run;
	char *folder = temp_folder_make("tidegate-k6", err_r), *option;

	if (!folder)
		return NULL;
	run = xcalloc(1, sizeof(*run));
	run->folder = folder;
	run->summary = xasprintf("%s/summary.json", folder);
	run->fn = fn;
	run->arg = arg;
	option = xasprintf("--summary-export=%s", run->summary);
	run->process = process_start(loop,
		&(struct process_spec){
			.argv = (const char *const[]){"k6", "run", "--quiet",
				"--no-color", "--include-system-env-vars",
				option, script, NULL},
			.env = (const char *const *)environ,
			/* Who called us has a time for all of it. */
			.timeout_ms = DURATION_MS_MAX,
		},
		k6_ended, run);
	free(option);
	return run;
}

void k6_free(struct k6_run **runp)
{
	struct k6_run *run = *runp;

	*runp = NULL;
	if (!run)
		return;
	process_cancel(&run->process);
	temp_folder_remove(&run->folder);
	free(run->summary);
	free(run);
}
