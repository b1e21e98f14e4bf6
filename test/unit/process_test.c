/* SPDX-License-Identifier: Apache-2.0 */
/* Child processes: what they inherit, how they end, what is left of them. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/xalloc.h"
#include "io/loop.h"
#include "io/process.h"
#include "until.h"

#define DEADLINE_MS 60000
#define TIMEOUT_MS  1500 /* until then a shell has come to its first command */

struct world {
	struct loop *loop;
	struct timer *deadline;
	struct process *process;
	int n_ends, awaited;
	int exit_status, signal;
	bool timed_out;
	size_t dropped;
	int64_t duration_ms;
	enum err_code code;
	struct buf output, text, taken;
};

static void on_deadline(void *arg)
{
	fail_msg("no end within %d ms", DEADLINE_MS);
}

static void world_init(struct world *w)
{
	struct err err;

	*w = (struct world){0};
	buf_init(&w->output, PROCESS_OUTPUT_MAX);
	buf_init(&w->text, ERR_TEXT_MAX);
	buf_init(&w->taken, ERR_TEXT_MAX);
	w->loop = loop_new(&err);
	w->deadline = timer_start(w->loop, DEADLINE_MS, on_deadline, w);
}

/* And nothing is left: no zombie, no child. */
static void world_fini(struct world *w)
{
	struct err err;

	timer_cancel(&w->deadline);
	assert_int_equal(loop_run(w->loop, &err), 0);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	loop_free(&w->loop);
	buf_fini(&w->output);
	buf_fini(&w->text);
	buf_fini(&w->taken);
}

static void on_end(const struct process_end *end, void *arg)
{
	struct world *w = arg;

	w->n_ends++;
	w->exit_status = end->exit_status;
	w->signal = end->signal;
	w->timed_out = end->timed_out;
	w->dropped = end->output_dropped;
	w->duration_ms = end->duration_ms;
	w->code = end->err ? end->err->code : ERR_NONE;
	buf_clear(&w->output);
	buf_add(&w->output, end->output, end->output_len);
	buf_clear(&w->text);
	buf_adds(&w->text, end->err ? end->err->text : "");
	process_cancel(&w->process); /* its own: harmless */
	if (w->n_ends == w->awaited)
		loop_stop(w->loop);
}

static void begin(struct world *w, const struct process_spec *spec)
{
	int before = w->n_ends;

	w->process = process_start(w->loop, spec, on_end, w);
	assert_non_null(w->process);
	assert_int_equal(w->n_ends, before); /* never in process_start */
}

static void run(struct world *w, const struct process_spec *spec)
{
	struct err err;

	begin(w, spec);
	w->awaited = w->n_ends + 1;
	assert_int_equal(loop_run(w->loop, &err), 0);
	assert_int_equal(w->n_ends, w->awaited);
}

static void sh(struct world *w, const char *script, int64_t timeout_ms)
{
	const char *const argv[] = {"sh", "-c", script, NULL};
	const char *const env[] = {"PATH=/usr/bin:/bin", "A=b c", NULL};

	run(w, &(struct process_spec){
		       .argv = argv, .env = env, .timeout_ms = timeout_ms});
}

static bool take_numbers(const char *line, size_t len, void *arg)
{
	struct world *w = arg;

	if (!len || line[0] < '0' || line[0] > '9')
		return false;
	buf_add(&w->taken, line, len);
	buf_addc(&w->taken, ' ');
	return true;
}

static void an_end_is_told_as_it_was(void **state)
{
	static const struct {
		const char *script;
		int exit_status, signal;
		const char *output;
	} rows[] = {
		{"exit 0", 0, 0, ""},
		{"exit 3", 3, 0, ""},
		{"echo out; echo err >&2; exit 1", 1, 0, "out\nerr\n"},
		{"printf 'a\\0b'", 0, 0, "a"},
		{"kill -TERM $$", -1, SIGTERM, ""},
		{"exec >&- 2>&-; sleep 0.05; exit 4", 4, 0, ""},
		{"echo \"$A|$HOME|$USER\"", 0, 0, "b c||\n"},
	};
	struct world w;
	size_t i;

	world_init(&w);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		sh(&w, rows[i].script, DEADLINE_MS);
		assert_int_equal(w.exit_status, rows[i].exit_status);
		assert_int_equal(w.signal, rows[i].signal);
		assert_string_equal(w.output.data, rows[i].output);
		assert_int_equal(w.code, ERR_NONE);
		assert_false(w.timed_out);
	}
	assert_in_range(w.duration_ms, 0, DEADLINE_MS);
	world_fini(&w);
}

