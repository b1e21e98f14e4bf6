/* SPDX-License-Identifier: Apache-2.0 */
/* Evidence by the formulas; see evidence_reference.h. */
#include "evidence_reference.h"

#include <math.h>
#include <string.h>

static const double g_rel[] = {1.5, 2.5, 5, 12, 40};
static const double g_abs[] = {1.5, 3, 8, 30};
static const double g_shape[] = {1.1, 1.25, 1.6, 2.5};
static const double g_pass[] = {.75, .5, .25, .1, .02};
static const double g_ni[] = {.5, 1, 1.4};

static double K(double x, double n, double pi, double rho)
{
	return x * log(rho) - n * log1p(pi * (rho - 1));
}

static double sum_exp(const double *v, int n)
{
	double most = -INFINITY, sum = 0;

	for (int i = 0; i < n; i++)
		most = fmax(most, v[i]);
	if (isinf(most))
		return most;
	for (int i = 0; i < n; i++)
		sum += exp(v[i] - most);
	return most + log(sum);
}

static double plus(double a, double b)
{
	double both[] = {a, b};

	return sum_exp(both, 2);
}

static void mixture_reset(struct mixture *m, int sizes)
{
	*m = (struct mixture){.sizes = sizes};
	for (int j = 0; j < sizes; j++)
		m->stake[j] = -INFINITY;
}

static void mixture_update(
	const struct reference *r, struct mixture *m, const double *d)
{
	double h = fmin(0.25, r->check_s / 1000), f = m->k == 0 ? 0.7 : h;
	double cap = 0.4 + 0.5 * log(r->n / r->alpha);
	double put = m->cash + log(f / m->sizes), M, limit;

	m->cash += log1p(-f);
	for (int j = 0; j < m->sizes; j++)
		m->stake[j] = plus(m->stake[j], put) + d[j];
	M = sum_exp(m->stake, m->sizes);
	limit = cap + m->wealth + log1p(-exp(m->cash - cap - m->wealth));
	if (M > limit) {
		for (int j = 0; j < m->sizes; j++)
			m->stake[j] += limit - M;
		M = limit;
	}
	m->wealth = plus(M, m->cash);
	m->k++;
}

static void lehmann(
	const double *q, int bins, double kappa, double ratio[REFERENCE_BINS])
{
	double a = 1 / kappa, tail[REFERENCE_BINS + 1] = {0}, share, middle;

	for (int b = bins - 1; b >= 0; b--)
		tail[b] = tail[b + 1] + q[b];
	for (int b = 0; b < bins; b++) {
		bool last = b == bins - 1;

		share = last ? 1 : q[b] / tail[b];
		middle = last ? 1 : -expm1(a * log1p(-share));
		ratio[b] = pow(tail[b] / tail[0], a - 1) * middle / share;
	}
}

static double normal(const struct reference_slo *s, double v)
{
	double upper, ref;

	if (s->past_n == 0)
		return s->objective;
	upper = (s->past_x + 1 + 2 * sqrt(s->past_x + 1)) / s->past_n;
	ref = fmax(s->floor, 1.5 * fmax(upper, v));
	if (s->past_x - 2 * sqrt(s->past_x) > s->objective * s->past_n)
		return fmin(0.95, ref);
	return fmin(s->objective, ref);
}

void reference_climb(struct reference *r)
{
	r->climb++;
	for (int i = 0; i < r->n; i++) {
		struct reference_slo *s = &r->slo[i];

		mixture_reset(&s->relative, 5);
		mixture_reset(&s->absolute, 4);
		mixture_reset(&s->shape, 4);
		memset(s->near_c, 0, sizeof(s->near_c));
		memset(s->near_s, 0, sizeof(s->near_s));
		memset(s->far_c, 0, sizeof(s->far_c));
		memset(s->far_s, 0, sizeof(s->far_s));
		memset(s->pending, 0, sizeof(s->pending));
		memset(s->waiting, 0, sizeof(s->waiting));
		s->log_e = s->ratio = s->abs = s->curve = 0;
		s->calm = true;
		reference_begin(r, i, 0, 0, true);
	}
}

