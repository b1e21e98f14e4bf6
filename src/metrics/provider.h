/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is asked for an SLO's values. A provider turns a query (of which SLO, in
 * which role, about whom) into one reading; what readings mean is the engine's
 * business. Which asks for an SLO's provider stands in its row in policy.h.
 */
#ifndef TIDEGATE_METRICS_PROVIDER_H
#define TIDEGATE_METRICS_PROVIDER_H

#include "api/flight.h"
#include "metrics/reading.h"
#include "policy/template.h"

struct api;

/* With err there is no value, and err says why; the reading is NULL then, or says
 * how many series there were. Both borrowed. latency_us counts from the start of
 * the call. Of a joint call: as many readings as queries, in their order, of
 * which the first has the warnings. */
typedef void (*metric_fn)(const struct metric_reading *reading,
	int64_t latency_us, const struct err *err, void *arg);

/* A caller of a flight; a provider's own may begin with this. */
struct provider_call {
	struct flight_caller caller;
	int64_t started_us;
	metric_fn fn;
	void *arg;
};

struct metric_query {
	const struct slo *slo;
	enum query_role role;
	/* {{revision}} is the one being asked about. Borrowed for the start. */
	const struct template_values *values;
	const char *text; /* resolved, for the journal and for people; a joint
			   * call goes by it alone */
	int64_t timeout_ms;
};

struct provider {
	/* One client for all rollouts of a policy in a project, so that the
	 * same question is asked once. What it is given is borrowed until it
	 * is closed. */
	void *(*open)(const struct api *api, const struct policy *policy,
		const char *project, struct err *err_r);
	void (*close)(void *client); /* calls under way are forgotten */
	/* The callback runs exactly once, later, never after provider_cancel.
	 * NULL: it cannot be asked at all, and the callback does not run. */
	struct provider_call *(*start)(void *client,
		const struct metric_query *query, metric_fn fn, void *arg,
		struct err *err_r);
	/* The same for an SLO's queries for counters, at one instant. No such
	 * function, or NULL: they are to be asked one by one. */
	struct provider_call *(*start_joint)(void *client,
		const struct metric_query *queries, size_t n, metric_fn fn,
		void *arg);
};

void provider_cancel(struct provider_call **call); /* NULL inside: nothing */

#define TYPE(constant, name, text, asked) \
	extern const struct provider provider_##asked;
SLO_PROVIDER_TYPES(TYPE)
#undef TYPE

#endif
