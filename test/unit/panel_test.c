/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The panel as a terminal shows it: each situation in frames of four widths,
 * kept under test/frames, and what holds for every frame. With --write the
 * frames are written anew.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cells.h"
#include "base/xalloc.h"
#include "cli/panel.h"
#include "situations.h"

#define SERVICE   "projects/acme/locations/us-central1/services/backend"
#define FRAME_MAX (8 * 1024 * 1024)
#define ROWS      24

static const int widths[] = {40, 80, 120, 200};
#define WIDTHS (sizeof(widths) / sizeof(widths[0]))

static bool is_writing;
static struct stage stage, *played; /* each situation, once */

/* ---- frames ---- */

static int play_all(void **state)
{
	(void)state;
	played = xcalloc(n_situations, sizeof(*played));
	for (size_t i = 0; i < n_situations; i++) {
		stage_init(&played[i]);
		situations[i].build(&played[i]);
	}
	return 0;
}

static int forget_all(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_situations; i++)
		stage_fini(&played[i]);
	free(played);
	return 0;
}

static void render(struct stage *shown, struct panel panel, struct buf *out)
{
	panel.summary = stage_look(shown);
	panel.policy = &shown->test.policy;
	panel.service = SERVICE;
	panel.has_keys = true;
	for (int verb = 0; verb < VERBS; verb++)
		panel.verbs |=
			panel.summary->verbs[verb].is_taken ? 1U << verb : 0;
	panel_render(&panel, out);
}

static void add_all(struct panel panel, struct buf *out)
{
	size_t i;

	for (i = 0; i < n_situations; i++) {
		buf_addf(out, "---- %s\n", situations[i].name);
		render(&played[i], panel, out);
	}
}

static void read_file(const char *path, struct buf *out)
{
	char bytes[65536];
	FILE *file = fopen(path, "r");
	size_t n;

	if (!file)
		return;
	while ((n = fread(bytes, 1, sizeof(bytes), file)) > 0)
		buf_add(out, bytes, n);
	fclose(file);
}

static void write_file(const char *path, const struct buf *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(text->data, 1, text->len, file), text->len);
	assert_int_equal(fclose(file), 0);
}

/* The first line that differs, with the situation it belongs to. */
static void show_difference(const char *was, const char *is)
{
	const char *title = "", *end, *other;

	for (; *was && *is; was = end + 1, is = other + 1) {
		end = strchr(was, '\n');
		other = strchr(is, '\n');
		if (!end || !other || end - was != other - is ||
			memcmp(was, is, (size_t)(end - was)) != 0)
			break;
		if (!strncmp(is, "---- ", 5))
			title = is;
	}
	print_error("%.*s\n  was \"%.*s\"\n  is  \"%.*s\"\n",
		(int)strcspn(title, "\n"), title, (int)strcspn(was, "\n"), was,
		(int)strcspn(is, "\n"), is);
}

static void compare(const char *name, const struct buf *text)
{
	const char *srcdir = getenv("srcdir");
	char path[4096];
	struct buf kept;

	snprintf(path, sizeof(path), "%s/test/frames/%s", srcdir ? srcdir : ".",
		name);
	if (is_writing) {
		write_file(path, text);
		return;
	}
	buf_init(&kept, FRAME_MAX);
	read_file(path, &kept);
	if (strcmp(kept.data, text->data) != 0) {
		show_difference(kept.data, text->data);
		fail_msg("%s: see above; test/unit/panel_test --write", path);
	}
	buf_fini(&kept);
}

/* An escape is written as the letter of its colour, in braces. */
static void name_colours(struct buf *text)
{
	static const char *const names[][2] = {{"\033[0m", "{}"},
		{"\033[32m", "{good "}, {"\033[31m", "{bad "},
		{"\033[33m", "{wait "}, {"\033[2m", "{dim "}};
	struct buf out;
	const char *at;
	size_t i;

	buf_init(&out, FRAME_MAX);
	for (at = text->data; *at;) {
		for (i = 0; i < 5 &&
			    strncmp(at, names[i][0], strlen(names[i][0])) != 0;
			i++)
			;
		if (i == 5) {
			buf_addc(&out, *at++);
			continue;
		}
		buf_adds(&out, i ? names[i][1] : "}");
		at += strlen(names[i][0]);
	}
	buf_clear(text);
	buf_adds(text, out.data);
	buf_fini(&out);
}

static void frames_are_as_they_were(void **state)
{
	struct buf out;
	char name[64];
	size_t i;

	(void)state;
	for (i = 0; i < 2 * WIDTHS; i++) {
		const struct panel panel = {
			.columns = widths[i / 2], .rows = ROWS, .utf8 = i % 2};

		buf_init(&out, FRAME_MAX);
		add_all(panel, &out);
		snprintf(name, sizeof(name), "%d-%s.txt", panel.columns,
			panel.utf8 ? "utf8" : "ascii");
		compare(name, &out);
		buf_fini(&out);
	}
}

