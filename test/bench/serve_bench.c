/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The daemon, with all that looks at it:
 *
 *   serve_bench [-w] [ROLLOUTS [SECONDS [STREAMS [DECISIONS]]]], in the build
 *   folder; default: 10000 30 200 50
 *
 * ./tidegate-server drives that many rollouts (4 SLOs each, every 30 s) against
 * a fake Cloud Run and Prometheus in a process of its own. Prints the daemon's
 * processor time over SECONDS, alone (not with -w), and again with that many open
 * streams (of all rollouts and of the journal of one, in turns; what the daemon
 * ends is asked for again, as a browser does) and a scrape of /metrics each
 * second; how long a scrape takes; how long a revert and a decision take until
 * their PATCH is read; and its memory each minute. $TMPDIR is where the state file
 * is made.
 */
#define _GNU_SOURCE /* strcasestr */
#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/xalloc.h"
#include "fake_world.h"
#include "io/clock.h"
#include "io/file.h"
#include "io/temp_folder.h"

#define SLOS          4
#define START_S       60 /* over so long the rollouts begin */
#define SETTLE_S      10
#define BREACHES      100
#define STREAMS_MAX   1000
#define DECISIONS_MAX 1000
#define SCRAPES_MAX   100000
#define ANSWER_MAX    (64 * 1024 * 1024)
#define PATIENCE_S    120

static char *folder, *token;
static pid_t bench_pid, daemon_pid;
static int daemon_port;

static void clean_up(void)
{
	if (getpid() != bench_pid)
		return;
	if (daemon_pid) {
		kill(daemon_pid, SIGTERM);
		waitpid(daemon_pid, NULL, 0);
	}
	temp_folder_remove(&folder);
}

static void die(const char *what)
{
	fprintf(stderr, "serve_bench: %s\n", what);
	exit(1);
}

static double seconds_now(void)
{
	return (double)clock_boot_us() / 1e6;
}

static void rest(double s)
{
	struct timespec ts = {(time_t)s, (long)((s - (double)(time_t)s) * 1e9)};

	if (s > 0)
		nanosleep(&ts, NULL);
}

/* ---- the daemon ---- */

static void write_file(const char *name, const struct buf *text)
{
	char *path = xasprintf("%s/%s", folder, name);
	struct err err;

	if (file_replace(path, text, &err))
		die(err.text);
	free(path);
}

/* `gate`: a step that waits for somebody, quick to come to. */
static void write_policy(const char *name, bool gate, int port)
{
	char *file = xasprintf("policies/%s.yaml", name);
	struct buf text;

	buf_init(&text, 65536);
	buf_addf(&text,
		"version: 1\nname: %s\nmetrics: {url: "
		"'http://127.0.0.1:%d', timeout: 900ms}\nsettle: 0s\n%s"
		"slos:\n",
		name, port,
		gate ? "steps:\n  - {percent: 10, bake: 3s}\n"
		       "  - {percent: 100, bake: 10d, "
		       "approval: {approvers: [alice]}}\n"
		     : "steps: [{percent: 10, bake: 10d}, "
		       "{percent: 100, bake: 1m}]\n");
	for (int i = 0; i < SLOS; i++)
		buf_addf(&text,
			"  - {name: slo-%d, max: 1%%, fail_after: 1, interval: "
			"%s, query: 'rate(x_%d{revision=\"{{candidate}}\"}"
			"[{{window}}])'}\n",
			i, gate ? "1s" : "30s", i);
	write_file(file, &text);
	buf_fini(&text);
	free(file);
}

static void write_config(void)
{
	struct buf text;

	buf_init(&text, 65536);
	buf_addf(&text,
		"version: 1\nlisten: 127.0.0.1:0\npublic_url: "
		"http://localhost\nstate: %s/state.db\npolicies: %s/policies\n"
		"identity: [{type: token}]\n"
		"people:\n  - {name: alice, keys: "
		"[\"email:alice@example.com\"]}\n"
		"  - {name: carol, keys: [\"email:carol@example.com\"]}\n"
		"access:\n  - {who: [alice, carol], may: [read, start, "
		"operate, "
		"approve, metrics]}\n"
		"limits: {rollouts: 20000, rollouts_per_person: 20000}\n",
		folder, folder);
	write_file("serve.yaml", &text);
	buf_fini(&text);
}

