/* SPDX-License-Identifier: Apache-2.0 */
/* Options from a table; see args.h. Knows no verb. */
#include "cli/args.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "base/suggest.h"

#define SHOWN_MAX   60 /* bytes of a bad value that a message repeats */
#define HELP_COLUMN 26
#define HELP_WIDTH  80

/* Where parsing stands: one argument, cut at its "=". */
struct given {
	const struct option_spec *spec;
	const char *value; /* NULL: none was given with "=" */
};

static const struct option_spec *option_find(
	const struct option_spec *options, const char *name, size_t len)
{
	for (; options->name; options++) {
		if (strlen(options->name) == len &&
			memcmp(options->name, name, len) == 0)
			return options;
	}
	return NULL;
}

/* "-o" */
static const struct option_spec *letter_find(
	const struct option_spec *options, const char *arg)
{
	for (; arg[1] && !arg[2] && options->name; options++) {
		if (options->letter == arg[1])
			return options;
	}
	return NULL;
}

static int unknown_option(const struct option_spec *options, const char *arg,
	size_t len, struct err *err_r)
{
	char word[SUGGEST_WORD_MAX + 1] = "";
	struct suggest suggest = {.word = word};

	if (len <= SUGGEST_WORD_MAX)
		memcpy(word, arg + 2, len);
	for (; options->name; options++)
		suggest_try(&suggest, options->name);
	if (suggest.best)
		return err_set(err_r, ERR_USAGE,
			"unknown option \"%.*s\": did you mean --%s?",
			SHOWN_MAX, arg, suggest.best);
	return err_set(
		err_r, ERR_USAGE, "unknown option \"%.*s\"", SHOWN_MAX, arg);
}

/* `arg` starts with "-" and is not alone. */
static int given_find(const struct option_spec *options, const char *arg,
	struct given *given_r, struct err *err_r)
{
	const char *equals;
	size_t len;

	given_r->value = NULL;
	given_r->spec = letter_find(options, arg);
	if (given_r->spec)
		return 0;
	if (arg[1] != '-')
		return err_set(err_r, ERR_USAGE,
			"unknown option \"%.*s\": options are written in full, "
			"with two dashes",
			SHOWN_MAX, arg);
	equals = strchr(arg, '=');
	len = equals ? (size_t)(equals - arg) - 2 : strlen(arg) - 2;
	given_r->spec = option_find(options, arg + 2, len);
	given_r->value = equals ? equals + 1 : NULL;
	if (!given_r->spec)
		return unknown_option(options, arg, len, err_r);
	return 0;
}

static int int_parse(const struct option_spec *spec, const char *text,
	int *value_r, struct err *err_r)
{
	char *end;
	long value;

	errno = 0;
	value = strtol(text, &end, 10);
	if (end == text || *end || errno || value < spec->min ||
		value > spec->max)
		return err_set(err_r, ERR_USAGE,
			"--%s is \"%.*s\": it must be a whole number from %d "
			"to %d",
			spec->name, SHOWN_MAX, text, spec->min, spec->max);
	*value_r = (int)value;
	return 0;
}

static int choice_parse(const struct option_spec *spec, const char *text,
	int *value_r, struct err *err_r)
{
	struct buf list;
	int i;

	for (i = 0; spec->choices[i]; i++) {
		if (strcmp(spec->choices[i], text) == 0) {
			*value_r = i;
			return 0;
		}
	}
	buf_init(&list, ERR_TEXT_MAX);
	for (i = 0; spec->choices[i]; i++)
		buf_addf(&list, "%s%s", i ? ", " : "", spec->choices[i]);
	err_set(err_r, ERR_USAGE, "--%s is \"%.*s\": it must be one of %s",
		spec->name, SHOWN_MAX, text, list.data);
	buf_fini(&list);
	return -1;
}

static int list_add(const struct option_spec *spec, struct text_list *list,
	const char *text, struct err *err_r)
{
	if (list->n == ARGS_LIST_MAX)
		return err_set(err_r, ERR_USAGE,
			"--%s is given more than %d times", spec->name,
			ARGS_LIST_MAX);
	list->item[list->n++] = text;
	return 0;
}

static int value_store(const struct option_spec *spec, const char *text,
	void *values, struct err *err_r)
{
	void *at = (char *)values + spec->offset;

	switch (spec->type) {
	case OPTION_FLAG:
		*(bool *)at = true;
		return 0;
	case OPTION_TEXT:
		*(const char **)at = text;
		return 0;
	case OPTION_LIST:
		return list_add(spec, at, text, err_r);
	case OPTION_DURATION:
		if (duration_parse(text, at, err_r)) {
			err_r->code = ERR_USAGE;
			return err_wrap(err_r, "--%s", spec->name);
		}
		return 0;
	case OPTION_INT:
		return int_parse(spec, text, at, err_r);
	case OPTION_CHOICE:
		return choice_parse(spec, text, at, err_r);
	}
	abort();
}