static void colours_are_as_they_were(void **state)
{
	const struct panel panel = {
		.columns = 80, .rows = ROWS, .utf8 = true, .colour = true};
	struct buf out;

	(void)state;
	buf_init(&out, FRAME_MAX);
	add_all(panel, &out);
	name_colours(&out);
	compare("80-colour.txt", &out);
	buf_fini(&out);
}

/* ---- what holds for each ---- */

static void strip(struct buf *text)
{
	const char *at;
	struct buf out;

	buf_init(&out, FRAME_MAX);
	for (at = text->data; *at;) {
		if (*at == '\033')
			at += strcspn(at, "m") + 1;
		else
			buf_addc(&out, *at++);
	}
	buf_clear(text);
	buf_adds(text, out.data);
	buf_fini(&out);
}

static void colours_change_nothing_else(void **state)
{
	struct buf plain, coloured;
	struct panel panel;
	size_t i;

	(void)state;
	for (i = 0; i < 2 * WIDTHS; i++) {
		panel = (struct panel){
			.columns = widths[i / 2], .rows = ROWS, .utf8 = i % 2};
		buf_init(&plain, FRAME_MAX);
		buf_init(&coloured, FRAME_MAX);
		add_all(panel, &plain);
		panel.colour = true;
		add_all(panel, &coloured);
		assert_non_null(strchr(coloured.data, '\033'));
		strip(&coloured);
		/* A blank at the end of a line may be a coloured one. */
		assert_string_equal(plain.data, coloured.data);
		buf_fini(&plain);
		buf_fini(&coloured);
	}
}

static void without_utf8_there_is_ascii(void **state)
{
	const struct panel panel = {.columns = 120, .rows = ROWS};
	struct buf out;
	size_t i;

	(void)state;
	buf_init(&out, FRAME_MAX);
	add_all(panel, &out);
	for (i = 0; i < out.len; i++)
		assert_true((unsigned char)out.data[i] < 0x80);
	buf_fini(&out);
}

static void a_frame_has_room_on_its_terminal(void **state)
{
	struct buf out;
	size_t i, w;

	(void)state;
	for (i = 0; i < n_situations * WIDTHS; i++) {
		w = i % WIDTHS;
		buf_init(&out, FRAME_MAX);
		render(&played[i / WIDTHS],
			(struct panel){.columns = widths[w], .rows = ROWS},
			&out);
		assert_in_range(panel_rows(out.data, widths[w]), 1, ROWS - 1);
		buf_fini(&out);
	}
}

/* Each command of a text stands in one line of the frame. */
static void find_commands(const char *frame, const char *text)
{
	const char *begin = strchr(text, '`'), *end;
	char *command;

	while (begin && (end = strchr(begin + 1, '`')) != NULL) {
		command = strndup(begin, (size_t)(end - begin) + 1);
		if (!strstr(frame, command))
			fail_msg("%s is not in\n%s", command, frame);
		free(command);
		begin = strchr(end + 1, '`');
	}
}

static void no_command_is_cut(void **state)
{
	const struct summary *summary;
	struct buf out;
	size_t i, j;

	(void)state;
	for (i = 0; i < n_situations * WIDTHS; i++) {
		buf_init(&out, FRAME_MAX);
		render(&played[i / WIDTHS],
			(struct panel){
				.columns = widths[i % WIDTHS], .rows = ROWS},
			&out);
		summary = stage_look(&played[i / WIDTHS]);
		find_commands(out.data, summary->next);
		for (j = 0; j < summary->n_remedies; j++)
			assert_non_null(
				strstr(out.data, summary->remedies[j].line));
		buf_fini(&out);
	}
}

static void a_line_above_keeps_its_commands(void **state)
{
	const struct panel panel = {.columns = 60, .utf8 = true};
	const struct panel_text text = {"07:25:40 CET  ",
		"continue is recorded; it is taken by "
		"tidegate resume backend-20260101-000000-abcd",
		COLOUR_NONE};
	struct buf out;

	(void)state;
	buf_init(&out, FRAME_MAX);
	panel_flow(&panel, &text, &out);
	assert_string_equal(out.data,
		"07:25:40 CET  continue is recorded; it is taken by\n"
		"              tidegate resume backend-20260101-000000-abcd\n");
	buf_fini(&out);
}

/* ---- what others wrote ---- */

static void widths_are_cells(void **state)
{
	(void)state;
	assert_int_equal(cells_width("abc"), 3);
	assert_int_equal(cells_width("\xe6\x97\xa5\xe6\x9c\xac"), 4);
	assert_int_equal(cells_width("e\xcc\x81"), 1); /* combining acute */
	assert_int_equal(cells_fit("\xe6\x97\xa5\xe6\x9c\xac", 3), 3);
}

