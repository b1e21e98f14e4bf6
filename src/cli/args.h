/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options of the command line, from a table: what they are called, what they
 * take, where the value goes. One table serves parsing, help and completion.
 *
 * `--name VALUE`, `--name=VALUE`, flags, `--` ends the options; options and
 * arguments may come in any order. A name must be written in full. An option
 * may be given once, a list several times.
 *
 *   struct run_args { const char *policy; int64_t wait_ms; bool adopt; };
 *   static const struct option_spec options[] = {
 *     {"policy", OPTION_TEXT, offsetof(struct run_args, policy), "FILE",
 *       "how to release"},
 *     …
 *     {0},
 *   };
 */
#ifndef TIDEGATE_CLI_ARGS_H
#define TIDEGATE_CLI_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define ARGS_LIST_MAX 64 /* how often a list may be given */

enum option_type {
	OPTION_FLAG, /* bool */
	OPTION_TEXT, /* const char *, borrowed from argv */
	OPTION_LIST, /* struct text_list */
	OPTION_DURATION, /* int64_t milliseconds */
	OPTION_INT, /* int, from `min` to `max` */
	OPTION_CHOICE, /* int: index into `choices` */
};

struct text_list {
	const char *item[ARGS_LIST_MAX];
	size_t n;
};

struct option_spec {
	const char *name; /* without the dashes; NULL ends the table */
	enum option_type type;
	size_t offset; /* of the member that takes the value */
	const char *value; /* what help calls it, "FILE"; flags: NULL */
	const char *help; /* one sentence, starts lower case, no full stop */
	const char *const *choices; /* choice: NULL-terminated */
	int min, max; /* int */
	char letter; /* 'o': also "-o VALUE"; 0: none */
};

/*
 * Takes the options out of argv into the struct `values` (of the table's
 * offsets); what was not given keeps the value it has. The arguments move to
 * the front: argv[0] stays, argv[1] to argv[*argc - 1] are arguments. -1 with
 * ERR_USAGE.
 */
MUST_CHECK int args_parse(const struct option_spec *options, void *values,
	int *argc, char **argv, struct err *err_r);

/* Too few or too many arguments: -1 with ERR_USAGE. `names` says what they
 * are, "SERVICE" or "[ROLLOUT]". */
MUST_CHECK int args_count(int argc, char **argv, const char *names, int min,
	int max, struct err *err_r);

/* Whether --help or -h is among the options (not: the value of one). */
bool args_want_help(
	const struct option_spec *options, int argc, char *const *argv);

/* The value behind `--name` or in `--name=…` before `--`; "" when it is missing,
 * NULL: it is not given. For who looks before the options are parsed. */
const char *args_given(const char *name, int argc, char *const *argv);

/* The table for people, wrapped at 80 columns. */
void args_print_options(const struct option_spec *options, struct buf *out);

#endif