static void arguments_are_not_read_by_a_shell(void **state)
{
	const char *const argv[] = {
		"printf", "%s|", "$HOME", "a b;c", "*", NULL};
	struct world w;

	world_init(&w);
	run(&w, &(struct process_spec){.argv = argv});
	assert_string_equal(w.output.data, "$HOME|a b;c|*|");
	world_fini(&w);
}

static void a_child_inherits_nothing_it_should_not(void **state)
{
	int fd = open("/dev/null", O_RDONLY), high = fcntl(fd, F_DUPFD, 200);
	struct world w;
	sigset_t usr2;

	world_init(&w);
	sigemptyset(&usr2);
	sigaddset(&usr2, SIGUSR2);
	sigprocmask(SIG_BLOCK, &usr2, NULL);
	signal(SIGHUP, SIG_IGN);
	/* ls itself has the directory open, as the one after the first 3. */
	sh(&w, "ls /proc/self/fd | tr '\\n' ' '; readlink /proc/self/fd/0", 0);
	assert_string_equal(w.output.data, "0 1 2 3 /dev/null\n");
	/* Signals 1 to 28; two of higher number are the C library's own. */
	sh(&w, "grep -E 'SigBlk|SigIgn' /proc/self/status | grep -o '.......$'",
		0);
	assert_string_equal(w.output.data, "0000000\n0000000\n");
	sh(&w, "test $$ = $(cut -d' ' -f5 /proc/$$/stat) && echo leader", 0);
	assert_string_equal(w.output.data, "leader\n");
	signal(SIGHUP, SIG_DFL);
	sigprocmask(SIG_UNBLOCK, &usr2, NULL);
	close(fd);
	close(high);
	world_fini(&w);
}

static void a_folder_of_its_own_and_programs_in_it(void **state)
{
	const char *const pwd[] = {"pwd", NULL}, *const own[] = {"./run", NULL};
	char folder[] = "/tmp/process_test.XXXXXX", file[64];
	struct world w;
	FILE *f;

	assert_non_null(mkdtemp(folder));
	snprintf(file, sizeof(file), "%s/run", folder);
	f = fopen(file, "w");
	fputs("#!/bin/sh\necho here\n", f);
	fclose(f);
	chmod(file, 0700);
	world_init(&w);
	run(&w, &(struct process_spec){.argv = pwd, .cwd = folder});
	assert_memory_equal(w.output.data, folder, strlen(folder));
	run(&w, &(struct process_spec){.argv = own, .cwd = folder});
	assert_string_equal(w.output.data, "here\n");
	unlink(file);
	rmdir(folder);
	world_fini(&w);
}

static void what_does_not_start_is_an_error_with_its_name(void **state)
{
	const char *const none[] = {"no-such-program", "secret", NULL};
	const char *const plain[] = {"/etc/passwd", NULL};
	const char *const sh_argv[] = {"sh", NULL};
	const struct {
		struct process_spec spec;
		const char *text;
	} rows[] = {
		{{.argv = none},
			"cannot run \"no-such-program\": No such file"},
		{{.argv = plain}, "cannot run \"/etc/passwd\": Permission"},
		{{.argv = sh_argv, .cwd = "/no/such"},
			"in \"/no/such\": No such"},
	};
	struct world w;
	size_t i;

	world_init(&w);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		run(&w, &rows[i].spec);
		assert_int_equal(w.code, ERR_NOT_FOUND);
		assert_int_equal(w.exit_status, -1);
		if (!strstr(w.text.data, rows[i].text))
			fail_msg("\"%s\" is not in \"%s\"", rows[i].text,
				w.text.data);
		assert_null(strstr(w.text.data, "secret"));
	}
	world_fini(&w);
}

