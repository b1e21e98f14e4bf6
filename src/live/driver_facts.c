/* SPDX-License-Identifier: Apache-2.0 */
/* What others may know of a rollout that is driven; see driver.h. */
#include "io/loop.h"
#include "live/action_io.h"
#include "live/driver_parts.h"

int64_t driver_now(const struct driver *driver)
{
	return loop_now(driver->world->loop) + driver->ahead_ms;
}

const char *driver_id(const struct driver *driver)
{
	return driver->release->id;
}

const char *driver_service(const struct driver *driver)
{
	return driver->release->service.full;
}

int64_t driver_seq(const struct driver *driver)
{
	return driver->seq;
}

const struct rollout *driver_state(const struct driver *driver)
{
	return driver->state;
}

bool driver_is_late(const struct driver *driver)
{
	return driver->late;
}

bool driver_is_unjournaled(const struct driver *driver)
{
	return driver->unjournaled;
}

const struct policy *driver_policy(const struct driver *driver)
{
	return driver->release->policy;
}

int64_t driver_committed_ms(const struct driver *driver)
{
	return driver->release->wish.committed_ms;
}

const struct load_live *driver_load(const struct driver *driver)
{
	return driver->action ? action_io_load(driver->action) : NULL;
}

const char *driver_candidate(const struct driver *driver)
{
	return driver->release->candidate;
}

const char *driver_stable(const struct driver *driver)
{
	return driver->release->stable;
}

bool driver_is_reverting(const struct driver *driver)
{
	return driver->state->phase == PHASE_REVERTING ||
	       driver->state->phase == PHASE_ROLLING_BACK;
}
