/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds the credentials of this process: environment, files, metadata server.
 * Owns the search order and the list of types; knows nothing of tokens.
 */
#define _GNU_SOURCE /* explicit_bzero */
#include "google/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/duration.h"
#include "base/printable.h"
#include "base/xalloc.h"
#include "google/credentials.h"
#include "google/key_codec.h"

/* In numbers: no name server is asked, which might not answer. */
#define METADATA_HOST "169.254.169.254"

static const struct source_type *const with_file[] = {
	&source_authorized_user,
	&source_external,
	&source_federated_user,
	&source_impersonated,
	&source_service_account,
};

static const char *env_text(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

/* Into `out`, at most its maximum; 0 or errno, E2BIG for more. */
static int read_all(int fd, struct buf *out)
{
	char bytes[4096];
	ssize_t n = 1;

	while (n != 0 && !out->overflow) {
		n = read(fd, bytes, sizeof(bytes));
		if (n < 0 && errno != EINTR)
			return errno;
		if (n > 0)
			buf_add(out, bytes, (size_t)n);
	}
	explicit_bzero(bytes, sizeof(bytes));
	return out->overflow ? E2BIG : 0;
}

static int read_path(const char *path, int flags, struct buf *out)
{
	int error, fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | flags);
	struct stat st;

	if (fd < 0)
		return errno;
	if ((flags & O_NONBLOCK) && fstat(fd, &st) == 0 && !S_ISREG(st.st_mode))
		error = EINVAL;
	else
		error = read_all(fd, out);
	close(fd);
	return error;
}

static int read_failed(int error, size_t max, struct err *err_r)
{
	if (error == E2BIG)
		return err_set(err_r, ERR_AUTH,
			"has more than %zu bytes: that is not what belongs "
			"here",
			max);
	if (error == EINVAL)
		return err_set(err_r, ERR_AUTH,
			"cannot be read: it is not a regular file");
	return err_set(err_r, ERR_AUTH, "cannot be read: %s", strerror(error));
}

int source_file_read(const char *path, struct buf *out, struct err *err_r)
{
	int error = read_path(path, O_NONBLOCK, out);

	return error ? read_failed(error, out->max, err_r) : 0;
}

static const struct source_type *find_type(const char *name, struct err *err_r)
{
	char shown[64];
	size_t i;

	for (i = 0; i < sizeof(with_file) / sizeof(with_file[0]); i++) {
		if (strcmp(with_file[i]->name, name) == 0)
			return with_file[i];
	}
	if (strcmp(name, "gdch_service_account") == 0) {
		err_set(err_r, ERR_AUTH,
			"credentials of type %s are for Google Distributed "
			"Cloud, which has no Cloud Run; use those of Google "
			"Cloud",
			name);
		return NULL;
	}
	printable_copy(shown, sizeof(shown), name);
	err_set(err_r, ERR_AUTH,
		"credentials of the unknown type \"%s\"; known are "
		"service_account, authorized_user, external_account, "
		"external_account_authorized_user and "
		"impersonated_service_account",
		shown);
	return NULL;
}

struct source *source_open(const struct retry_env *env,
	const struct source_file *file, struct err *err_r)
{
	const struct source_type *type;
	char *name;

	if (key_type_decode(file->bytes, file->len, &name, err_r) < 0)
		return NULL;
	type = find_type(name, err_r);
	xfree(&name);
	return type ? type->open(env, file, err_r) : NULL;
}

/* All zero: there is no such file, or it is none. */
static struct source_mark mark_of(const char *path)
{
	struct stat st;

	if (stat(path, &st) || !S_ISREG(st.st_mode))
		return (struct source_mark){0};
	return (struct source_mark){
		.device = st.st_dev,
		.inode = st.st_ino,
		.size = st.st_size,
		.written = st.st_mtim,
		.changed = st.st_ctim,
	};
}

static bool is_same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool is_same_mark(
	const struct source_mark *a, const struct source_mark *b)
{
	return a->device == b->device && a->inode == b->inode &&
	       a->size == b->size && is_same_time(&a->written, &b->written) &&
	       is_same_time(&a->changed, &b->changed);
}

/* `*missing_r`: there is no such file; then err_r is set, too. Without `flags` it
 * may be a pipe that somebody writes a key into: nothing has begun yet that could
 * wait. Its mark is older than what is read: a change meanwhile is one. */
static struct source *open_file(const struct retry_env *env, const char *path,
	int flags, bool *missing_r, struct err *err_r)
{
	struct source_mark mark = mark_of(path);
	struct source *source = NULL;
	struct buf bytes;
	int error;

	buf_init_secret(&bytes, CREDENTIALS_FILE_MAX);
	error = read_path(path, flags, &bytes);
	*missing_r = error == ENOENT || error == ENOTDIR;
	if (error == 0)
		source = source_open(env,
			&(struct source_file){path, bytes.data, bytes.len},
			err_r);
	else
		read_failed(error, CREDENTIALS_FILE_MAX, err_r);
	if (source) {
		source->path = xstrdup(path);
		source->mark = mark;
		source->is_file = mark.inode != 0;
	}
	buf_wipe(&bytes);
	buf_fini(&bytes);
	return source;
}

int source_open_again(
	struct source *source, struct source **newer_r, struct err *err_r)
{
	struct source_mark mark;
	struct source *newer;
	bool missing;

	if (!source->is_file)
		return 0;
	mark = mark_of(source->path);
	if (is_same_mark(&mark, &source->mark))
		return 0;
	source->mark = mark;
	newer = open_file(
		&source->env, source->path, O_NONBLOCK, &missing, err_r);
	if (!newer)
		return -1;
	newer->origin = source->origin;
	newer->is_guess = source->is_guess;
	*newer_r = newer;
	return 1;
}

