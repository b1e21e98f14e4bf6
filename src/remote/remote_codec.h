/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a daemon answers: JSON text -> what a state file would have told. Pure.
 * It may be anybody who answers: names have the form that names have, times are
 * times, and whatever else is not what it should be is ERR_PROTOCOL. Texts are
 * put into the arena.
 */
#ifndef TIDEGATE_REMOTE_REMOTE_CODEC_H
#define TIDEGATE_REMOTE_REMOTE_CODEC_H

#include "base/arena.h"
#include "base/buf.h"
#include "live/rollback.h"
#include "status/load_live.h"
#include "store/store.h"

#define REMOTE_TEXT_MAX    1024 /* bytes of a problem's detail, with the NUL */
#define REMOTE_CODE_MAX    64
#define REMOTE_PAGE_MAX    200 /* rollouts in one answer */
#define REMOTE_PERSON_MAX  256 /* bytes of a name, with the NUL */
#define REMOTE_WAITING_MAX STORE_COMMANDS_MAX

/* GET /api/v1/rollouts. */
struct remote_page {
	struct store_rollout row[REMOTE_PAGE_MAX];
	size_t n;
	const char *cursor; /* where the next page begins; NULL: no more */
};
MUST_CHECK int remote_page_decode(const char *bytes, size_t len,
	struct arena *arena, struct remote_page *page_r, struct err *err_r);

/* GET /api/v1/rollouts/ID/record. */
struct remote_record {
	struct store_rollout row;
	bool is_held;
	struct store_lease lease;
	struct store_command waiting[REMOTE_WAITING_MAX];
	size_t n_waiting;
	struct load_live load; /* all zero: none is made, or it is not known */
};
MUST_CHECK int remote_record_decode(const char *bytes, size_t len,
	struct arena *arena, struct remote_record *record_r, struct err *err_r);

/* A line of the journal of this rollout, without its newline: what is printed of
 * it again is the same to the byte. */
MUST_CHECK int remote_entry_decode(const char *line, size_t len,
	const char *rollout, struct arena *arena, struct store_event *entry_r,
	struct err *err_r);

/* POST /api/v1/rollouts/ID/decisions, taken or waiting. */
MUST_CHECK int remote_decided_decode(const char *bytes, size_t len,
	struct arena *arena, struct store_command *command_r,
	struct err *err_r);

/* POST /api/v1/rollbacks. */
enum remote_back {
	REMOTE_BEGUN, /* a rollout goes back: `rollout` */
	REMOTE_ABORTED, /* one that had not ended is aborted: `rollout` */
	REMOTE_GOING_BACK, /* it goes back already: `rollout` */
	REMOTE_NOTHING, /* stable holds all traffic: `stable` */
	REMOTE_DRILLED /* `report` */
};
struct remote_rollback {
	enum remote_back kind;
	const char *rollout, *stable;
	struct drill_report report;
};
MUST_CHECK int remote_rollback_decode(const char *bytes, size_t len,
	struct arena *arena, struct remote_rollback *rollback_r,
	struct err *err_r);

/* POST /api/v1/rollouts: the rollout's id. */
MUST_CHECK int remote_started_decode(const char *bytes, size_t len,
	char id_r[STORE_ROLLOUT_ID_MAX], struct err *err_r);

/* GET /api/v1/me: under which name its bearer decides. */
MUST_CHECK int remote_me_decode(const char *bytes, size_t len,
	char name_r[REMOTE_PERSON_MAX], struct err *err_r);

/* application/problem+json; what is no problem has code "" and what it is
 * instead as its detail. */
struct remote_problem {
	char code[REMOTE_CODE_MAX], detail[REMOTE_TEXT_MAX];
};
void remote_problem_decode(
	const char *bytes, size_t len, struct remote_problem *problem_r);

/* The member `problems` of one about a policy that was sent, a line for each:
 * "FILE:LINE:COLUMN: error: TEXT". Adds nothing when there is none. */
#define REMOTE_PLACES_MAX 100
void remote_places_print(
	const char *bytes, size_t len, const char *file, struct buf *out);

#endif
