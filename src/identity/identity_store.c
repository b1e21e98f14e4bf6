/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs on the state file; see identity_store.h. After identity_store_new the
 * thread alone touches the store. */
#include "identity/identity_store.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base64url.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "io/random.h"
#include "io/worker.h"

#define FREE_WAIT_MS     10000
#define PASSWD_BYTES_MAX (64 * 1024)
#define KEY_NAME         "forms"

struct identity_store {
	struct worker *worker;
	struct store *store;
	unsigned char key[OWN_KEY_BYTES];
	int n_jobs;
};

struct identity_job {
	struct identity_store *own;
	void (*work)(struct identity_job *job);
	stored_fn fn; /* NULL: nobody waits for it */
	void *arg;
	struct arena arena;
	const char *text; /* id, hash, what */
	uid_t uid;
	int64_t now_ms, until_ms;
	struct store_session session; /* to be added */
	struct stored stored;
};

/* ---- on the thread ---- */

static void work_token(struct identity_job *job)
{
	job->stored.found = store_token_get(job->own->store, job->text,
		&job->arena, &job->stored.token, &job->stored.err);
}

static void work_token_used(struct identity_job *job)
{
	job->stored.found = store_token_used(
		job->own->store, job->text, job->now_ms, &job->stored.err);
}

static void work_session(struct identity_job *job)
{
	job->stored.found = store_session_get(job->own->store, job->text,
		&job->arena, &job->stored.session, &job->stored.err);
}

static void work_session_add(struct identity_job *job)
{
	job->stored.found = store_session_add(
		job->own->store, &job->session, &job->stored.err);
}

static void work_session_used(struct identity_job *job)
{
	job->stored.found = store_session_used(
		job->own->store, job->text, job->now_ms, &job->stored.err);
}

static void work_session_end(struct identity_job *job)
{
	job->stored.found =
		store_session_end(job->own->store, job->text, &job->stored.err);
}

static void work_seen(struct identity_job *job)
{
	job->stored.found = store_seen_add(job->own->store, job->text,
		job->now_ms, job->until_ms, &job->stored.err);
}

static void work_os_user(struct identity_job *job)
{
	char *room = xcalloc(PASSWD_BYTES_MAX, 1);
	struct passwd entry, *found = NULL;

	if (getpwuid_r(job->uid, &entry, room, PASSWD_BYTES_MAX, &found) == 0 &&
		found && *found->pw_name)
		job->stored.name = arena_strdup(&job->arena, found->pw_name);
	else
		job->stored.name =
			arena_printf(&job->arena, "uid-%u", (unsigned)job->uid);
	job->stored.found = 1;
	free(room);
}

static void job_run(void *arg)
{
	struct identity_job *job = arg;

	job->work(job);
}

/* ---- on the loop ---- */

static void job_done(void *arg)
{
	struct identity_job *job = arg;

	job->own->n_jobs--;
	if (job->fn)
		job->fn(&job->stored, job->arg);
	else if (job->stored.found < 0)
		log_line(LOG_WARN, "event=identity-note error=%s text=\"%s\"",
			err_name(job->stored.err.code), job->stored.err.text);
	arena_fini(&job->arena);
	free(job);
}

static void work_nothing(struct identity_job *job)
{
	job->stored.found = err_set(&job->stored.err, ERR_BUSY,
		"%d looks into the state file wait already", IDENTITY_JOBS_MAX);
}

static struct identity_job *job_new(struct identity_store *own,
	void (*work)(struct identity_job *job), const char *text, stored_fn fn,
	void *arg)
{
	struct identity_job *job = xcalloc(1, sizeof(*job));

	arena_init(&job->arena);
	job->own = own;
	job->work = own->n_jobs < IDENTITY_JOBS_MAX ? work : work_nothing;
	job->fn = fn;
	job->arg = arg;
	job->text = arena_strdup(&job->arena, text);
	return job;
}

static void job_give(struct identity_job *job)
{
	job->own->n_jobs++;
	worker_start(job->own->worker, job_run, job_done, job);
}

void identity_store_token(
	struct identity_store *own, const char *id, stored_fn fn, void *arg)
{
	job_give(job_new(own, work_token, id, fn, arg));
}

