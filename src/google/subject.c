/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Subject tokens; see subject.h. Owns the one request or program that gets
 * one. Nothing of what a program prints is ever shown but the message in it.
 */
#define _GNU_SOURCE /* environ */
#include "google/subject.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/xalloc.h"
#include "google/source.h"
#include "google/subject_codec.h"
#include "io/clock.h"
#include "io/loop.h"
#include "io/process.h"

#define FILE_BYTES_MAX (64 * 1024)
#define VARIABLE       "GOOGLE_EXTERNAL_ACCOUNT_"

struct subject {
	struct retry_env env;
	const struct external_account *account;
	struct http_header headers[SUBJECT_HEADERS_MAX]; /* of the request */
	struct retry_request *request;
	struct process *process;
	struct timer *timer; /* of what is there at once */
	struct secret *token; /* then: this */
	struct err err; /* or this */
	subject_fn fn;
	void *arg;
};

static void subject_now(void *arg);
static void subject_finish(
	struct subject *subject, struct secret *token, const struct err *err);

static const struct subject_source *source_of(const struct subject *subject)
{
	return &subject->account->subject;
}

/* ---- A file. ---- */

static int read_file(struct subject *subject)
{
	const struct subject_source *source = source_of(subject);
	struct buf bytes;
	int rc;

	buf_init_secret(&bytes, FILE_BYTES_MAX);
	rc = source_file_read(source->file, &bytes, &subject->err);
	if (rc == 0)
		rc = subject_decode(bytes.data, bytes.len, source->field,
			&subject->token, &subject->err);
	buf_wipe(&bytes);
	buf_fini(&bytes);
	if (rc < 0)
		err_wrap(&subject->err, "the subject token in the file %s",
			source->file);
	return rc;
}

/* ---- A URL. ---- */

static void url_failed(struct subject *subject, const struct err *cause)
{
	static const char github[] = ".actions.githubusercontent.com/";
	const char *url = source_of(subject)->url;
	struct err err = *cause;

	if ((err.code == ERR_AUTH || err.code == ERR_DENIED) &&
		strstr(url, github))
		err_set(&err, ERR_AUTH,
			"%s; GitHub gives tokens while the job runs that wrote "
			"the file, and with \"permissions: id-token: write\"",
			cause->text);
	err_wrap(&err, "getting the subject token from %.*s",
		(int)strcspn(url, "?"), url);
	subject_finish(subject, NULL, &err);
}

static void url_answered(
	const struct http_reply *reply, const struct err *err, void *arg)
{
	struct subject *subject = arg;
	const struct subject_source *source = source_of(subject);
	struct secret *token = NULL;
	struct err why;

	subject->request = NULL;
	if (err) {
		url_failed(subject, err);
	} else if (subject_decode(reply->body, reply->body_len, source->field,
			   &token, &why) < 0) {
		err_wrap(&why, "its answer");
		url_failed(subject, &why);
	} else {
		subject_finish(subject, token, NULL);
	}
}

static void ask_url(struct subject *subject)
{
	const struct subject_source *source = source_of(subject);
	const struct http_request request = {
		.url = source->url,
		.headers = subject->headers,
		.n_headers = source->n_headers,
		.plain_ok = source->url_plain_ok,
		.no_proxy = source->url_plain_ok,
	};

	for (size_t i = 0; i < source->n_headers; i++)
		subject->headers[i] =
			(struct http_header){source->headers[i].name,
				secret_reveal(source->headers[i].value)};
	subject->request = retry_request_start(
		&subject->env, &request, url_answered, subject);
}

/* ---- A program. ---- */

/* What it left there the last time, if that still holds. Anything else is no
 * reason to fail: then it is run. */
static bool read_output_file(struct subject *subject)
{
	const char *path = source_of(subject)->file;
	struct secret *token = NULL;
	int64_t exp_s = 0;
	struct buf bytes;
	struct err err;

	if (!path)
		return false;
	buf_init_secret(&bytes, FILE_BYTES_MAX);
	if (source_file_read(path, &bytes, &err) < 0 ||
		executable_decode(bytes.data, bytes.len, &token, &exp_s, &err) <
			0 ||
		exp_s <= clock_wall_ms() / 1000)
		secret_free(&token);
	buf_wipe(&bytes);
	buf_fini(&bytes);
	subject->token = token;
	return token != NULL;
}

static void program_failed(struct subject *subject, const struct err *cause)
{
	struct err err = *cause;

	err_wrap(&err, "getting the subject token by running %s",
		source_of(subject)->argv[0]);
	subject_finish(subject, NULL, &err);
}

/* 0: it printed all it had to say. */
static int check_end(
	const struct process_end *end, int64_t timeout_ms, struct err *err_r)
{
	if (end->err) {
		*err_r = *end->err;
		err_r->code = ERR_AUTH;
		return -1;
	}
	if (end->timed_out)
		return err_set(err_r, ERR_TIMEOUT,
			"it did not end within %lld s (\"timeout_millis\") and "
			"was killed",
			(long long)(timeout_ms / 1000));
	if (end->signal)
		return err_set(
			err_r, ERR_AUTH, "signal %d killed it", end->signal);
	if (end->exit_status)
		return err_set(err_r, ERR_AUTH,
			"it ended with exit status %d; run it by hand to see "
			"why",
			end->exit_status);
	if (end->output_dropped)
		return err_set(err_r, ERR_AUTH,
			"it printed %zu bytes, more than the %d of a token",
			end->output_len + end->output_dropped,
			PROCESS_OUTPUT_MAX);
	return 0;
}

