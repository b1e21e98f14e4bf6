/* The live view: what a person sees of a rollout, as text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/printable.h"
#include "cli/view.h"
#include "engine_fixture.h"

static struct test_policy test;
static struct world world;
static struct view view;
static struct buf out;

static int setup(void **state)
{
	test_policy_init(&test);
	world_init(&world, &test.policy);
	view = (struct view){.policy = &test.policy,
		.rollout = &world.rollout,
		.id = "backend-20260101-000000-abcd",
		.candidate = "backend-2",
		.stable = "backend-1",
		.columns = 80};
	buf_init(&out, 65536);
	return 0;
}

static int teardown(void **state)
{
	buf_fini(&out);
	return 0;
}

static const char *render(void)
{
	view.now_ms = world.now_ms;
	buf_clear(&out);
	view_render(&view, &out);
	return out.data;
}

static void a_bake_shows_steps_progress_and_slos(void **state)
{
	world_start(&world);
	world_run(&world, 45000);
	assert_string_equal(render(),
		"backend-20260101-000000-abcd  baking\n"
		"candidate backend-2 10 %  stable backend-1 90 %\n"
		"steps     * 10 %   - 50 %   - 100 %   \n"
		"bake      ###############...............  31s of 1m\n"
		"SLO                      value       limit       outcome    "
		"passes\n"
		"error-rate               0           0.01        pass       "
		"4 of 3\n");
}

static void a_gate_says_who_is_asked_and_how_to_answer(void **state)
{
	test.steps[0].approval = &test.approval;
	world_start(&world);
	world_run(&world, 45000);
	render();
	assert_non_null(strstr(out.data,
		"waits for approval of step 1 (0 of 1) by alice, bob, carol; "
		"held in 9m15s\n"
		"  tidegate approve backend-20260101-000000-abcd\n"));
}

static struct answers nothing(struct world *w, int slo)
{
	return (struct answers){.item[QUERY_VALUE] = {ANSWER_NO_DATA, 0}};
}

static void a_hold_says_when_it_reverts(void **state)
{
	world.answer = nothing;
	world_start(&world);
	world_run(&world, 120000);
	render();
	assert_non_null(strstr(out.data, "held until the evidence is there; "
					 "reverts in "));
	assert_non_null(strstr(out.data, "tidegate abort"));
	assert_non_null(strstr(out.data, "no-data"));
}

static void a_hold_says_that_it_is_paused_as_well(void **state)
{
	world.answer = nothing;
	world_start(&world);
	world_run(&world, 120000);
	assert_null(strstr(render(), "paused"));
	assert_null(strstr(render(), "tidegate continue"));
	world_command(&world, VERB_PAUSE, "bob");
	assert_non_null(strstr(render(),
		"paused as well: it stays where it is when the hold ends\n"));
	assert_non_null(strstr(render(), "tidegate continue"));
}

static void a_hold_says_which_evidence_is_missing(void **state)
{
	world.answer = nothing;
	world_start(&world);
	world_run(&world, 120000);
	render();
	assert_non_null(strstr(out.data,
		"  error-rate: 0 of 3 passes, the latest answer is no-data\n"));
}

/* Deadlines that pass while nobody drives revert nothing. */
static void without_a_driver_nothing_is_promised(void **state)
{
	world.answer = nothing;
	world_start(&world);
	world_run(&world, 120000);
	view.undriven = true;
	render();
	assert_null(strstr(out.data, "reverts in"));
	assert_non_null(strstr(out.data, "held until the evidence is there; "
					 "its time is over at "));
}

static void passes_are_of_the_step_that_is_shown(void **state)
{
	world_start(&world);
	world_run(&world, 45000);
	assert_non_null(strstr(render(), "4 of 3"));
	world.rollout.step = 1;
	world.rollout.phase = PHASE_SHIFTING;
	world.rollout.bake_from_ms = 0; /* its split is not seen yet */
	assert_non_null(strstr(render(), "0 of 3"));
}

static void a_line_that_goes_into_a_pipe_is_whole(void **state)
{
	view.columns = 0;
	world_start(&world);
	world_run(&world, 45000);
	memset(world.rollout.reason, 'r', 400);
	world.rollout.reason[400] = '\0';
	assert_non_null(strstr(render(), world.rollout.reason));
}

static void no_line_is_wider_than_the_terminal(void **state)
{
	char *line, *save = NULL;

	view.columns = VIEW_COLUMNS_MIN;
	view.utf8 = true;
	test.steps[0].approval = &test.approval;
	world_start(&world);
	world_run(&world, 45000);
	render();
	for (line = strtok_r(out.data, "\n", &save); line;
		line = strtok_r(NULL, "\n", &save))
		assert_true(printable_width(line) <= VIEW_COLUMNS_MIN);
}

static void names_from_outside_cannot_move_the_cursor(void **state)
{
	view.candidate = "a\x1b[2Jb\nc";
	world_start(&world);
	assert_null(strchr(render(), '\x1b'));
	assert_non_null(strstr(out.data, "a\\x1b[2Jb\\nc"));
}

static void without_colour_there_is_not_one_escape(void **state)
{
	world_start(&world);
	world_run(&world, 45000);
	assert_null(strchr(render(), '\x1b'));
	view.colour = true;
	assert_non_null(strchr(render(), '\x1b'));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_bake_shows_steps_progress_and_slos),
		TEST(a_gate_says_who_is_asked_and_how_to_answer),
		TEST(a_hold_says_when_it_reverts),
		TEST(a_hold_says_that_it_is_paused_as_well),
		TEST(a_hold_says_which_evidence_is_missing),
		TEST(without_a_driver_nothing_is_promised),
		TEST(passes_are_of_the_step_that_is_shown),
		TEST(a_line_that_goes_into_a_pipe_is_whole),
		TEST(no_line_is_wider_than_the_terminal),
		TEST(names_from_outside_cannot_move_the_cursor),
		TEST(without_colour_there_is_not_one_escape),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
