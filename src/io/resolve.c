/* SPDX-License-Identifier: Apache-2.0 */
/* Host names to addresses; see resolve.h. The one user of libevent's DNS. */
#include "io/resolve.h"

#include <arpa/inet.h>
#include <event2/dns.h>
#include <event2/util.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "io/loop.h"

struct resolve {
	struct evdns_base *dns;
	struct evdns_getaddrinfo_request *request;
	struct timer *timer; /* tells, in a turn of its own */
	resolve_fn fn;
	void *arg;
	char address[INET6_ADDRSTRLEN]; /* "": err */
	struct err err;
};

static void resolve_tell(void *arg)
{
	struct resolve *r = arg;
	resolve_fn fn = r->fn;

	r->timer = NULL;
	fn(*r->address ? r->address : NULL, *r->address ? NULL : &r->err,
		r->arg);
	resolve_cancel(&r);
}

static bool is_numeric(const char *host)
{
	unsigned char bytes[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, host, bytes) == 1 ||
	       inet_pton(AF_INET6, host, bytes) == 1;
}

static void take(struct resolve *r, const struct evutil_addrinfo *info)
{
	getnameinfo(info->ai_addr, info->ai_addrlen, r->address,
		sizeof(r->address), NULL, 0, NI_NUMERICHOST);
}

struct lookup {
	struct resolve *resolve;
	struct loop *loop;
	char host[256];
};

static void looked_up(int result, struct evutil_addrinfo *info, void *arg)
{
	struct lookup *lookup = arg;
	struct resolve *r = lookup->resolve;

	if (result != EVUTIL_EAI_CANCEL) {
		r->request = NULL;
		if (info)
			take(r, info);
		else
			err_set(&r->err, ERR_UNAVAILABLE,
				"the host \"%.200s\" is not found: %s",
				lookup->host, evutil_gai_strerror(result));
		r->timer = timer_start(lookup->loop, 0, resolve_tell, r);
	}
	if (info)
		evutil_freeaddrinfo(info);
	free(lookup);
}

static void ask(struct resolve *r, struct loop *loop, const char *host)
{
	struct evutil_addrinfo hints = {
		.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	struct lookup *lookup = xcalloc(1, sizeof(*lookup));
	struct evdns_getaddrinfo_request *request;

	lookup->resolve = r;
	lookup->loop = loop;
	snprintf(lookup->host, sizeof(lookup->host), "%s", host);
	r->dns = evdns_base_new(
		loop_base(loop), EVDNS_BASE_INITIALIZE_NAMESERVERS |
					 EVDNS_BASE_DISABLE_WHEN_INACTIVE);
	if (!r->dns) {
		err_set(&r->err, ERR_UNAVAILABLE,
			"the host \"%.200s\" cannot be looked up: "
			"/etc/resolv.conf names no server",
			host);
		r->timer = timer_start(loop, 0, resolve_tell, r);
		free(lookup);
		return;
	}
	request = evdns_getaddrinfo(
		r->dns, host, NULL, &hints, looked_up, lookup);
	/* NULL: it was in /etc/hosts, looked_up has been called. */
	if (request)
		r->request = request;
}

struct resolve *resolve_start(
	struct loop *loop, const char *host, resolve_fn fn, void *arg)
{
	struct resolve *r = xcalloc(1, sizeof(*r));

	r->fn = fn;
	r->arg = arg;
	if (!is_numeric(host)) {
		ask(r, loop, host);
		return r;
	}
	snprintf(r->address, sizeof(r->address), "%s", host);
	r->timer = timer_start(loop, 0, resolve_tell, r);
	return r;
}

void resolve_cancel(struct resolve **resolve)
{
	struct resolve *r = *resolve;

	if (!r)
		return;
	if (r->request)
		evdns_getaddrinfo_cancel(r->request);
	timer_cancel(&r->timer);
	if (r->dns)
		evdns_base_free(r->dns, 1);
	free(r);
	*resolve = NULL;
}
