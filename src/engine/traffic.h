/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Traffic rules, pure: who is stable, what to write, what counts as drift.
 *
 * The API replaces the whole list on every write, so that a plan always starts
 * from the list just read: other people's tags and 0 % entries survive, in
 * their order. Percents are whole numbers that sum to 100.
 */
#ifndef TIDEGATE_ENGINE_TRAFFIC_H
#define TIDEGATE_ENGINE_TRAFFIC_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"

#define TRAFFIC_ENTRIES_MAX 4096

enum target_type { TARGET_REVISION, TARGET_LATEST, TARGET_UNKNOWN };

/* One entry of a service's `traffic` or `trafficStatuses`. */
struct target {
	enum target_type type;
	const char *revision; /* short; LATEST: NULL, or who serves it */
	int percent;
	const char *tag; /* NULL: none */
	const char *uri; /* statuses only; NULL: none */
};

struct traffic {
	struct target *item; /* borrowed, or in somebody's arena */
	size_t n;
};

/* Where the users are, seen from a rollout. Sums to 100. */
struct split {
	int candidate, stable, other;
};

bool split_equal(struct split a, struct split b);

/* LATEST counts for `latest`, the service's latest ready revision. */
struct split traffic_split(const struct traffic *traffic, const char *candidate,
	const char *stable, const char *latest);

bool traffic_has_latest(const struct traffic *traffic); /* with a percent */

/* The tag of this name is on this revision. */
bool traffic_has_tag(
	const struct traffic *traffic, const char *tag, const char *revision);

/* It is the one under which a stable without another tag stays referenced. */
bool traffic_is_keep_tag(const char *tag);

/* The tag of this name is on some other revision. */
bool traffic_tag_is_taken(
	const struct traffic *traffic, const char *tag, const char *revision);

/* Where this revision alone answers: by this tag, NULL: by the first of its own
 * that has a uri. NULL: nowhere. */
const char *traffic_uri(
	const struct traffic *traffic, const char *revision, const char *tag);

/*
 * The revision that holds 100 %; refuses anything else with the table in the
 * text. With `adopt`, a split of exactly `candidate` and one other revision is
 * accepted: the other one is stable. Result borrowed from the arguments; it
 * may be the candidate itself, which the caller is to refuse in its words.
 */
MUST_CHECK int traffic_find_stable(const struct traffic *traffic,
	const char *latest, const char *candidate, bool adopt,
	const char **stable_r, struct err *err_r);

/* Every revision has the same percent in both. */
bool traffic_agrees(
	const struct traffic *a, const struct traffic *b, const char *latest);
/* -1: what is asked for does not serve, with both tables in the text. */
MUST_CHECK int traffic_refuse_difference(const struct traffic *asked,
	const struct traffic *serving, struct err *err_r);

enum tag_change { TAG_KEEP, TAG_ADD, TAG_REMOVE };

struct traffic_wish {
	const char *candidate, *stable, *latest;
	int candidate_percent; /* stable gets the rest */
	bool by_latest; /* the candidate's percent goes to LATEST */
	const char *tag; /* ours; NULL: none */
	enum tag_change tag_change; /* add to / remove from the candidate */
	bool reassert; /* take the percents of others away (on_drift) */
	const char *keep_tag; /* stable stays at 0 % under it; NULL: it goes */
};

/* The tag that keeps stable in the list while it serves nobody: what is
 * referenced is not cleaned up. NULL: none fits a host name beside the short
 * name of the service. */
const char *traffic_keep_tag(const char *service);

/*
 * The list to write: `now` with the percents of candidate and stable changed,
 * LATEST pinned by name, everybody else's entries kept. An entry of ours that
 * carries no percent and no tag is dropped. Memory from `arena`. Entries with
 * a percent that belong to neither are refused (that is drift: ERR_CONFLICT)
 * unless the wish is to reassert: then they lose it. Planning a plan again
 * changes nothing.
 */
MUST_CHECK int traffic_plan(const struct traffic *now,
	const struct traffic_wish *wish, struct arena *arena,
	struct traffic *plan_r, struct err *err_r);

/* Same targets, percents and tags, in any order. */
bool traffic_equal(const struct traffic *a, const struct traffic *b);

/* A table for people: "backend-00041-xyz 100 % tag stable". */
struct buf;
void traffic_print(const struct traffic *traffic, struct buf *out);
/* Who has users, in one line: "backend-00041-xyz 90 %, LATEST 10 %". */
void traffic_print_line(const struct traffic *traffic, struct buf *out);

#endif
