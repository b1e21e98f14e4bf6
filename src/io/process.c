/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Child processes on the loop; see process.h. It owns the child from its start
 * to the moment it is reaped, and its output.
 *
 *   start -> running -> (timeout: SIGTERM, grace, SIGKILL) -> exited
 *         -> the pipe is read to its end, or for the grace -> reaped, told
 *
 * The leader stays a zombie until the end, so that its group's number is not
 * given to somebody else while we may still want to kill the group.
 */
#define _GNU_SOURCE /* pipe2, closefrom, execvpe, strchrnul */

#include "io/process.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/xalloc.h"
#include "io/loop.h"
#include "io/warden.h"

#define READ_SIZE  (64 * 1024)
#define READS_MAX  16 /* in one turn: others want theirs */
#define PATH_BYTES 4096

struct process {
	struct loop *loop;
	process_fn fn; /* NULL: cancelled */
	void *arg;
	pid_t pid; /* the group's number too; 0: never started */
	pid_t warden; /* of the group, when we die; 0: none */
	int pidfd, pipe, in; /* -1: closed */
	struct watch *exit_watch, *pipe_watch, *in_watch;
	char *input; /* NULL: the child has been given all of it */
	size_t input_len, given;
	struct timer *timer; /* of the timeout, then of the grace */
	struct buf output;
	bool (*line)(const char *line, size_t len, void *arg);
	size_t line_from; /* in the output, of the first not told yet */
	size_t dropped;
	int64_t start_us;
	int exit_status, signal;
	bool timed_out, exited, completing;
	bool ending; /* cancelled, and counted as that */
	struct process_crew *crew; /* NULL: none, or it has gone */
	LIST_ENTRY(process) of_crew; /* while it ends */
	bool secret;
	bool failed; /* `err` says why it did not start */
	struct err err;
};

static size_t n_ending; /* cancelled, not reaped yet */
static struct loop *waiting; /* turns until there are none; NULL: none does */
static struct timer *patience; /* of the one that turns */

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* ---- Start. ---- */

static int spawn_failed(
	const struct process_spec *spec, int rc, struct err *err_r)
{
	if (spec->cwd && access(spec->cwd, X_OK))
		return err_set(err_r, ERR_NOT_FOUND,
			"cannot run \"%.100s\" in \"%.200s\": %s",
			spec->argv[0], spec->cwd, strerror(errno));
	return err_set(err_r,
		rc == ENOENT || rc == EACCES ? ERR_NOT_FOUND : ERR_IO,
		"cannot run \"%.200s\": %s", spec->argv[0], strerror(rc));
}

/* What a child is to become. Until then it shares our memory: we hear it. */
struct birth {
	const struct process_spec *spec;
	int in, out; /* in -1: nothing is to be read */
	struct charge charge; /* its warden's: us */
	volatile pid_t warden; /* 0: there is none */
	volatile int error; /* of errno; 0: the program runs */
};

