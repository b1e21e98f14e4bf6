/* SPDX-License-Identifier: Apache-2.0 */
/* Seeded worlds as recordings; see recorded_world.h. */
#include "recorded_world.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "base/xalloc.h"

#define HISTORY_STEP_S 30
#define INSTANCES_MAX  16
#define BUCKETS        6
#define WINDOW_SAMPLES 9 /* two minutes of 15 s */
#define MEDIAN_S       0.1
#define SPREAD         0.7 /* of the logarithm of latency */
#define POISSON_SMALL  40
#define TWO_PI         6.283185307179586

static const double bounds[BUCKETS] = {.05, .1, .25, .5, 1, INFINITY};
static const char *const bound_texts[BUCKETS] = {
	"0.05", "0.1", "0.25", "0.5", "1", "+Inf"};

const struct recorded_world recorded_good = {.rate = 50,
	.base = 0.001,
	.errors = 0.001,
	.slower = 1,
	.instances = 2,
	.history_s = 3600,
	.length_s = 2400,
	.step_s = 15,
	.share = {{2, 10}, {604, 50}, {1206, 100}},
	.seed = 1};

/* The counters of one instance, and their samples as text. */
struct instance {
	bool candidate;
	double total, bad, bucket[BUCKETS];
	struct buf total_text, bad_text, bucket_text[BUCKETS];
};

/* What a query of the last two minutes sees. */
struct window {
	double total[WINDOW_SAMPLES], bad[WINDOW_SAMPLES];
	size_t n; /* samples so far */
	struct buf text;
};

struct making {
	const struct recorded_world *world;
	struct window window;
	struct rng rng;
	struct instance instance[1 + INSTANCES_MAX]; /* the candidate first */
	int n;
};

static double poisson(struct rng *rng, double mean)
{
	double limit = exp(-mean), product = 1, k = -1, normal;

	if (mean <= 0)
		return 0;
	if (mean < POISSON_SMALL) {
		do {
			product *= rng_unit(rng);
			k++;
		} while (product > limit);
		return k;
	}
	normal =
		sqrt(-2 * log(1 - rng_unit(rng))) * cos(TWO_PI * rng_unit(rng));
	return fmax(0, floor(mean + sqrt(mean) * normal + 0.5));
}

/* Share of requests that take at most so long. */
static double within(double s, double slower)
{
	return 1 -
	       0.5 * erfc(log(s / (MEDIAN_S * slower)) / (SPREAD * sqrt(2)));
}

static double share_at(const struct recorded_world *w, int t)
{
	double share = 0;
	int i;

	for (i = 0; i < RECORDED_SHARES && w->share[i].percent; i++) {
		if (t >= w->share[i].from_s)
			share = w->share[i].percent / 100.0;
	}
	return share;
}

/* What comes in `s` seconds at `rate` per second. */
static void serve(
	struct making *m, struct instance *in, double rate, int t, double s)
{
	const struct recorded_world *w = m->world;
	double errors = in->candidate ? w->errors : w->base, n = 0, below = 0;
	double more, slower = in->candidate ? w->slower : 1;
	int b;

	if (w->incident > 0 && t >= w->incident_from_s && t < w->incident_to_s)
		errors = w->incident;
	for (b = 0; b < BUCKETS; b++) {
		more = b + 1 < BUCKETS ? within(bounds[b], slower) : 1;
		n += poisson(&m->rng, rate * s * (more - below));
		in->bucket[b] += n;
		below = more;
	}
	in->total += n;
	in->bad += fmin(n, poisson(&m->rng, n * errors));
}

static void sample(struct buf *text, int t, double value)
{
	buf_addf(text, "%s[%d,\"%.0f\"]", text->len ? "," : "",
		RECORDED_START_S + t, value);
}

/* What was there before the window is its oldest sample, overwritten now. */
static void sample_rate(struct window *w, int t, const struct instance *in)
{
	size_t now = w->n % WINDOW_SAMPLES, old = (w->n + 1) % WINDOW_SAMPLES;
	double total, bad;

	w->total[now] = in->total;
	w->bad[now] = in->bad;
	w->n++;
	if (w->n < WINDOW_SAMPLES)
		old = 0;
	total = in->total - w->total[old];
	bad = in->bad - w->bad[old];
	if (total > 0)
		buf_addf(&w->text, "%s[%d,\"%.5f\"]", w->text.len ? "," : "",
			RECORDED_START_S + t, bad / total);
}

