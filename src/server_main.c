/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program tidegate-server: the controller that stays. `tidegate serve`
 * becomes it, so that what drives one release stays small.
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/jsonw.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "cli/args.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/output.h"
#include "io/process.h"
#include "io/program.h"
#include "policy/policy_load.h"
#include "serve/demo.h"
#include "serve/serve.h"
#include "serve/serve_config.h"

#define PROBLEMS_MAX   (256 * 1024)
#define LINE_MAX_BYTES 4096

struct serve_args {
	const char *config, *listen, *policies, *state;
	int format;
	bool demo;
	struct demo *shown; /* with --demo */
};

#define MEMBER(m) offsetof(struct serve_args, m)

static const struct option_spec options[] = {
	{"config", OPTION_TEXT, MEMBER(config), "FILE",
		"all of it: identity, people, access; tidegate-serve(8) has "
		"its keys"},
	{"listen", OPTION_TEXT, MEMBER(listen), "ADDRESS",
		"where to take requests; default 127.0.0.1:8080, port 0: any "
		"that is free"},
	{"policies", OPTION_TEXT, MEMBER(policies), "FOLDER",
		"the policies to start rollouts with, NAME.yaml each"},
	{"demo", OPTION_FLAG, MEMBER(demo), NULL,
		"shows itself with a small Cloud Run and releases of its own, "
		"all of which is gone at the end"},
	OPTION_STATE(struct serve_args),
	OPTION_FORMAT(struct serve_args),
	{0},
};

/* ---- what it says ---- */

static void print_log(const char *text, size_t len, void *arg)
{
	struct buf line;

	(void)arg;
	buf_init(&line, len + 2);
	buf_add(&line, text, len);
	buf_addc(&line, '\n');
	output_show(stderr, &line);
	buf_fini(&line);
}

static const char demo_text[] =
	"\nA good release begins now, and waits for you before 50 %% (10 "
	"minutes);\nthen comes a bad one, and so on. Their Cloud Run: %s\n"
	"Ctrl-C ends all of it and leaves nothing behind.";

static void print_ready(const char *address, const char *invitation, void *arg)
{
	const struct serve_args *args = arg;
	struct buf line;
	struct jsonw w = {.out = &line};

	buf_init(&line, LINE_MAX_BYTES);
	if (args->format == FORMAT_JSON) {
		jsonw_object(&w, NULL);
		jsonw_text(&w, "address", address);
		if (invitation)
			jsonw_text(&w, "invitation", invitation);
		if (args->shown)
			jsonw_text(&w, "sandbox", demo_control(args->shown));
		jsonw_end(&w, '}');
	} else {
		buf_addf(&line, "tidegate serves at %s", address);
		if (invitation)
			buf_addf(&line, "\nopen %s (once, within 10 minutes)",
				invitation);
		if (args->shown)
			buf_addf(&line, demo_text, demo_control(args->shown));
	}
	buf_addc(&line, '\n');
	output_show(stdout, &line);
	buf_fini(&line);
}

/* ---- serve ---- */

static void begin(struct daemon *daemon, void *arg)
{
	const struct serve_args *args = arg;

	if (args->shown)
		demo_begin(args->shown, daemon);
}

static void end(void *arg)
{
	const struct serve_args *args = arg;

	if (args->shown)
		demo_end(args->shown);
}

static int serve(const struct serve_args *args, struct serve_config *config,
	struct err *err_r)
{
	const struct serve_events events = {.ready = print_ready,
		.begin = begin,
		.end = end,
		.arg = (void *)args,
		.hangup_ends = args->demo};
	struct buf problems;
	int rc;

	buf_init(&problems, PROBLEMS_MAX);
	rc = serve_run(config, &events, &problems, err_r);
	if (problems.len)
		output_write(stderr, &problems);
	buf_fini(&problems);
	return rc;
}

static struct serve_config *load(const char *path, struct err *err_r)
{
	struct serve_config *config;
	struct buf problems;

	buf_init(&problems, PROBLEMS_MAX);
	config = serve_config_load(path, &policy_env_real, &problems, err_r);
	if (problems.len)
		output_write(stderr, &problems);
	if (!config && problems.len)
		err_set(err_r, ERR_POLICY,
			"%s is not a configuration to work with", path);
	buf_fini(&problems);
	return config;
}