static void the_timeout_ends_the_whole_group(void **state)
{
	struct world w;

	world_init(&w);
	sh(&w, "sleep 30 & echo begun; wait", TIMEOUT_MS);
	assert_true(w.timed_out);
	assert_int_equal(w.signal, SIGTERM);
	assert_string_equal(w.output.data, "begun\n");
	assert_in_range(w.duration_ms, TIMEOUT_MS, DEADLINE_MS);
	/* It may tidy up, and its status is its own. */
	sh(&w, "trap 'echo bye; exit 7' TERM; sleep 30 & wait", TIMEOUT_MS);
	assert_true(w.timed_out);
	assert_int_equal(w.exit_status, 7);
	assert_string_equal(w.output.data, "bye\n");
	world_fini(&w);
}

static void who_ignores_the_timeout_is_killed_after_the_grace(void **state)
{
	struct world w;

	world_init(&w);
	sh(&w, "trap '' TERM; while :; do sleep 0.1; done", TIMEOUT_MS);
	assert_true(w.timed_out);
	assert_int_equal(w.signal, SIGKILL);
	assert_in_range(w.duration_ms, PROCESS_GRACE_MS, DEADLINE_MS);
	world_fini(&w);
}

/* Gone, or a zombie that waits for the machine's first process. */
static bool is_dead(long pid)
{
	char file[64], state = 'X';
	FILE *f;

	snprintf(file, sizeof(file), "/proc/%ld/stat", pid);
	f = fopen(file, "r");
	if (!f)
		return true;
	assert_int_equal(fscanf(f, "%*d (%*[^)]) %c", &state), 1);
	fclose(f);
	return state == 'Z' || state == 'X';
}

static void expect_dead(long pid)
{
	assert_true(pid > 1);
	UNTIL(is_dead(pid));
}

/* A controller of its own, which starts a program that says who it is, after what
 * it does `first`. */
static void control(const char *first, bool by_a_shell, int64_t stopped_ms_max,
	const char *mark)
{
	char *script = xasprintf("%s%secho $$ >%s.new; mv %s.new %s; "
				 "while :; do sleep 60; done%s",
		first, by_a_shell ? "sh -c '" : "", mark, mark, mark,
		by_a_shell ? "'; true" : "");
	const char *const argv[] = {"sh", "-c", script, NULL};
	const char *const env[] = {"PATH=/usr/bin:/bin", NULL};
	struct world w;
	struct err err;

	world_init(&w);
	begin(&w, &(struct process_spec){.argv = argv,
			  .env = env,
			  .stopped_ms_max = stopped_ms_max});
	_exit(loop_run(w.loop, &err));
}

static long number_in(const char *file)
{
	char text[32] = "";
	FILE *f = fopen(file, "r");

	if (!f)
		return 0;
	assert_non_null(fgets(text, sizeof(text), f));
	fclose(f);
	return atol(text);
}

static void dies_with_the_controller(bool by_a_shell)
{
	char folder[] = "/tmp/process_test.XXXXXX", mark[64];
	pid_t controller;

	assert_non_null(mkdtemp(folder));
	snprintf(mark, sizeof(mark), "%s/mark", folder);
	controller = fork();
	if (controller == 0)
		control("", by_a_shell, 0, mark);
	UNTIL(number_in(mark));
	assert_false(is_dead(number_in(mark)));
	kill(controller, SIGKILL);
	assert_int_equal(waitpid(controller, NULL, 0), controller);
	expect_dead(number_in(mark));
	unlink(mark);
	rmdir(folder);
}

static void a_program_dies_with_who_started_it(void **state)
{
	dies_with_the_controller(false);
}

static void and_so_does_what_it_has_started(void **state)
{
	dies_with_the_controller(true);
}

static bool count_line(const char *line, size_t len, void *arg)
{
	int *n = arg;

	(void)line;
	(void)len;
	++*n;
	return true;
}

/* Two, of which one may go on. They are stopped as soon as their programs run. */
static void a_program_ends_when_its_controller_is_stopped_for_long(void **state)
{
	char folder[] = "/tmp/process_test.XXXXXX", mark[2][64];
	pid_t controller[2];

	assert_non_null(mkdtemp(folder));
	for (int i = 0; i < 2; i++) {
		snprintf(mark[i], sizeof(mark[i]), "%s/mark%d", folder, i);
		controller[i] = fork();
		if (controller[i] == 0)
			control("kill -s STOP $PPID; ", true, i ? 0 : 1000,
				mark[i]);
		UNTIL(number_in(mark[i]));
	}
	expect_dead(number_in(mark[0]));
	assert_false(is_dead(number_in(mark[1])));
	for (int i = 0; i < 2; i++) {
		kill(controller[i], SIGKILL);
		assert_int_equal(
			waitpid(controller[i], NULL, 0), controller[i]);
		expect_dead(number_in(mark[i]));
		unlink(mark[i]);
	}
	rmdir(folder);
}