/* A program starts with default signal handlers and an empty mask, not ours. */
static void signals_as_new(void)
{
	const struct sigaction plain = {.sa_handler = SIG_DFL};
	sigset_t none;
	int signo;

	for (signo = 1; signo < NSIG; signo++)
		sigaction(signo, &plain, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static int descriptors_as_new(const struct birth *birth)
{
	int in = birth->in >= 0 ? birth->in : open("/dev/null", O_RDONLY);
	int err =
		birth->spec->secret ? open("/dev/null", O_WRONLY) : birth->out;

	if (in < 0 || err < 0 || dup2(in, 0) < 0 || dup2(birth->out, 1) < 0 ||
		dup2(err, 2) < 0)
		return -1;
	closefrom(3);
	return 0;
}

/*
 * An action must not go on when we are gone: whoever resumes would do the same
 * again beside it. So the kernel kills the leader when we die, unless our child has
 * another parent already; and a warden, made before, kills what the leader starts.
 */
static _Noreturn void become(struct birth *birth)
{
	static const char *const no_env[] = {NULL};
	const struct process_spec *spec = birth->spec;
	const char *const *env = spec->env ? spec->env : no_env;

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != birth->charge.parent)
		_exit(127);
	birth->warden = warden_start(&birth->charge);
	if (descriptors_as_new(birth) == 0 &&
		(!spec->cwd || chdir(spec->cwd) == 0)) {
		signals_as_new();
		execvpe(spec->argv[0], (char *const *)spec->argv,
			(char *const *)env);
	}
	birth->error = errno;
	_exit(127);
}

/* The warden first: then the group's number is free. */
static void reap(struct process *p)
{
	warden_stop(&p->warden);
	if (p->pid > 0)
		waitpid(p->pid, NULL, 0);
	p->pid = 0;
}

/* We stand still meanwhile, and no handler of ours runs in the child. */
static int spawn(
	struct process *p, const struct process_spec *spec, int in, int out)
{
	struct birth birth = {.spec = spec, .in = in, .out = out};
	sigset_t all, before;

	charge_set(&birth.charge, spec->stopped_ms_max);
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	p->pid = vfork();
	if (p->pid == 0)
		become(&birth);
	birth.error = p->pid < 0 ? errno : birth.error;
	p->warden = birth.warden;
	if (!birth.error && !p->warden)
		p->warden = warden_start_late(&birth.charge, p->pid);
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (birth.error)
		reap(p);
	return birth.error;
}

/* One end stays ours and never blocks, *theirs_r is the child's. */
static int pipe_make(struct process *p, const struct process_spec *spec,
	int our_end, int *ours_r, int *theirs_r)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		return err_set(&p->err, ERR_IO, "cannot run \"%.200s\": %s",
			spec->argv[0], strerror(errno));
	*ours_r = ends[our_end];
	*theirs_r = ends[!our_end];
	fcntl(*ours_r, F_SETFL, O_NONBLOCK);
	return 0;
}

static int start(struct process *p, const struct process_spec *spec)
{
	int in = -1, out = -1, rc;

	if (pipe_make(p, spec, 0, &p->pipe, &out) ||
		(spec->input && pipe_make(p, spec, 1, &p->in, &in))) {
		close_fd(&out);
		return -1;
	}
	rc = spawn(p, spec, in, out);
	close_fd(&in);
	close_fd(&out);
	if (rc)
		return spawn_failed(spec, rc, &p->err);
	p->pidfd = (int)syscall(SYS_pidfd_open, p->pid, 0);
	if (p->pidfd >= 0)
		return 0;
	err_set(&p->err, ERR_IO, "cannot watch \"%.200s\": %s", spec->argv[0],
		strerror(errno));
	kill(-p->pid, SIGKILL);
	reap(p);
	return -1;
}

/* ---- End. ---- */

static void input_forget(struct process *p)
{
	watch_cancel(&p->in_watch);
	if (p->input)
		explicit_bzero(p->input, p->input_len); /* it may be secret */
	xfree(&p->input);
}

static void process_free(struct process *p)
{
	timer_cancel(&p->timer);
	watch_cancel(&p->exit_watch);
	watch_cancel(&p->pipe_watch);
	close_fd(&p->pidfd);
	close_fd(&p->pipe);
	close_fd(&p->in);
	input_forget(p);
	if (p->secret)
		buf_wipe(&p->output);
	buf_fini(&p->output);
	if (p->ending && p->crew)
		LIST_REMOVE(p, of_crew);
	if (p->ending && --n_ending == 0 && waiting)
		loop_stop(waiting);
	free(p);
}

static void complete(struct process *p)
{
	struct process_end end = {
		.exit_status = p->exit_status,
		.signal = p->signal,
		.timed_out = p->timed_out,
		.output = p->output.data,
		.output_len = p->output.len,
		.output_dropped = p->dropped,
		.duration_ms = (loop_now_us(p->loop) - p->start_us) / 1000,
		.err = p->failed ? &p->err : NULL,
	};

	p->completing = true;
	if (p->fn)
		p->fn(&end, p->arg);
	process_free(p);
}

/* The leader has exited and nothing more is to be read. */
static void finish(struct process *p)
{
	if (p->pipe >= 0 || p->timed_out || !p->fn)
		kill(-p->pid, SIGKILL);
	reap(p);
	complete(p);
}

static void on_not_started(void *arg)
{
	struct process *p = arg;

	p->timer = NULL;
	complete(p);
}

/* ---- Under way. ---- */

