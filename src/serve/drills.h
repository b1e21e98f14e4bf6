/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When a rollback of each service was last drilled: kept in the state file, told
 * to the page of metrics. Hears of drills by other processes, too.
 */
#ifndef TIDEGATE_SERVE_DRILLS_H
#define TIDEGATE_SERVE_DRILLS_H

struct desk;
struct drills;
struct loop;
struct metrics_page;

/* Looks at once, and then again and again. All borrowed. */
struct drills *drills_new(
	struct loop *loop, struct desk *desk, struct metrics_page *page);
/* Before the desk is freed, whose last answers are still heard. */
void drills_stop(struct drills *drills);
void drills_free(struct drills **drills); /* NULL inside is accepted */

/* One found everything ready, now. */
void drills_note(struct drills *drills, const char *service, const char *who);

#endif