static void a_crew_that_is_killed_has_no_grace(void **state)
{
	const char *const deaf[] = {"sh", "-c",
		"trap '' TERM; echo; while :; do sleep 0.05; done", NULL};
	struct process_crew crew = {0};
	int n_lines = 0;
	int64_t from_ms;
	struct world w;

	world_init(&w);
	timer_cancel(&w.deadline);
	w.process = process_start(w.loop,
		&(struct process_spec){
			.argv = deaf, .crew = &crew, .line = count_line},
		on_end, &n_lines);
	RUN_UNTIL(w.loop, n_lines);
	from_ms = loop_now(w.loop);
	process_cancel(&w.process);
	process_crew_kill(&crew);
	RUN_UNTIL(w.loop, !process_crew_is_ending(&crew));
	assert_in_range(loop_now(w.loop) - from_ms, 0, PROCESS_GRACE_MS - 1);
	world_fini(&w);
}

static void what_is_left_of_the_group_is_killed(void **state)
{
	static const struct {
		const char *script;
		int64_t timeout_ms;
	} rows[] = {
		/* holds the pipe after the exit */
		{"sleep 60 & echo $!", 10000},
		/* does not hold it, but outlives the timeout */
		{"(trap '' TERM; exec sleep 60 >&- 2>&-) & echo $!; wait",
			TIMEOUT_MS},
	};
	struct world w;
	size_t i;

	world_init(&w);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		sh(&w, rows[i].script, rows[i].timeout_ms);
		expect_dead(atol(w.output.data));
	}
	world_fini(&w);
}

static void grandchildren_that_hold_the_pipe_do_not_hang_us(void **state)
{
	static const char *const scripts[] = {
		"sleep 90 & echo $!; exit 5",
		/* Out of the group's reach: only left behind. */
		"setsid sleep 90 & echo $!; exit 5",
	};
	struct world w;
	size_t i;

	world_init(&w);
	for (i = 0; i < 2; i++) {
		sh(&w, scripts[i], DEADLINE_MS);
		assert_int_equal(w.exit_status, 5);
		assert_false(w.timed_out);
		assert_in_range(
			w.duration_ms, PROCESS_GRACE_MS - 100, DEADLINE_MS);
		assert_true(atol(w.output.data) > 1);
		kill((pid_t)atol(w.output.data), SIGKILL);
	}
	world_fini(&w);
}

static void output_is_bounded_and_the_rest_counted(void **state)
{
	struct world w;

	world_init(&w);
	sh(&w, "head -c 100000000 /dev/zero | tr '\\0' x; echo end",
		DEADLINE_MS);
	assert_int_equal(w.exit_status, 0);
	assert_int_equal(w.output.len, PROCESS_OUTPUT_MAX);
	assert_int_equal(w.dropped, 100000004 - PROCESS_OUTPUT_MAX);
	world_fini(&w);
}

static void a_cancelled_process_is_killed_and_never_heard_of(void **state)
{
	const char *const argv[] = {"sleep", "60", NULL};
	const char *const none[] = {"no-such-program", NULL};
	struct world w;
	struct err err;
	int64_t start;

	world_init(&w);
	begin(&w, &(struct process_spec){.argv = argv});
	process_cancel(&w.process);
	assert_null(w.process);
	process_cancel(&w.process);
	begin(&w, &(struct process_spec){.argv = none});
	process_cancel(&w.process);
	timer_cancel(&w.deadline);
	start = loop_now_us(w.loop);
	assert_int_equal(loop_run(w.loop, &err), 0); /* until it is reaped */
	assert_true(loop_now_us(w.loop) - start < DEADLINE_MS * 1000);
	assert_int_equal(w.n_ends, 0);
	world_fini(&w);
}