static void on_grace_over(void *arg)
{
	struct process *p = arg;

	p->timer = NULL;
	if (p->exited)
		finish(p);
	else
		kill(-p->pid, SIGKILL); /* on_exit comes next */
}

static void grace_start(struct process *p)
{
	timer_cancel(&p->timer);
	p->timer = timer_start(p->loop, PROCESS_GRACE_MS, on_grace_over, p);
}

static void on_timeout(void *arg)
{
	struct process *p = arg;

	p->timer = NULL;
	p->timed_out = true;
	kill(-p->pid, SIGTERM);
	grace_start(p);
}

static void on_exit_seen(int fd, int what, void *arg)
{
	struct process *p = arg;
	siginfo_t info = {0};

	if (waitid(P_PID, (id_t)p->pid, &info, WEXITED | WNOHANG | WNOWAIT) ||
		!info.si_pid)
		return;
	watch_cancel(&p->exit_watch);
	p->exited = true;
	if (info.si_code == CLD_EXITED)
		p->exit_status = info.si_status;
	else
		p->signal = info.si_status;
	if (p->pipe < 0)
		finish(p);
	else
		grace_start(p); /* for what the pipe still holds */
}

static void keep(struct process *p, const char *bytes, size_t len)
{
	size_t room = p->output.max - p->output.len;
	size_t kept = len < room ? len : room;

	buf_add(&p->output, bytes, kept);
	p->dropped += len - kept;
}

static void lines_tell(struct process *p)
{
	char *line, *end;
	size_t len;

	while (p->line && p->fn && p->line_from < p->output.len) {
		line = p->output.data + p->line_from;
		end = memchr(line, '\n', p->output.len - p->line_from);
		if (!end)
			return;
		len = (size_t)(end - line) + 1;
		if (!p->line(line, len - 1, p->arg)) {
			p->line_from += len;
			continue;
		}
		memmove(line, end + 1, p->output.len - p->line_from - len);
		buf_truncate(&p->output, p->output.len - len);
	}
}

static void on_output(int fd, int what, void *arg)
{
	static char bytes[READ_SIZE];
	struct process *p = arg;
	ssize_t n = 0;
	int i;

	for (i = 0; i < READS_MAX; i++) {
		n = read(p->pipe, bytes, sizeof(bytes));
		if (n <= 0)
			break;
		keep(p, bytes, (size_t)n);
		lines_tell(p);
	}
	if (p->secret)
		explicit_bzero(bytes, sizeof(bytes));
	if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
		return;
	watch_cancel(&p->pipe_watch);
	close_fd(&p->pipe);
	if (p->exited)
		finish(p);
}

/* A child that does not listen is its own affair: its end says so. The pipe
 * stays open behind the text, and ends with us. */
static void on_input(int fd, int what, void *arg)
{
	struct process *p = arg;
	ssize_t n = write(p->in, p->input + p->given, p->input_len - p->given);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0)
		p->given += (size_t)n;
	if (n > 0 && p->given < p->input_len)
		return;
	input_forget(p);
	if (n < 0)
		close_fd(&p->in);
}

static void input_start(struct process *p, const struct process_spec *spec)
{
	if (!spec->input)
		return;
	p->input = xstrdup(spec->input);
	p->input_len = strlen(spec->input);
	p->in_watch = watch_start(p->loop, p->in, WATCH_WRITE, on_input, p);
}

/* ---- The public part. ---- */

struct process *process_start(struct loop *loop,
	const struct process_spec *spec, process_fn fn, void *arg)
{
	struct process *p = xcalloc(1, sizeof(*p));

	assert(spec->argv && spec->argv[0]);
	p->loop = loop;
	p->fn = fn;
	p->arg = arg;
	p->pidfd = p->pipe = p->in = p->exit_status = -1;
	p->start_us = loop_now_us(loop);
	p->secret = spec->secret;
	p->line = spec->line;
	p->crew = spec->crew;
	if (p->secret)
		buf_init_secret(&p->output, PROCESS_OUTPUT_MAX);
	else
		buf_init(&p->output, PROCESS_OUTPUT_MAX);
	/* If SIGCHLD were ignored, the kernel would reap our children. */
	signal(SIGCHLD, SIG_DFL);
	if (start(p, spec)) {
		p->failed = true;
		p->timer = timer_start(loop, 0, on_not_started, p);
		return p;
	}
	p->exit_watch =
		watch_start(loop, p->pidfd, WATCH_READ, on_exit_seen, p);
	p->pipe_watch = watch_start(loop, p->pipe, WATCH_READ, on_output, p);
	input_start(p, spec);
	p->timer = timer_start(loop,
		spec->timeout_ms > 0 ? spec->timeout_ms
				     : PROCESS_TIMEOUT_MS_DEFAULT,
		on_timeout, p);
	return p;
}