/* The value after "=" or the next argument; *i moves on when that is used. */
static int value_find(
	struct given *given, int argc, char **argv, int *i, struct err *err_r)
{
	const struct option_spec *spec = given->spec;

	if (spec->type == OPTION_FLAG) {
		if (given->value)
			return err_set(err_r, ERR_USAGE, "--%s takes no value",
				spec->name);
		return 0;
	}
	if (given->value)
		return 0;
	/* "--policy --adopt" is a forgotten value, not a file of that name. */
	if (*i + 1 >= argc || strncmp(argv[*i + 1], "--", 2) == 0)
		return err_set(err_r, ERR_USAGE, "--%s needs a value: --%s %s",
			spec->name, spec->name, spec->value);
	given->value = argv[++*i];
	return 0;
}

/* Each option has one bit: tables are short, lists may come again. */
static int once(const struct option_spec *options,
	const struct option_spec *spec, uint64_t *seen, struct err *err_r)
{
	uint64_t bit = UINT64_C(1) << (spec - options);

	if (*seen & bit && spec->type != OPTION_LIST)
		return err_set(
			err_r, ERR_USAGE, "--%s is given twice", spec->name);
	*seen |= bit;
	return 0;
}

int args_parse(const struct option_spec *options, void *values, int *argc,
	char **argv, struct err *err_r)
{
	struct given given = {0};
	uint64_t seen = 0;
	int i, n = 1;

	for (i = 1; i < *argc; i++) {
		if (strcmp(argv[i], "--") == 0) {
			i++;
			break;
		}
		if (argv[i][0] != '-' || !argv[i][1]) {
			argv[n++] = argv[i];
			continue;
		}
		if (given_find(options, argv[i], &given, err_r) ||
			once(options, given.spec, &seen, err_r) ||
			value_find(&given, *argc, argv, &i, err_r) ||
			value_store(given.spec, given.value, values, err_r))
			return -1;
	}
	for (; i < *argc; i++)
		argv[n++] = argv[i];
	*argc = n;
	return 0;
}

int args_count(int argc, char **argv, const char *names, int min, int max,
	struct err *err_r)
{
	if (argc - 1 < min)
		return err_set(err_r, ERR_USAGE, "%s is missing", names);
	if (argc - 1 > max)
		return err_set(err_r, ERR_USAGE,
			"\"%.*s\" is one argument too many", SHOWN_MAX,
			argv[max + 1]);
	return 0;
}

bool args_want_help(
	const struct option_spec *options, int argc, char *const *argv)
{
	const struct option_spec *spec;
	int i;

	for (i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (strcmp(argv[i], "--help") == 0 ||
			strcmp(argv[i], "-h") == 0)
			return true;
		if (!options || strncmp(argv[i], "--", 2) != 0)
			continue;
		spec = option_find(options, argv[i] + 2, strlen(argv[i] + 2));
		if (spec && spec->type != OPTION_FLAG && i + 1 < argc &&
			strncmp(argv[i + 1], "--", 2) != 0)
			i++;
	}
	return false;
}

const char *args_given(const char *name, int argc, char *const *argv)
{
	size_t len = strlen(name);
	const char *arg;

	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		arg = argv[i];
		if (strncmp(arg, "--", 2) || strncmp(arg + 2, name, len))
			continue;
		arg += 2 + len;
		if (*arg == '=')
			return arg + 1;
		if (!*arg)
			return i + 1 < argc ? argv[i + 1] : arg;
	}
	return NULL;
}

/* The words of `text`, broken before HELP_WIDTH; no blank ends a line. */
static void wrap(struct buf *out, const char *text)
{
	size_t column = HELP_COLUMN, len;

	for (; *text; text += strspn(text, " ")) {
		len = strcspn(text, " ");
		if (column > HELP_COLUMN && column + 1 + len > HELP_WIDTH) {
			buf_addf(out, "\n%*s", HELP_COLUMN, "");
			column = HELP_COLUMN;
		} else if (column > HELP_COLUMN) {
			buf_addc(out, ' ');
			column++;
		}
		buf_add(out, text, len);
		column += len;
		text += len;
	}
}

static void print_option(const struct option_spec *spec, struct buf *out)
{
	size_t start = out->len, width, i;

	if (spec->letter)
		buf_addf(out, "  -%c, --%s", spec->letter, spec->name);
	else
		buf_addf(out, "  --%s", spec->name);
	for (i = 0; spec->choices && spec->choices[i]; i++)
		buf_addf(out, "%c%s", i ? '|' : ' ', spec->choices[i]);
	if (spec->value && !spec->choices)
		buf_addf(out, " %s", spec->value);
	width = out->len - start;
	if (width + 2 > HELP_COLUMN)
		buf_addf(out, "\n%*s", HELP_COLUMN, "");
	else
		buf_addf(out, "%*s", (int)(HELP_COLUMN - width), "");
	wrap(out, spec->help);
	buf_addc(out, '\n');
}

void args_print_options(const struct option_spec *options, struct buf *out)
{
	for (; options->name; options++)
		print_option(options, out);
}
