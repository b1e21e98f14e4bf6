/*
 * Finds the credentials of this process: environment, files, metadata server.
 * Owns the search order and the list of types; knows nothing of tokens.
 */
#define _GNU_SOURCE /* explicit_bzero */
#include "google/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/printable.h"
#include "base/xalloc.h"
#include "google/credentials.h"
#include "google/key_codec.h"

#define METADATA_HOST "metadata.google.internal"

/* Types of credential files. A later version fills a row. */
static const struct source_type *const with_file[] = {
	&source_service_account,
};
static const char *const not_yet[] = {
	"authorized_user",
	"external_account",
	"external_account_authorized_user",
	"gdch_service_account",
	"impersonated_service_account",
};

static const char *env_text(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

/* Up to `size` bytes; -1 with errno. */
static ssize_t read_all(const char *path, char *bytes, size_t size)
{
	size_t len = 0;
	ssize_t n = 1;
	int saved, fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return -1;
	while (len < size && n != 0) {
		n = read(fd, bytes + len, size - len);
		if (n > 0)
			len += (size_t)n;
		if (n < 0 && errno != EINTR)
			break;
	}
	saved = errno;
	close(fd);
	errno = saved;
	return n < 0 ? -1 : (ssize_t)len;
}

static const struct source_type *find_type(const char *name, struct err *err_r)
{
	char shown[64];
	size_t i;

	for (i = 0; i < sizeof(with_file) / sizeof(with_file[0]); i++) {
		if (strcmp(with_file[i]->name, name) == 0)
			return with_file[i];
	}
	for (i = 0; i < sizeof(not_yet) / sizeof(not_yet[0]); i++) {
		if (strcmp(not_yet[i], name) == 0) {
			err_set(err_r, ERR_AUTH,
				"credentials of type %s are not supported by "
				"this version; use the key file of a service "
				"account, or CLOUDSDK_AUTH_ACCESS_TOKEN",
				name);
			return NULL;
		}
	}
	printable_copy(shown, sizeof(shown), name);
	err_set(err_r, ERR_AUTH, "credentials of the unknown type \"%s\"",
		shown);
	return NULL;
}

static struct source *open_bytes(const struct exchange_env *env,
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

/* `*missing_r`: there is no such file; then err_r is set, too. */
static struct source *open_file(const struct exchange_env *env,
	const char *path, bool *missing_r, struct err *err_r)
{
	size_t size = CREDENTIALS_FILE_MAX + 1;
	char *bytes = xcalloc(size, 1);
	ssize_t len = read_all(path, bytes, size);
	struct source *source = NULL;
	int error = errno;

	*missing_r = len < 0 && (error == ENOENT || error == ENOTDIR);
	if (len < 0)
		err_set(err_r, ERR_AUTH, "cannot be read: %s", strerror(error));
	else if ((size_t)len == size)
		err_set(err_r, ERR_AUTH,
			"has more than %d bytes: not a credential file",
			CREDENTIALS_FILE_MAX);
	else
		source = open_bytes(env,
			&(struct source_file){path, bytes, (size_t)len}, err_r);
	if (source)
		source->path = xstrdup(path);
	explicit_bzero(bytes, size);
	free(bytes);
	return source;
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
	const struct exchange_env *env, bool *found_r, struct err *err_r)
{
	char *path = well_known_path();
	struct source *source = NULL;
	bool missing = true;

	if (path)
		source = open_file(env, path, &missing, err_r);
	if (!source && !missing)
		err_wrap(err_r, "gcloud's credentials, %s", path);
	*found_r = !missing;
	xfree(&path);
	return source;
}

void source_not_found(struct err *err_r, const char *fmt, ...)
{
	char why[ERR_TEXT_MAX / 2];
	va_list args;

	va_start(args, fmt);
	vsnprintf(why, sizeof(why), fmt, args);
	va_end(args);
	err_set(err_r, ERR_AUTH,
		"no Google credentials: CLOUDSDK_AUTH_ACCESS_TOKEN and "
		"GOOGLE_APPLICATION_CREDENTIALS are not set, gcloud's "
		"application_default_credentials.json does not exist, and %s; "
		"set GOOGLE_APPLICATION_CREDENTIALS to the key file of a "
		"service account",
		why);
}

static struct source *led_to(struct source *source, const char *origin)
{
	if (source)
		source->origin = origin;
	return source;
}

static struct source *find_metadata(
	const struct exchange_env *env, struct err *err_r)
{
	const char *off = env_text("NO_GCE_CHECK");
	const char *origin = "GCE_METADATA_HOST", *host = env_text(origin);

	if (!host) {
		origin = "GCE_METADATA_ROOT";
		host = env_text(origin);
	}
	if (!off || strcasecmp(off, "true") != 0)
		return led_to(
			source_metadata_new(env, host ? host : METADATA_HOST,
				host == NULL, err_r),
			host ? origin : "nothing else was found");
	source_not_found(err_r, "NO_GCE_CHECK forbids the metadata server");
	return NULL;
}

/* A file that somebody named must be there. */
static struct source *find_named(const struct exchange_env *env,
	const char *name, const char *path, struct err *err_r)
{
	bool missing;
	struct source *source = open_file(env, path, &missing, err_r);

	if (!source)
		err_wrap(err_r, "%s, %s", name, path);
	return led_to(source, name);
}

struct source *source_find(const struct exchange_env *env, struct err *err_r)
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

void source_free(struct source **source)
{
	struct source *old = *source;

	*source = NULL;
	if (!old)
		return;
	old->type->cancel(old);
	xfree(&old->describe);
	xfree(&old->path);
	xfree(&old->account);
	xfree(&old->project);
	xfree(&old->quota_project);
	secret_free(&old->ready);
	old->type->free(old);
}
