/* SPDX-License-Identifier: Apache-2.0 */
/* Over-dispersion; see evidence_dispersion.h. */
#include "engine/evidence_dispersion.h"

#include <math.h>
#include <string.h>

#define SEED        5.0 /* events that are taken to vary as they should */
#define CAUTION     1.3 /* what is above 1 is taken that much higher */
#define PHI_MAX     1e5
#define LEVEL_MAX   1e6
#define BUCKET_SEED 0.5

/* A cluster may last for one step, some, or many. */
static const size_t block_steps[] = {1, 4, 20};

#define BLOCKS (sizeof(block_steps) / sizeof(block_steps[0]))

/* What one estimate sums up over the blocks of one length. */
struct spread {
	double seen, expected; /* squared differences */
	size_t n; /* blocks that counted */
};

/* Few blocks vary by themselves: they count for less. */
static double spread_excess(const struct spread *s)
{
	if (!s->n)
		return 1;
	return s->seen / s->expected * (1 - sqrt(0.5 / (double)s->n));
}

static double phi_of(const struct spread *spreads, size_t n, double most)
{
	double best = 1;
	size_t i;

	for (i = 0; i < n; i++)
		best = fmax(best, spread_excess(&spreads[i]));
	return fmin(most, 1 + CAUTION * (best - 1));
}

static struct request_sum half_sum(
	const struct history_row *row, int half, const struct evidence_spec *s)
{
	struct request_sum sum = {0, 0};
	size_t i;

	for (i = 0; i < s->bins; i++) {
		sum.n += row->bin[half][i];
		if (i > (s->latency ? s->bound : 0))
			sum.x += row->bin[half][i];
	}
	return sum;
}

static void block_sum(const struct history_row *rows, size_t n,
	struct history_row *sum_r, size_t bins)
{
	size_t i, b;

	memset(sum_r, 0, sizeof(*sum_r));
	for (i = 0; i < n; i++) {
		for (b = 0; b < bins; b++) {
			sum_r->bin[0][b] += rows[i].bin[0][b];
			sum_r->bin[1][b] += rows[i].bin[1][b];
		}
	}
}

/* One half's part of the bad requests beside its part of all. */
static void spread_halves(struct spread *spread, const struct history_row *row,
	const struct evidence_spec *spec)
{
	struct request_sum a = half_sum(row, 0, spec),
			   b = half_sum(row, 1, spec);
	double bad = a.x + b.x, part;

	if (a.n <= 0 || b.n <= 0)
		return;
	part = a.n / (a.n + b.n);
	spread->seen += (a.x - bad * part) * (a.x - bad * part);
	spread->expected += bad * part * (1 - part);
	spread->n++;
}

/* Bad requests of both beside what the whole history's share makes of them. */
static void spread_level(struct spread *spread, const struct history_row *row,
	const struct evidence_spec *spec, double share)
{
	struct request_sum a = half_sum(row, 0, spec),
			   b = half_sum(row, 1, spec);
	double n = a.n + b.n, off = a.x + b.x - share * n;

	spread->seen += off * off;
	spread->expected += share * n;
	spread->n++;
}

/* A score for each bucket: where it lies in the distribution of all. */
static void bucket_scores(const struct history_row *all,
	const struct evidence_spec *spec, double *scores_r)
{
	double above = 0, here;
	size_t b;

	for (b = spec->bins; b-- > 0;) {
		here = all->bin[0][b] + all->bin[1][b] + BUCKET_SEED;
		scores_r[b] = above + above + here;
		above += here;
	}
	for (b = 0; b < spec->bins; b++)
		scores_r[b] = -log(scores_r[b] / (2 * above));
}

static void spread_shape(struct spread *spread, const struct history_row *row,
	const struct evidence_spec *spec, const double *scores)
{
	struct request_sum a = half_sum(row, 0, spec),
			   b = half_sum(row, 1, spec);
	double n = a.n + b.n, part = a.n / n, half = 0, both = 0, var = 0;
	double count;
	size_t i;

	if (a.n <= 0 || b.n <= 0)
		return;
	for (i = 0; i < spec->bins; i++) {
		half += scores[i] * row->bin[0][i];
		both += scores[i] * (row->bin[0][i] + row->bin[1][i]);
	}
	for (i = 0; i < spec->bins; i++) {
		count = row->bin[0][i] + row->bin[1][i];
		var += count * (scores[i] - both / n) * (scores[i] - both / n);
	}
	spread->seen += (half - part * both) * (half - part * both);
	spread->expected += part * (1 - part) * var;
	spread->n++;
}

