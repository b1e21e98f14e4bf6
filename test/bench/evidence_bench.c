/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What evidence decides in seeded worlds, beside the thresholds of a policy:
 *   evidence_bench [-g GOOD] [-b BAD] [-k NULL] [-p PACE] [-t PLAN] [-r RATE]
 *                  [-n NOISE] [-s SEED] POLICY
 * prints, for 5 to 5,000 requests per second,
 *   false rollbacks of GOOD good releases and the time until BAD bad ones are
 *     found, with steps of ten minutes; beside them what is stated of the
 *     method, with a star where it took longer, a plus where it took less, by more
 *     than another sample may;
 *   false rollbacks of NULL good releases in each kind of noise;
 *   PACE releases whose steps end when the evidence is there: the time until
 *     all traffic is theirs, and what an incident at 100 % does to them;
 *   what a plan says that it takes, beside PLAN releases each in 24 cells.
 * A count of 0 leaves its part out. -r takes one of the rates only, -n the
 * kinds of noise whose name contains the text. POLICY has
 * an SLO of errors and one of latency, in this order.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../sim/evidence_cells.h"
#include "../sim/evidence_noise.h"
#include "../sim/evidence_play.h"
#include "policy/policy_load.h"

#define SAMPLES_MAX 100000
#define FALSE_MOST  0.008 /* of another sample */

static const double rates[RATES] = {5, 50, 500, 5000};

static struct {
	int good, bad, null, pace, plan;
	double rate; /* 0: all */
	const char *noise; /* in the name of its kinds */
	uint64_t seed;
	struct policy *thresholds;
} options = {.good = 100,
	.bad = 60,
	.null = 50,
	.pace = 50,
	.plan = 50,
	.noise = "",
	.seed = 1};

static double samples[SAMPLES_MAX];

static bool leaves_out(int r)
{
	return options.rate > 0 && options.rate != rates[r];
}

static uint64_t seed_of(int r, int i)
{
	return options.seed * UINT64_C(1000000007) +
	       (uint64_t)r * UINT64_C(10000019) + (uint64_t)i;
}

