/* SPDX-License-Identifier: Apache-2.0 */
/* Orders of loads, what comes back of one, and k6's summaries: whatever is
 * believed is within bounds. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "action/load_codec.h"
#include "load/course.h"
#include "load/k6_codec.h"
#include "load/spec_codec.h"
#include "status/load_live.h"

#define LOOKS_MAX 1000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look(const struct load_spec *spec)
{
	const struct course course = {spec->stages, spec->n_stages};
	struct arrivals arrivals = {.course = &course};
	int64_t at = 0, before;
	int weights = 0;

	assert(spec->k6 || (spec->n_requests && spec->n_stages));
	for (size_t i = 0; i < spec->n_requests; i++) {
		assert(spec->requests[i].url && spec->requests[i].method);
		weights += spec->requests[i].weight;
	}
	assert(weights == spec->weights);
	for (int i = 0; i < LOOKS_MAX && at >= 0; i++) {
		before = at;
		at = arrivals_next_us(&arrivals);
		assert(at < 0 ||
			(at >= before && at <= course_ms(&course) * 1000));
	}
}

/* What is believed is printed, and read again as the same. */
static void look_live(const char *text, size_t size, struct buf *out)
{
	struct load_live live, again;

	if (!load_live_read(text, size, &live))
		return;
	assert(live.total_ms > 0 && live.users >= 0 && live.failed <= 1);
	load_live_print(&live, out);
	assert(load_live_read(out->data, out->len, &again));
	assert(again.at_ms == live.at_ms && again.users == live.users);
	load_live_add_course(&live, out);
	buf_clear(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct load_figures figures;
	struct load_spec *spec;
	struct buf out;
	struct err err;

	spec = load_spec_parse(text, size, &err);
	if (spec)
		look(spec);
	load_spec_free(&spec);
	buf_init(&out, LOAD_SUMMARY_MAX);
	load_summary_read(text, size, &out);
	buf_clear(&out);
	look_live(text, size, &out);
	if (k6_summary_parse(text, size, &figures, &err) == 0) {
		assert(figures.failed <= figures.requests);
		assert(figures.users >= 0);
		figures_print_json(
			&figures, &(struct load_limits){.failed = 1}, &out);
	}
	buf_fini(&out);
	return 0;
}
