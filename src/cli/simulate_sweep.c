/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A policy with many values of its keys, on the same recordings: what would
 * have become of them; see simulate.h. Every recording is read once, by one of
 * the threads, and simulated with all values.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/jsonw.h"
#include "base/xalloc.h"
#include "cli/output.h"
#include "cli/simulate_sweep.h"

#define POINTS_MAX  1000 /* combinations of values */
#define CELLS_MAX   4000000 /* of them and recordings */
#define THREADS_MAX 64
#define HEADING_MAX 32

/* ---- the values ---- */

static int parse_axes(
	struct sweep *s, const struct text_list *texts, struct err *err_r)
{
	size_t i;

	if (texts->n > AXES_MAX)
		return err_set(
			err_r, ERR_USAGE, "more than %d --sweep", AXES_MAX);
	s->n = 1;
	s->one_past = true;
	for (i = 0; i < texts->n; i++) {
		struct axis *axis = &s->axis[s->n_axes++];

		if (axis_parse(texts->item[i], axis, err_r) < 0)
			return -1;
		s->n *= axis->n;
		s->one_past &= strcmp(axis->key, "evidence.alpha") == 0 ||
			       strcmp(axis->key, "evidence.harm") == 0;
	}
	if (s->n > POINTS_MAX)
		return err_set(err_r, ERR_USAGE,
			"--sweep makes %zu combinations of values: at most %d "
			"are tried",
			s->n, POINTS_MAX);
	if (s->paths->n > CELLS_MAX / s->n)
		return err_set(err_r, ERR_USAGE,
			"%zu combinations on %zu recordings are too many: "
			"sweep fewer values",
			s->n, s->paths->n);
	return 0;
}

static int load_points(struct sweep *s, struct err *err_r)
{
	double numbers[AXES_MAX];
	size_t i, k;

	s->policy = xcalloc(s->n, sizeof(*s->policy));
	for (i = 0; i < s->n; i++) {
		for (k = 0; k < s->n_axes; k++)
			numbers[k] =
				axis_number(&s->axis[k], sweep_index(s, k, i));
		s->policy[i] = sweep_policy(s, numbers, false, err_r);
		if (!s->policy[i])
			return -1;
	}
	return 0;
}

/* ---- the recordings ---- */

static int sweep_recording(struct sweep *s, size_t i, struct err *err_r)
{
	struct recording *recording = recording_load(s->paths->item[i], err_r);
	struct sim_options options = s->simulation->options;
	struct sim_past *past = NULL;
	struct sim_result result;
	size_t k;
	int rc = -1;

	if (!recording)
		return -1;
	if (s->one_past) {
		options.past = past = sim_past_new(s->policy[0], recording);
		options.looks = sim_looks_new();
	}
	for (k = 0; k < s->n; k++) {
		if (sim_check(s->policy[k], recording, err_r) < 0)
			goto out;
		sim_run(s->policy[k], recording, &options, NULL, NULL, &result);
		sweep_take(&s->cell[i * s->n + k], recording, &result,
			&s->course[i]);
	}
	if (s->n_axes == 1)
		sweep_course_make(s, i, recording, &options, &s->course[i]);
	rc = 0;
out:
	sim_looks_free(&options.looks);
	free(past);
	recording_free(&recording);
	return rc;
}

static void *work(void *arg)
{
	struct sweep *s = arg;
	struct err err;
	size_t i;

	while (!atomic_load(&s->failed)) {
		i = atomic_fetch_add(&s->next, 1);
		if (i >= s->paths->n)
			break;
		if (sweep_recording(s, i, &err) == 0)
			continue;
		pthread_mutex_lock(&s->lock);
		if (!atomic_exchange(&s->failed, true))
			s->err = err;
		pthread_mutex_unlock(&s->lock);
	}
	return NULL;
}

static int sweep_all(struct sweep *s, struct err *err_r)
{
	size_t n = 0, wanted = simulate_threads(s->paths->n);
	pthread_t threads[THREADS_MAX];

	s->cell = xcalloc(s->paths->n * s->n, sizeof(*s->cell));
	s->course = xcalloc(s->paths->n, sizeof(*s->course));
	while (n < wanted && pthread_create(&threads[n], NULL, work, s) == 0)
		n++;
	if (!n)
		work(s);
	while (n)
		pthread_join(threads[--n], NULL);
	if (!atomic_load(&s->failed))
		return 0;
	*err_r = s->err;
	return -1;
}

/* ---- what it comes to ---- */

static void print_row(const struct sweep *s, size_t point,
	const struct sweep_tally *t, struct table *table)
{
	char values[AXES_MAX][AXIS_TEXT_MAX];
	char counts[SWEEP_COUNTS][SIMULATE_TEXT_MAX];
	const char *cells[AXES_MAX + SWEEP_COUNTS];
	size_t i, n = 0;

	for (i = 0; i < s->n_axes; i++)
		cells[n++] = axis_value(
			&s->axis[i], sweep_index(s, i, point), values[i]);
	sweep_print_counts(t, counts);
	for (i = 0; i < SWEEP_COUNTS; i++)
		cells[n++] = counts[i];
	table_add(table, cells);
}

static const char *upper_case(const char *name, char text[HEADING_MAX])
{
	size_t i;

	for (i = 0; name[i] && i + 1 < HEADING_MAX; i++)
		text[i] = (char)toupper((unsigned char)name[i]);
	text[i] = '\0';
	return text;
}