static char *make_token(const char *person)
{
	char *command = xasprintf(
		"./tidegate-server token create --state %s/state.db %s "
		"--for %s --expires 2d "
		"--may read,start,operate,approve,metrics",
		folder, person, person);
	char line[512] = "";
	FILE *pipe = popen(command, "r");

	free(command);
	if (!pipe || !fgets(line, sizeof(line), pipe) || pclose(pipe))
		die("no token was made");
	line[strcspn(line, "\n")] = '\0';
	return xstrdup(line);
}

static _Noreturn void become_daemon(int out, pid_t bench)
{
	char *config = xasprintf("%s/serve.yaml", folder);
	char *log = xasprintf("%s/log", folder);

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != bench ||
		dup2(out, STDOUT_FILENO) < 0 || !freopen(log, "w", stderr))
		_exit(1);
	execl("./tidegate-server", "tidegate-server", "serve", "--config",
		config, "--format", "json", NULL);
	_exit(127);
}

static void start_daemon(void)
{
	pid_t bench = getpid();
	char line[4096] = "";
	const char *at;
	FILE *ready;
	int fds[2];

	if (pipe(fds) < 0 || (daemon_pid = fork()) < 0)
		die("cannot fork");
	if (!daemon_pid)
		become_daemon(fds[1], bench);
	close(fds[1]);
	ready = fdopen(fds[0], "r");
	if (!ready || !fgets(line, sizeof(line), ready))
		die("the daemon does not start");
	at = strstr(line, "127.0.0.1:");
	daemon_port = at ? atoi(at + strlen("127.0.0.1:")) : 0;
	if (!daemon_port)
		die(line);
}

/* ---- requests ---- */

static int dial(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons((uint16_t)daemon_port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)))
		die("the daemon does not take a connection");
	return fd;
}

static void send_request(int fd, const char *who, const char *what,
	const char *more, const char *body)
{
	char *text = xasprintf("%s HTTP/1.1\r\nHost: localhost\r\n"
			       "Authorization: Bearer %s\r\n%s"
			       "Content-Type: application/json\r\n"
			       "Content-Length: %zu\r\n\r\n%s",
		what, who, more, strlen(body), body);
	size_t len = strlen(text);

	if (send(fd, text, len, MSG_NOSIGNAL) != (ssize_t)len)
		die("the daemon does not take a request");
	free(text);
}

static bool answer_is_whole(const struct buf *in)
{
	const char *end = strstr(in->data, "\r\n\r\n"), *at;

	if (!end)
		return false;
	at = strcasestr(in->data, "\r\ncontent-length:");
	return at && at < end &&
	       in->len >=
		       (size_t)(end + 4 - in->data) +
			       (size_t)atol(at + strlen("\r\ncontent-length:"));
}

/* Its status; the body is from *body_r on in `in`. */
static int hear(int fd, struct buf *in, const char **body_r)
{
	char bytes[65536];
	ssize_t n;

	buf_clear(in);
	while (!in->len || !answer_is_whole(in)) {
		n = recv(fd, bytes, sizeof(bytes), 0);
		if (n <= 0)
			die("the daemon hung up");
		buf_add(in, bytes, (size_t)n);
	}
	*body_r = strstr(in->data, "\r\n\r\n") + 4;
	return atoi(in->data + strlen("HTTP/1.1 "));
}

static char *start_rollout(int fd, const char *policy, int i, struct buf *in)
{
	char *body = xasprintf("{\"project\":\"p\",\"region\":\"r\",\"service\""
			       ":\"s%05d\",\"policy\":\"%s\"}",
		i, policy);
	const char *answer, *at;
	char id[64] = "";

	fakes[i] = (struct fake){.generation = 1};
	send_request(fd, token, "POST /api/v1/rollouts", "", body);
	if (hear(fd, in, &answer) != 201)
		die(answer);
	at = strstr(answer, "\"rollout\":\"");
	if (!at || sscanf(at, "\"rollout\":\"%63[^\"]\"", id) != 1)
		die(answer);
	free(body);
	return xstrdup(id);
}