/* Flags go before the file. */
static void take_flags(
	struct serve_config *config, const struct serve_args *args)
{
	char *state = store_default_path();

	if (args->listen)
		config->listen = args->listen;
	if (args->policies)
		config->policies = args->policies;
	if (args->state)
		config->state = args->state;
	if (!config->listen)
		config->listen = args->demo ? "127.0.0.1:0" : "127.0.0.1:8080";
	if (!config->state)
		config->state = arena_strdup(&config->arena, state);
	config->identity.state = config->state;
	free(state);
}

static int serve_demo(struct serve_args *args, struct serve_config *config,
	const char *owner, struct err *err_r)
{
	char *sandbox = program_find("tidegate-sandbox", err_r);
	int rc = -1;

	if (sandbox)
		args->shown = demo_open(sandbox, owner, config, err_r);
	free(sandbox);
	if (args->shown)
		rc = serve(args, config, err_r);
	demo_close(&args->shown);
	return rc;
}

static int check_args(const struct serve_args *args, struct err *err_r)
{
	if (args->demo && (args->config || args->policies || args->state))
		return err_set(err_r, ERR_USAGE,
			"--demo brings configuration, policies and state of "
			"its own");
	if (!args->demo && !args->config && !args->policies)
		return err_set(err_r, ERR_USAGE,
			"--config or --policies is missing; to see what it is, "
			"--demo");
	return 0;
}

static int run_serve(int argc, char **argv, struct err *err_r)
{
	char owner[CONTEXT_NAME_MAX];
	struct serve_config *config;
	struct serve_args args = {0};
	int rc;

	if (args_parse(options, &args, &argc, argv, err_r) < 0 ||
		args_count(argc, argv, "", 0, 0, err_r) < 0 ||
		check_args(&args, err_r) < 0 ||
		context_who(NULL, NULL, owner, err_r) < 0)
		return -1;
	output_never_wait(true);
	log_set_sink(print_log, NULL);
	/* Whoever looks on reads the address, and pages. */
	log_set_level(args.demo ? LOG_WARN : LOG_INFO);
	config = args.config ? load(args.config, err_r)
			     : serve_config_new(owner);
	if (!config)
		return -1;
	take_flags(config, &args);
	rc = args.demo ? serve_demo(&args, config, owner, err_r)
		       : serve(&args, config, err_r);
	serve_config_free(&config);
	log_set_sink(NULL, NULL);
	return rc;
}

static const struct command server_serve = {
	.name = "serve",
	.usage = "--config FILE | --policies FOLDER | --demo",
	.summary = COMMAND_SERVE_SUMMARY,
	.options = options,
	.run = run_serve,
};

/* ---- check --config FILE ---- */

static const struct option_spec no_options[] = {{0}};

static int run_check(int argc, char **argv, struct err *err_r)
{
	struct serve_config *config;
	struct buf text;

	if (args_count(argc, argv, "CONFIGURATION", 1, 1, err_r) < 0)
		return -1;
	config = load(argv[1], err_r);
	if (!config)
		return -1;
	buf_init(&text, OUTPUT_BYTES_MAX);
	serve_config_print(config, &text);
	output_write(stdout, &text);
	buf_fini(&text);
	serve_config_free(&config);
	return 0;
}

static const struct command server_check = {
	.name = "check",
	.usage = "CONFIGURATION",
	.summary = "Say what is wrong with a configuration of tidegate serve",
	.options = no_options,
	.run = run_check,
};

extern const struct command server_token;

static const struct command *const verbs[] = {
	&server_serve, &server_token, &server_check, NULL};

int main(int argc, char **argv)
{
	struct err err;

	process_begin();
	process_harden();
	for (size_t i = 0; argc > 1 && verbs[i]; i++) {
		if (strcmp(verbs[i]->name, argv[1]) == 0)
			return command_run(verbs[i], argc - 1, argv + 1);
	}
	(void)!err_set(&err, ERR_USAGE,
		"this program is a part of tidegate: call that");
	return command_report(NULL, &err);
}