void reference_begin(
	struct reference *r, int slo, double share, double limit, bool final)
{
	struct reference_slo *s = &r->slo[slo];

	s->share = share;
	s->none = share > 0.98;
	s->final = final;
	s->full = s->none || final || limit <= s->objective;
	s->level = s->full ? s->objective : fmin(limit, 0.5);
	s->low = fmin(s->objective, fmax(s->floor, limit));
	s->checks = s->with_data = 0;
	memset(s->pass_level, 0, sizeof(s->pass_level));
	memset(s->pass_low, 0, sizeof(s->pass_low));
	memset(s->pass_ratio, 0, sizeof(s->pass_ratio));
	s->log_pass = 0;
}

static void sums(const struct reference_slo *s, const double *bin, double nx[2])
{
	nx[0] = nx[1] = 0;
	for (int b = 0; bin && b < s->bins; b++) {
		nx[0] += bin[b];
		if (b > s->bound)
			nx[1] += bin[b];
	}
}

static void decay(double nx[2], const double add[2], double check_s, double t)
{
	if (add[0] <= 0)
		return;
	for (int i = 0; i < 2; i++)
		nx[i] = nx[i] * exp(-check_s / t) + add[i];
}

static void level_tests(struct reference *r, struct reference_slo *s,
	const double c[2], const double st[2])
{
	double dec = s->far_s[0] > 0 ? s->far_s[1] / s->far_s[0] : 0;
	double now = st[0] > 0 ? st[1] / st[0] : 0;
	double p0 = normal(s, s->none ? dec : 0), d[4];
	bool excused = !s->none && s->near_s[0] > 0 &&
		       s->near_c[1] * s->near_s[0] <
			       2 * (s->near_s[1] + 2) * s->near_c[0];

	if (!s->none)
		p0 = fmin(0.95, fmax(p0, s->tolerance * fmax(now, dec)));
	for (int j = 0; j < 4; j++) {
		d[j] = K(c[1], c[0], p0, g_abs[j]) / s->phi_level;
		if (excused)
			d[j] = fmin(d[j], 0);
	}
	mixture_update(r, &s->absolute, d);
	for (int j = 0; j < 5; j++) {
		s->pass_level[j] += K(c[1], c[0], s->level, g_pass[j]) / s->phi;
		if (s->low > 0)
			s->pass_low[j] +=
				K(c[1], c[0], s->low, g_pass[j]) / s->phi;
	}
}

static void shape_test(struct reference *r, struct reference_slo *s,
	const double *c, const double *st, double w)
{
	double q[REFERENCE_BINS], r0[REFERENCE_BINS], r1[REFERENCE_BINS];
	double d[4] = {0}, all = 0;

	for (int b = 0; b < s->bins; b++) {
		all += s->histogram[b];
		q[b] = s->histogram[b] + 0.5;
	}
	if (all < 200)
		return;
	lehmann(q, s->bins, 1.1, r0);
	for (int j = 0; j < 4; j++) {
		lehmann(q, s->bins, 1.1 * g_shape[j], r1);
		for (int b = 0; b < s->bins; b++)
			d[j] += K(c[b], c[b] + st[b], w, r1[b]) -
				K(c[b], c[b] + st[b], w, r0[b]);
		d[j] /= s->phi_shape;
	}
	mixture_update(r, &s->shape, d);
}

static void both_arms(
	struct reference *r, struct reference_slo *s, bool warming)
{
	const double *c = s->waiting[0], *st = s->waiting[1];
	double cn[2], sn[2], w, bad, d[5];

	sums(s, c, cn);
	sums(s, st, sn);
	if (cn[0] > 0 && sn[0] > 0 && !warming) {
		w = cn[0] / (cn[0] + sn[0]);
		bad = cn[1] + sn[1];
		for (int j = 0; j < 5; j++)
			d[j] = (K(cn[1], bad, w, g_rel[j] * s->tolerance) -
				       K(cn[1], bad, w, s->tolerance)) /
			       s->phi;
		mixture_update(r, &s->relative, d);
		for (int j = 0; j < 3; j++)
			s->pass_ratio[j] += (K(cn[1], bad, w, g_ni[j]) -
						    K(cn[1], bad, w, 2)) /
					    s->phi;
		if (s->latency)
			shape_test(r, s, c, st, w);
	}
	s->past_n += sn[0];
	s->past_x += sn[1];
	for (int b = 0; s->latency && b < s->bins; b++)
		s->histogram[b] += st[b];
	memset(s->pending, 0, sizeof(s->pending));
	memset(s->waiting, 0, sizeof(s->waiting));
}

