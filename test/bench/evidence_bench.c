/*
 * What evidence decides in seeded worlds, with fixed steps of ten minutes:
 *   evidence_bench [GOOD [BAD]]
 * Prints false rollbacks of GOOD good releases and the time until BAD bad ones
 * are found, at 5, 50, 500 and 5,000 requests per second.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "../sim/evidence_world.h"

#define RATES   4
#define BAD_MAX 2000

static const double rates[RATES] = {5, 50, 500, 5000};

static int later(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

static void good(const char *name, struct world world, int n)
{
	struct world_end end;
	int r, i, failed;

	printf("false rollbacks, %-22s", name);
	for (r = 0; r < RATES; r++) {
		world.rate = rates[r];
		for (i = failed = 0; i < n; i++) {
			world_play(&world, (uint64_t)(r * n + i), &end);
			failed += end.failed;
		}
		printf("  %5.2f %%        ", 100.0 * failed / n);
		fflush(stdout);
	}
	putchar('\n');
}

static void part(const double *found, int n, int all, double share)
{
	int at = (int)ceil(share * all) - 1;

	if (at < n)
		printf("%5.0f", found[at]);
	else
		printf("    -");
}

static void bad(const char *name, struct world world, int n)
{
	static double found[BAD_MAX];
	struct world_end end;
	int r, i, n_found;

	printf("found after s,   %-22s", name);
	for (r = 0; r < RATES; r++) {
		world.rate = rates[r];
		for (i = n_found = 0; i < n; i++) {
			world_play(
				&world, (uint64_t)(1000000 + r * n + i), &end);
			if (end.crossed && end.crossed_s > 0)
				found[n_found++] = end.crossed_s;
		}
		qsort(found, (size_t)n_found, sizeof(found[0]), later);
		part(found, n_found, n, 0.5);
		printf(" /");
		part(found, n_found, n, 0.9);
		printf(" [%2.0f%%]", 100.0 * (n - n_found) / n);
		fflush(stdout);
	}
	putchar('\n');
}

int main(int argc, char **argv)
{
	int n_good = argc > 1 ? atoi(argv[1]) : 500;
	int n_bad = argc > 2 ? atoi(argv[2]) : 150;
	struct world w = world_good;

	if (n_bad > BAD_MAX)
		n_bad = BAD_MAX;
	printf("%-39s  5/s              50/s             500/s            "
	       "5000/s\n",
		"");
	good("steady", w, n_good);
	w.cluster = 5;
	good("clusters of 5", w, n_good);
	w = world_good;
	w.base = w.errors = 0.005;
	good("base 0.5 %", w, n_good);
	w = world_good;
	w.incident = 0.05;
	w.incident_s = 150;
	good("incident at 10 %", w, n_good);
	w.incident_s = WORLD_STEP_S + 150;
	good("incident at 50 %", w, n_good);
	w = world_good;
	w.errors = 0.005;
	bad("0.1 -> 0.5 %", w, n_bad);
	w.errors = 0.01;
	bad("0.1 -> 1 %", w, n_bad);
	w.errors = 0.05;
	bad("0.1 -> 5 %", w, n_bad);
	w.errors = 0.3;
	bad("outage 30 %", w, n_bad);
	w.errors = 0.02;
	w.ramp_s = 1200;
	bad("leak to 2 % in 20 min", w, n_bad);
	w.ramp_s = 0;
	w.from_s = 900;
	bad("2 % from 900 s", w, n_bad);
	w = world_good;
	w.slower = 1.5;
	bad("latency x1.5", w, n_bad);
	w.slower = 2;
	bad("latency x2", w, n_bad);
	w.slower = 4;
	w.slow_part = 0.05;
	bad("5 % of requests x4", w, n_bad);
	return 0;
}
