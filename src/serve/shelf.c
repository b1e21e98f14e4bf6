/* SPDX-License-Identifier: Apache-2.0 */
/* Policies of a folder; see shelf.h. */
#include "serve/shelf.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/log.h"
#include "base/suggest.h"
#include "base/xalloc.h"
#include "io/digest.h"
#include "policy/policy_load.h"

#define POLICIES_MAX 10000 /* files of the folder */
#define ENDING       ".yaml"
#define NAMES_MAX    300 /* bytes of a list of names in a message */

/* One text. */
struct edition {
	LIST_ENTRY(edition) link;
	struct policy *policy;
	char digest[DIGEST_TEXT_MAX];
	size_t users;
	bool on_shelf; /* the newest of its name */
};

struct entry {
	char *name, *path;
	struct edition *edition; /* NULL: it never was a policy */
	bool seen; /* by the load under way */
};

struct shelf {
	char *folder;
	LIST_HEAD(, edition) editions;
	struct entry *entries; /* by name */
	size_t n_entries;
};

struct shelf *shelf_new(const char *folder)
{
	struct shelf *shelf = xcalloc(1, sizeof(*shelf));

	shelf->folder = xstrdup(folder);
	LIST_INIT(&shelf->editions);
	return shelf;
}

/* ---- editions ---- */

static struct edition *edition_add(struct shelf *shelf, struct policy *policy)
{
	struct edition *edition = xcalloc(1, sizeof(*edition));

	edition->policy = policy;
	digest_text(policy->source, policy->source_len, edition->digest);
	LIST_INSERT_HEAD(&shelf->editions, edition, link);
	return edition;
}

static void edition_free_if_unused(struct edition *edition)
{
	if (edition->users || edition->on_shelf)
		return;
	LIST_REMOVE(edition, link);
	policy_free(&edition->policy);
	free(edition);
}

static struct edition *edition_find(
	struct shelf *shelf, const char *path, const char *digest)
{
	struct edition *edition;

	LIST_FOREACH(edition, &shelf->editions, link)
		if (!strcmp(edition->digest, digest) &&
			!strcmp(edition->policy->path, path))
			return edition;
	return NULL;
}

/* ---- the folder ---- */