static void wait_for(
	struct reference_slo *s, int arm, const double *bin, bool nothing)
{
	if (!bin)
		return;
	s->pending[arm] = true;
	for (int b = 0; !nothing && b < s->bins; b++)
		s->waiting[arm][b] += bin[b];
}

static double mean(const double *v, int n)
{
	return sum_exp(v, n) - log(n);
}

static void numbers(struct reference_slo *s)
{
	bool open = s->far_c[0] > 0 && s->far_c[1] >= s->floor * s->far_c[0];
	double either;

	s->ratio = open ? s->relative.wealth : fmin(s->relative.wealth, 0);
	s->curve = open ? s->shape.wealth : fmin(s->shape.wealth, 0);
	s->abs = s->absolute.wealth;
	if (s->latency) {
		double parts[] = {log(.5) + s->curve, log(.35) + s->ratio,
			log(.15) + s->abs};

		s->log_e = sum_exp(parts, 3);
	} else {
		s->log_e = plus(log(.85) + s->ratio, log(.15) + s->abs);
	}
	s->log_pass = mean(s->pass_level, 5);
	if (!s->none && s->full) {
		either = plus(mean(s->pass_ratio, 3),
				 s->low > 0 ? mean(s->pass_low, 5) : 0) -
			 log(2);
		s->log_pass = fmin(s->log_pass, either);
	}
	s->calm =
		s->near_s[1] < 5 || s->near_s[1] <= normal(s, 0) * s->near_s[0];
}

void reference_decide(struct reference *r)
{
	double e[REFERENCE_SLOS], crossed = log(1 / r->alpha);
	int data = 0;

	r->log_pass = INFINITY;
	r->calm = true;
	for (int i = 0; i < r->n; i++) {
		e[i] = r->slo[i].log_e;
		r->log_pass = fmin(r->log_pass, r->slo[i].log_pass);
		r->calm = r->calm && r->slo[i].calm;
		if (r->slo[i].with_data > data)
			data = r->slo[i].with_data;
	}
	r->log_e = sum_exp(e, r->n) - log(r->n);
	if (r->failed) {
		r->decision = "fail";
	} else if (r->log_e >= crossed && r->slo[0].none && r->step_back &&
		   !r->stepped_back) {
		r->decision = "step-back";
		r->stepped_back = true;
	} else if (r->log_e >= crossed) {
		r->decision = "fail";
		r->failed = true;
	} else if (r->log_pass >= log(1 / r->beta) &&
		   data * r->check_s >= 120 && r->log_e < 1 &&
		   (r->calm || !r->slo[0].final || r->slo[0].none)) {
		r->decision = "pass";
	} else {
		r->decision = "continue";
	}
}

void reference_check(struct reference *r, int slo, const double *candidate,
	const double *stable)
{
	struct reference_slo *s = &r->slo[slo];
	double c[2], st[2];
	bool warming;

	s->checks++;
	warming = s->latency && s->checks * r->check_s <= 60;
	s->with_data += candidate != NULL;
	sums(s, warming ? NULL : candidate, c);
	sums(s, stable, st);
	if (!warming) {
		decay(s->far_c, c, r->check_s, 300);
		decay(s->near_c, c, r->check_s, 120);
		decay(s->far_s, st, r->check_s, 300);
		decay(s->near_s, st, r->check_s, 120);
	}
	if (c[0] > 0)
		level_tests(r, s, c, st);
	wait_for(s, 0, candidate, warming);
	wait_for(s, 1, stable, false);
	if (s->pending[0] && s->pending[1])
		both_arms(r, s, warming);
	numbers(s);
}
