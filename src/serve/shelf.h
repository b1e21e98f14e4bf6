/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The policies that rollouts may be started with: NAME.yaml in a folder, each
 * under its name. A policy is parsed once for all rollouts that go by it, and
 * stays as it was for those that began with it when the file changes, or a file
 * with a secret of it.
 */
#ifndef TIDEGATE_SERVE_SHELF_H
#define TIDEGATE_SERVE_SHELF_H

#include "base/buf.h"
#include "base/err.h"

struct policy;
struct policy_env;
struct shelf;

/* The folder is copied; nothing is read. */
struct shelf *shelf_new(const char *folder);
/* When everything taken was given back. */
void shelf_free(struct shelf **shelf);

/* Reads the folder. A file that is wrong leaves the policy of its name as it
 * was; `problems` says what is wrong with which. -1 when something is, with
 * the first of it. */
MUST_CHECK int shelf_load(
	struct shelf *shelf, struct buf *problems, struct err *err_r);

/* The same in parts, for shelf_reload.h: its folder, the file of a name
 * (owned by the caller; on any thread), … */
const char *shelf_folder(const struct shelf *shelf);
char *shelf_path(const char *folder, const char *name);
/* … the names that the folder has now, in order (others are forgotten), … */
void shelf_set_names(struct shelf *shelf, const char *const *names, size_t n);
/* … and the text of one of them, which is parsed unless it is known and has no
 * secrets in files, which are read then, too. */
MUST_CHECK int shelf_set_text(struct shelf *shelf, const char *name,
	const struct buf *text, struct buf *problems, struct err *err_r);

/* Takes the policy of this name as it is now: to be given back. ERR_NOT_FOUND
 * names those that there are. */
MUST_CHECK const struct policy *shelf_take(
	struct shelf *shelf, const char *name, struct err *err_r);
/* Takes a policy by its text: one that is kept with a rollout, or that was
 * brought along. `path` is for messages and relative paths, and of one path all
 * have the same environment. A text that stands in the folder has the secrets of
 * the last load. */
MUST_CHECK const struct policy *shelf_take_text(struct shelf *shelf,
	const char *path, const char *text, const struct policy_env *env,
	struct buf *problems, struct err *err_r);
void shelf_give_back(struct shelf *shelf, const struct policy **policy);

/* Under which name a policy of this path stands there: NAME of FOLDER/NAME.yaml;
 * "": none, it was brought along. */
#define SHELF_NAME_MAX 256
const char *shelf_name_of(const char *path, char name[SHELF_NAME_MAX]);

/* Names in order; borrowed until the next load. NULL: there are no more. */
const char *shelf_name(const struct shelf *shelf, size_t i);

#endif
