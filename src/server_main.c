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
#include "serve/serve.h"
#include "serve/serve_config.h"

#define PROBLEMS_MAX   (256 * 1024)
#define LINE_MAX_BYTES 4096

struct serve_args {
	const char *listen, *policies, *state, *token_file;
	int format;
};

#define MEMBER(m) offsetof(struct serve_args, m)

static const struct option_spec options[] = {
	{"listen", OPTION_TEXT, MEMBER(listen), "ADDRESS",
		"where to take requests; default 127.0.0.1:8080, port 0: any "
		"that is free"},
	{"policies", OPTION_TEXT, MEMBER(policies), "FOLDER",
		"the policies to start rollouts with, NAME.yaml each"},
	OPTION_STATE(struct serve_args),
	{"token-file", OPTION_TEXT, MEMBER(token_file), "FILE",
		"whoever sends the token in it is who starts the daemon"},
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

static void print_ready(const char *address, void *arg)
{
	const struct serve_args *args = arg;
	struct buf line;
	struct jsonw w = {.out = &line};

	buf_init(&line, LINE_MAX_BYTES);
	if (args->format == FORMAT_JSON) {
		jsonw_object(&w, NULL);
		jsonw_text(&w, "address", address);
		jsonw_end(&w, '}');
	} else {
		buf_addf(&line, "tidegate serves at %s", address);
	}
	buf_addc(&line, '\n');
	output_show(stdout, &line);
	buf_fini(&line);
}

/* ---- the verb ---- */

static int run_config(const struct serve_args *args,
	struct serve_config *config, struct err *err_r)
{
	struct buf problems;
	int rc;

	buf_init(&problems, PROBLEMS_MAX);
	rc = serve_run(config, print_ready, (void *)args, &problems, err_r);
	if (problems.len)
		output_write(stderr, &problems);
	buf_fini(&problems);
	return rc;
}

static int run(int argc, char **argv, struct err *err_r)
{
	struct serve_args args = {.listen = "127.0.0.1:8080"};
	char owner[CONTEXT_NAME_MAX];
	struct serve_config *config;
	char *state;
	int rc;

	if (args_parse(options, &args, &argc, argv, err_r) < 0 ||
		args_count(argc, argv, "", 0, 0, err_r) < 0)
		return -1;
	if (!args.policies)
		return err_set(err_r, ERR_USAGE, "--policies is missing");
	if (context_who(NULL, NULL, owner, err_r) < 0)
		return -1;
	output_never_wait(true);
	log_set_sink(print_log, NULL);
	log_set_level(LOG_INFO);
	config = serve_config_new(owner);
	state = args.state ? xstrdup(args.state) : store_default_path();
	config->listen = args.listen;
	config->policies = args.policies;
	config->token_file = args.token_file;
	config->state = state;
	rc = run_config(&args, config, err_r);
	serve_config_free(&config);
	free(state);
	log_set_sink(NULL, NULL);
	return rc;
}

const struct command server_serve = {
	.name = "serve",
	.usage = "--policies FOLDER",
	.summary = COMMAND_SERVE_SUMMARY,
	.options = options,
	.run = run,
};

extern const struct command server_token;

static const struct command *const verbs[] = {
	&server_serve, &server_token, NULL};

int main(int argc, char **argv)
{
	struct err err;

	process_open_streams();
	process_harden();
	for (size_t i = 0; argc > 1 && verbs[i]; i++) {
		if (strcmp(verbs[i]->name, argv[1]) == 0)
			return command_run(verbs[i], argc - 1, argv + 1);
	}
	(void)!err_set(&err, ERR_USAGE,
		"this program is a part of tidegate: call that");
	return command_report(NULL, &err);
}
