/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is wrong with a policy, told like a compiler does: file, line, column,
 * the source line, carets under the place. All of it at once, in the order of
 * the file, at most POLICY_PROBLEMS_MAX.
 */
#ifndef TIDEGATE_POLICY_PROBLEM_H
#define TIDEGATE_POLICY_PROBLEM_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "policy/policy_load.h"

/* A place in the source: bytes `from` up to, not including, `to`. */
struct span {
	size_t from, to;
};

struct problem {
	struct span span;
	const char *text;
};

struct problems {
	struct arena *arena; /* borrowed; takes the texts */
	const char *path, *source; /* borrowed */
	size_t source_len;
	size_t sets_at; /* the texts of --set begin there; 0: there are none */
	struct problem item[POLICY_PROBLEMS_MAX]; /* by place */
	size_t n, dropped;
};

/* Beyond the maximum only the first in the file are kept. */
void problem_add(struct problems *problems, struct span span, const char *fmt,
	...) PRINTFLIKE(3, 4);

/* The place that libraries give as line and column, both from 0. */
struct span problem_span(const struct problems *problems, int line, int column);

/* All of them for a person, each called `kind`; what is secret is masked. */
void problems_print(
	const struct problems *problems, const char *kind, struct buf *out);

/* The first one with its place, and how many more there are; returns -1. */
int problems_summary(const struct problems *problems, struct err *err_r);

#endif
