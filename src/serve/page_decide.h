/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decisions of people in a browser: what they may do, the question before it
 * is done, and what is said when the world has moved on. A button is there
 * exactly when the engine would take the command from this visitor now. Pure.
 */
#ifndef TIDEGATE_SERVE_PAGE_DECIDE_H
#define TIDEGATE_SERVE_PAGE_DECIDE_H

#include "serve/page_frame.h"
#include "status/summary.h"

/* Fields of the form. */
#define DECIDE_VERB      "verb"
#define DECIDE_STEP      "step"
#define DECIDE_CANDIDATE "candidate"
#define DECIDE_COMMENT   "comment"
#define DECIDE_TOKEN     "form_token"
#define DECIDE_CONFIRMED "confirmed" /* "yes": this was the second click */

struct decide_verb {
	bool may; /* the visitor, and now */
	const char *says; /* what it does; else why not */
};

struct decide_view {
	const struct summary *summary;
	struct decide_verb verbs[VERBS];
};

/* Whether people have to say why. */
bool decide_needs_comment(const struct summary *summary, enum verb verb);
/* Whether it is asked twice even where a script is there. */
bool decide_is_grave(enum verb verb);

/* A section of the rollout's page; nothing when it has ended. */
void decide_box_write(struct buf *out, const struct page_frame *frame,
	const struct decide_view *view);

struct decide_question {
	const struct decide_view *view;
	enum verb verb;
	const char *comment; /* as typed so far */
	const char *problem; /* what is missing; NULL: nothing */
};

/* The page before a decision: who, what exactly, why. */
void page_question_write(struct buf *out, const struct page_frame *frame,
	const struct decide_question *question);

struct decide_refusal {
	const struct summary *summary; /* what is */
	enum verb verb;
	/* What the visitor saw; NULL: it has not moved on, see `why`. */
	const char *seen;
	const char *why;
	const char *comment; /* typed in vain */
};

/* The page after one that was not taken. */
void page_refusal_write(struct buf *out, const struct page_frame *frame,
	const struct decide_refusal *refusal);

#endif