/* They are told to end before we do: one leaves a farewell, one is deaf. */
static void what_was_cancelled_ends_before_the_loop_does(void **state)
{
	const char *const polite[] = {"sh", "-c",
		"trap 'echo bye >farewell; exit' TERM; : >ready; "
		"while :; do sleep 0.05; done",
		NULL};
	const char *const deaf[] = {"sh", "-c",
		"trap '' TERM; : >deaf; while :; do sleep 0.05; done", NULL};
	char folder[] = "/tmp/process-test-XXXXXX";
	char *ready, *heard, *said;
	struct process *other;
	struct world w;

	assert_non_null(mkdtemp(folder));
	ready = xasprintf("%s/ready", folder);
	heard = xasprintf("%s/deaf", folder);
	said = xasprintf("%s/farewell", folder);
	world_init(&w);
	timer_cancel(&w.deadline);
	process_let_end(w.loop); /* there is none */
	other = process_start(w.loop,
		&(struct process_spec){.argv = deaf, .cwd = folder}, on_end,
		&w);
	begin(&w, &(struct process_spec){.argv = polite, .cwd = folder});
	RUN_UNTIL(w.loop, !access(ready, F_OK) && !access(heard, F_OK));
	process_cancel(&w.process);
	process_cancel(&other);
	process_let_end(w.loop);
	assert_int_equal(access(said, F_OK), 0);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child is left */
	assert_int_equal(w.n_ends, 0);
	world_fini(&w);
	remove(ready);
	remove(heard);
	remove(said);
	remove(folder);
	free(ready);
	free(heard);
	free(said);
}

/* Of two callers: one has ended when its own are gone, whatever the other has. */
static void a_crew_is_ending_until_its_own_are_gone(void **state)
{
	const char *const sleeps[] = {"sleep", "60", NULL};
	const char *const deaf[] = {"sh", "-c",
		"trap '' TERM; echo; while :; do sleep 0.05; done", NULL};
	struct process_crew crew = {0}, others = {0};
	struct process *other;
	struct world w;
	int n_lines = 0;

	world_init(&w);
	timer_cancel(&w.deadline);
	other = process_start(w.loop,
		&(struct process_spec){
			.argv = deaf, .crew = &others, .line = count_line},
		on_end, &n_lines);
	begin(&w, &(struct process_spec){.argv = sleeps, .crew = &crew});
	RUN_UNTIL(w.loop, n_lines);
	assert_false(process_crew_is_ending(&crew));
	process_cancel(&other);
	process_cancel(&w.process);
	assert_true(process_crew_is_ending(&crew));
	RUN_UNTIL(w.loop, !process_crew_is_ending(&crew));
	assert_true(process_crew_is_ending(&others));
	process_crew_fini(&others); /* it goes on to its end for itself */
	process_let_end(w.loop);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	world_fini(&w);
}

static void on_end_cancel_other(const struct process_end *end, void *arg)
{
	struct world *w = arg;

	w->n_ends++;
	process_cancel(&w->process);
}

static void a_process_cancelled_by_another_of_its_turn_is_silent(void **state)
{
	const char *const none[] = {"no-such-program", NULL};
	const struct process_spec spec = {.argv = none};
	struct world w;
	struct err err;

	world_init(&w);
	timer_cancel(&w.deadline);
	process_start(w.loop, &spec, on_end_cancel_other, &w);
	w.process = process_start(w.loop, &spec, on_end, &w);
	assert_int_equal(loop_run(w.loop, &err), 0);
	assert_int_equal(w.n_ends, 1);
	world_fini(&w);
}

static void many_at_once_all_end(void **state)
{
	const char *const argv[] = {"true", NULL};
	struct world w;
	struct err err;
	int i;

	world_init(&w);
	for (i = 0; i < 30; i++)
		begin(&w, &(struct process_spec){.argv = argv});
	w.process = NULL;
	w.awaited = 30;
	assert_int_equal(loop_run(w.loop, &err), 0);
	assert_int_equal(w.n_ends, 30);
	assert_int_equal(w.exit_status, 0);
	world_fini(&w);
}

static void programs_are_found_before_they_are_needed(void **state)
{
	static const struct {
		const char *program, *cwd;
		int rc;
	} rows[] = {
		{"sh", NULL, 0},
		{"/bin/sh", NULL, 0},
		{"./sh", "/bin", 0},
		{"./sh", "/", -1},
		{"sh", "/no/such", -1},
		{"no-such-program", NULL, -1},
		{"/etc/passwd", NULL, -1},
		{"/bin", NULL, -1},
		{"", NULL, -1},
	};
	struct err err;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(
			process_find(rows[i].program, rows[i].cwd, &err),
			rows[i].rc);
		if (rows[i].rc)
			assert_int_equal(err.code, ERR_NOT_FOUND);
	}
}

