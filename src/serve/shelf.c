/* SPDX-License-Identifier: Apache-2.0 */
/* Policies of a folder; see shelf.h. */
#include "serve/shelf.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/printable.h"
#include "base/suggest.h"
#include "base/xalloc.h"
#include "io/digest.h"
#include "policy/policy_load.h"
#include "serve/policy_files.h"

#define ENDING    ".yaml"
#define NAMES_MAX 300 /* bytes of a list of names in a message */

/* One text, with the secrets that its files had. */
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
	bool seen; /* in the folder, while that is compared */
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

/* What was read again and is the same is one edition: they do not pile up in a
 * daemon of months. `known` NULL: there was none. The policy is owned. */
static struct edition *edition_of(
	struct shelf *shelf, struct edition *known, struct policy *policy)
{
	if (!known || !policy_has_same_secrets(known->policy, policy))
		return edition_add(shelf, policy);
	policy_free(&policy);
	return known;
}

static void edition_free_if_unused(struct edition *edition)
{
	if (edition->users || edition->on_shelf)
		return;
	LIST_REMOVE(edition, link);
	policy_free(&edition->policy);
	free(edition);
}

/* The newest of this text. */
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

const char *shelf_folder(const struct shelf *shelf)
{
	return shelf->folder;
}

char *shelf_path(const char *folder, const char *name)
{
	return xasprintf("%s/%s" ENDING, folder, name);
}

void shelf_set_names(struct shelf *shelf, const char *const *names, size_t n)
{
	size_t known = shelf->n_entries;
	struct entry *entry;

	for (size_t i = 0; i < known; i++)
		shelf->entries[i].seen = false;
	shelf->entries = xrealloc(
		shelf->entries, known + n + 1, sizeof(*shelf->entries));
	for (size_t i = 0; i < n; i++) {
		struct entry wanted = {.name = (char *)names[i]};

		entry = known ? bsearch(&wanted, shelf->entries, known,
					sizeof(wanted), by_name)
			      : NULL;
		if (entry)
			entry->seen = true;
		else
			shelf->entries[shelf->n_entries++] = (struct entry){
				.name = xstrdup(names[i]),
				.path = shelf_path(shelf->folder, names[i]),
				.seen = true};
	}
	forget_unseen(shelf);
	qsort(shelf->entries, shelf->n_entries, sizeof(*shelf->entries),
		by_name);
}

static int entry_parse(struct shelf *shelf, struct entry *entry,
	struct edition *known, const struct buf *text, struct buf *problems,
	struct err *err_r)
{
	struct policy *policy = policy_parse(entry->path, text->data, text->len,
		&policy_env_real, problems, err_r);

	if (!policy) {
		err_wrap(err_r, "policy %s, line %d", entry->name,
			err_r->pos.line);
		err_r->pos = (struct srcpos){0}; /* the entry's path */
		return -1;
	}
	entry_put(entry, edition_of(shelf, known, policy));
	return 0;
}

int shelf_set_text(struct shelf *shelf, const char *name,
	const struct buf *text, struct buf *problems, struct err *err_r)
{
	struct entry *entry = find(shelf, name);
	char digest[DIGEST_TEXT_MAX];
	struct edition *known;

	if (!entry)
		return 0; /* it has gone since */
	digest_text(text->data, text->len, digest);
	known = edition_find(shelf, entry->path, digest);
	/* What a *_file of it says may be new, though the text is not. */
	if (!known || known->policy->has_secret_files)
		return entry_parse(shelf, entry, known, text, problems, err_r);
	entry_put(entry, known);
	return 0;
}

/* ---- all at once ---- */

static int entry_load(struct shelf *shelf, const struct entry *entry,
	struct buf *problems, struct err *err_r)
{
	struct buf text;
	int rc;

	buf_init(&text, POLICY_BYTES_MAX);
	rc = policy_file_read(entry->path, &text, err_r);
	if (rc < 0) {
		printable_add(problems, err_r->text);
		buf_addc(problems, '\n');
	} else {
		rc = shelf_set_text(shelf, entry->name, &text, problems, err_r);
	}
	buf_fini(&text);
	return rc;
}

int shelf_load(struct shelf *shelf, struct buf *problems, struct err *err_r)
{
	const char **names;
	struct arena arena;
	struct err err;
	size_t n;
	int rc;

	arena_init(&arena);
	rc = policy_files_list(shelf->folder, &arena, &names, &n, err_r);
	if (rc == 0)
		shelf_set_names(shelf, names, n);
	arena_fini(&arena);
	if (rc < 0)
		return -1;
	for (size_t i = 0; i < shelf->n_entries; i++) {
		if (entry_load(shelf, &shelf->entries[i], problems, &err) == 0)
			continue;
		if (rc == 0)
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

/* What stands on the shelf is as its folder was read last; other texts are read
 * only here. One that others go by is as it was when a file of it is wrong. */
static bool must_read_files(const struct edition *edition)
{
	return edition->policy->has_secret_files && !edition->on_shelf;
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
	if (!edition || must_read_files(edition)) {
		policy = policy_parse(
			path, text, strlen(text), env, problems, err_r);
		if (policy)
			edition = edition_of(shelf, edition, policy);
		else if (!edition)
			return NULL;
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
	struct arena arena;
	const char *own;

	arena_init(&arena);
	own = policy_file_name(slash ? slash + 1 : path, &arena);
	snprintf(name, SHELF_NAME_MAX, "%s", own ? own : "");
	arena_fini(&arena);
	return name;
}