static void program_ended(const struct process_end *end, void *arg)
{
	struct subject *subject = arg;
	struct secret *token = NULL;
	int64_t exp_s = 0;
	struct err err;

	subject->process = NULL;
	if (check_end(end, source_of(subject)->timeout_ms, &err) < 0) {
		program_failed(subject, &err);
		return;
	}
	if (executable_decode(
		    end->output, end->output_len, &token, &exp_s, &err) < 0) {
		err_wrap(&err, "what it printed");
		program_failed(subject, &err);
		return;
	}
	if (exp_s && exp_s <= clock_wall_ms() / 1000) {
		secret_free(&token);
		err_set(&err, ERR_AUTH,
			"the token that it printed has expired; is the clock "
			"of this machine right (NTP)?");
		program_failed(subject, &err);
		return;
	}
	subject_finish(subject, token, NULL);
}

/* Ours, and what it is to be told; the list is the caller's, and of its texts
 * the first *n_r. */
static char **make_env(const struct external_account *account, size_t *n_r)
{
	char **env, *ours[8];
	size_t n = 0, n_theirs = 0, i, j = 0;

	ours[n++] = xasprintf(VARIABLE "AUDIENCE=%s", account->audience);
	ours[n++] = xasprintf(VARIABLE "TOKEN_TYPE=%s", account->subject_type);
	ours[n++] = xstrdup(VARIABLE "INTERACTIVE=0");
	ours[n++] = xstrdup(VARIABLE "REVOKE=0");
	if (account->impersonated)
		ours[n++] = xasprintf(VARIABLE "IMPERSONATED_EMAIL=%s",
			account->impersonated);
	if (account->subject.file)
		ours[n++] = xasprintf(
			VARIABLE "OUTPUT_FILE=%s", account->subject.file);
	while (environ[n_theirs])
		n_theirs++;
	env = xcalloc(n + n_theirs + 1, sizeof(*env));
	memcpy(env, ours, n * sizeof(*env));
	*n_r = n;
	for (i = 0; i < n_theirs; i++) {
		if (strncmp(environ[i], VARIABLE, strlen(VARIABLE)) != 0 ||
			strncmp(environ[i], EXECUTABLES_VARIABLE,
				strlen(EXECUTABLES_VARIABLE)) == 0)
			env[n + j++] = environ[i];
	}
	return env;
}

static void run_program(struct subject *subject)
{
	const struct subject_source *source = source_of(subject);
	size_t n_ours;
	char **env = make_env(subject->account, &n_ours);
	const struct process_spec spec = {
		.argv = (const char *const *)source->argv,
		.env = (const char *const *)env,
		.timeout_ms = source->timeout_ms,
		.secret = true,
	};

	subject->process =
		process_start(subject->env.loop, &spec, program_ended, subject);
	while (n_ours)
		xfree(&env[--n_ours]);
	free(env);
}

/* ---- All of them. ---- */

struct subject *subject_start(const struct retry_env *env,
	const struct external_account *account, subject_fn fn, void *arg)
{
	struct subject *subject = xcalloc(1, sizeof(*subject));

	subject->env = *env;
	subject->account = account;
	subject->fn = fn;
	subject->arg = arg;
	if (account->subject.kind == SUBJECT_URL) {
		ask_url(subject);
		return subject;
	}
	if (account->subject.kind == SUBJECT_EXECUTABLE &&
		!read_output_file(subject)) {
		run_program(subject);
		return subject;
	}
	if (account->subject.kind == SUBJECT_FILE && read_file(subject) < 0)
		secret_free(&subject->token);
	subject->timer = timer_start(env->loop, 0, subject_now, subject);
	return subject;
}

static void subject_now(void *arg)
{
	struct subject *subject = arg;
	struct secret *token = subject->token;

	subject->timer = NULL;
	subject->token = NULL;
	subject_finish(subject, token, token ? NULL : &subject->err);
}

static void subject_finish(
	struct subject *subject, struct secret *token, const struct err *err)
{
	subject_fn fn = subject->fn;
	void *arg = subject->arg;
	struct err copy;

	if (err)
		copy = *err;
	subject_cancel(&subject);
	fn(token, err ? &copy : NULL, arg);
}

void subject_cancel(struct subject **subject)
{
	struct subject *old = *subject;

	*subject = NULL;
	if (!old)
		return;
	retry_request_cancel(&old->request);
	process_cancel(&old->process);
	timer_cancel(&old->timer);
	secret_free(&old->token);
	free(old);
}

int subject_check(const struct subject_source *source, struct err *err_r)
{
	const char *allowed = getenv(EXECUTABLES_VARIABLE);

	if (source->kind == SUBJECT_URL &&
		http_url_check(source->url, source->url_plain_ok, err_r) < 0) {
		err_r->code = ERR_AUTH;
		return err_wrap(err_r, "\"credential_source\"");
	}
	if (source->kind != SUBJECT_EXECUTABLE)
		return 0;
	if (!allowed || strcmp(allowed, "1") != 0)
		return err_set(err_r, ERR_AUTH,
			"it wants to run %s, which is allowed only with "
			"" EXECUTABLES_VARIABLE "=1 in the environment; set it "
			"if you trust the file",
			source->argv[0]);
	if (process_find(source->argv[0], NULL, err_r) < 0) {
		err_r->code = ERR_AUTH;
		return -1;
	}
	return 0;
}
