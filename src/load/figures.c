/* SPDX-License-Identifier: Apache-2.0 */
/* The figures of a load; see figures.h. */
#include "load/figures.h"

#include "base/jsonw.h"

double figures_failed_share(const struct load_figures *f)
{
	uint64_t due = f->requests + f->dropped;

	return due ? (double)(f->failed + f->dropped) / (double)due : 0;
}

/* ---- judged ---- */

static void miss(struct buf *missed, const char *fmt, ...) PRINTFLIKE(2, 3);

static void miss(struct buf *missed, const char *fmt, ...)
{
	va_list args;

	if (missed->len)
		buf_adds(missed, ", ");
	va_start(args, fmt);
	buf_addv(missed, fmt, args);
	va_end(args);
}

/* What is not known does not hold. */
static void judge_time(
	const char *name, double ms, int64_t limit_ms, struct buf *missed)
{
	if (!limit_ms || (ms >= 0 && ms <= (double)limit_ms))
		return;
	if (ms < 0)
		miss(missed, "%s is not told", name);
	else
		miss(missed, "%s is %.4g ms, not %lld ms or less", name, ms,
			(long long)limit_ms);
}

bool figures_judge(const struct load_figures *f,
	const struct load_limits *limits, struct buf *missed)
{
	double failed = figures_failed_share(f);
	size_t before = missed->len;

	if (f->verdict)
		miss(missed, "%s", f->verdict);
	if (f->requests < (uint64_t)limits->min_requests)
		miss(missed, "%llu requests, not %d or more",
			(unsigned long long)f->requests, limits->min_requests);
	if (failed > limits->failed)
		miss(missed, "%.4g %% failed, not %.4g %% or less",
			100 * failed, 100 * limits->failed);
	judge_time("p50", f->p50_ms, limits->p50_ms, missed);
	judge_time("p95", f->p95_ms, limits->p95_ms, missed);
	judge_time("p99", f->p99_ms, limits->p99_ms, missed);
	judge_time("the slowest", f->max_ms, limits->max_ms, missed);
	return missed->len == before;
}

/* ---- printed ---- */

static void print_time(struct buf *out, const char *name, double ms)
{
	if (ms >= 0)
		buf_addf(out, ", %s %.4g ms", name, ms);
}

bool figures_print_text(const struct load_figures *f,
	const struct load_limits *limits, struct buf *out)
{
	struct buf missed;
	bool passed;

	buf_init(&missed, LOAD_TEXT_MAX);
	passed = figures_judge(f, limits, &missed);
	if (f->stopped)
		buf_adds(out, "stopped before its end: ");
	else if (!passed)
		buf_addf(out, "missed: %s; ", missed.data);
	buf_fini(&missed);
	buf_addf(out, "%llu requests, %.4g/s", (unsigned long long)f->requests,
		f->rate);
	print_time(out, "p50", f->p50_ms);
	print_time(out, "p95", f->p95_ms);
	print_time(out, "p99", f->p99_ms);
	print_time(out, "the slowest", f->max_ms);
	buf_addf(out, ", %llu failed", (unsigned long long)f->failed);
	if (f->dropped)
		buf_addf(out, ", %llu could not be sent in time",
			(unsigned long long)f->dropped);
	if (f->reason && f->reason[0].n)
		buf_addf(out, " (%s)", f->reason[0].text);
	return passed && !f->stopped;
}

static void print_reasons(struct jsonw *w, const struct load_figures *f)
{
	const struct load_reason *reason = f->reason;

	jsonw_array(w, "reasons");
	for (size_t i = 0; reason && i < LOAD_REASONS_MAX && reason[i].n; i++) {
		jsonw_object(w, NULL);
		jsonw_text(w, "reason", reason[i].text);
		jsonw_int(w, "n", (int64_t)reason[i].n);
		jsonw_end(w, '}');
	}
	jsonw_end(w, ']');
	jsonw_int(w, "other_reasons", (int64_t)f->other_reasons);
}

static void put_time(struct jsonw *w, const char *key, double ms)
{
	if (ms < 0)
		jsonw_null(w, key);
	else
		jsonw_number(w, key, ms);
}

static void put_figures(struct jsonw *w, const struct load_figures *f)
{
	jsonw_text(w, "generator", f->generator);
	jsonw_int(w, "requests", (int64_t)f->requests);
	jsonw_int(w, "failed", (int64_t)f->failed);
	jsonw_int(w, "dropped", (int64_t)f->dropped);
	jsonw_number(w, "failed_share", figures_failed_share(f));
	jsonw_number(w, "rate", f->rate);
	put_time(w, "p50_ms", f->p50_ms);
	put_time(w, "p95_ms", f->p95_ms);
	put_time(w, "p99_ms", f->p99_ms);
	put_time(w, "max_ms", f->max_ms);
	put_time(w, "mean_ms", f->mean_ms);
	jsonw_int(w, "duration_ms", f->duration_ms);
	jsonw_int(w, "users", f->users);
	jsonw_int(w, "warmup_requests", (int64_t)f->warmup_requests);
	jsonw_int(w, "warmup_failed", (int64_t)f->warmup_failed);
	print_reasons(w, f);
}

bool figures_print_json(const struct load_figures *f,
	const struct load_limits *limits, struct buf *out)
{
	struct jsonw w = {.out = out};
	struct buf text;
	bool passed;

	buf_init(&text, LOAD_TEXT_MAX);
	buf_adds(&text, "");
	figures_judge(f, limits, &text);
	jsonw_object(&w, NULL);
	jsonw_text(&w, "type", "summary");
	put_figures(&w, f);
	jsonw_text(&w, "missed", text.data);
	jsonw_bool(&w, "stopped", f->stopped);
	buf_clear(&text);
	passed = figures_print_text(f, limits, &text);
	jsonw_bool(&w, "passed", passed);
	jsonw_text(&w, "text", text.data);
	jsonw_end(&w, '}');
	buf_addc(out, '\n');
	buf_fini(&text);
	return passed;
}
