/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program tidegate-sandbox: a small Cloud Run on this machine, until a
 * signal. `tidegate sandbox` runs it, so that no release carries it.
 */
#include <signal.h>
#include <stdio.h>

#include "base/buf.h"
#include "cli/args.h"
#include "cli/command.h"
#include "cli/output.h"
#include "io/file.h"
#include "io/loop.h"
#include "io/process.h"
#include "sandbox/load.h"
#include "sandbox/sandbox.h"

#define READY_LINE_MAX 4096

struct sandbox_args {
	int port, front_port, load, seed, etag, old_revisions, old_tags;
	int metrics_names;
	const char *project, *region, *service, *traffic, *token;
	struct text_list revisions, broken, set, faults;
	int64_t operation_delay_ms;
	const char *prometheus_config;
	bool env;
};

static const char *const etags[] = {"strict", "lax", NULL};
static const char *const names[] = {
	"both", "prometheus", "opentelemetry", "cloud-run", "none", NULL};

#define AT(member) offsetof(struct sandbox_args, member)

static const struct option_spec options[] = {
	{"port", OPTION_INT, AT(port), "PORT",
		"of the admin API; 0, the default: any that is free", NULL, 0,
		65535},
	{"front-port", OPTION_INT, AT(front_port), "PORT",
		"of the front door; 0, the default: any that is free", NULL, 0,
		65535},
	{"load", OPTION_INT, AT(load), "RATE",
		"makes so many requests a second to its own front door", NULL,
		1, LOAD_RATE_MAX},
	{"prometheus-config", OPTION_TEXT, AT(prometheus_config), "FILE",
		"writes the configuration of a Prometheus that scrapes it"},
	{"env", OPTION_FLAG, AT(env), NULL,
		"starts nothing and prints what to eval in a shell, for the "
		"sandbox at --port"},
	{"project", OPTION_TEXT, AT(project), "ID", "default sandbox"},
	{"region", OPTION_TEXT, AT(region), "NAME", "default us-central1"},
	{"service", OPTION_TEXT, AT(service), "NAME", "default backend"},
	{"revision", OPTION_LIST, AT(revisions), "NAME[:PROFILE]",
		"a revision, oldest first; PROFILE is for instance "
		"latency=50ms,sigma=0.4,errors=0.1%,503=1% or "
		"proxy=http://127.0.0.1:8080"},
	{"broken-revision", OPTION_LIST, AT(broken), "NAME",
		"a newer one whose deployment failed: it is not ready"},
	{"old-revisions", OPTION_INT, AT(old_revisions), "N",
		"so many revisions before all others, without traffic", NULL, 0,
		998},
	{"old-tags", OPTION_INT, AT(old_tags), "N",
		"so many tags on the oldest revisions", NULL, 0, 2000},
	{"fault", OPTION_LIST, AT(faults), "JSON",
		"a fault as of POST /sandbox/faults, from the start"},
	{"set", OPTION_LIST, AT(set), "NAME=VALUE",
		"an option as of PATCH /sandbox, such as uris=absent"},
	{"traffic", OPTION_TEXT, AT(traffic), "NAME=PERCENT,…",
		"at the start; LATEST is a name, too; default: all to the "
		"oldest revision, by LATEST when there is only one"},
	{"operation-delay", OPTION_DURATION, AT(operation_delay_ms), "TIME",
		"how long a change of traffic takes; default 1s"},
	{"etag", OPTION_CHOICE, AT(etag), "strict|lax",
		"whether a stale etag is refused; default strict", etags},
	{"token", OPTION_TEXT, AT(token), "TEXT",
		"the only bearer token to be accepted; default: any"},
	{"metrics-names", OPTION_CHOICE, AT(metrics_names), NULL,
		"whose names the requests have at /metrics; default both: "
		"those of prometheus (http_requests_total, …) and cloud-run "
		"(run_googleapis_com:…)",
		names},
	{"seed", OPTION_INT, AT(seed), "N", "of all random numbers; default 1",
		NULL, 0, 2147483647},
	{0},
};

