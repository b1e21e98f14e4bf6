/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole driver on a virtual clock: live, journal, fold and clients are the
 * real ones, over a fake loop, network, store and programs. A scenario reads as
 * sentences and takes milliseconds:
 *
 *	given_policy(policy_short, NULL);
 *	run();
 *	until(90 * SECOND);
 *	errors_of(FAKE_NEW, 0.5);
 *	until(95 * SECOND);
 *	reads_hang();
 *	expect_reverted_by(97 * SECOND);
 *	until_the_end();
 *	expect_exit(5);
 *
 * Times count from scenario_open. The same seed gives the same run to the last
 * byte of the journal.
 */
#ifndef TIDEGATE_TEST_SCENARIO_H
#define TIDEGATE_TEST_SCENARIO_H

#include "engine/state.h"
#include "fake_apis.h"
#include "fake_http.h"
#include "fake_loop.h"
#include "fake_metrics.h"
#include "fake_process.h"
#include "fake_run.h"
#include "fake_store.h"
#include "fake_worker.h"
#include "live/release.h"

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)

/* 10 and 100 %. */
#define STEPS(bake, settle)                    \
	"steps:\n"                             \
	"  - {percent: 10, bake: " bake "}\n"  \
	"  - {percent: 100, bake: " bake "}\n" \
	"settle: " settle "\n"
/* The candidate's errors, every 10 s, with these keys. */
#define SLO(keys)                                                    \
	"slos:\n"                                                    \
	"  - {name: errors, query: 'errors{r=\"{{candidate}}\"}',\n" \
	"     window: 20s, interval: 10s, " keys "}\n"
/* 20, 100 %, an hour each, after 5 s; no SLO. */
extern const char policy_watch[];
/* 20, 100 %, 20 s each, after 5 s; bob decides on the second; no SLO. */
extern const char policy_gate[];
/* 10, 50, 100 %, a minute each, after 10 s to settle; no SLO. */
extern const char policy_long[];
/* The candidate's errors, at most 1 %, every 10 s; two breaches of three. */
extern const char slo_errors[];
/* 10, 100 %, 20 s each, after 5 s; an SLO every 5 s that fails at once; two
 * deeds to undo. */
extern const char policy_short[];

void scenario_open(uint64_t seed);
void scenario_close(void);

/* ---- given ---- */

/* Parts of YAML, put one after the other; NULL ends them. Name and target come
 * by themselves, and metrics where no part begins with that word. */
void given_policy(const char *part, ...) __attribute__((sentinel));
void given_traffic(const char *table); /* see fake_run.h */

/* ---- what happens ---- */

struct run_options {
	struct release_wish wish;
	int64_t wait_ms; /* 0: for ever */
};

/* Rollouts are driven as the daemon does it, by its set of them, and not as
 * `run` does; before the first of them begins. */
void scenario_by_daemon(bool by_daemon);
/* What has ended is let go of at once, as the daemon does it, and not when the
 * process ends. */
void scenario_drop_at_end(bool drops);
void run(void); /* by alice */
void run_with(const struct run_options *options);
/* The process dies; what it had sent is on its way. */
void crash(void);
void resume(void);
/* From now on, when the process is dead: another one resumes so much later. */
void resume_after(int64_t away_ms);
void interrupt(const char *signal_name);

void until(int64_t at_ms);
void until_phase(enum phase phase); /* within a day */
void until_step(int step); /* its split serves and it bakes */
void until_the_end(void); /* of the process, within a day */
/* The same, whoever has to be called: a process that ended before its rollout
 * is followed by another one, at most `processes` times. */
void until_the_rollout_ends(int processes);

void errors_of(const char *revision, double value);
void metrics_of(const char *revision, enum fake_said said);
void reads_hang(void);
void writes_hang(void);
void writes_are_refused(int status); /* 503, 429 */
void operations_fail(void); /* of writes; nothing is done */
void the_world_heals(void); /* of all faults of Cloud Run and metrics */
void the_machine_sleeps(int64_t ms);
bool is_driven(void); /* a process is up and has not ended */
bool write_is_decided(void); /* and was not answered */
bool journal_is_late(void); /* of the driver that is up, as its views say */
bool journal_is_given_up(void);

void approve(const char *who);
void command(const char *verb, const char *who);

/* ---- what was seen ---- */

#define SEEN_CHECKS_MAX 4096

struct seen {
	int64_t exposed_ms; /* the candidate served for the first time; or 0 */
	int highest; /* percent that was asked for, for the candidate */
	int n_checks; /* queries about the candidate */
	int64_t check_ms[SEEN_CHECKS_MAX]; /* when they were asked */
};

const struct seen *seen(void);
size_t entries_told(void); /* to whoever observes, by all processes */
const struct policy *policy_given(void);
int64_t process_up_ms(void); /* since when the process is up; -1: it is not */
/* Since when it is in charge: its first entry, and with it its lease, is
 * durable. INT64_MAX: it is not. */
int64_t in_charge_ms(void);
/* When the process that is up made this entry, on the world's clock; what its
 * stamp says is the wall clock's, which may have been set. */
int64_t entry_made_ms(const struct fake_entry *entry);

/* Called after each turn; NULL: nobody is. */
extern void (*scenario_watch)(void);

/* ---- what must be ---- */

enum phase phase_now(void); /* PHASES: nothing runs */
int exit_status(void); /* -1: not ended */
const char *end_text(void); /* why, if its phase does not say */

/* Fails the test, or ends the program with the seed that replays it. */
void promise(bool kept, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
extern void (*promise_broken)(const char *text); /* must not return */

void expect_exit(int status);
void expect_serving(const char *revision, int percent);
/* Lets time pass up to then; stable must be asked for with 100 % by then. */
void expect_reverted_by(int64_t at_ms);
void expect_writes_at_most(int n);
void expect_never_above(int percent); /* for the candidate */
void expect_said(const char *part); /* on stderr */
/* A durable entry of this name that has `part` (NULL: whatever it has). */
void expect_journal(const char *name, const char *part);
void expect_not_journaled(const char *name, const char *part);
void expect_reason(const char *part);

#endif