static int later(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

static void heading(const char *text)
{
	int r;

	printf("\n%-40s %-10s", text, "");
	for (r = 0; r < RATES; r++) {
		if (!leaves_out(r))
			printf(" %14.0f/s   ", rates[r]);
	}
	putchar('\n');
}

static void begin_row(const char *name, const char *by)
{
	printf("%-40s %-10s", name, by);
	fflush(stdout);
}

/* ---- false rollbacks ---- */

/* The share of good releases that is taken back. */
static double taken_back(
	const struct world *world, const struct play_rules *rules, int r, int n)
{
	struct play_end end;
	int i, reverted = 0;

	for (i = 0; i < n; i++) {
		play(world, rules, seed_of(r, i), &end);
		reverted += end.reverted;
	}
	return (double)reverted / n;
}

/* Into `shares_r`, by rate; those left out stay as they are. */
static void false_row(const char *name, const char *by, struct world world,
	const struct play_rules *rules, int n, double shares_r[RATES])
{
	int r;

	begin_row(name, by);
	for (r = 0; r < RATES; r++) {
		if (leaves_out(r))
			continue;
		world.rate = rates[r];
		shares_r[r] = taken_back(&world, rules, r, n);
		printf(" %14.2f %%%s  ", 100 * shares_r[r],
			!rules->thresholds && shares_r[r] > FALSE_MOST ? "*"
								       : " ");
		fflush(stdout);
	}
	putchar('\n');
}

static void false_rollbacks(void)
{
	const struct play_rules evidence = {.pace = PACE_FIXED},
				thresholds = {.thresholds = options.thresholds};
	struct world world;
	double shares[RATES];
	size_t i;

	if (!options.good)
		return;
	heading("good releases taken back");
	for (i = 0; i < n_good_cells; i++) {
		world = world_good;
		world.base = world.errors = good_cells[i].base;
		world.noise = (struct noise){.cluster = good_cells[i].cluster};
		if (good_cells[i].incident_s > 0) {
			world.noise.incident = 0.05;
			world.noise.incident_s = good_cells[i].incident_s;
			world.noise.incident_for_s = 300;
		}
		false_row(good_cells[i].name, "evidence", world, &evidence,
			options.good, shares);
		false_row("", "thresholds", world, &thresholds, options.good,
			shares);
	}
}

/* ---- how long it takes ---- */

static void find(const struct world *world, const struct play_rules *rules,
	int r, int n, struct found *found_r)
{
	struct play_end end;
	int i, n_found = 0;

	for (i = 0; i < n; i++) {
		play(world, rules, seed_of(r + RATES, i), &end);
		samples[i] = NEVER;
		if (end.crossed_s > 0) {
			samples[i] = end.crossed_s;
			n_found++;
		}
	}
	qsort(samples, (size_t)n, sizeof(samples[0]), later);
	found_r->median = (samples[(n - 1) / 2] + samples[n / 2]) / 2;
	found_r->most = samples[(int)ceil(0.9 * n) - 1];
	found_r->missed = (double)(n - n_found) / n;
}

static bool later_than(double is, double stated, double by_s, double part)
{
	double least = is < stated ? is : stated;

	return is > stated && is - stated > fmax(by_s, part * least) + 1e-9;
}

static void print_found(const struct found *found, const struct found *stated)
{
	char mark = ' ';

	if (stated && (later_than(found->median, stated->median, 15, 0.1) ||
			      later_than(found->most, stated->most, 30, 0.2)))
		mark = '*';
	else if (stated &&
		 (later_than(stated->median, found->median, 15, 0.1) ||
			 later_than(stated->most, found->most, 30, 0.2)))
		mark = '+';

	if (found->median < NEVER)
		printf(" %4.0f /", found->median);
	else
		printf("    - /");
	if (found->most < NEVER)
		printf(" %4.0f", found->most);
	else
		printf("    -");
	printf(" [%3.0f%%]%c", 100 * found->missed, mark);
	fflush(stdout);
}

static void found_row(const char *name, struct world world,
	const struct play_rules *rules, const struct found *stated)
{
	struct found found;
	int r;

	begin_row(name, rules->thresholds ? "thresholds" : "evidence");
	for (r = 0; r < RATES; r++) {
		if (leaves_out(r))
			continue;
		world.rate = rates[r];
		find(&world, rules, r, options.bad, &found);
		print_found(&found, stated ? &stated[r] : NULL);
	}
	putchar('\n');
}

static void stated_row(const struct bad_cell *cell)
{
	int r;

	begin_row("", "stated");
	for (r = 0; r < RATES; r++) {
		if (!leaves_out(r))
			print_found(&cell->stated[r], NULL);
	}
	putchar('\n');
}

static void times_until_found(void)
{
	const struct play_rules evidence = {.pace = PACE_FIXED},
				thresholds = {.thresholds = options.thresholds};
	const struct bad_cell *cell;
	struct world world;
	size_t i;

	if (!options.bad)
		return;
	heading("bad ones found: s median / 90 % [missed]");
	for (i = 0; i < n_bad_cells; i++) {
		cell = &bad_cells[i];
		world = world_good;
		world.errors = cell->errors;
		world.from_s = cell->from_s;
		world.ramp_s = cell->ramp_s;
		world.slower = cell->slower;
		world.slow_part = cell->slow_part;
		found_row(cell->name, world, &evidence, cell->stated);
		stated_row(cell);
		found_row("", world, &thresholds, NULL);
	}
}

/* ---- noise ---- */

/* What rows of the noise come to. */
struct noise_sum {
	double sum, most;
	int cells;
};

static void add_noise(struct noise_sum *sum, const double shares[RATES])
{
	int r;

	for (r = 0; r < RATES; r++) {
		if (leaves_out(r))
			continue;
		sum->sum += shares[r];
		sum->most = fmax(sum->most, shares[r]);
		sum->cells++;
	}
}

static bool asked_for(size_t kind)
{
	return strstr(noise_kinds[kind].name, options.noise) != NULL;
}

static void noise(void)
{
	const struct play_rules evidence = {.pace = PACE_FIXED},
				thresholds = {.thresholds = options.thresholds};
	struct noise_sum by_evidence = {0}, by_thresholds = {0};
	double shares[RATES];
	size_t i, n = 0;

	if (!options.null)
		return;
	heading("good releases taken back, by noise");
	for (i = 0; i < n_noise_kinds; i++) {
		if (noise_kinds[i].lasting || !asked_for(i))
			continue;
		n++;
		false_row(noise_kinds[i].name, "evidence",
			noise_world(&noise_kinds[i], 0), &evidence,
			options.null, shares);
		add_noise(&by_evidence, shares);
		false_row("", "thresholds", noise_world(&noise_kinds[i], 0),
			&thresholds, options.null, shares);
		add_noise(&by_thresholds, shares);
	}
	if (!n)
		return;
	printf("%zu kinds of noise, %d releases a cell: evidence %.2f %% on "
	       "average, %.2f %% at worst; thresholds %.2f %%, %.2f %%\n",
		n, options.null, 100 * by_evidence.sum / by_evidence.cells,
		100 * by_evidence.most,
		100 * by_thresholds.sum / by_thresholds.cells,
		100 * by_thresholds.most);
}

/* What is not told apart from a worse revision. */
static void unseen(void)
{
	const struct play_rules evidence = {.pace = PACE_FIXED};
	struct world world = world_good;
	double shares[RATES];
	size_t i;

	if (!options.null)
		return;
	heading("not told from a worse revision");
	for (i = 0; i < n_noise_kinds; i++) {
		if (noise_kinds[i].lasting && asked_for(i))
			false_row(noise_kinds[i].name, "evidence",
				noise_world(&noise_kinds[i], 0), &evidence,
				options.null, shares);
	}
	if (*options.noise)
		return;
	world.slower = 1.08;
	false_row("the candidate's instances 8 % slower", "evidence", world,
		&evidence, options.null, shares);
}

/* ---- steps that end early ---- */

/* The median of the time until all traffic is the candidate's. */
static double time_to_full(
	const struct world *world, const struct play_rules *rules, int r, int n)
{
	struct play_end end;
	int i;

	for (i = 0; i < n; i++) {
		play(world, rules, seed_of(r + 2 * RATES, i), &end);
		samples[i] = isnan(end.full_s) ? NEVER : end.full_s;
	}
	qsort(samples, (size_t)n, sizeof(samples[0]), later);
	return (samples[(n - 1) / 2] + samples[n / 2]) / 2;
}

static void early_row(
	const char *name, const struct play_rules *rules, const double *stated)
{
	struct world world = world_good;
	double s;
	int r;

	begin_row("time to 100 %, s, median", name);
	for (r = 0; r < RATES; r++) {
		if (leaves_out(r))
			continue;
		world.rate = rates[r];
		s = time_to_full(&world, rules, r, options.pace);
		printf(" %14.0f%s    ", s,
			stated && later_than(s, stated[r], 15, 0.1) ? "*"
								    : " ");
		fflush(stdout);
	}
	putchar('\n');
}

/* Errors of the candidate until it is taken back, on average. */
static void hurt_row(const char *name, const struct play_rules *rules)
{
	struct world world = world_good;
	struct play_end end;
	double sum;
	int r, i;

	world.errors = 0.01;
	begin_row("0.1 -> 1 %: requests hurt until found", name);
	for (r = 0; r < RATES; r++) {
		if (leaves_out(r))
			continue;
		world.rate = rates[r];
		for (i = 0, sum = 0; i < options.pace; i++) {
			play(&world, rules, seed_of(r + 3 * RATES, i), &end);
			sum += end.hurt;
		}
		printf(" %14.1f     ", sum / options.pace);
		fflush(stdout);
	}
	putchar('\n');
}

/* Good releases lost to an incident of both revisions at 100 %. */
static void incident_row(
	const char *name, const struct play_rules *rules, int *all, int *lost)
{
	static const struct noise incidents[] = {
		{.incident = 0.05, .incident_s = 1350, .incident_for_s = 300},
		{.incident = 0.3, .incident_s = 1350, .incident_for_s = 300},
		{.incident_slower = 2,
			.incident_s = 1350,
			.incident_for_s = 300},
	};
	struct world world = world_good;
	struct play_end end;
	size_t k;
	int r, i, n;

	*all = *lost = 0;
	begin_row("lost to an incident at 100 %", name);
	for (r = 0; r < RATES; r++) {
		if (leaves_out(r))
			continue;
		n = *lost;
		for (k = 0; k < 3; k++) {
			world.rate = rates[r];
			world.noise = incidents[k];
			for (i = 0; i < options.pace; i++) {
				play(&world, rules, seed_of(r, i), &end);
				*lost += end.reverted;
			}
		}
		*all += 3 * options.pace;
		printf(" %7d of %5d    ", *lost - n, 3 * options.pace);
		fflush(stdout);
	}
	putchar('\n');
}

static void pace(void)
{
	static const double stated[RATES] = {405, 480, 510, 240};
	const struct play_rules early = {.pace = PACE_EVIDENCE},
				fixed = {.pace = PACE_FIXED},
				revert = {.pace = PACE_FIXED,
					.without_control = WITHOUT_REVERT},
				thresholds = {.thresholds = options.thresholds};
	int all, lost, lost_without;

	if (!options.pace)
		return;
	heading("steps that end when the evidence is there");
	early_row("evidence", &early, stated);
	early_row("fixed", &fixed, NULL);
	early_row("thresholds", &thresholds, NULL);
	hurt_row("evidence", &early);
	hurt_row("fixed", &fixed);
	hurt_row("thresholds", &thresholds);
	incident_row("step back", &fixed, &all, &lost);
	incident_row("revert", &revert, &all, &lost_without);
	printf("%d of %d good releases lost with a step back, %d without\n",
		lost, all, lost_without);
}

/* ---- the plan ---- */

static double middle(double *values, int n)
{
	qsort(values, (size_t)n, sizeof(values[0]), later);
	return (values[(n - 1) / 2] + values[n / 2]) / 2;
}

/* What was said beside what it took, in a step that does not end. */
static void plan_cell(int step, int r, double ratio)
{
	static double said[SAMPLES_MAX];
	struct world world = world_good;
	struct play_found found;
	int i, in_time = 0, n = options.plan;
	double times;

	world.rate = rates[r];
	world.errors = ratio * world.base;
	for (i = 0; i < n; i++) {
		play_step(&world, seed_of(r + 4 * RATES, i), step, &found);
		samples[i] = found.found_s;
		said[i] = found.said.median_s;
		in_time += found.found_s <= found.said.most_s;
	}
	times = middle(said, n) / middle(samples, n);
	printf(" %5.0f for %5.0f, %3.0f %%%s", middle(said, n),
		middle(samples, n), 100.0 * in_time / n,
		step < PLAY_STEPS - 1 && (times < 0.9 || times > 1.5 ||
						 in_time < 0.82 * n)
			? "*"
		: in_time < 0.71 * n ? "*"
				     : " ");
	fflush(stdout);
}

static void plans(void)
{
	static const char *const shares[PLAY_STEPS] = {"10", "50", "100"};
	static const double ratios[] = {5, 10};
	char name[64];
	size_t k;
	int step, r;

	if (!options.plan)
		return;
	heading("plan: s median said for seen, in time");
	for (step = 0; step < PLAY_STEPS; step++) {
		for (k = 0; k < 2; k++) {
			snprintf(name, sizeof(name), "errors x%.0f at %s %%",
				ratios[k], shares[step]);
			begin_row(name, "");
			for (r = 0; r < RATES; r++) {
				if (!leaves_out(r))
					plan_cell(step, r, ratios[k]);
			}
			putchar('\n');
		}
	}
}

/* ---- */

static const char *any_url(const char *name, void *arg)
{
	(void)name;
	(void)arg;
	return "http://127.0.0.1:9090";
}

static struct policy *read_policy(const char *path)
{
	struct policy_env env = policy_env_real;
	struct buf problems = {0};
	struct policy *policy;
	struct err err;

	env.variable = any_url; /* it is not asked */
	env.placeholders = true;
	policy = policy_load(path, &env, &problems, &err);
	if (!policy || policy->n_slos < WORLD_SLOS) {
		fprintf(stderr, "evidence_bench: %s: %s\n", path,
			policy ? "needs SLOs of errors and of latency"
			       : err.text);
		exit(2);
	}
	buf_fini(&problems);
	return policy;
}

static int count_of(const char *text)
{
	int n = atoi(text);

	return n < 0 ? 0 : n > SAMPLES_MAX ? SAMPLES_MAX : n;
}

int main(int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "g:b:k:n:p:t:r:s:")) != -1) {
		if (option == 'g')
			options.good = count_of(optarg);
		else if (option == 'b')
			options.bad = count_of(optarg);
		else if (option == 'k')
			options.null = count_of(optarg);
		else if (option == 'n')
			options.noise = optarg;
		else if (option == 'p')
			options.pace = count_of(optarg);
		else if (option == 't')
			options.plan = count_of(optarg);
		else if (option == 'r')
			options.rate = atof(optarg);
		else if (option == 's')
			options.seed = strtoull(optarg, NULL, 10);
		else
			return 2;
	}
	if (optind + 1 != argc) {
		fprintf(stderr, "usage: evidence_bench [-g GOOD] [-b BAD] "
				"[-k NULL] [-p PACE] [-t PLAN] [-r RATE] "
				"[-n NOISE] [-s SEED] POLICY\n");
		return 2;
	}
	options.thresholds = read_policy(argv[optind]);
	false_rollbacks();
	times_until_found();
	noise();
	unseen();
	pace();
	plans();
	policy_free(&options.thresholds);
	return 0;
}
