/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who the people are and what they may do, as the file of the configuration
 * says it now. What it said before stays for whoever looks at it still, until
 * the end.
 */
#ifndef TIDEGATE_SERVE_WHO_H
#define TIDEGATE_SERVE_WHO_H

#include <stdbool.h>

struct access;
struct people;
struct serve_config;
struct worker;
struct who;

/* The configuration is borrowed. */
struct who *who_new(const struct serve_config *config);
void who_free(struct who **who); /* no reload is under way; also NULL */

/* From any thread. */
const struct people *who_people(const struct who *who);
const struct access *who_access(const struct who *who);

/* Reads the file again, on a thread that nothing else waits for: it may hang.
 * What is wrong with it leaves all as it was; either way the log says so, and
 * nothing where it is the same. `done` is told once, later, never after the
 * cancel. None may be under way. */
void who_reload(struct who *who, struct worker *worker, void (*done)(void *arg),
	void *arg);
bool who_is_reading(const struct who *who);
void who_reload_cancel(struct who *who); /* also when none is under way */

#endif
