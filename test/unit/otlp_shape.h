/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a text is an ExportTraceServiceRequest as OTLP/HTTP has it in JSON:
 * opentelemetry-proto's trace.proto, common.proto and resource.proto by the
 * JSON mapping of protobuf, with the exceptions that the specification of OTLP
 * makes (ids are hexadecimal, enums are numbers). Stricter than a receiver:
 * members that it would pass over are wrong here.
 */
#ifndef TIDEGATE_TEST_OTLP_SHAPE_H
#define TIDEGATE_TEST_OTLP_SHAPE_H

#include <stddef.h>

/* NULL: it is; else what is wrong, in a text of its own. */
const char *otlp_shape_problem(const char *text, size_t len);

#endif