static char *well_known_path(void)
{
	static const char name[] = "application_default_credentials.json";
	const char *folder = env_text("CLOUDSDK_CONFIG");
	const char *home = env_text("HOME");

	if (folder)
		return xasprintf("%s/%s", folder, name);
	return home ? xasprintf("%s/.config/gcloud/%s", home, name) : NULL;
}

/* Sets *found_r when the search ends here, well or with an error. */
static struct source *find_well_known(
	const struct retry_env *env, bool *found_r, struct err *err_r)
{
	char *path = well_known_path();
	struct source *source = NULL;
	bool missing = true;

	if (path)
		source = open_file(env, path, 0, &missing, err_r);
	if (!source && !missing)
		err_wrap(err_r, "gcloud's credentials, %s", path);
	*found_r = !missing;
	xfree(&path);
	return source;
}

static struct source *led_to(struct source *source, const char *origin)
{
	if (source)
		source->origin = origin;
	return source;
}

/* Signs of Google's own machines: Cloud Run says so, Compute Engine's BIOS
 * does. */
static bool is_googles_machine(void)
{
	char name[16];
	struct buf bios;
	bool is = env_text("K_SERVICE") || env_text("CLOUD_RUN_JOB");

	if (is)
		return true;
	buf_init(&bios, 4096);
	is = read_path("/sys/class/dmi/id/product_name", 0, &bios) == 0;
	snprintf(name, sizeof(name), "%s", bios.data);
	buf_fini(&bios);
	return is && strncmp(name, "Google", strlen("Google")) == 0;
}

static struct source *open_metadata(const struct retry_env *env,
	const char *name, const char *host, struct err *err_r)
{
	struct source *source = source_metadata_new(env, host, false, err_r);

	if (!source)
		err_wrap(err_r, "%s", name);
	return led_to(source, name);
}

static struct source *find_metadata(
	const struct retry_env *env, struct err *err_r)
{
	static const char *const names[] = {
		"GCE_METADATA_HOST", "GCE_METADATA_ROOT"};
	const char *off = env_text("NO_GCE_CHECK");
	const char *ip = env_text("GCE_METADATA_IP");
	size_t i;

	if (off && strcasecmp(off, "true") == 0) {
		source_not_found(
			err_r, "NO_GCE_CHECK forbids the metadata server");
		return NULL;
	}
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (env_text(names[i]))
			return open_metadata(
				env, names[i], env_text(names[i]), err_r);
	}
	if (is_googles_machine())
		return open_metadata(env, "this machine is Google's",
			ip ? ip : METADATA_HOST, err_r);
	return led_to(
		source_metadata_new(env, ip ? ip : METADATA_HOST, true, err_r),
		ip ? "GCE_METADATA_IP" : "nothing else was found");
}

/* A file that somebody named must be there. */
static struct source *find_named(const struct retry_env *env, const char *name,
	const char *path, struct err *err_r)
{
	bool missing;
	struct source *source = open_file(env, path, 0, &missing, err_r);

	if (!source)
		err_wrap(err_r, "%s, %s", name, path);
	return led_to(source, name);
}

struct source *source_find(const struct retry_env *env, struct err *err_r)
{
	static const char *const named[] = {"GOOGLE_APPLICATION_CREDENTIALS",
		"CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE"};
	const char *token = env_text("CLOUDSDK_AUTH_ACCESS_TOKEN");
	const char *path;
	struct source *source;
	bool found;
	size_t i;

	if (token)
		return led_to(source_ready_new(env, token, err_r),
			"CLOUDSDK_AUTH_ACCESS_TOKEN");
	for (i = 0; i < sizeof(named) / sizeof(named[0]); i++) {
		path = env_text(named[i]);
		if (path)
			return find_named(env, named[i], path, err_r);
	}
	source = find_well_known(env, &found, err_r);
	if (found)
		return led_to(
			source, "gcloud's application default credentials");
	return find_metadata(env, err_r);
}

const char *clock_note(const struct source *source, char text[CLOCK_NOTE_MAX])
{
	const struct http_clock *clock = source->env.clock;
	char length[DURATION_TEXT_MAX];
	int64_t off_ms = clock && clock->known ? clock->ahead_ms : 0;

	text[0] = '\0';
	if (off_ms > CLOCK_TROUBLE_MS || off_ms < -CLOCK_TROUBLE_MS)
		snprintf(text, CLOCK_NOTE_MAX,
			"the clock of this machine is %s %s Google's: set it "
			"right (NTP)",
			duration_print(off_ms < 0 ? -off_ms : off_ms, length),
			off_ms < 0 ? "behind" : "ahead of");
	return text;
}

int token_url_choose(const char *url, char **url_r, struct err *err_r)
{
	const char *override = env_text("CLOUDSDK_AUTH_TOKEN_HOST");

	*url_r = xstrdup(override ? override : url);
	if (!override || http_url_check(override, false, err_r) == 0)
		return 0;
	xfree(url_r);
	err_r->code = ERR_AUTH;
	return err_wrap(err_r, "CLOUDSDK_AUTH_TOKEN_HOST");
}

void source_free(struct source **source)
{
	struct source *old = *source;

	*source = NULL;
	if (!old)
		return;
	xfree(&old->describe);
	xfree(&old->path);
	xfree(&old->account);
	xfree(&old->quota_project);
	secret_free(&old->ready);
	old->type->free(old);
}
