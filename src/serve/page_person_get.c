/* SPDX-License-Identifier: Apache-2.0 */
/* GET /me: who the visitor is, and what that is good for; GET /signed-out. */
#include "serve/daemon.h"
#include "serve/handlers.h"
#include "serve/page_person.h"
#include "serve/page_visit.h"

#define LIST_MAX 4096

/* "a, b"; the text is the visit's. */
static const char *joined(
	struct visit *visit, const char *const *list, size_t n)
{
	const char *text;
	struct buf out;

	buf_init(&out, LIST_MAX);
	for (size_t i = 0; i < n; i++)
		buf_addf(&out, "%s%s", i ? ", " : "", list[i]);
	text = arena_strdup(&visit->arena, out.overflow ? "many" : out.data);
	buf_fini(&out);
	return text;
}

static const char *rights_of(struct visit *visit, unsigned rights)
{
	const char *text;
	struct buf out;

	buf_init(&out, LIST_MAX);
	rights_print(&out, rights);
	text = arena_strdup(&visit->arena, out.data);
	buf_fini(&out);
	return text;
}

static size_t find_rights(struct visit *visit, struct me_right *rights)
{
	const struct access *access = &daemon_config(visit->daemon)->access;
	const struct access_row *row;
	size_t n = 0;

	for (size_t i = 0; i < access->n_rows; i++) {
		row = &access->rows[i];
		if (!access_row_is_of(row, visit->visitor))
			continue;
		rights[n++] = (struct me_right){
			joined(visit, row->services, row->n_services),
			joined(visit, row->policies, row->n_policies),
			rights_of(visit, row->may & access_rights(access,
							    visit->visitor)),
		};
	}
	return n;
}

void page_person_get(struct visit *visit)
{
	const struct caller *caller = &visit->visitor->caller;
	const struct access *access = &daemon_config(visit->daemon)->access;
	struct page_visitor visitor = page_visitor_of(visit);
	struct page_frame frame = page_frame_of(visit, &visitor);
	struct me_right *rights = arena_alloc(
		&visit->arena, (access->n_rows + 1) * sizeof(*rights));
	const struct me_view view = {.visitor = &visitor,
		.keys = caller->keys,
		.n_keys = caller->n_keys,
		.is_machine = caller->is_machine,
		.expires_ms = caller->expires_ms,
		.rights = rights,
		.n_rights = find_rights(visit, rights)};
	struct buf page;

	frame.title = visitor.name;
	frame.now_ms = 0;
	buf_init(&page, PAGE_BYTES_MAX);
	page_me_write(&page, &frame, &view);
	page_answer(&visit, 200, &page);
}

/* Nobody has to be signed in to see it. */
void page_signed_out_get(struct visit *visit)
{
	page_sign_in(&visit, 200, "Signed out", "/");
}