/* ---- figures of the daemon ---- */

static double daemon_cpu(void)
{
	char path[64], text[1024] = "";
	unsigned long user = 0, sys = 0;
	const char *at;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", daemon_pid);
	f = fopen(path, "r");
	if (!f || !fgets(text, sizeof(text), f))
		die("the daemon is gone");
	fclose(f);
	at = strrchr(text, ')');
	if (!at || sscanf(at + 2,
			   "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu "
			   "%lu",
			   &user, &sys) != 2)
		die("what /proc says is not understood");
	return (double)(user + sys) / (double)sysconf(_SC_CLK_TCK);
}

/* A row of the daemon's smaps_rollup: "Rss", "Private_Dirty". */
static long daemon_kib(const char *row)
{
	char path[64], line[256];
	size_t len = strlen(row);
	long kib = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", daemon_pid);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, row, len) && line[len] == ':')
			kib = atol(line + len + 1);
	if (f)
		fclose(f);
	return kib;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void print_times(const char *what, double *ms, int n, const char *note)
{
	if (!n) {
		printf("%-11s none\n", what);
		return;
	}
	qsort(ms, (size_t)n, sizeof(*ms), by_size);
	printf("%-11s %d: median %.2f ms, p99 %.2f ms, max %.2f ms (%s)\n",
		what, n, ms[n / 2], ms[n * 99 / 100], ms[n - 1], note);
}

/* ---- who looks on ---- */

/* Shared with who follows. */
static volatile struct {
	long bytes;
	long ended; /* by the daemon, and asked for again */
} * streamed;

struct follower {
	char *what; /* its request */
	char cursor[128]; /* the last event's id; "" before there was one */
};

static struct follower followers[STREAMS_MAX];

static int follower_dial(const struct follower *f)
{
	char *more = xasprintf("Accept: text/event-stream\r\n%s%s%s",
		f->cursor[0] ? "Last-Event-ID: " : "", f->cursor,
		f->cursor[0] ? "\r\n" : "");
	int fd = dial();

	send_request(fd, token, f->what, more, "");
	free(more);
	return fd;
}

/* What a read cuts in two is not remembered: an event more comes again. */
static void follower_note_cursor(struct follower *f, char *bytes)
{
	char *at = bytes, *id = NULL;
	size_t len;

	while ((at = strstr(at, "\nid: ")) != NULL && strchr(at + 1, '\n')) {
		id = at + strlen("\nid: ");
		at = id;
	}
	if (!id || (len = strcspn(id, "\n")) >= sizeof(f->cursor))
		return;
	memcpy(f->cursor, id, len);
	f->cursor[len] = '\0';
}

static void follower_read(struct follower *f, struct pollfd *at)
{
	char bytes[65536];
	ssize_t got = recv(at->fd, bytes, sizeof(bytes) - 1, 0);

	if (got < 0)
		die("a stream was cut");
	if (!got) {
		close(at->fd);
		at->fd = follower_dial(f);
		streamed->ended++;
		return;
	}
	streamed->bytes += got;
	bytes[got] = '\0';
	follower_note_cursor(f, bytes);
}

static void follow(int n, char *const *ids)
{
	struct pollfd fds[STREAMS_MAX];

	for (int i = 0; i < n; i++) {
		followers[i].what =
			i % 2 ? xasprintf("GET /api/v1/rollouts/%s/events",
					ids[i])
			      : xstrdup("GET /api/v1/stream");
		fds[i] = (struct pollfd){
			.fd = follower_dial(&followers[i]), .events = POLLIN};
	}
	while (poll(fds, (nfds_t)n, -1) > 0)
		for (int i = 0; i < n; i++)
			if (fds[i].revents)
				follower_read(&followers[i], &fds[i]);
}

static pid_t start_followers(int n, char *const *ids)
{
	pid_t bench = getpid(), pid = fork();

	if (pid < 0)
		die("cannot fork");
	if (pid)
		return pid;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != bench)
		_exit(1);
	follow(n, ids);
	_exit(1);
}

