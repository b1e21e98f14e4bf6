/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads a shelf's folder again; see shelf_reload.h.
 *
 *   shelf_reload_start ─ names_read ─ slice_begin ─ slice_read ─ put_next … ─ tell
 *                                          ^                         |
 *                                          +───── files are left ────+
 */
#include "serve/shelf_reload.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/xalloc.h"
#include "io/loop.h"
#include "io/worker.h"
#include "policy/policy.h"
#include "serve/policy_files.h"
#include "serve/shelf.h"

#define SLICE        16 /* files that are held at a time */
#define PROBLEMS_MAX (64 * 1024)

struct file {
	struct buf text;
	struct err err; /* ERR_NONE: it was read */
};

struct shelf_reload {
	struct loop *loop;
	struct shelf *shelf;
	struct worker *worker;
	struct timer *next;
	struct arena arena; /* of the names */
	const char *folder;
	const char **names;
	size_t n_names;
	struct file slice[SLICE]; /* from `first` on */
	size_t first, n_slice, at; /* `at` of the slice is put next */
	struct buf problems; /* for nobody: the log has the first */
	struct err err; /* the first problem; ERR_NONE: none */
	shelf_reload_fn fn;
	void *arg;
};

static void names_run(void *arg);
static void names_read(void *arg);
static void slice_begin(struct shelf_reload *reload);
static void slice_run(void *arg);
static void slice_read(void *arg);
static void put_next(void *arg);

/* ---- its life ---- */

struct shelf_reload *shelf_reload_start(struct loop *loop, struct shelf *shelf,
	shelf_reload_fn fn, void *arg, struct err *err_r)
{
	struct worker *worker = worker_new(loop, 1, err_r);
	struct shelf_reload *reload;

	if (!worker)
		return NULL;
	reload = xcalloc(1, sizeof(*reload));
	reload->loop = loop;
	reload->shelf = shelf;
	reload->fn = fn;
	reload->arg = arg;
	reload->worker = worker;
	arena_init(&reload->arena);
	reload->folder = arena_strdup(&reload->arena, shelf_folder(shelf));
	buf_init(&reload->problems, PROBLEMS_MAX);
	worker_start(reload->worker, names_run, names_read, reload);
	return reload;
}

static void slice_fini(struct shelf_reload *reload)
{
	for (size_t i = 0; i < reload->n_slice; i++)
		buf_fini(&reload->slice[i].text);
	reload->n_slice = 0;
}

static void reload_free(struct shelf_reload *reload)
{
	timer_cancel(&reload->next);
	slice_fini(reload);
	buf_fini(&reload->problems);
	arena_fini(&reload->arena);
	free(reload);
}

/* A disk that hangs keeps what its thread uses. */
void shelf_reload_cancel(struct shelf_reload **reload_p, int64_t wait_ms)
{
	struct shelf_reload *reload = *reload_p;

	*reload_p = NULL;
	if (!reload)
		return;
	reload->fn = NULL;
	timer_cancel(&reload->next);
	(void)worker_wait(reload->worker, wait_ms);
	if (worker_free(&reload->worker))
		reload_free(reload);
}

static void tell(struct shelf_reload *reload)
{
	shelf_reload_fn fn = reload->fn;
	struct err err = reload->err;
	void *arg = reload->arg;

	(void)worker_free(&reload->worker); /* it has nothing to do */
	reload_free(reload);
	fn(err.code ? &err : NULL, arg);
}

static void note(struct shelf_reload *reload, const struct err *err)
{
	if (!reload->err.code)
		reload->err = *err;
}

/* ---- the folder ---- */

static void names_run(void *arg)
{
	struct shelf_reload *reload = arg;
	struct err err;

	if (policy_files_list(reload->folder, &reload->arena, &reload->names,
		    &reload->n_names, &err) < 0)
		reload->err = err;
}

/* In a turn of its own, as what follows: a worker is not freed by its job. */
static void names_read(void *arg)
{
	struct shelf_reload *reload = arg;

	if (!reload->fn)
		return;
	if (!reload->err.code)
		shelf_set_names(reload->shelf, reload->names, reload->n_names);
	reload->next = timer_start(reload->loop, 0, put_next, reload);
}

/* ---- its files ---- */

static void slice_begin(struct shelf_reload *reload)
{
	size_t left;

	reload->first += reload->n_slice;
	slice_fini(reload);
	left = reload->n_names - reload->first;
	reload->at = 0;
	reload->n_slice = left < SLICE ? left : SLICE;
	for (size_t i = 0; i < reload->n_slice; i++) {
		reload->slice[i].err = (struct err){0};
		buf_init(&reload->slice[i].text, POLICY_BYTES_MAX);
	}
	worker_start(reload->worker, slice_run, slice_read, reload);
}

static void slice_run(void *arg)
{
	struct shelf_reload *reload = arg;
	struct file *file;
	struct err err;
	char *path;

	for (size_t i = 0; i < reload->n_slice; i++) {
		file = &reload->slice[i];
		path = shelf_path(
			reload->folder, reload->names[reload->first + i]);
		if (policy_file_read(path, &file->text, &err) < 0)
			file->err = err;
		free(path);
	}
}

static void slice_read(void *arg)
{
	struct shelf_reload *reload = arg;

	if (reload->fn)
		reload->next = timer_start(reload->loop, 0, put_next, reload);
}

/* ---- one in each turn ---- */

static void put(
	struct shelf_reload *reload, const char *name, const struct file *file)
{
	struct err err = file->err;

	buf_clear(&reload->problems);
	if (err.code || shelf_set_text(reload->shelf, name, &file->text,
				&reload->problems, &err) < 0)
		note(reload, &err);
}

static void put_next(void *arg)
{
	struct shelf_reload *reload = arg;
	size_t i = reload->first + reload->at;

	reload->next = NULL;
	if (i >= reload->n_names) {
		tell(reload);
	} else if (reload->at >= reload->n_slice) {
		slice_begin(reload);
	} else {
		put(reload, reload->names[i], &reload->slice[reload->at++]);
		reload->next = timer_start(reload->loop, 0, put_next, reload);
	}
}