/* clang-format off */
static const char details[] =
	"When it listens it prints one line of JSON with the URLs: admin, front,\n"
	"metrics, control. Point a shell's tidegate at one that has --port 8080 with\n"
	"eval \"$(tidegate sandbox --env --port 8080)\", and a Prometheus at /metrics,\n"
	"as --prometheus-config writes it. tidegate(1) says more under SANDBOX.\n"
	"\n"
	"  /v2/...                   Cloud Run Admin API v2: services, revisions,\n"
	"                            operations\n"
	"  GET    /sandbox           everything, as JSON\n"
	"  PATCH  /sandbox           options, as of --set: operationDelay, clockAhead,\n"
	"                            deny (permissions), readsPerMinute,\n"
	"                            writesPerMinute; and one of two words each:\n"
	"    etag                    strict, lax\n"
	"    uris                    given, absent: uri, urls and URIs of tags\n"
	"    routesCondition         given, absent: RoutesReady\n"
	"    observedWhenBroken      follows, stays: observedGeneration, by a good write\n"
	"                            while the newest revision is broken\n"
	"    writeWhenBroken         succeeds, fails: the operation of such a write\n"
	"    idleTargets             checked, unchecked: 0 % for what is gone or broken\n"
	"    busyWrite               preempts, refused: a write during another one\n"
	"    sameWrite               ignored, counted: a write that changes nothing\n"
	"    failedWriteAgain        reconciles, ignored: the list that failed, again\n"
	"    fieldWrite              counted, ignored: a write without traffic\n"
	"  PUT    /sandbox/traffic   {\"REVISION\": 90, \"LATEST\": 10}: as somebody else\n"
	"  POST   /sandbox/deploy    a new revision: revision, ready, takes, message,\n"
	"                            and a profile\n"
	"  POST   /sandbox/revisions/NAME   latency, sigma, errors, codes, proxy, ready,\n"
	"                            message\n"
	"  DELETE /sandbox/revisions/NAME   ?force=true: also one with a tag, and the\n"
	"                            latest\n"
	"  DELETE /sandbox/service   the service is gone; POST: it is made anew, with\n"
	"                            another uid at generation 1\n"
	"  POST   /sandbox/faults    kind (status, reset, hang, slow, operation-error,\n"
	"                            operation-stuck, stale, drift), method, path, when,\n"
	"                            skip, times, for, writing; GET and DELETE, too\n"
	"  GET    /sandbox/recent    ?revision=NAME&window=5s: its requests, errorRatio,\n"
	"                            p50 and p95 within that time, in seconds\n"
	"  GET    /sandbox/counts    reads and writes: within this minute, the most\n"
	"                            within any minute, all; DELETE starts anew\n"
	"  PUT    /sandbox/metrics   what a Prometheus at /prometheus answers to every\n"
	"                            query: value, error, status or hang; delay\n"
	"  GET    /sandbox/log       requests to the admin API; DELETE clears it\n"
	"\n"
	"The front door answers everything by a revision drawn from the split that\n"
	"serves; /.tag/TAG/ leads to the revision with that tag.\n";
/* clang-format on */

static void on_signal(int signo, void *arg)
{
	loop_stop(arg);
}

static int print_env(const struct sandbox_options *wanted, struct err *err_r)
{
	struct buf text;

	if (!wanted->port)
		return err_set(err_r, ERR_USAGE,
			"--env needs the sandbox's --port: start it with one, "
			"such as --port 8080");
	if (sandbox_check(wanted, err_r) < 0)
		return -1;
	buf_init(&text, READY_LINE_MAX);
	sandbox_print_env(wanted, &text);
	output_write(stdout, &text);
	buf_fini(&text);
	return 0;
}

static int write_scrape(
	const struct sandbox *sandbox, const char *path, struct err *err_r)
{
	struct buf text;
	int rc;

	if (!path)
		return 0;
	buf_init(&text, READY_LINE_MAX);
	sandbox_print_scrape(sandbox, &text);
	rc = file_replace(path, &text, err_r);
	buf_fini(&text);
	return rc;
}

static int serve(const struct sandbox_options *wanted,
	const char *prometheus_config, struct loop *loop, struct err *err_r)
{
	struct sandbox *sandbox = sandbox_new(loop, wanted, err_r);
	struct buf line;
	int rc;

	if (!sandbox)
		return -1;
	if (write_scrape(sandbox, prometheus_config, err_r) < 0) {
		sandbox_free(&sandbox);
		return -1;
	}
	buf_init(&line, READY_LINE_MAX);
	sandbox_print_ready(sandbox, &line);
	output_write(stdout, &line);
	buf_fini(&line);
	rc = output_catch_up(stdout, err_r);
	if (rc == 0)
		rc = loop_run(loop, err_r);
	sandbox_free(&sandbox);
	return rc;
}

static int run(int argc, char **argv, struct err *err_r)
{
	struct sandbox_args args = {.project = "sandbox",
		.region = "us-central1",
		.service = "backend",
		.operation_delay_ms = 1000,
		.seed = 1};
	struct sandbox_options wanted;
	struct loop *loop;
	int rc = -1;

	if (args_parse(options, &args, &argc, argv, err_r) < 0 ||
		args_count(argc, argv, "", 0, 0, err_r) < 0)
		return -1;
	wanted = (struct sandbox_options){.port = args.port,
		.front_port = args.front_port,
		.load = args.load,
		.project = args.project,
		.region = args.region,
		.service = args.service,
		.revisions = args.revisions.item,
		.n_revisions = args.revisions.n,
		.broken = args.broken.item,
		.n_broken = args.broken.n,
		.old_revisions = args.old_revisions,
		.old_tags = args.old_tags,
		.set = args.set.item,
		.n_set = args.set.n,
		.faults = args.faults.item,
		.n_faults = args.faults.n,
		.traffic = args.traffic,
		.operation_delay_ms = args.operation_delay_ms,
		.etag_is_strict = args.etag == 0,
		.token = args.token,
		.seed = (uint64_t)args.seed,
		.metrics_names = args.metrics_names};
	if (args.env)
		return print_env(&wanted, err_r);
	if (args.prometheus_config && output_is_stdout(args.prometheus_config))
		return err_set(err_r, ERR_USAGE,
			"--prometheus-config - is no file that Prometheus "
			"reads: name one");
	loop = loop_new(err_r);
	if (!loop)
		return -1;
	if (loop_on_signal(loop, SIGINT, on_signal, loop, err_r) == 0 &&
		loop_on_signal(loop, SIGTERM, on_signal, loop, err_r) == 0)
		rc = serve(&wanted, args.prometheus_config, loop, err_r);
	loop_free(&loop);
	return rc;
}

static const struct command command = {
	.name = "sandbox",
	.usage = "",
	.summary = COMMAND_SANDBOX_SUMMARY,
	.options = options,
	.run = run,
	.details = details,
};

int main(int argc, char **argv)
{
	process_begin();
	process_harden();
	return command_run(&command, argc, argv);
}