static double level_phi(const struct history_row *rows, size_t n,
	const struct evidence_spec *spec, double share)
{
	struct spread level[BLOCKS];
	struct history_row block;
	size_t i, k;

	for (k = 0; k < BLOCKS; k++) {
		level[k] = (struct spread){SEED, SEED, 0};
		for (i = 0; i + block_steps[k] <= n; i += block_steps[k]) {
			block_sum(rows + i, block_steps[k], &block, spec->bins);
			spread_level(&level[k], &block, spec, share);
		}
	}
	return phi_of(level, BLOCKS, LEVEL_MAX);
}

void dispersion_estimate(const struct history_row *rows, size_t n,
	const struct evidence_spec *spec, struct dispersion *dispersion_r)
{
	struct spread ratio[BLOCKS], shape[BLOCKS];
	double scores[EVIDENCE_BINS_MAX];
	struct history_row all, block;
	struct request_sum a, b;
	size_t i, k;

	*dispersion_r = (struct dispersion){
		DISPERSION_UNKNOWN, DISPERSION_UNKNOWN, DISPERSION_UNKNOWN};
	block_sum(rows, n, &all, spec->bins);
	a = half_sum(&all, 0, spec);
	b = half_sum(&all, 1, spec);
	if (a.n + b.n <= 0)
		return;
	bucket_scores(&all, spec, scores);
	for (k = 0; k < BLOCKS; k++) {
		ratio[k] = (struct spread){SEED / 4, SEED / 4, 0};
		shape[k] = (struct spread){SEED, SEED, 0};
		for (i = 0; i + block_steps[k] <= n; i += block_steps[k]) {
			block_sum(rows + i, block_steps[k], &block, spec->bins);
			spread_halves(&ratio[k], &block, spec);
			if (spec->latency)
				spread_shape(&shape[k], &block, spec, scores);
		}
	}
	dispersion_r->phi = phi_of(ratio, BLOCKS, PHI_MAX);
	dispersion_r->phi_shape =
		spec->latency ? phi_of(shape, BLOCKS, PHI_MAX) : 1;
	dispersion_r->phi_level =
		level_phi(rows, n, spec, (a.x + b.x) / (a.n + b.n));
}

/* One block beside the next: their difference is as if between halves. */
static void spread_steps(struct spread *spread, const struct history_row *rows,
	size_t steps, const struct evidence_spec *spec, double share)
{
	struct history_row first, second;
	struct request_sum a, b;
	double off;

	block_sum(rows, steps, &first, spec->bins);
	block_sum(rows + steps, steps, &second, spec->bins);
	a = half_sum(&first, 0, spec);
	b = half_sum(&second, 0, spec);
	off = b.x - a.x - share * (b.n - a.n);
	spread->seen += off * off;
	spread->expected += share * (a.n + b.n);
	spread->n++;
}

void dispersion_estimate_whole(const struct history_row *rows, size_t n,
	const struct evidence_spec *spec, struct dispersion *dispersion_r)
{
	struct spread spread[BLOCKS];
	struct history_row all;
	struct request_sum sum;
	size_t i, k, steps;

	*dispersion_r = (struct dispersion){
		DISPERSION_UNKNOWN, DISPERSION_UNKNOWN, DISPERSION_UNKNOWN};
	block_sum(rows, n, &all, spec->bins);
	sum = half_sum(&all, 0, spec);
	if (sum.n <= 0)
		return;
	for (k = 0; k < BLOCKS; k++) {
		steps = block_steps[k];
		spread[k] = (struct spread){SEED, SEED, 0};
		for (i = 0; i + 2 * steps <= n; i += steps)
			spread_steps(&spread[k], rows + i, steps, spec,
				sum.x / sum.n);
	}
	dispersion_r->phi = phi_of(spread, BLOCKS, PHI_MAX);
	dispersion_r->phi_shape = spec->latency ? dispersion_r->phi : 1;
	dispersion_r->phi_level = level_phi(rows, n, spec, sum.x / sum.n);
}

void dispersion_apply(
	const struct dispersion *dispersion, struct evidence_spec *spec)
{
	spec->phi = fmax(1, dispersion->phi);
	spec->phi_level = fmax(spec->phi, dispersion->phi_level);
	spec->phi_shape = fmax(1, dispersion->phi_shape);
}
