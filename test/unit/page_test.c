/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The daemon's pages as text: what is filled into templates stays text, links
 * are relative, buttons are there exactly when the engine would take the
 * command. How pages look and what their script does: test/pages.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "engine/outlook.h"
#include "report/chart.h"
#include "report/page_css.h"
#include "serve/page_assets.h"
#include "serve/page_decide.h"
#include "serve/page_front.h"
#include "serve/page_html.h"
#include "situations.h"

static struct buf out;

static void begin(void)
{
	buf_init(&out, PAGE_BYTES_MAX);
}

static void end(void)
{
	assert_false(out.overflow);
	buf_fini(&out);
}

static void expect(const char *text)
{
	assert_string_equal(out.data, text);
	end();
}

static bool says(const char *text)
{
	return strstr(out.data, text) != NULL;
}

/* ---- templates ---- */

static void what_is_filled_in_is_text(void **state)
{
	begin();
	html_addf(&out, "<a href=\"./%u\" title=\"%s\">%d %%</a>%r",
		"../x y/\"<>&%", "\"><b>'&", 7, "<br>");
	expect("<a href=\"./..%2Fx%20y%2F%22%3C%3E%26%25\" "
	       "title=\"&quot;&gt;&lt;b&gt;&#39;&amp;\">7 %</a><br>");
}

static void a_missing_text_is_empty(void **state)
{
	begin();
	html_addf(&out, "[%s%l%u%v%c%r]", (char *)NULL, (char *)NULL,
		(char *)NULL, (char *)NULL, (char *)NULL, (char *)NULL);
	expect("[]");
}

/* A browser takes "..", however it is written, for the folder above. */
static void a_segment_leads_nowhere_else(void **state)
{
	begin();
	html_addf(&out, "%u %u %u", "..", ".", "...");
	expect("%20.. %20. ...");
}

static void what_a_form_brings_back_is_not_masked(void **state)
{
	begin();
	html_addf(&out, "%v", "ya29.a0Af_token=\"secret\"&<\r");
	expect("ya29.a0Af_token=&quot;secret&quot;&amp;&lt;&#13;");
}

static void commands_in_sentences_are_marked(void **state)
{
	begin();
	html_addf(&out, "%c", "`abort` goes <b>; `continue");
	expect("<code>abort</code> goes &lt;b&gt;; `continue");
}

static void times_are_of_programs_and_of_people(void **state)
{
	begin();
	html_addf(
		&out, "%t, %T", INT64_C(1767225661000), INT64_C(1767225661000));
	expect("<time datetime=\"2026-01-01T00:01:01.000Z\">00:01:01 UTC"
	       "</time>, <time datetime=\"2026-01-01T00:01:01.000Z\">"
	       "2026-01-01 00:01 UTC</time>");
}

/* ---- the frame ---- */

static void links_are_relative_to_the_page(void **state)
{
	static const struct {
		const char *path, *root;
	} rows[] = {
		{"/", "./"},
		{"/me", "./"},
		{"/rollouts/x", "../"},
		{"/rollouts/x/decide", "../../"},
		{"/services/p/r/s", "../../../"},
		{"", "./"},
	};
	char root[PAGE_ROOT_MAX];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(
			page_root(rows[i].path, root), rows[i].root);
}