static void a_hardened_process_leaves_no_core(void **state)
{
	struct rlimit limit;
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		process_harden();
		getrlimit(RLIMIT_CORE, &limit);
#ifndef __SANITIZE_ADDRESS__
		if (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0))
			_exit(2);
#endif
		_exit(limit.rlim_cur || limit.rlim_max ? 1 : 0);
	}
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
}

static void streams_that_are_closed_are_nobody_elses(void **state)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		close(STDIN_FILENO);
		close(STDOUT_FILENO);
		process_begin();
		if (open("/dev/null", O_RDWR) <= STDERR_FILENO)
			_exit(1);
		if (write(STDOUT_FILENO, "x", 1) != -1 || errno != EBADF)
			_exit(2);
		if (read(STDIN_FILENO, &status, 1) != -1 || errno != EBADF)
			_exit(3);
		_exit(write(STDERR_FILENO, "", 0) == 0 ? 0 : 4);
	}
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
}

static void signals_that_our_parent_has_blocked_end_us(void **state)
{
	sigset_t all;
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		sigfillset(&all);
		sigprocmask(SIG_SETMASK, &all, NULL);
		process_begin();
		raise(SIGTERM);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGTERM);
}

/* However many there are, and in however many pieces they come. */
static void lines_that_are_taken_are_not_kept(void **state)
{
	const char *const argv[] = {"sh", "-c",
		"echo first; i=1000; while [ $i -lt 9000 ]; do echo $i$i$i; "
		"i=$((i + 1)); done; printf 7; sleep 0.1; printf '7\\n\\nlast'",
		NULL};
	const char *const env[] = {"PATH=/usr/bin:/bin", NULL};
	struct world w;

	world_init(&w);
	buf_fini(&w.taken);
	buf_init(&w.taken, 1024 * 1024);
	run(&w, &(struct process_spec){
			.argv = argv, .env = env, .line = take_numbers});
	assert_string_equal(w.output.data, "first\n\nlast");
	assert_int_equal(w.dropped, 0);
	assert_int_equal(w.taken.len, 8000 * 13 + 3);
	assert_string_equal(w.taken.data + 8000 * 13, "77 ");
	world_fini(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_end_is_told_as_it_was),
		cmocka_unit_test(arguments_are_not_read_by_a_shell),
		cmocka_unit_test(a_child_inherits_nothing_it_should_not),
		cmocka_unit_test(a_folder_of_its_own_and_programs_in_it),
		cmocka_unit_test(what_does_not_start_is_an_error_with_its_name),
		cmocka_unit_test(the_timeout_ends_the_whole_group),
		cmocka_unit_test(
			who_ignores_the_timeout_is_killed_after_the_grace),
		cmocka_unit_test(
			grandchildren_that_hold_the_pipe_do_not_hang_us),
		cmocka_unit_test(what_is_left_of_the_group_is_killed),
		cmocka_unit_test(a_program_dies_with_who_started_it),
		cmocka_unit_test(and_so_does_what_it_has_started),
		cmocka_unit_test(
			a_program_ends_when_its_controller_is_stopped_for_long),
		cmocka_unit_test(a_crew_that_is_killed_has_no_grace),
		cmocka_unit_test(output_is_bounded_and_the_rest_counted),
		cmocka_unit_test(
			a_cancelled_process_is_killed_and_never_heard_of),
		cmocka_unit_test(what_was_cancelled_ends_before_the_loop_does),
		cmocka_unit_test(
			a_process_cancelled_by_another_of_its_turn_is_silent),
		cmocka_unit_test(a_crew_is_ending_until_its_own_are_gone),
		cmocka_unit_test(many_at_once_all_end),
		cmocka_unit_test(programs_are_found_before_they_are_needed),
		cmocka_unit_test(lines_that_are_taken_are_not_kept),
		cmocka_unit_test(a_hardened_process_leaves_no_core),
		cmocka_unit_test(streams_that_are_closed_are_nobody_elses),
		cmocka_unit_test(signals_that_our_parent_has_blocked_end_us),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
