/* SPDX-License-Identifier: Apache-2.0 */
/* Kinds of noise; see evidence_noise.h. */
#include "evidence_noise.h"

#define ERRORS 0.001 /* share of errors, where nothing else is said */

const struct noise_kind noise_kinds[] = {
	/* Other shares of errors. */
	{"steady", ERRORS, {.cluster = 0}},
	{"no errors at all", 0, {.cluster = 0}},
	{"errors 0.01 %", 0.0001, {.cluster = 0}},
	{"errors 0.5 %", 0.005, {.cluster = 0}},
	{"errors 0.9 %, nearly the objective", 0.009, {.cluster = 0}},
	{"errors 2 %, above the objective", 0.02, {.cluster = 0}},
	{"errors grow tenfold in an hour", ERRORS, {.drift = 10}},
	/* Errors that come together. */
	{"clusters of 5", ERRORS, {.cluster = 5}},
	{"clusters of 20", ERRORS, {.cluster = 20}},
	{"clusters of 100", ERRORS, {.cluster = 100}},
	{"clusters of 3 to 600", ERRORS, {.cluster = 3, .cluster_tail = true}},
	{"an instance fails, 30 % for 30 s", ERRORS,
		{.instances = true, .burst = {2, 30, 0.3, 0}}},
	{"an instance fails, 10 % for 2 min", ERRORS,
		{.instances = true, .burst = {2, 120, 0.1, 0}}},
	{"an instance fails, 2 % for 10 min", ERRORS,
		{.instances = true, .burst = {2, 600, 0.02, 0}}},
	{"all fail, 10 % for 30 s", ERRORS, {.burst = {4, 30, 0.1, 0}}},
	{"all fail, 2 % for 5 min", ERRORS, {.burst = {2, 300, 0.02, 0}}},
	/* Rates that wander. */
	{"errors wander in a minute", ERRORS, {.errors = {0.5, 60}}},
	{"errors wander in 15 min", ERRORS, {.errors = {1, 900}}},
	{"each instance's errors, in a minute", ERRORS,
		{.instances = true, .errors = {0.5, 60}}},
	{"each instance's errors, in 10 min", ERRORS,
		{.instances = true, .errors = {0.5, 600}}},
	{"latency wanders by 10 % in 5 min", ERRORS, {.latency = {0.1, 300}}},
	{"each instance's latency, 3 % in a minute", ERRORS,
		{.instances = true, .latency = {0.03, 60}}},
	/* Instances that differ. */
	{"instances differ in errors", ERRORS,
		{.instances = true, .errors_differ = 0.3}, .lasting = true},
	{"… and are replaced every 5 min", ERRORS,
		{.instances = true, .errors_differ = 0.7, .replaced_s = 300}},
	{"instances differ in latency by 2 %", ERRORS,
		{.instances = true, .latency_differs = 0.02}},
	{"… by 5 %, and are replaced", ERRORS,
		{.instances = true,
			.latency_differs = 0.05,
			.replaced_s = 300}},
	{"an instance stalls for 15 s, 3 x slower", ERRORS,
		{.instances = true, .burst = {6, 15, 0, 3}}},
	/* Traffic. */
	{"bursts of traffic", ERRORS, {.traffic = 0.5}},
	{"traffic goes up and down", ERRORS, {.wave = 0.8, .wave_s = 1200}},
	{"half of the candidate's traffic", ERRORS, {.uneven = 0.5}},
	{"more than the candidate's traffic", ERRORS, {.uneven = 1.5}},
	/* Incidents that both revisions have. */
	{"incident at 10 %", ERRORS,
		{.incident = 0.05, .incident_s = 150, .incident_for_s = 300}},
	{"incident at 50 %", ERRORS,
		{.incident = 0.05, .incident_s = 750, .incident_for_s = 300}},
	{"outage at 10 %, 30 % for a minute", ERRORS,
		{.incident = 0.3, .incident_s = 150, .incident_for_s = 60}},
	{"all is 3 x slower for 5 min at 10 %", ERRORS,
		{.incident_slower = 3,
			.incident_s = 150,
			.incident_for_s = 300}},
	/* Metrics. */
	{"arms read 5 s apart, in an incident", ERRORS,
		{.incident = 0.05,
			.incident_s = 150,
			.incident_for_s = 300,
			.window_s = 5}},
	{"a fifth of the samples is missing", ERRORS, {.missing = 0.2}},
	{"counters start anew", ERRORS, {.reset = 0.1}},
	{"one check of the candidate is nonsense", ERRORS, {.broken_s = 300}},
	{"the candidate's first 30 s are slow", ERRORS,
		{.cold_slower = 3, .cold_s = 30}},
};

const size_t n_noise_kinds = sizeof(noise_kinds) / sizeof(noise_kinds[0]);

struct world noise_world(const struct noise_kind *kind, double rate)
{
	struct world world = world_good;

	world.rate = rate;
	world.base = world.errors = kind->base;
	world.noise = kind->noise;
	return world;
}