void process_cancel(struct process **process)
{
	struct process *p = *process;

	*process = NULL;
	if (!p || p->completing)
		return;
	p->fn = NULL;
	if (!p->pid) {
		process_free(p);
		return;
	}
	/* It goes on by itself, unheard, until it is reaped. */
	p->ending = true;
	n_ending++;
	if (p->crew)
		LIST_INSERT_HEAD(&p->crew->ending, p, of_crew);
	kill(-p->pid, SIGTERM);
	if (!p->exited)
		grace_start(p);
}

bool process_crew_is_ending(const struct process_crew *crew)
{
	return !LIST_EMPTY(&crew->ending);
}

void process_crew_kill(const struct process_crew *crew)
{
	const struct process *p;

	LIST_FOREACH(p, &crew->ending, of_crew)
		kill(-p->pid, SIGKILL); /* on_exit comes next */
}

void process_crew_fini(struct process_crew *crew)
{
	struct process *p;

	while ((p = LIST_FIRST(&crew->ending))) {
		LIST_REMOVE(p, of_crew);
		p->crew = NULL;
	}
}

static void on_wait_over(void *arg)
{
	patience = NULL;
	loop_stop(arg);
}

void process_let_end(struct loop *loop)
{
	struct err err;

	if (!n_ending)
		return;
	waiting = loop;
	patience = timer_start(loop, PROCESS_END_MS_MAX, on_wait_over, loop);
	(void)!loop_run(loop, &err); /* those who are left die with us */
	timer_cancel(&patience);
	waiting = NULL;
}

static bool is_program(int dir, const char *path)
{
	struct stat st;

	return !fstatat(dir, path, &st, 0) && S_ISREG(st.st_mode) &&
	       !faccessat(dir, path, X_OK, 0);
}

/* As execvp does: the first entry of PATH that has it. */
static bool is_in_path(const char *program)
{
	const char *path = getenv("PATH"), *end;
	char file[PATH_BYTES];

	for (; path && *path; path = *end ? end + 1 : end) {
		end = strchrnul(path, ':');
		snprintf(file, sizeof(file), "%.*s/%s", (int)(end - path),
			end > path ? path : ".", program);
		if (is_program(AT_FDCWD, file))
			return true;
	}
	return false;
}

int process_find(const char *program, const char *cwd, struct err *err_r)
{
	int dir = AT_FDCWD;
	bool found;

	if (!*program)
		return err_set(
			err_r, ERR_NOT_FOUND, "the program's name is empty");
	if (cwd) {
		dir = open(cwd, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (dir < 0)
			return err_set(err_r, ERR_NOT_FOUND,
				"cannot run \"%.100s\" in \"%.200s\": %s",
				program, cwd, strerror(errno));
	}
	found = strchr(program, '/') ? is_program(dir, program)
				     : is_in_path(program);
	if (cwd)
		close(dir);
	if (!found)
		return err_set(err_r, ERR_NOT_FOUND,
			"there is no program \"%.200s\"%s that may be run",
			program, strchr(program, '/') ? "" : " in $PATH");
	return 0;
}

static void open_streams(void)
{
	struct stat st;
	int fd;

	/* The kernel gives out the lowest number that is free. */
	for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fstat(fd, &st) && errno == EBADF &&
			open("/dev/null",
				fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
			abort();
	}
}

void process_begin(void)
{
	sigset_t none;

	open_streams();
	signal(SIGXFSZ, SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

void process_harden(void)
{
	const struct rlimit none = {0, 0};

	setrlimit(RLIMIT_CORE, &none);
#ifndef __SANITIZE_ADDRESS__ /* its leak check looks at us as a debugger */
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}