static void sample_all(struct making *m, int t)
{
	struct instance *in;
	int b;

	for (in = m->instance; in < m->instance + m->n; in++) {
		if (in->candidate && t < 0)
			continue;
		if (in->candidate && m->world->rates)
			sample_rate(&m->window, t, in);
		sample(&in->total_text, t, in->total);
		sample(&in->bad_text, t, in->bad);
		for (b = 0; m->world->latency && b < BUCKETS; b++)
			sample(&in->bucket_text[b], t, in->bucket[b]);
	}
}

static void live_through(struct making *m)
{
	const struct recorded_world *w = m->world;
	double share, rate;
	int t = -w->history_s, next, i;

	sample_all(m, t);
	for (; t < w->length_s; t = next) {
		next = t + (t < 0 ? HISTORY_STEP_S : w->step_s);
		share = share_at(w, t);
		for (i = 0; i < m->n; i++) {
			rate = i ? (1 - share) / w->instances : share;
			serve(m, &m->instance[i], w->rate * rate, t, next - t);
		}
		sample_all(m, next);
	}
}

/* ---- as text ---- */

static void print_result(struct buf *out, bool *first, int instance,
	const char *le, const struct buf *values)
{
	buf_addf(out, "%s\n    {\"metric\":{\"instance\":\"10.0.0.%d:8080\"",
		*first ? "" : ",", instance);
	if (le)
		buf_addf(out, ",\"le\":\"%s\"", le);
	buf_addf(out, "},\"values\":[%s]}", values->data);
	*first = false;
}

enum counter { TOTAL, BAD, SLOW };

static void print_series(const struct making *m, const char *name,
	bool candidate, enum counter counter, struct buf *out)
{
	bool first = true;
	int i, b;

	buf_addf(out,
		"%s\n  "
		"\"%s\":{\"data\":{\"resultType\":\"matrix\",\"result\":[",
		strcmp(name, "errors/total") == 0 ? "" : ",", name);
	for (i = 0; i < m->n; i++) {
		const struct instance *in = &m->instance[i];

		if (in->candidate != candidate)
			continue;
		if (counter == TOTAL)
			print_result(out, &first, i, NULL, &in->total_text);
		else if (counter == BAD)
			print_result(out, &first, i, NULL, &in->bad_text);
		for (b = 0; counter == SLOW && b < BUCKETS; b++)
			print_result(out, &first, i, bound_texts[b],
				&in->bucket_text[b]);
	}
	buf_adds(out, "]}}");
}

static void print(const struct making *m, struct buf *out)
{
	const struct recorded_world *w = m->world;

	buf_addf(out,
		"{\"version\":1,\"start\":%d,\"end\":%d,\"interval\":%d,\n"
		" \"context\":{\"service\":\"demo\",\"candidate\":"
		"\"demo-00002-green\",\"stable\":\"demo-00001-blue\"},\n",
		RECORDED_START_S, RECORDED_START_S + w->length_s, w->step_s);
	if (w->expect)
		buf_addf(out, " \"expect\":\"%s\",\n", w->expect);
	buf_adds(out, " \"series\":{");
	print_series(m, "errors/total", true, TOTAL, out);
	print_series(m, "errors/baseline-total", false, TOTAL, out);
	print_series(m, "errors/bad", true, BAD, out);
	print_series(m, "errors/baseline-bad", false, BAD, out);
	if (w->latency) {
		print_series(m, "latency/buckets", true, SLOW, out);
		print_series(m, "latency/baseline-buckets", false, SLOW, out);
	}
	if (w->rates)
		buf_addf(out,
			",\n  \"error-rate\":{\"data\":{\"resultType\":"
			"\"matrix\",\"result\":[\n    {\"metric\":{},"
			"\"values\":[%s]}]}}",
			m->window.text.data);
	buf_adds(out, "}}\n");
}

static void each_text(struct making *m, void (*fn)(struct buf *text))
{
	struct instance *in;
	int b;

	fn(&m->window.text);
	for (in = m->instance; in < m->instance + m->n; in++) {
		fn(&in->total_text);
		fn(&in->bad_text);
		for (b = 0; b < BUCKETS; b++)
			fn(&in->bucket_text[b]);
	}
}

static void text_init(struct buf *text)
{
	buf_init(text, 16 * 1024 * 1024);
}

void recorded_world_print(const struct recorded_world *world, struct buf *out)
{
	struct making *m = xcalloc(1, sizeof(*m));

	m->world = world;
	m->n = 1 + (world->instances < INSTANCES_MAX ? world->instances
						     : INSTANCES_MAX);
	m->instance[0].candidate = true;
	rng_init(&m->rng, world->seed);
	each_text(m, text_init);
	live_through(m);
	print(m, out);
	each_text(m, buf_fini);
	free(m);
}