static void a_path_of_anybody_fits(void **state)
{
	char path[4096], root[PAGE_ROOT_MAX];

	memset(path, '/', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	assert_true(strlen(page_root(path, root)) < PAGE_ROOT_MAX);
}

static void what_waits_is_counted_in_the_title(void **state)
{
	const struct page_visitor visitor = {"<bob>", "oidc", "t", true};
	struct page_frame frame = {
		.title = "Roll & out", .path = "/x/y", .visitor = &visitor};

	begin();
	page_frame_begin(&out, &frame);
	assert_true(says("<title>Roll &amp; out – tidegate</title>"));
	assert_true(says("<a href=\"../me\">&lt;bob&gt;</a>"));
	assert_false(says("as-of"));
	buf_clear(&out);
	frame.n_waiting = 3;
	frame.now_ms = 1767225661000;
	page_frame_begin(&out, &frame);
	assert_true(says("<title>(3) Roll"));
	assert_true(says("as-of"));
	end();
}

/* ---- assets ---- */

static void the_style_has_all_of_the_reports(void **state)
{
	const struct page_asset *css = &page_assets[ASSET_STYLE];
	struct buf text;

	buf_init(&text, PAGE_BYTES_MAX);
	buf_add(&text, css->bytes, css->len);
	assert_non_null(strstr(text.data, chart_css));
	assert_non_null(strstr(text.data, page_css));
	assert_non_null(strstr(text.data, ".decide {"));
	buf_fini(&text);
}

static void assets_are_found_by_their_names_alone(void **state)
{
	for (size_t i = 0; i < PAGE_ASSETS; i++) {
		const struct page_asset *asset = &page_assets[i];

		assert_ptr_equal(page_asset_find(asset->name), asset);
		assert_true(asset->len > 0);
		assert_true(asset->gzipped_len > 18);
		assert_memory_equal(asset->gzipped, "\x1f\x8b\x08", 3);
	}
	assert_null(page_asset_find("pages.css"));
	assert_null(page_asset_find(""));
}

/* ---- decisions ---- */

static struct stage stage;
static const struct page_visitor bob = {"bob", "oidc", "form-token", true};

static struct decide_view look(const struct page_visitor *visitor)
{
	struct decide_view view = {.summary = stage_look(&stage)};
	char why[ROLLOUT_TEXT_MAX];

	for (int i = 0; i < VERBS; i++) {
		struct decide_verb *verb = &view.verbs[i];

		verb->may = !rollout_refuses(&stage.test.policy,
			&stage.world.rollout, (enum verb)i,
			stage.world.rollout.step, visitor->name, why);
		verb->says = verb->may ? view.summary->verbs[i].says
				       : arena_strdup(&stage.arena, why);
	}
	return view;
}

static void expect_button(const struct decide_view *view, enum verb verb)
{
	char button[128];

	snprintf(button, sizeof(button), "<button name=\"verb\" value=\"%s\"",
		verb_name(verb));
	assert_int_equal(says(button),
		view->verbs[verb].may && !phase_is_end(view->summary->phase));
}

static void a_button_is_there_when_it_would_be_taken(void **state)
{
	const struct page_frame frame = {
		.title = "x", .path = "/rollouts/x", .visitor = &bob};
	struct decide_view view;
	int taken = 0;

	for (size_t i = 0; i < n_situations; i++) {
		stage_init(&stage);
		situations[i].build(&stage);
		view = look(&bob);
		begin();
		decide_box_write(&out, &frame, &view);
		for (int verb = 0; verb < VERBS; verb++) {
			expect_button(&view, (enum verb)verb);
			taken += view.verbs[verb].may;
		}
		end();
		stage_fini(&stage);
	}
	assert_true(taken > (int)n_situations);
}

static void build(const char *name)
{
	for (size_t i = 0; i < n_situations; i++) {
		if (strcmp(situations[i].name, name) != 0)
			continue;
		stage_init(&stage);
		situations[i].build(&stage);
		return;
	}
	fail_msg("no situation \"%s\"", name);
}

static void a_decision_is_about_what_was_seen(void **state)
{
	const struct page_frame frame = {
		.title = "x", .path = "/rollouts/x/decide", .visitor = &bob};
	struct decide_view view;
	struct decide_question question = {
		.view = &view, .verb = VERB_ABORT, .comment = "a\n<b>"};

	build("gated");
	view = look(&bob);
	begin();
	page_question_write(&out, &frame, &question);
	assert_true(says("action=\"../../rollouts/" SITUATION_ID "/decide\""));
	assert_true(says("name=\"form_token\" value=\"form-token\""));
	assert_true(says("name=\"step\" value=\"1\""));
	assert_true(says("name=\"candidate\" value=\"backend-2\""));
	assert_true(says("required>a\n&lt;b&gt;</textarea>"));
	assert_true(says("You are <b>bob</b> (oidc)"));
	end();
	stage_fini(&stage);
}

static void a_breach_is_not_overruled_without_a_word(void **state)
{
	struct decide_view view;

	build("held by an slo");
	view = look(&bob);
	assert_true(decide_needs_comment(view.summary, VERB_CONTINUE));
	assert_true(decide_needs_comment(view.summary, VERB_ABORT));
	assert_false(decide_needs_comment(view.summary, VERB_APPROVE));
	stage_fini(&stage);
	build("paused");
	view = look(&bob);
	assert_false(decide_needs_comment(view.summary, VERB_CONTINUE));
	stage_fini(&stage);
}

/* ---- the front page ---- */

static void expect_place(const char *situation, const char *who,
	bool may_operate, enum front_place place)
{
	const struct page_visitor visitor = {.name = who};
	struct decide_view view;

	build(situation);
	view = look(&visitor);
	assert_int_equal(front_place_of(view.summary->phase,
				 may_operate && view.verbs[VERB_APPROVE].may,
				 may_operate),
		place);
	stage_fini(&stage);
}

static void what_needs_somebody_is_told_to_them_alone(void **state)
{
	expect_place("gated", "bob", true, FRONT_NEEDS_YOU);
	/* Not among the approvers; has started it. */
	expect_place("gated", "dave", true, FRONT_RUNNING);
	expect_place("gated", "alice", true, FRONT_RUNNING);
	expect_place("gated", "bob", false, FRONT_RUNNING);
	expect_place("held by an slo", "dave", true, FRONT_NEEDS_YOU);
	expect_place("held by an slo", "dave", false, FRONT_RUNNING);
	expect_place("paused", "bob", true, FRONT_RUNNING);
	expect_place("baking", "bob", true, FRONT_RUNNING);
	expect_place("rollback failed", "bob", true, FRONT_NEEDS_YOU);
	expect_place("rollback failed", "bob", false, FRONT_RECENT);
	expect_place("promoted", "bob", true, FRONT_RECENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_filled_in_is_text),
		cmocka_unit_test(a_missing_text_is_empty),
		cmocka_unit_test(a_segment_leads_nowhere_else),
		cmocka_unit_test(what_a_form_brings_back_is_not_masked),
		cmocka_unit_test(commands_in_sentences_are_marked),
		cmocka_unit_test(times_are_of_programs_and_of_people),
		cmocka_unit_test(links_are_relative_to_the_page),
		cmocka_unit_test(a_path_of_anybody_fits),
		cmocka_unit_test(what_waits_is_counted_in_the_title),
		cmocka_unit_test(the_style_has_all_of_the_reports),
		cmocka_unit_test(assets_are_found_by_their_names_alone),
		cmocka_unit_test(a_button_is_there_when_it_would_be_taken),
		cmocka_unit_test(a_decision_is_about_what_was_seen),
		cmocka_unit_test(a_breach_is_not_overruled_without_a_word),
		cmocka_unit_test(what_needs_somebody_is_told_to_them_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
