/* The table of providers; see provider.h. */
#include "live/provider.h"

const struct provider *provider_find(enum slo_provider provider)
{
	static const struct provider *const rows[SLO_PROVIDERS] = {
		[SLO_PROMETHEUS] = &provider_prometheus,
		[SLO_JSON] = &provider_json,
		[SLO_SENTRY] = &provider_json,
	};

	return rows[provider];
}
