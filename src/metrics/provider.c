/* SPDX-License-Identifier: Apache-2.0 */
/* What calls of all providers share; see provider.h. */
#include "metrics/provider.h"

void provider_cancel(struct provider_call **call)
{
	if (*call)
		flight_leave(&(*call)->caller);
	*call = NULL;
}
