/* SPDX-License-Identifier: Apache-2.0 */
/* `tidegate init`: a first policy, from a service's own metrics. */
#include <string.h>
#include <unistd.h>

#include "cli/args.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/init_look.h"
#include "cli/output.h"
#include "policy/placeholder_env.h"
#include "policy/policy_load.h"

struct init_args {
	struct init_wish wish;
	const char *project, *region, *output;
	int kind;
	bool force;
};

static const char *const kinds[] = {"threshold", "evidence", NULL};
enum { KIND_THRESHOLD, KIND_EVIDENCE };

#define MEMBER(m) offsetof(struct init_args, m)
#define WISH(m)   offsetof(struct init_args, wish.m)

static const struct option_spec options[] = {
	{"output", OPTION_TEXT, MEMBER(output), "FILE",
		"where the policy goes; \"-\" is standard output",
		.letter = 'o'},
	{"force", OPTION_FLAG, MEMBER(force), NULL,
		"overwrite what is there already"},
	{"metrics", OPTION_TEXT, WISH(metrics), "URL",
		"the Prometheus to ask (default: $PROMETHEUS_URL)"},
	{"token-file", OPTION_TEXT, WISH(token_file), "FILE",
		"the bearer token that this Prometheus wants"},
	{"managed", OPTION_FLAG, WISH(is_managed), NULL,
		"ask Cloud Monitoring for Cloud Run's own metrics instead"},
	{"from", OPTION_TEXT, WISH(from), "TIME",
		"since when the service is looked at (default: -7d)"},
	{"kind", OPTION_CHOICE, MEMBER(kind), .choices = kinds,
		.help = "limits on values, or requests that are counted and "
			"compared with stable's (default: threshold)"},
	{"selector", OPTION_TEXT, WISH(selector), "MATCHERS",
		"look at such series only: 'job=\"api\"'"},
	{"counter", OPTION_TEXT, WISH(counter), "NAME",
		"the metric that counts requests (default: the best found)"},
	{"histogram", OPTION_TEXT, WISH(histogram), "NAME",
		"the histogram of their duration, without _bucket"},
	{"stable", OPTION_TEXT, WISH(stable), "REVISION",
		"who serves now; Cloud Run is not asked then"},
	{"path", OPTION_TEXT, WISH(path), "PATH",
		"what the smoke probe asks the candidate for (default: /)"},
	OPTION_PROJECT(struct init_args),
	OPTION_REGION(struct init_args),
	{0},
};

/* ---- what was asked for ---- */

static int check_path(const char *path, struct err *err_r)
{
	const unsigned char *p = (const unsigned char *)path;

	for (; *p > ' ' && *p < 0x7f && !strchr("\"\\{}<>^`|#", *p); p++)
		;
	if (*path != '/' || *p)
		return err_set(err_r, ERR_USAGE,
			"--path %.60s is not the path of a URL: write it as "
			"/healthz, with %%20 for a blank",
			path);
	return 0;
}

/* A password on the command line is everybody's, and would be in the file. */
static int check_url(const char *url, struct err *err_r)
{
	if (url && (strchr(url, '@') || strchr(url, '?')))
		return err_set(err_r, ERR_USAGE,
			"--metrics holds a name and password, or parameters: "
			"put such a URL into $PROMETHEUS_URL, where the policy "
			"finds it too");
	return 0;
}

static int check_args(const struct init_args *args, struct err *err_r)
{
	if (!args->output)
		return err_set(err_r, ERR_USAGE,
			"-o is missing: write -o policy.yaml, or -o - to see "
			"it only");
	if (args->wish.is_managed && args->wish.metrics)
		return err_set(err_r, ERR_USAGE,
			"both --metrics and --managed: which is to be asked?");
	if (check_url(args->wish.metrics, err_r) < 0)
		return -1;
	return check_path(args->wish.path, err_r);
}

/* ---- the file ---- */

static int check_absent(const struct init_args *args, struct err *err_r)
{
	if (output_is_stdout(args->output) || args->force ||
		access(args->output, F_OK) != 0)
		return 0;
	return err_set(err_r, ERR_REFUSED,
		"%.200s is there already: choose another name, or --force",
		args->output);
}

/* What would be refused must not be written; a warning neither. */
static int check_policy(const struct buf *text, struct err *err_r)
{
	struct policy_env env = placeholder_env;
	struct buf problems;
	struct policy *policy;
	int rc = 0;

	buf_init(&problems, OUTPUT_BYTES_MAX);
	policy = policy_parse("the proposed policy", text->data, text->len,
		&env, &problems, err_r);
	if (!policy || problems.len) {
		output_write(stderr, &problems);
		rc = err_set(err_r, ERR_INTERNAL,
			"the proposed policy is not one to write: see above");
	}
	policy_free(&policy);
	buf_fini(&problems);
	return rc;
}

static int write_policy(const struct init_args *args, const struct buf *policy,
	struct buf *told, struct err *err_r)
{
	if (check_policy(policy, err_r) < 0)
		return -1;
	if (check_absent(args, err_r) < 0 ||
		output_save(args->output, policy, err_r) < 0)
		return -1;
	if (!output_is_stdout(args->output))
		buf_addf(told,
			"%s is written; next: tidegate check --strict %s\n",
			args->output, args->output);
	return 0;
}

static int propose(struct init_args *args, const struct context_target *target,
	struct err *err_r)
{
	struct buf policy, told;
	int rc;

	buf_init(&policy, OUTPUT_BYTES_MAX);
	buf_init(&told, OUTPUT_BYTES_MAX);
	rc = init_look(&args->wish, target, &policy, &told, err_r);
	if (rc == 0)
		rc = write_policy(args, &policy, &told, err_r);
	redact(&told);
	output_write(stderr, &told);
	buf_fini(&policy);
	buf_fini(&told);
	return rc;
}

static int run(int argc, char **argv, struct err *err_r)
{
	struct init_args args = {.wish = {.from = "-7d", .path = "/"}};
	struct context_target target;
	struct arena arena;
	int rc = -1;

	if (args_parse(options, &args, &argc, argv, err_r) < 0 ||
		args_count(argc, argv, "SERVICE", 1, 1, err_r) < 0 ||
		check_args(&args, err_r) < 0 || check_absent(&args, err_r) < 0)
		return -1;
	args.wish.is_evidence = args.kind == KIND_EVIDENCE;
	target = (struct context_target){.project = args.project,
		.region = args.region,
		.service = argv[1]};
	arena_init(&arena);
	if (context_resolve(&target, &arena, err_r) == 0)
		rc = propose(&args, &target, err_r);
	arena_fini(&arena);
	return rc;
}

const struct command workbench_init = {
	.name = "init",
	.usage = "SERVICE [--metrics URL | --managed] -o FILE",
	.summary = COMMAND_INIT_SUMMARY,
	.options = options,
	.run = run,
	.details =
		"Finds what counts the service's requests and their duration "
		"(OpenTelemetry's,\nPrometheus' and Cloud Run's names, and "
		"others by their labels), and proposes\nsteps, windows and "
		"limits: such that stable itself would have been above them\n"
		"less than once a month. Each choice has a comment with the "
		"numbers.\n\nWithout metrics it says what to export, and "
		"writes "
		"a policy for Cloud Run's own.\nOnly reads, and writes nothing "
		"but FILE.\n",
};
