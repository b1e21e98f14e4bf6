/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A text into a file beside the loop: a thread of the job's own waits for the
 * disk, or for the reader of a FIFO.
 *
 * The descriptor of a job is readable when it is done: watch it in a loop, or
 * poll it; then end the job.
 */
#ifndef TIDEGATE_IO_FILE_JOB_H
#define TIDEGATE_IO_FILE_JOB_H

#include "base/buf.h"
#include "base/err.h"
#include "io/file.h"

struct file_job;

/* Takes the text over, which is empty then. NULL: it cannot be started. */
MUST_CHECK struct file_job *file_job_start(enum file_how how, const char *path,
	struct buf *text, struct err *err_r);

int file_job_fd(const struct file_job *job);

/* The result; NULL inside is accepted. A job that is not done is given up: it is left behind, and a
 * file that it was about to replace stays as it is. */
MUST_CHECK int file_job_end(struct file_job **job, struct err *err_r);

#endif
