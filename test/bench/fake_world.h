/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cloud Run and Prometheus for thousands of services, in a process of its own:
 * quick, forgiving, and with one fault, a release that is bad from the moment on
 * that `breach` is set. Service I is projects/p/locations/r/services/sIIIII, its
 * revisions sIIIII-a, which serves, and sIIIII-b.
 */
#ifndef TIDEGATE_BENCH_FAKE_WORLD_H
#define TIDEGATE_BENCH_FAKE_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#define FAKES_MAX 20000

/* One service, as the server sees it; shared by both processes. Times are those
 * of clock_boot_us, 0: not yet. */
struct fake {
	int percent; /* of the candidate */
	int generation; /* 1 before it is asked for */
	volatile int breach; /* answer the next query with a bad value */
	volatile int64_t answered_us, patched_us;
	int64_t worse_us; /* evidence: since when the counters are bad */
};

extern struct fake *fakes; /* FAKES_MAX */
extern volatile long *n_queries; /* answered; shared, too */

/* It ends with this process, also when that is killed. `counters`: queries ask
 * for counters, as SLOs of the kind evidence do. Ends the process when it cannot
 * begin. */
void fake_world_start(bool counters, int *port_r);

#endif
