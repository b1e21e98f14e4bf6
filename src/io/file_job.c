/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thread that writes one file; see file_job.h. The caller and
 * the thread each let go of the job; the last of them frees it.
 */
#include "io/file_job.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "io/thread.h"

struct file_job {
	enum file_how how;
	char *path;
	struct buf text;
	int fd; /* an eventfd */
	pthread_t thread;
	pthread_mutex_t lock;
	bool done, given_up;
	struct err err; /* code ERR_NONE: it is written */
};

static void job_free(struct file_job *job)
{
	close(job->fd);
	pthread_mutex_destroy(&job->lock);
	buf_fini(&job->text);
	free(job->path);
	free(job);
}

static bool job_is_wanted(void *arg)
{
	struct file_job *job = arg;
	bool given_up;

	pthread_mutex_lock(&job->lock);
	given_up = job->given_up;
	pthread_mutex_unlock(&job->lock);
	return !given_up;
}

static void *job_run(void *arg)
{
	struct file_job *job = arg;
	const struct file_order order = {
		job->how, job->path, &job->text, job_is_wanted, job};
	struct err err = {0};
	bool is_ours;

	(void)!file_write(&order, &err);
	pthread_mutex_lock(&job->lock);
	job->err = err;
	job->done = true;
	is_ours = job->given_up;
	if (!is_ours)
		eventfd_write(job->fd, 1);
	pthread_mutex_unlock(&job->lock);
	if (is_ours)
		job_free(job);
	return NULL;
}

struct file_job *file_job_start(enum file_how how, const char *path,
	struct buf *text, struct err *err_r)
{
	struct file_job *job;
	int fd = eventfd(0, EFD_CLOEXEC), error;

	if (fd < 0) {
		err_set(err_r, ERR_IO, "cannot write %.300s: %s", path,
			strerror(errno));
		return NULL;
	}
	job = xcalloc(1, sizeof(*job));
	job->how = how;
	job->path = xstrdup(path);
	job->text = *text;
	job->fd = fd;
	buf_init(text, text->max);
	pthread_mutex_init(&job->lock, NULL);
	error = thread_start(&job->thread, job_run, job);
	if (error) {
		err_set(err_r, ERR_IO, "cannot write %.300s: %s", path,
			strerror(error));
		job_free(job);
		return NULL;
	}
	return job;
}

int file_job_fd(const struct file_job *job)
{
	return job->fd;
}

int file_job_end(struct file_job **job, struct err *err_r)
{
	struct file_job *j = *job;
	bool given_up;
	int rc = 0;

	if (!j)
		return 0;
	*job = NULL;
	pthread_mutex_lock(&j->lock);
	given_up = j->given_up = !j->done;
	if (given_up) {
		pthread_detach(j->thread);
		rc = err_set(err_r, ERR_TIMEOUT,
			"cannot write %.300s: it does not take the text",
			j->path);
	}
	pthread_mutex_unlock(&j->lock);
	if (given_up)
		return rc;
	pthread_join(j->thread, NULL);
	if (j->err.code) {
		*err_r = j->err;
		rc = -1;
	}
	job_free(j);
	return rc;
}
