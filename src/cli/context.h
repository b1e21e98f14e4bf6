/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where and as whom a command works: the state file, the service, the person.
 * Flags come first, then the policy, then the environment that gcloud knows.
 */
#ifndef TIDEGATE_CLI_CONTEXT_H
#define TIDEGATE_CLI_CONTEXT_H

#include "base/arena.h"
#include "base/err.h"
#include "cli/args.h"
#include "store/store.h"

struct policy;

#define CONTEXT_NAME_MAX 64 /* of a person, with the NUL */

/* Rows of an option table; `args` is the struct they go into. */
#define OPTION_STATE(args)                                                \
	{                                                                 \
		.name = "state", .type = OPTION_TEXT,                     \
		.offset = offsetof(args, state), .value = "FILE",         \
		.help = "the state file (default: $TIDEGATE_STATE, else " \
			"$XDG_STATE_HOME/tidegate/tidegate.db)"           \
	}
/* Where the state file is somebody else's. tidegate becomes tidegate-remote when
 * one of them is given, which has read them by then: what is put where the path
 * is does not matter there. */
#define OPTION_SERVER(args)                                                 \
	{.name = "server",                                                  \
		.type = OPTION_TEXT,                                        \
		.offset = offsetof(args, state),                            \
		.value = "URL",                                             \
		.help = "on this daemon instead of a state file (default: " \
			"$TIDEGATE_SERVER)"},                               \
	{                                                                   \
		.name = "token-file", .type = OPTION_TEXT,                  \
		.offset = offsetof(args, state), .value = "FILE",           \
		.help = "who we are to it (default: $TIDEGATE_TOKEN_FILE, " \
			"else the GitHub job, else Google credentials)"     \
	}
#define OPTION_FORMAT(args)                                                   \
	{                                                                     \
		.name = "format", .type = OPTION_CHOICE,                      \
		.offset = offsetof(args, format), .choices = context_formats, \
		.help = "how results are printed (default: text)"             \
	}
#define OPTION_PROJECT(args)                                             \
	{                                                                \
		.name = "project", .type = OPTION_TEXT,                  \
		.offset = offsetof(args, project), .value = "PROJECT",   \
		.help = "the project (default: the policy's, else "      \
			"$CLOUDSDK_CORE_PROJECT, $GOOGLE_CLOUD_PROJECT)" \
	}
#define OPTION_REGION(args)                                          \
	{                                                            \
		.name = "region", .type = OPTION_TEXT,               \
		.offset = offsetof(args, region), .value = "REGION", \
		.help = "the region (default: the policy's, else "   \
			"$CLOUDSDK_RUN_REGION)"                      \
	}
#define OPTION_AS(args)                                                  \
	{                                                                \
		.name = "as", .type = OPTION_TEXT,                       \
		.offset = offsetof(args, as), .value = "NAME",           \
		.help = "decide under this name; only the owner of the " \
			"state file may (default: $TIDEGATE_USER, "      \
			"$GITHUB_ACTOR, the login name)"                 \
	}

enum format { FORMAT_TEXT, FORMAT_JSON };
extern const char *const context_formats[]; /* names of enum format */

/* `path` NULL: the default. NULL with err_r. */
MUST_CHECK struct store *context_store(
	const char *path, enum store_mode mode, struct err *err_r);

struct context_target;

/* Loads the policy; `source` NULL: out of the file. `target` is what the command
 * line says of it. What is wrong with the policy is printed on
 * stderr, err_r counts it. */
MUST_CHECK struct policy *context_policy(const char *path, const char *source,
	const struct context_target *target, struct err *err_r);
/* The same out of the file, for what is about to begin: warnings as well. */
MUST_CHECK struct policy *context_policy_warned(const char *path,
	const struct context_target *target, struct err *err_r);

/*
 * Who is asking. Another name than the login name may only be given by the
 * owner of the state file: everybody else could otherwise approve as anybody.
 * `store` NULL: there is no file yet, it would be ours.
 */
MUST_CHECK int context_who(const struct store *store, const char *as,
	char who_r[CONTEXT_NAME_MAX], struct err *err_r);

/* From now on that is the name: a daemon knows it by itself. Borrowed. */
void context_set_caller(const char *name);
const char *context_caller(void); /* NULL: whom the system says */

void context_pause(int ms); /* for commands that look again and again */

/* What is to be released. */
struct context_target {
	const char *project, *region, *service; /* in; NULL: not said */
	const char *policy_project, *policy_region, *policy_service; /* in */
	const char *name; /* out: projects/P/locations/R/services/S */
};

/* Learns what the policy says; borrowed. */
void context_take_policy(
	struct context_target *target, const struct policy *policy);

/* What the environment says of them, where neither command line nor policy do;
 * NULL: nothing. */
const char *context_env_project(void);
const char *context_env_region(void);

/* Fills in what is NULL; a `service` in full form gives all three. Texts live
 * in `arena`. */
MUST_CHECK int context_resolve(
	struct context_target *target, struct arena *arena, struct err *err_r);

#endif
