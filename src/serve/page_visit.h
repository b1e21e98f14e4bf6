/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the handlers of pages share: whose page it is, what a visitor may decide
 * in a rollout, and how a page is given as an answer.
 *
 *   page_visit.c         this
 *   page_asset_get.c     GET /assets/NAME
 *   page_front_get.c     GET /
 *   page_rollout_get.c   GET /rollouts/ID
 *   page_decide_post.c   POST /rollouts/ID/decide
 *   page_service_get.c   GET /services/PROJECT/REGION/SERVICE
 *   page_person_get.c    GET /me
 */
#ifndef TIDEGATE_SERVE_PAGE_VISIT_H
#define TIDEGATE_SERVE_PAGE_VISIT_H

#include "serve/page_decide.h"
#include "serve/page_frame.h"
#include "serve/rulings.h"
#include "serve/views.h"
#include "serve/visit.h"

struct refusal;

/* Whoever has come in; borrowed from the visit. */
struct page_visitor page_visitor_of(const struct visit *visit);
/* With path, visitor and the time; the rest is the caller's. */
struct page_frame page_frame_of(
	const struct visit *visit, const struct page_visitor *visitor);

/* Answers with the page, which is freed. */
void page_answer(struct visit **visit, int status, struct buf *page);
/* Answers with the ways in; `next` is where they lead. */
void page_sign_in(
	struct visit **visit, int status, const char *title, const char *next);
/* Answers with a page that says why there was no login. */
void page_login_problem(struct visit **visit, const struct refusal *why);
/* Answers with a page that says what went wrong: visit.h's. */
void page_problem(struct visit **visit, int status, const char *detail);

/* The rollout with what the visitor may do about it. Lives in the visit's
 * arena, and the view. */
struct decide_view page_decide_view(
	const struct visit *visit, const struct view *view);
/* Whether the visitor may see it; when not, it is said that it is not there. */
bool page_may_see(struct visit **visit, const struct view *view);

#endif