void identity_store_session(
	struct identity_store *own, const char *hash, stored_fn fn, void *arg)
{
	job_give(job_new(own, work_session, hash, fn, arg));
}

void identity_store_session_add(struct identity_store *own,
	const struct store_session *session, stored_fn fn, void *arg)
{
	struct identity_job *job =
		job_new(own, work_session_add, session->hash, fn, arg);

	job->session = *session;
	job->session.hash = job->text;
	job->session.data = arena_strdup(&job->arena, session->data);
	job_give(job);
}

void identity_store_session_end(
	struct identity_store *own, const char *hash, stored_fn fn, void *arg)
{
	job_give(job_new(own, work_session_end, hash, fn, arg));
}

void identity_store_seen(struct identity_store *own, const char *what,
	int64_t now_ms, int64_t until_ms, stored_fn fn, void *arg)
{
	struct identity_job *job = job_new(own, work_seen, what, fn, arg);

	job->now_ms = now_ms;
	job->until_ms = until_ms;
	job_give(job);
}

void identity_store_os_user(
	struct identity_store *own, uid_t uid, stored_fn fn, void *arg)
{
	struct identity_job *job = job_new(own, work_os_user, NULL, fn, arg);

	job->uid = uid;
	job_give(job);
}

static void note(struct identity_store *own,
	void (*work)(struct identity_job *job), const char *text,
	int64_t now_ms)
{
	struct identity_job *job = job_new(own, work, text, NULL, NULL);

	job->now_ms = now_ms;
	job_give(job);
}

void identity_store_token_used(
	struct identity_store *own, const char *id, int64_t now_ms)
{
	note(own, work_token_used, id, now_ms);
}

void identity_store_session_used(
	struct identity_store *own, const char *hash, int64_t now_ms)
{
	note(own, work_session_used, hash, now_ms);
}

/* ---- its life ---- */

static int take_key(struct identity_store *own, struct err *err_r)
{
	unsigned char fresh[OWN_KEY_BYTES];
	struct arena arena;
	struct buf text, bytes;
	const char *key;
	int rc;

	arena_init(&arena);
	buf_init_secret(&text, BASE64URL_LEN(OWN_KEY_BYTES));
	buf_init_secret(&bytes, OWN_KEY_BYTES);
	random_bytes(fresh, sizeof(fresh));
	base64url_add(&text, fresh, sizeof(fresh));
	rc = store_key_get(
		own->store, KEY_NAME, text.data, &arena, &key, err_r);
	if (rc == 0 && (base64url_decode(key, strlen(key), &bytes) < 0 ||
			       bytes.len != OWN_KEY_BYTES))
		rc = err_set(err_r, ERR_STORE,
			"the key \"" KEY_NAME "\" in the state file %s is "
			"damaged: DELETE FROM own_key makes a new one",
			store_path(own->store));
	if (rc == 0)
		memcpy(own->key, bytes.data, OWN_KEY_BYTES);
	buf_wipe(&text);
	buf_fini(&text);
	buf_wipe(&bytes);
	buf_fini(&bytes);
	arena_fini(&arena);
	return rc;
}

struct identity_store *identity_store_new(
	struct loop *loop, const char *path, struct err *err_r)
{
	struct identity_store *own = xcalloc(1, sizeof(*own));

	own->worker = worker_new(loop, 1, err_r);
	if (own->worker)
		own->store = store_open(path, STORE_CREATE, err_r);
	if (!own->store || take_key(own, err_r) < 0) {
		(void)worker_free(&own->worker); /* it has nothing to do */
		store_free(&own->store);
		free(own);
		return NULL;
	}
	return own;
}

void identity_store_free(struct identity_store **own_p)
{
	struct identity_store *own = *own_p;

	*own_p = NULL;
	if (!own)
		return;
	(void)worker_wait(own->worker, FREE_WAIT_MS);
	if (!worker_free(&own->worker))
		return; /* a thread hangs in the file: what it uses stays */
	store_free(&own->store);
	free(own);
}

const unsigned char *identity_store_key(const struct identity_store *own)
{
	return own->key;
}
