/* SPDX-License-Identifier: Apache-2.0 */
/* Who is told of rollouts, and of what: the configuration's list `notify`. */
#ifndef TIDEGATE_SERVE_NOTIFY_CONFIG_H
#define TIDEGATE_SERVE_NOTIFY_CONFIG_H

#include <stddef.h>

#define NOTIFY_ROWS_MAX 16

struct issuer_config;

enum notify_event {
	NOTIFY_STARTED, /* preflight has passed */
	NOTIFY_HELD,
	NOTIFY_APPROVAL, /* a gate waits for people */
	NOTIFY_BREACH, /* an SLO is breached for good */
	NOTIFY_ROLLED_BACK,
	NOTIFY_PROMOTED,
	NOTIFY_ROLLBACK_FAILED,
	NOTIFY_STOPPED,
	NOTIFY_EVENTS
};

#define NOTIFY_BIT(event) (1U << (event))

/* A channel of Slack. */
struct notify_row {
	const char *channel; /* "C0…" */
	unsigned on; /* NOTIFY_BITs: when the message is posted */
};

struct notify_config {
	const struct notify_row *rows;
	size_t n;
	/* The app that posts; NULL: there are no rows of Slack. */
	const struct issuer_config *app;
};

#endif
