/* SPDX-License-Identifier: Apache-2.0 */
/* A page for each recording and an index of them; see simulate.h. */
#define _GNU_SOURCE /* tdestroy */
#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/xalloc.h"
#include "cli/output.h"
#include "cli/simulate.h"

#define ROWS_BYTES_MAX ((size_t)64 * 1024 * 1024)
#define FOLDER_MODE    0777

struct site {
	struct arena arena;
	const char *folder;
	const struct path_list *paths;
	const char **file, **path; /* of each recording's page */
	const char *const *heads;
	size_t n_heads;
	struct page rows; /* of the index; written before what is above them */
	struct buf rows_out;
};

/* ---- names ---- */

static int by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void keep_name(void *name)
{
}

/* "r/good.json" becomes "good.html", a second one of that name "good-2.html". */
static const char *name_page(struct site *site, const char *path, void **names)
{
	const char *slash = strrchr(path, '/');
	const char *base = slash ? slash + 1 : path, *name;
	const char *dot = strrchr(base, '.');
	int len =
		(int)(dot && dot > base ? (size_t)(dot - base) : strlen(base));
	int n = 1;

	name = arena_printf(&site->arena, "%.*s.html", len, base);
	while (*(const char **)tsearch(name, names, by_name) != name)
		name = arena_printf(
			&site->arena, "%.*s-%d.html", len, base, ++n);
	return name;
}

static void name_pages(struct site *site)
{
	void *names = NULL;
	size_t i;

	tsearch("index.html", &names, by_name);
	for (i = 0; i < site->paths->n; i++) {
		site->file[i] = name_page(site, site->paths->item[i], &names);
		site->path[i] = arena_printf(
			&site->arena, "%s/%s", site->folder, site->file[i]);
	}
	tdestroy(names, keep_name);
}

/* ---- the site ---- */

struct site *site_new(const char *folder, const struct path_list *paths,
	const char *const *heads, size_t n, struct err *err_r)
{
	struct site *site;
	struct stat found;

	if (output_is_stdout(folder)) {
		err_set(err_r, ERR_USAGE,
			"--html - is one page: those of several recordings go "
			"into a folder, name one");
		return NULL;
	}
	if (mkdir(folder, FOLDER_MODE) < 0 && errno != EEXIST) {
		err_set(err_r, ERR_IO, "cannot make the folder %.300s: %s",
			folder, strerror(errno));
		return NULL;
	}
	if (stat(folder, &found) < 0 || !S_ISDIR(found.st_mode)) {
		err_set(err_r, ERR_USAGE,
			"--html %.300s is no folder: the pages of several "
			"recordings go into one",
			folder);
		return NULL;
	}
	site = xcalloc(1, sizeof(*site));
	*site = (struct site){.folder = folder,
		.paths = paths,
		.file = xcalloc(paths->n + 1, sizeof(*site->file)),
		.path = xcalloc(paths->n + 1, sizeof(*site->path)),
		.heads = heads,
		.n_heads = n,
		.rows = {.format = PAGE_HTML, .out = &site->rows_out}};
	arena_init(&site->arena);
	name_pages(site);
	buf_init(&site->rows_out, ROWS_BYTES_MAX);
	page_table_begin(&site->rows, heads, n);
	return site;
}

void site_free(struct site **site_p)
{
	struct site *site = *site_p;

	if (!site)
		return;
	buf_fini(&site->rows_out);
	free(site->file);
	free(site->path);
	arena_fini(&site->arena);
	free(site);
	*site_p = NULL;
}

const char *site_path(const struct site *site, size_t i)
{
	return site->path[i];
}

void site_add(struct site *site, size_t i, bool has_page, enum tone tone,
	const char *const *cells)
{
	if (has_page)
		page_row_link(
			&site->rows, tone, site->file[i], cells, site->n_heads);
	else
		page_row(&site->rows, tone, cells, site->n_heads);
}

int site_finish(struct site *site, const char *title, bool good,
	const char *reason, struct err *err_r)
{
	const struct page_banner banner = {.tone = good ? TONE_GOOD : TONE_BAD,
		.title = title,
		.reason = reason};
	struct page page;
	struct buf out;

	page_table_end(&site->rows);
	simulate_page_begin(&page, &out, title);
	page_banner(&page, &banner);
	page_heading(&page, "Recordings");
	buf_adds(&out, site->rows_out.data);
	out.overflow |= site->rows_out.overflow;
	return simulate_page_end(&page,
		arena_printf(&site->arena, "%s/index.html", site->folder),
		err_r);
}
