/* SPDX-License-Identifier: Apache-2.0 */
/* People and access of the configuration, read again; see who.h. */
#include "serve/who.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "io/worker.h"
#include "policy/placeholder_env.h"
#include "policy/policy.h"
#include "serve/serve_config.h"

#define PROBLEMS_MAX (64 * 1024)

struct reading {
	char *path;
	struct buf text;
	struct err err; /* ERR_NONE: it was read */
	struct who *who; /* NULL: nobody waits any more */
	void (*done)(void *arg);
	void *arg;
};

struct who {
	_Atomic(const struct serve_config *) now;
	struct serve_config **later; /* all that came after it */
	size_t n_later;
	struct reading *reading; /* NULL: none is under way */
};

struct who *who_new(const struct serve_config *config)
{
	struct who *who = xcalloc(1, sizeof(*who));

	who->now = config;
	return who;
}

void who_free(struct who **who_p)
{
	struct who *who = *who_p;

	if (!who)
		return;
	for (size_t i = 0; i < who->n_later; i++)
		serve_config_free(&who->later[i]);
	free(who->later);
	free(who);
	*who_p = NULL;
}

const struct people *who_people(const struct who *who)
{
	return &who->now->people;
}

const struct access *who_access(const struct who *who)
{
	return &who->now->access;
}

static void reading_run(void *arg)
{
	struct reading *reading = arg;

	policy_env_real.read_file(reading->path, &reading->text, &reading->err,
		policy_env_real.arg);
}

static void who_take(struct who *who, struct serve_config *config)
{
	who->later = xrealloc(
		who->later, who->n_later + 1, sizeof(struct serve_config *));
	who->later[who->n_later++] = config;
	who->now = config;
	log_line(LOG_INFO,
		"event=reload file=\"%s\" text=\"people and access are read; "
		"what else has changed there counts from the next start\"",
		config->file->path);
}

static void who_refuse(const char *path, const char *problem)
{
	log_line(LOG_ERROR,
		"event=reload file=\"%s\" error=\"%s\" text=\"people and "
		"access stay as they were\"",
		path, problem);
}

/* Secrets have been read elsewhere: issuer_secrets.h. */
static void who_parse(struct who *who, const struct reading *reading)
{
	const struct policy *before = who->now->file;
	struct serve_config *config;
	struct buf problems;
	struct err err;

	if (before->source_len == reading->text.len &&
		!memcmp(before->source, reading->text.data, reading->text.len))
		return;
	buf_init(&problems, PROBLEMS_MAX);
	config = serve_config_parse(before->path, reading->text.data,
		reading->text.len, &placeholder_env, &problems, &err);
	if (config)
		who_take(who, config);
	else
		who_refuse(before->path, err.text);
	buf_fini(&problems);
}

static void reading_done(void *arg)
{
	struct reading *reading = arg;

	if (reading->who) {
		reading->who->reading = NULL;
		if (reading->err.code)
			who_refuse(reading->path, reading->err.text);
		else
			who_parse(reading->who, reading);
		reading->done(reading->arg);
	}
	buf_fini(&reading->text);
	free(reading->path);
	free(reading);
}

void who_reload(struct who *who, struct worker *worker, void (*done)(void *arg),
	void *arg)
{
	struct reading *reading = xcalloc(1, sizeof(*reading));

	reading->path = xstrdup(who->now->file->path);
	reading->who = who;
	reading->done = done;
	reading->arg = arg;
	buf_init(&reading->text, POLICY_BYTES_MAX);
	who->reading = reading;
	worker_start(worker, reading_run, reading_done, reading);
}

bool who_is_reading(const struct who *who)
{
	return who->reading != NULL;
}

void who_reload_cancel(struct who *who)
{
	if (who && who->reading)
		who->reading->who = NULL;
	if (who)
		who->reading = NULL;
}
