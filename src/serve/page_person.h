/* SPDX-License-Identifier: Apache-2.0 */
/* Who you are, what you may do, and how one comes in. Pure. */
#ifndef TIDEGATE_SERVE_PAGE_PERSON_H
#define TIDEGATE_SERVE_PAGE_PERSON_H

#include "serve/page_frame.h"

struct me_right {
	const char *services; /* project/region/service with * */
	const char *policies; /* "": all */
	const char *rights; /* "read, operate" */
};

struct me_session {
	const char *name; /* short, of its hash */
	const char *method; /* how it began */
	int64_t begun_ms, used_ms, ends_ms;
	bool is_this;
};

struct me_view {
	const struct page_visitor *visitor;
	const char *const *keys;
	size_t n_keys;
	bool is_machine;
	int64_t expires_ms; /* of the proof; 0: never */
	const struct me_right *rights;
	size_t n_rights;
	const struct me_session *sessions;
	size_t n_sessions;
};

void page_me_write(struct buf *out, const struct page_frame *frame,
	const struct me_view *view);

struct login_way {
	const char *title; /* "Google" */
	const char *path; /* "login?issuer=0", within the daemon */
};

/* `next` is the path that was asked for; "": none. */
void page_login_write(struct buf *out, const struct page_frame *frame,
	const struct login_way *ways, size_t n, const char *next);

/* What went wrong: `what` in a sentence, `remedy` (NULL: none) what helps. */
void page_error_write(struct buf *out, const struct page_frame *frame,
	const char *what, const char *remedy);

#endif