static int by_name(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static struct entry *find(const struct shelf *shelf, const char *name)
{
	struct entry wanted = {.name = (char *)name};

	return shelf->n_entries
		       ? bsearch(&wanted, shelf->entries, shelf->n_entries,
				 sizeof(wanted), by_name)
		       : NULL;
}

/* The file's name without its ending; NULL: it is no policy's. */
static char *name_of_file(const char *file)
{
	size_t len = strlen(file), ending = strlen(ENDING);

	if (*file == '.' || len <= ending ||
		strcmp(file + len - ending, ENDING) != 0)
		return NULL;
	return xmemdup0(file, len - ending);
}

static void note_file(struct shelf *shelf, const char *file)
{
	char *name = name_of_file(file);
	struct entry *entry = name ? find(shelf, name) : NULL;

	if (!name || entry) {
		if (entry)
			entry->seen = true;
		free(name);
		return;
	}
	shelf->entries = xrealloc(
		shelf->entries, shelf->n_entries + 1, sizeof(*shelf->entries));
	shelf->entries[shelf->n_entries++] = (struct entry){.name = name,
		.path = xasprintf("%s/%s", shelf->folder, file),
		.seen = true};
	qsort(shelf->entries, shelf->n_entries, sizeof(*shelf->entries),
		by_name);
}

static int note_files(struct shelf *shelf, struct err *err_r)
{
	DIR *folder = opendir(shelf->folder);
	const struct dirent *file;

	if (!folder)
		return err_set(err_r, ERR_POLICY,
			"the folder of policies %s cannot be read: %s",
			shelf->folder, strerror(errno));
	while ((file = readdir(folder)) && shelf->n_entries < POLICIES_MAX)
		note_file(shelf, file->d_name);
	closedir(folder);
	return 0;
}

static void entry_put(struct entry *entry, struct edition *edition)
{
	if (entry->edition == edition)
		return;
	if (entry->edition) {
		entry->edition->on_shelf = false;
		edition_free_if_unused(entry->edition);
	}
	entry->edition = edition;
	if (edition)
		edition->on_shelf = true;
}

static int entry_load(struct shelf *shelf, struct entry *entry,
	struct buf *problems, struct err *err_r)
{
	struct policy *policy =
		policy_load(entry->path, &policy_env_real, problems, err_r);
	char digest[DIGEST_TEXT_MAX];
	struct edition *known;

	if (!policy) {
		err_wrap(err_r, "policy %s, line %d", entry->name,
			err_r->pos.line);
		err_r->pos = (struct srcpos){0}; /* the entry's path */
		return -1;
	}
	digest_text(policy->source, policy->source_len, digest);
	known = edition_find(shelf, entry->path, digest);
	if (known)
		policy_free(&policy);
	entry_put(entry, known ? known : edition_add(shelf, policy));
	return 0;
}

/* What is not in the folder any more. */
static void forget_unseen(struct shelf *shelf)
{
	size_t kept = 0;

	for (size_t i = 0; i < shelf->n_entries; i++) {
		if (shelf->entries[i].seen) {
			shelf->entries[kept++] = shelf->entries[i];
			continue;
		}
		entry_put(&shelf->entries[i], NULL);
		free(shelf->entries[i].name);
		free(shelf->entries[i].path);
	}
	shelf->n_entries = kept;
}

int shelf_load(struct shelf *shelf, struct buf *problems, struct err *err_r)
{
	struct err err;
	int rc = 0;

	for (size_t i = 0; i < shelf->n_entries; i++)
		shelf->entries[i].seen = false;
	if (note_files(shelf, err_r) < 0)
		return -1;
	forget_unseen(shelf);
	for (size_t i = 0; i < shelf->n_entries; i++) {
		if (entry_load(shelf, &shelf->entries[i], problems, &err) == 0)
			continue;
		if (!rc)
			*err_r = err;
		rc = -1;
	}
	return rc;
}

void shelf_free(struct shelf **shelf_p)
{
	struct shelf *shelf = *shelf_p;

	if (!shelf)
		return;
	for (size_t i = 0; i < shelf->n_entries; i++)
		shelf->entries[i].seen = false;
	forget_unseen(shelf);
	assert(LIST_EMPTY(&shelf->editions));
	free(shelf->entries);
	free(shelf->folder);
	free(shelf);
	*shelf_p = NULL;
}

/* ---- taking ---- */

static void say_unknown(
	const struct shelf *shelf, const char *name, struct err *err_r)
{
	struct suggest suggest = {.word = name};
	struct buf names;

	buf_init(&names, NAMES_MAX);
	for (size_t i = 0; i < shelf->n_entries; i++) {
		suggest_try(&suggest, shelf->entries[i].name);
		buf_addf(&names, "%s%s", i ? ", " : "", shelf->entries[i].name);
	}
	if (suggest.best)
		err_set(err_r, ERR_NOT_FOUND,
			"there is no policy \"%.100s\": did you mean %.100s?",
			name, suggest.best);
	else
		err_set(err_r, ERR_NOT_FOUND,
			"there is no policy \"%.100s\": there %s%s", name,
			names.len ? "are " : "is none", names.data);
	buf_fini(&names);
}

const struct policy *shelf_take(
	struct shelf *shelf, const char *name, struct err *err_r)
{
	const struct entry *entry = find(shelf, name);

	if (!entry) {
		say_unknown(shelf, name, err_r);
		return NULL;
	}
	if (!entry->edition) {
		err_set(err_r, ERR_NOT_FOUND,
			"policy \"%.100s\" has never been right: the log says "
			"what is wrong with its file",
			name);
		return NULL;
	}
	entry->edition->users++;
	return entry->edition->policy;
}

const struct policy *shelf_take_text(struct shelf *shelf, const char *path,
	const char *text, const struct policy_env *env, struct buf *problems,
	struct err *err_r)
{
	char digest[DIGEST_TEXT_MAX];
	struct edition *edition;
	struct policy *policy;

	digest_text(text, strlen(text), digest);
	edition = edition_find(shelf, path, digest);
	if (!edition) {
		policy = policy_parse(
			path, text, strlen(text), env, problems, err_r);
		if (!policy)
			return NULL;
		edition = edition_add(shelf, policy);
	}
	edition->users++;
	return edition->policy;
}

void shelf_give_back(struct shelf *shelf, const struct policy **policy)
{
	struct edition *edition;

	LIST_FOREACH(edition, &shelf->editions, link)
		if (edition->policy == *policy)
			break;
	*policy = NULL;
	if (!edition)
		return;
	edition->users--;
	edition_free_if_unused(edition);
}

const char *shelf_name(const struct shelf *shelf, size_t i)
{
	return i < shelf->n_entries ? shelf->entries[i].name : NULL;
}

const char *shelf_name_of(const char *path, char name[SHELF_NAME_MAX])
{
	const char *slash = strrchr(path, '/');
	char *own = name_of_file(slash ? slash + 1 : path);

	snprintf(name, SHELF_NAME_MAX, "%s", own ? own : "");
	free(own);
	return name;
}