static double scrape_ms[SCRAPES_MAX];
static int n_scrapes;

static void scrape(int fd, struct buf *in)
{
	double since = seconds_now();
	const char *body;

	send_request(fd, token, "GET /metrics", "", "");
	if (hear(fd, in, &body) != 200)
		die(body);
	if (n_scrapes < SCRAPES_MAX)
		scrape_ms[n_scrapes++] = (seconds_now() - since) * 1000;
}

/* Core over so long; scrapes each second where `fd` is one. */
static double measure(int seconds, int fd, struct buf *in)
{
	double since = seconds_now(), cpu = daemon_cpu(), minute = since + 60;

	for (int i = 1; i <= seconds; i++) {
		if (fd >= 0)
			scrape(fd, in);
		rest(since + i - seconds_now());
		if (seconds_now() >= minute) {
			printf("memory      %.0f min: %ld KiB resident, %ld "
			       "KiB "
			       "private\n",
				(seconds_now() - since) / 60, daemon_kib("Rss"),
				daemon_kib("Private_Dirty"));
			fflush(stdout);
			minute += 60;
		}
	}
	return (daemon_cpu() - cpu) / (seconds_now() - since);
}

/* ---- what must not wait ---- */

static void until_patched(int i)
{
	double until = seconds_now() + PATIENCE_S;

	while (!fakes[i].patched_us) {
		if (seconds_now() > until)
			die("a PATCH did not come");
		rest(0.001);
	}
}

static void measure_reverts(int n_rollouts)
{
	static double ms[BREACHES];
	int n = n_rollouts < BREACHES ? n_rollouts : BREACHES;

	for (int i = 0; i < n; i++) {
		fakes[i].breach = 1;
		rest(0.03);
	}
	for (int i = 0; i < n; i++) {
		until_patched(i);
		ms[i] = (double)(fakes[i].patched_us - fakes[i].answered_us) /
			1000;
	}
	print_times("revert", ms, n, "answer written to PATCH read");
}

static bool may_be_approved(
	int fd, const char *who, const char *id, struct buf *in)
{
	char *what = xasprintf("GET /api/v1/rollouts/%s", id);
	const char *body;
	bool may;

	send_request(fd, who, what, "", "");
	if (hear(fd, in, &body) != 200)
		die(body);
	may = strstr(body, "{\"verb\":\"approve\",\"allowed\":true") != NULL;
	free(what);
	return may;
}

static double decide(
	int fd, const char *who, const char *id, int i, struct buf *in)
{
	char *what = xasprintf("POST /api/v1/rollouts/%s/decisions", id);
	char *body = xasprintf("{\"verb\":\"approve\",\"step\":2,\"candidate\":"
			       "\"s%05d-b\",\"comment\":\"\"}",
		i);
	double until = seconds_now() + PATIENCE_S;
	const char *answer;

	while (!may_be_approved(fd, who, id, in)) {
		if (seconds_now() > until)
			die(in->data);
		rest(0.05);
	}
	fakes[i].answered_us = clock_boot_us();
	send_request(fd, who, what, "", body);
	if (hear(fd, in, &answer) != 202)
		die(answer);
	until_patched(i);
	free(what);
	free(body);
	return (double)(fakes[i].patched_us - fakes[i].answered_us) / 1000;
}

static void measure_decisions(int first, int n, int fd, struct buf *in)
{
	static double ms[DECISIONS_MAX];
	static char *ids[DECISIONS_MAX];
	char *alice = make_token("alice");

	for (int i = 0; i < n; i++)
		ids[i] = start_rollout(fd, "gate", first + i, in);
	for (int i = 0; i < n; i++) {
		ms[i] = decide(fd, alice, ids[i], first + i, in);
		free(ids[i]);
	}
	print_times("decision", ms, n, "request sent to PATCH read");
	free(alice);
}

