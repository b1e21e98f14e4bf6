/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Actions of type report: what happened so far, out of the journal, as
 * Markdown into a file. The file is written anew each time, so that it may be
 * run as often as one likes.
 */
#define _GNU_SOURCE /* memmem */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "action/action.h"
#include "base/xalloc.h"
#include "io/file_job.h"
#include "io/loop.h"
#include "report/report.h"
#include "store/walk.h"

#define PATH_BYTES_MAX 4096

/* A path that is not absolute is of the policy's folder, as programs are. */
static int path_of(const struct action_env *env, const struct action *action,
	const struct template_values *values, struct buf *path,
	struct err *err_r)
{
	if (action->u.report.path[0] != '/')
		buf_addf(path, "%s/", env->policy->folder);
	template_render(path, action->u.report.path, values, ESCAPE_PATH);
	if (path->overflow)
		return err_set(err_r, ERR_POLICY,
			"the path is longer than %d bytes", PATH_BYTES_MAX);
	return 0;
}

/* The place of a file that is to be written: the folder must be there, and no
 * folder be in its place. */
static int check_place(const char *path, struct err *err_r)
{
	size_t len = (size_t)(strrchr(path, '/') - path) + 1;
	char *folder = xmemdup0(path, len);
	struct stat found;
	int rc = 0;

	if (access(folder, W_OK | X_OK))
		rc = err_set(err_r, ERR_POLICY,
			"cannot write into the folder %.300s: %s", folder,
			strerror(errno));
	else if (!path[len])
		rc = err_set(err_r, ERR_POLICY,
			"%.300s is no file's name: add one", path);
	else if (stat(path, &found) == 0 && S_ISDIR(found.st_mode))
		rc = err_set(err_r, ERR_POLICY,
			"%.300s is a folder: name a file in it", path);
	free(folder);
	return rc;
}

/* What a template names of the folder is not known yet. */
static int report_check(const struct action_env *env,
	const struct action *action, struct err *err_r)
{
	static const struct template_values none = {.rollout = "rollout"};
	const char *path = action->u.report.path;
	const char *slash = strrchr(path, '/');
	struct buf place;
	int rc;

	if (slash && memmem(path, (size_t)(slash - path), "{{", 2))
		return 0;
	buf_init(&place, PATH_BYTES_MAX);
	rc = path_of(env, action, &none, &place, err_r);
	if (rc == 0)
		rc = check_place(place.data, err_r);
	buf_fini(&place);
	return rc;
}

/* ---- the journal, in several turns when it is long; then a file beside the
 * loop: it may be a FIFO, or on a disk that hangs ---- */

struct writing {
	struct report_reader *reader;
	struct walk *walk;
	struct file_job *job;
	struct watch *watch;
	struct buf path;
};

static int report_entry(
	const struct store_event *entry, void *arg, struct err *err_r);
static void report_read(const struct err *err, void *arg);
static void report_written(int fd, int what, void *arg);

static void writing_free(struct action_run *run)
{
	struct writing *writing = run->data;
	struct err err;

	if (!writing)
		return;
	walk_cancel(&writing->walk);
	report_reader_free(&writing->reader);
	watch_cancel(&writing->watch);
	(void)!file_job_end(&writing->job, &err);
	buf_fini(&writing->path);
	free(writing);
	run->data = NULL;
}

static void report_failed(struct action_run *run, const struct err *err)
{
	buf_adds(&run->detail, err->text);
	action_run_end(run, ACTION_FAILED);
}

static int read_start(struct action_run *run, struct err *err_r)
{
	const struct action_env *env = run->env;
	const char *rollout = run->values->rollout;
	struct writing *writing = run->data;

	if (path_of(env, run->action, run->values, &writing->path, err_r) < 0)
		return -1;
	writing->reader =
		report_reader_new(env->store, rollout, env->policy, err_r);
	if (!writing->reader)
		return -1;
	writing->walk = walk_start(
		env->loop, env->store, rollout, report_entry, report_read, run);
	return 0;
}

static void report_start(struct action_run *run)
{
	struct writing *writing = xcalloc(1, sizeof(*writing));
	struct err err;

	run->data = writing;
	buf_init(&writing->path, PATH_BYTES_MAX);
	if (read_start(run, &err) == 0)
		return;
	buf_adds(&run->detail, err.text);
	action_run_end_soon(run, ACTION_FAILED);
}

static int report_entry(
	const struct store_event *entry, void *arg, struct err *err_r)
{
	struct action_run *run = arg;
	struct writing *writing = run->data;

	return report_reader_take(writing->reader, entry, err_r);
}

static int write_start(struct writing *writing, struct err *err_r)
{
	struct report *report = report_reader_finish(&writing->reader);
	struct buf text;

	report->driver = SUMMARY_DRIVEN; /* by us, whose action this is */
	buf_init(&text, REPORT_BYTES_MAX);
	report_write(report, PAGE_MARKDOWN, &text);
	report_free(&report);
	if (text.overflow)
		err_set(err_r, ERR_LIMIT, "the report is larger than %d bytes",
			REPORT_BYTES_MAX);
	else
		writing->job = file_job_start(
			FILE_REPLACE, writing->path.data, &text, err_r);
	buf_fini(&text);
	return writing->job ? 0 : -1;
}

static void report_read(const struct err *err, void *arg)
{
	struct action_run *run = arg;
	struct writing *writing = run->data;
	struct err why;

	writing->walk = NULL;
	if (err)
		report_failed(run, err);
	else if (write_start(writing, &why) < 0)
		report_failed(run, &why);
	else
		writing->watch =
			watch_start(run->env->loop, file_job_fd(writing->job),
				WATCH_READ, report_written, run);
}

static void report_written(int fd, int what, void *arg)
{
	struct action_run *run = arg;
	struct writing *writing = run->data;
	struct err err;

	if (file_job_end(&writing->job, &err) < 0) {
		report_failed(run, &err);
		return;
	}
	buf_addf(&run->detail, "written: %s", writing->path.data);
	action_run_end(run, ACTION_OK);
}

static void report_drill(struct action_run *run)
{
	struct buf path;
	struct err err;
	int rc;

	buf_init(&path, PATH_BYTES_MAX);
	rc = path_of(run->env, run->action, run->values, &path, &err);
	if (rc < 0)
		buf_adds(&run->detail, err.text);
	else
		buf_addf(&run->detail, "would write %s", path.data);
	buf_fini(&path);
	action_run_end_soon(run, rc < 0 ? ACTION_FAILED : ACTION_OK);
}

const struct action_type action_type_report = {
	.check = report_check,
	.start = {[JOB_RUN] = report_start, [JOB_DRILL] = report_drill},
	.cancel = writing_free,
};