static void check_lines(const struct buf *out, int columns)
{
	char *line, *save = NULL;

	for (line = strtok_r(out->data, "\n", &save); line;
		line = strtok_r(NULL, "\n", &save)) {
		if (!strstr(line, "tidegate "))
			assert_in_range(cells_width(line), 0, columns);
	}
}

/* Columns stay where they are, whatever a name is made of. */
static void wide_and_combining_names_break_no_column(void **state)
{
	static const char *const names[] = {"\xe6\x97\xa5\xe6\x9c\xac",
		"e\xcc\x81"
		"e\xcc\x81",
		"plain", "\xf0\x9f\x90\xa2x"};
	size_t i, w;
	struct buf out;
	char *now;

	(void)state;
	for (i = 0; i < 4 * WIDTHS; i++) {
		w = i % WIDTHS;
		stage_init(&stage);
		stage.test.slos[0].name = names[i / WIDTHS];
		situations[0].build(&stage);
		world_run(&stage.world, 45000);
		buf_init(&out, FRAME_MAX);
		render(&stage,
			(struct panel){.columns = widths[w],
				.rows = ROWS,
				.utf8 = true},
			&out);
		now = strstr(out.data, "0 %     1 %");
		assert_non_null(now);
		*now = '\0';
		/* Where the name of 12 cells ends, and the gap. */
		assert_int_equal(
			cells_width(strrchr(out.data, '\n') + 1), 4 + 12 + 2);
		*now = '0';
		check_lines(&out, widths[w]);
		buf_fini(&out);
		stage_fini(&stage);
	}
}

static void what_a_terminal_would_obey_is_shown(void **state)
{
	struct buf out;

	(void)state;
	stage_init(&stage);
	situations[0].build(&stage);
	snprintf(stage.world.rollout.reason, sizeof(stage.world.rollout.reason),
		"a\033[2Jb\nc\xe2\x80\xae\xff");
	stage.world.rollout.phase = PHASE_REFUSED;
	buf_init(&out, FRAME_MAX);
	render(&stage,
		(struct panel){.columns = 80, .rows = ROWS, .utf8 = true},
		&out);
	assert_null(strchr(out.data, '\033'));
	assert_non_null(strstr(out.data, "a\\x1b[2Jb\\nc\\u{202e}\\xff"));
	buf_fini(&out);
	stage_fini(&stage);
}

/* Few rows: the SLOs around the selected one, and a word on the others. */
static void many_slos_leave_room_for_the_rest(void **state)
{
	struct summary summary;
	struct summary_slo slos[POLICY_SLOS_MAX];
	char names[POLICY_SLOS_MAX][16];
	struct panel panel = {
		.columns = 80, .rows = ROWS, .has_keys = true, .selected = 20};
	struct buf out;
	int i;

	(void)state;
	stage_init(&stage);
	situations[0].build(&stage);
	world_run(&stage.world, 45000);
	summary = *stage_look(&stage);
	for (i = 0; i < POLICY_SLOS_MAX; i++) {
		slos[i] = summary.slos[0];
		snprintf(names[i], sizeof(names[i]), "slo-%d", i);
		slos[i].name = names[i];
	}
	summary.slos = slos;
	summary.n_slos = POLICY_SLOS_MAX;
	panel.summary = &summary;
	panel.policy = &stage.test.policy;
	panel.service = SERVICE;
	buf_init(&out, FRAME_MAX);
	panel_render(&panel, &out);
	assert_int_equal(panel_rows(out.data, 80), ROWS - 1);
	assert_non_null(strstr(out.data, "> + slo-20"));
	assert_non_null(strstr(out.data, " more SLOs\n"));
	assert_non_null(strstr(out.data, "[q]uit\n"));
	assert_non_null(strstr(out.data, "backend  us-central1"));
	buf_fini(&out);
	stage_fini(&stage);
}

#define TEST(name) cmocka_unit_test(name)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(frames_are_as_they_were),
		TEST(colours_are_as_they_were),
		TEST(colours_change_nothing_else),
		TEST(without_utf8_there_is_ascii),
		TEST(a_frame_has_room_on_its_terminal),
		TEST(no_command_is_cut),
		TEST(a_line_above_keeps_its_commands),
		TEST(widths_are_cells),
		TEST(wide_and_combining_names_break_no_column),
		TEST(what_a_terminal_would_obey_is_shown),
		TEST(many_slos_leave_room_for_the_rest),
	};

	is_writing = argc > 1 && !strcmp(argv[1], "--write");
	return cmocka_run_group_tests(tests, play_all, forget_all);
}