/* ---- all of it ---- */

static void measure_alone(int seconds, struct buf *in)
{
	double core = measure(seconds, -1, in);

	printf("alone       %.3f core, %ld KiB private\n", core,
		daemon_kib("Private_Dirty"));
}

static void measure_watched(int seconds, int n_streams, int fd, struct buf *in)
{
	double core;

	rest(SETTLE_S);
	streamed->bytes = 0;
	core = measure(seconds, fd, in);
	printf("watched     %.3f core with %d streams (%.0f KiB/s in all, %ld "
	       "ended and resumed) and a scrape a second, %ld KiB private\n",
		core, n_streams, (double)streamed->bytes / 1024 / seconds,
		streamed->ended, daemon_kib("Private_Dirty"));
	print_times("scrape", scrape_ms, n_scrapes, "whole answer");
}

static void bench(const int *given, bool alone_too)
{
	int n_rollouts = given[0], seconds = given[1], n_streams = given[2];
	double since = seconds_now();
	static char *ids[FAKES_MAX];
	int fd = dial();
	struct buf in;
	pid_t watchers;

	buf_init(&in, ANSWER_MAX);
	for (int i = 0; i < n_rollouts; i++) {
		ids[i] = start_rollout(fd, "fleet", i, &in);
		rest(since + (double)START_S * (i + 1) / n_rollouts -
			seconds_now());
	}
	printf("started     %d rollouts in %.0f s\n", n_rollouts,
		seconds_now() - since);
	rest(SETTLE_S);
	if (alone_too)
		measure_alone(seconds, &in);
	close(fd); /* the daemon may have, for it was silent */
	fd = dial();
	watchers = start_followers(n_streams, ids);
	measure_watched(seconds, n_streams, fd, &in);
	measure_reverts(n_rollouts);
	measure_decisions(n_rollouts, given[3], fd, &in);
	kill(watchers, SIGTERM);
	waitpid(watchers, NULL, 0);
	for (int i = 0; i < n_rollouts; i++)
		free(ids[i]);
	buf_fini(&in);
	close(fd);
}

static void make_world(void)
{
	char *policies, endpoint[64];
	struct err err;
	int port;

	fake_world_start(false, &port);
	streamed = mmap(NULL, sizeof(*streamed), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (streamed == MAP_FAILED)
		die("no memory");
	folder = temp_folder_make("serve-bench", &err);
	if (!folder)
		die(err.text);
	bench_pid = getpid();
	atexit(clean_up);
	policies = xasprintf("%s/policies", folder);
	if (mkdir(policies, 0700))
		die("cannot make a folder");
	free(policies);
	write_policy("fleet", false, port);
	write_policy("gate", true, port);
	write_config();
	snprintf(endpoint, sizeof(endpoint), "http://127.0.0.1:%d/", port);
	setenv("CLOUDSDK_API_ENDPOINT_OVERRIDES_RUN", endpoint, 1);
	setenv("CLOUDSDK_AUTH_ACCESS_TOKEN", "bench-token", 1);
	token = make_token("carol");
	start_daemon();
}

int main(int argc, char **argv)
{
	int given[] = {10000, 30, 200, 50};

	bool watched_only = argc > 1 && !strcmp(argv[1], "-w");

	argv += watched_only;
	argc -= watched_only;
	for (int i = 1; i < argc && i <= 4; i++)
		given[i - 1] = atoi(argv[i]);
	if (given[0] < 1 || given[0] + given[3] > FAKES_MAX || given[1] < 1 ||
		given[2] < 1 || given[2] > STREAMS_MAX || given[2] > given[0] ||
		given[3] < 0 || given[3] > DECISIONS_MAX) {
		fputs("usage: serve_bench [-w] [ROLLOUTS [SECONDS [STREAMS "
		      "[DECISIONS]]]]\n",
			stderr);
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	make_world();
	bench(given, !watched_only);
	return 0;
}