static void init_table(const struct sweep *s, struct table *table)
{
	char headings[SWEEP_COUNTS][HEADING_MAX];
	const char *heading[AXES_MAX + SWEEP_COUNTS];
	size_t i;

	for (i = 0; i < s->n_axes; i++)
		heading[i] = s->axis[i].key;
	for (i = 0; i < SWEEP_COUNTS; i++)
		heading[s->n_axes + i] =
			upper_case(sweep_count_names[i], headings[i]);
	table_init(table, s->n_axes + SWEEP_COUNTS);
	table_add(table, heading);
}

/* Up to which value, exactly, the recording ended otherwise; of the first value
 * tried from which on it ends so. */
static void print_margin(
	const struct sweep *s, size_t recording, size_t point, struct jsonw *w)
{
	const struct sweep_course *course = &s->course[recording];
	char value[AXIS_TEXT_MAX];
	size_t i;

	for (i = course->n; i > 1; i--)
		if (course->item[i - 1].point == point &&
			course->item[i - 1].exact) {
			jsonw_text(w, "turns_after",
				axis_print(&s->axis[0], course->item[i - 2].to,
					value));
			return;
		}
}

static void print_ends(const struct sweep *s, size_t point, struct jsonw *w)
{
	size_t i;

	jsonw_array(w, "ends");
	for (i = 0; i < s->paths->n; i++) {
		const struct sweep_cell *cell = &s->cell[i * s->n + point];
		const char *slo = sweep_decided_by(s, cell);

		jsonw_object(w, NULL);
		jsonw_text(w, "recording", s->paths->item[i]);
		jsonw_text(w, "end", sweep_end_name(cell->end));
		if (slo)
			jsonw_text(w, "slo", slo);
		if (cell->reason)
			jsonw_text(w, "reason", cell->reason);
		print_margin(s, i, point, w);
		jsonw_end(w, '}');
	}
	jsonw_end(w, ']');
}

static void print_json(const struct sweep *s, size_t point,
	const struct sweep_tally *t, struct buf *out)
{
	char value[AXIS_TEXT_MAX];
	struct jsonw w = {.out = out};
	size_t i;

	jsonw_object(&w, NULL);
	jsonw_array(&w, "values");
	for (i = 0; i < s->n_axes; i++) {
		jsonw_object(&w, NULL);
		jsonw_text(&w, "key", s->axis[i].key);
		jsonw_text(&w, "value",
			axis_value(
				&s->axis[i], sweep_index(s, i, point), value));
		jsonw_end(&w, '}');
	}
	jsonw_end(&w, ']');
	jsonw_int(&w, "recordings", (int64_t)s->paths->n);
	jsonw_int(&w, "promoted", (int64_t)t->end[END_PROMOTED]);
	jsonw_int(&w, "rolled_back", (int64_t)t->end[END_REVERTED]);
	jsonw_int(&w, "waiting", (int64_t)t->end[END_WAITING]);
	jsonw_int(&w, "other", (int64_t)t->end[END_OTHER]);
	jsonw_int(&w, "false_reverts", (int64_t)t->false_reverts);
	jsonw_int(&w, "missed", (int64_t)t->missed);
	jsonw_int(&w, "as_expected", (int64_t)t->met);
	if (t->n_reverts) {
		jsonw_number(&w, "time_to_revert_s_median", sweep_within(t, 5));
		jsonw_number(&w, "time_to_revert_s_90", sweep_within(t, 9));
	}
	print_ends(s, point, &w);
	jsonw_end(&w, '}');
	buf_addc(out, '\n');
}

/* True: with some combination all ended as expected. */
static bool tell(const struct sweep *s)
{
	bool json = s->simulation->json, good = false;
	struct table table;
	struct sweep_tally tally;
	struct buf out;
	size_t i;

	init_table(s, &table);
	buf_init(&out, OUTPUT_BYTES_MAX);
	for (i = 0; i < s->n; i++) {
		sweep_count(s, i, &tally);
		good |= tally.met == s->paths->n;
		if (json)
			print_json(s, i, &tally, &out);
		else
			print_row(s, i, &tally, &table);
		free(tally.revert_s);
	}
	if (!json) {
		buf_addf(&out, "%zu recordings\n", s->paths->n);
		table_print(&table, &out);
		if (s->n_axes == 1)
			sweep_print_courses(s, &out);
		else
			sweep_print_region(s, &out);
	}
	table_fini(&table);
	output_write(s->simulation->told, &out);
	buf_fini(&out);
	return good;
}

int simulate_sweep(const struct simulation *simulation,
	const struct sweep_wish *wish, const struct path_list *paths,
	struct err *err_r)
{
	struct sweep s = {.simulation = simulation,
		.wish = wish,
		.paths = paths,
		.lock = PTHREAD_MUTEX_INITIALIZER};
	size_t i;
	int rc = -1;

	if (parse_axes(&s, wish->sweeps, err_r) == 0 &&
		load_points(&s, err_r) == 0 && sweep_all(&s, err_r) == 0)
		rc = tell(&s) ? 0 : 1;
	if (rc >= 0 && simulation->html && sweep_write_page(&s, err_r) < 0)
		rc = -1;
	for (i = 0; s.policy && i < s.n; i++)
		policy_free(&s.policy[i]);
	for (i = 0; s.course && i < paths->n; i++) {
		free(s.course[i].item);
		arena_fini(&s.course[i].reasons);
	}
	free(s.policy);
	free(s.course);
	free(s.cell);
	return rc;
}
