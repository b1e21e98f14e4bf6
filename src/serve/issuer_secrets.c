/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets of sources of identity, read again; see issuer_secrets.h. */
#include "serve/issuer_secrets.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "identity/identity_config.h"
#include "io/worker.h"
#include "policy/loader.h"
#include "policy/policy_load.h"
#include "serve/secret_list.h"
#include "serve/slack_secrets.h"

#define SECRET_FILE_MAX 4096
#define SECRETS_MAX     3 /* of an issuer */

static const char *client_secret_problem(const char *text, size_t len)
{
	(void)text;
	return len < SECRET_MASK_MIN
		       ? "is too short: it cannot be masked in messages"
		       : NULL;
}

struct file {
	char *path; /* its own: a thread that hangs may outlive the issuers */
	const struct secret **place;
	const char *(*problem)(const char *text, size_t len);
	struct buf text;
	struct err err;
	bool failed;
};

struct renewal {
	struct secret_list *list;
	void (*done)(void *arg);
	void *arg;
	struct file files[SECRETS_MAX * IDENTITY_ISSUERS_MAX];
	size_t n;
};

static void renewal_run(void *arg)
{
	const struct policy_env *env = &policy_env_real;
	struct renewal *renewal = arg;
	struct file *file;

	for (size_t i = 0; i < renewal->n; i++) {
		file = &renewal->files[i];
		file->failed = env->read_file(file->path, &file->text,
				       &file->err, env->arg) < 0;
	}
}

/* What is wrong with it; NULL: nothing. */
static const char *file_problem(const struct file *file, size_t *len_r)
{
	const char *problem;

	if (file->failed)
		return file->err.text;
	*len_r = secret_line(&file->text, &problem);
	return problem ? problem : file->problem(file->text.data, *len_r);
}

static void file_take(struct file *file, struct secret_list *list)
{
	struct secret *secret;
	size_t len;
	const char *problem = file_problem(file, &len);

	if (problem) {
		log_line(LOG_ERROR,
			"event=reload file=\"%s\" error=\"%s\" text=\"the "
			"secret stays as it was\"",
			file->path, problem);
		return;
	}
	secret = secret_new(file->text.data, len);
	secret_list_put(list, file->place, secret);
	secret_free(&secret);
}

static void renewal_done(void *arg)
{
	struct renewal *renewal = arg;
	struct file *file;

	for (size_t i = 0; i < renewal->n; i++) {
		file = &renewal->files[i];
		file_take(file, renewal->list);
		buf_wipe(&file->text);
		buf_fini(&file->text);
		free(file->path);
	}
	renewal->done(renewal->arg);
	free(renewal);
}

static void renewal_add(struct renewal *renewal, const char *path,
	const struct secret **place,
	const char *(*problem)(const char *text, size_t len))
{
	struct file *file = &renewal->files[renewal->n];

	if (!path)
		return;
	renewal->n++;
	*file = (struct file){
		.path = xstrdup(path), .place = place, .problem = problem};
	buf_init_secret(&file->text, SECRET_FILE_MAX);
}

void issuer_secrets_renew(const struct issuer_secrets *secrets,
	struct worker *worker, void (*done)(void *arg), void *arg)
{
	struct renewal *renewal = xcalloc(1, sizeof(*renewal));
	struct issuer_config *issuer;

	renewal->list = secrets->list;
	renewal->done = done;
	renewal->arg = arg;
	for (size_t i = 0; i < secrets->n; i++) {
		issuer = &secrets->issuers[i];
		renewal_add(renewal, issuer->client_secret_file,
			&issuer->client_secret, client_secret_problem);
		renewal_add(renewal, issuer->signing_secret_file,
			&issuer->signing_secret, slack_signing_secret_problem);
		renewal_add(renewal, issuer->bot_token_file, &issuer->bot_token,
			slack_bot_token_problem);
	}
	worker_start(worker, renewal_run, renewal_done, renewal);
}
