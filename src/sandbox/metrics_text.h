/* Text in Prometheus' exposition format, version 0.0.4. Pure. */
#ifndef TIDEGATE_SANDBOX_METRICS_TEXT_H
#define TIDEGATE_SANDBOX_METRICS_TEXT_H

#include "base/buf.h"

/* A label's value, without its quotes. */
void metrics_escape(struct buf *out, const char *value);

#endif
