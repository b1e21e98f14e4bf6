/* SPDX-License-Identifier: Apache-2.0 */
/* A clock that sends requests; see load.h. */
#include "sandbox/load.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "io/http.h"
#include "io/loop.h"

#define TICK_MS   10
#define CALLS_MAX 256 /* under way; what is due beyond is left out */

struct load {
	struct loop *loop;
	struct http *http;
	char *url;
	int64_t rate, start_ms, sent; /* sent or left out */
	struct timer *timer;
	struct call {
		struct http_call *http; /* NULL: free */
	} call[CALLS_MAX];
};

/* Whatever the answer is, the front door has counted it. */
static void answered(const struct http_reply *reply, void *arg)
{
	struct call *call = arg;

	call->http = NULL;
}

static void send_one(struct load *load)
{
	const struct http_request request = {.url = load->url};

	for (size_t i = 0; i < CALLS_MAX; i++) {
		struct call *call = &load->call[i];

		if (call->http)
			continue;
		call->http = http_start(load->http, &request, answered, call);
		return;
	}
}

/* After a standstill the arrears are left out: they would be no load but a
 * blow. */
static void tick(void *arg)
{
	struct load *load = arg;
	int64_t due =
		(loop_now(load->loop) - load->start_ms) * load->rate / 1000;

	if (due - load->sent > load->rate)
		load->sent = due - load->rate;
	for (; load->sent < due; load->sent++)
		send_one(load);
	load->timer = timer_start(load->loop, TICK_MS, tick, load);
}

struct load *load_new(
	struct loop *loop, struct http *http, const char *url, int rate)
{
	struct load *load = xcalloc(1, sizeof(*load));

	load->loop = loop;
	load->http = http;
	load->url = xstrdup(url);
	load->rate = rate;
	load->start_ms = loop_now(loop);
	load->timer = timer_start(loop, 0, tick, load);
	return load;
}

void load_free(struct load **load_p)
{
	struct load *load = *load_p;

	if (!load)
		return;
	timer_cancel(&load->timer);
	for (size_t i = 0; i < CALLS_MAX; i++)
		http_cancel(&load->call[i].http);
	free(load->url);
	free(load);
	*load_p = NULL;
}
