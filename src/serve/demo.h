/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `serve --demo`: what a daemon needs to show itself on a machine that has
 * nothing: a sandbox with load beside it, a policy that reads the sandbox's own
 * figures, a state file, and releases that begin by themselves (demo_releases.c).
 * All of it is in a folder for a while, and gone at the end.
 */
#ifndef TIDEGATE_SERVE_DEMO_H
#define TIDEGATE_SERVE_DEMO_H

#include "base/err.h"

struct daemon;
struct demo;
struct serve_config;

/* Runs the sandbox that is this program, points our environment at it, and puts
 * state and policies into the configuration, which is borrowed; `owner` may
 * approve. SIGINT, SIGTERM and SIGHUP wait from here until demo_begin, so that
 * none of them leaves anything behind. */
MUST_CHECK struct demo *demo_open(const char *sandbox, const char *owner,
	struct serve_config *config, struct err *err_r);
/* When the daemon is gone. NULL inside is accepted. */
void demo_close(struct demo **demo);

/* The daemon works, and signals are its: releases begin. */
void demo_begin(struct demo *demo, struct daemon *daemon);
/* Before the daemon is closed. */
void demo_end(struct demo *demo);

/* Where the sandbox has its controls. */
const char *demo_control(const struct demo *demo);

#endif
