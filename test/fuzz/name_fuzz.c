/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of services and hosts: what is taken apart makes the same name again,
 * and only what a resolver takes for this machine is this machine.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/loopback.h"
#include "base/service_name.h"
#include "base/xalloc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_name(const char *text)
{
	struct service_name name;
	struct arena arena;
	struct err err;
	char *again;

	arena_init(&arena);
	if (service_name_parse(&name, text, &arena, &err) == 0) {
		again = xasprintf(SERVICE_NAME_FORMAT, name.project,
			name.region, name.name);
		assert(strcmp(again, text) == 0);
		assert(!strpbrk(again, "?#%& \n\"\\") && !strstr(again, "/."));
		assert(resource_name_is(text, "services"));
		assert(service_name_is_alike(text, again));
		free(again);
	} else {
		assert(err.code == ERR_USAGE);
		assert(!resource_name_is(text, "services"));
		assert(!service_name_is_alike(text, text));
	}
	arena_fini(&arena);
}

static void try_host(const char *text)
{
	struct in_addr v4;

	if (!loopback_host(text, strlen(text)) ||
		!strcasecmp(text, "localhost") || !strcmp(text, "[::1]"))
		return;
	assert(inet_pton(AF_INET, text, &v4) == 1);
	assert(ntohl(v4.s_addr) >> 24 == 127);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = xmemdup0(data, size);

	try_name(text);
	try_host(text);
	free(text);
	return 0;
}
