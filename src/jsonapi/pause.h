/*
 * Who must not be asked before when: by origin, or by path where limits are
 * each path's own, and by who asks. Private to jsonapi.
 */
#ifndef TIDEGATE_JSONAPI_PAUSE_H
#define TIDEGATE_JSONAPI_PAUSE_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/policy.h"

#define PAUSES_MAX      64
#define PAUSE_MS_MIN    1000 /* where a 429 says nothing; doubles … */
#define PAUSE_MS_UNSAID 30000 /* … up to here */

struct http_reply;
struct pauses;

struct pauses *pauses_new(void);
void pauses_free(struct pauses **pauses);

/* Milliseconds until it may be asked; 0: now. */
int64_t pauses_left_ms(const struct pauses *pauses,
	const struct json_source *source, const char *url, int64_t now_ms);
/* Takes what an answer says; the same. The source is borrowed for the life of
 * `pauses`. */
int64_t pauses_take(struct pauses *pauses, const struct json_source *source,
	const char *url, const struct http_reply *reply, int64_t now_ms);

/* Whether two sources ask in the same way, as the same person. */
bool source_is_alike(const struct json_source *a, const struct json_source *b);

#endif
