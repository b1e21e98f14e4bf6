/*
 * Who is asked for an SLO's values. A provider turns a query (of which SLO,
 * in which role, about whom, as of when) into one sample; what samples mean is
 * the engine's business. One row per enum slo_provider.
 */
#ifndef TIDEGATE_LIVE_PROVIDER_H
#define TIDEGATE_LIVE_PROVIDER_H

#include <stdint.h>

#include "live/measurement.h"
#include "metrics/answer_codec.h"
#include "policy/template.h"

struct metrics_pool;
struct provider_call; /* each provider's own */
struct release;

#define QUERY_BYTES_MAX (64 * 1024) /* of a resolved query */

struct metric_query {
	const struct release *release; /* whose client is to ask */
	const struct slo *slo;
	enum query_role role;
	/* {{revision}} is the one being asked about. Borrowed for the start. */
	const struct template_values *values;
	const char *text; /* as `text` of the provider made it */
	int64_t timeout_ms;
};

/* sample NULL: err says why. Both borrowed. */
typedef void (*provider_fn)(const struct sample *sample, int64_t latency_us,
	const struct err *err, void *arg);

struct provider {
	/* What will be asked, for the journal and for people; NULL: the SLO
	 * does not ask this. Holds no secrets. The caller's to free. */
	char *(*text)(const struct metric_query *query);
	/* The callback runs exactly once, later, never after the cancel. NULL:
	 * it cannot be asked at all, and the callback does not run. */
	struct provider_call *(*start)(struct metrics_pool *pool,
		const struct metric_query *query, provider_fn fn, void *arg,
		struct err *err_r);
	void (*cancel)(struct provider_call **call); /* NULL inside: nothing */
};

const struct provider *provider_find(enum slo_provider provider);

extern const struct provider provider_prometheus, provider_json;

#endif
