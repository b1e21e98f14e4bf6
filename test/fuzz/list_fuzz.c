/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of names: nothing is held that was not asked for, nothing counted
 * that has no name. */
#include <assert.h>
#include <string.h>

#include "cloudrun/list_codec.h"
#include "cloudrun/services_codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_services(const char *bytes, size_t size)
{
	struct services_page page;
	const char *value;
	struct err err;

	if (services_page_decode(bytes, size, &page, &err) < 0) {
		assert(err.code == ERR_PROTOCOL || err.code == ERR_LIMIT);
		return;
	}
	for (size_t i = 0; i < page.n; i++) {
		value = labelled_get(&page.list[i], "policy");
		assert(page.list[i].service);
		assert(!value || (*value && strlen(value) <= LABEL_VALUE_MAX &&
					 !strpbrk(value, "/\n\"")));
	}
	services_page_fini(&page);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const asked[] = {
		"run.services.get", "run.services.update", NULL};
	const char *bytes = (const char *)data;
	struct revisions_page page;
	struct err err = {.code = ERR_NONE};
	unsigned held;

	if (permissions_decode(bytes, size, asked, &held, &err) == 0)
		assert(held <= 3);
	else
		assert(err.code == ERR_PROTOCOL);
	check_services(bytes, size);
	if (revisions_page_decode(bytes, size, "c-2", &page, &err) < 0)
		return 0;
	assert(page.newer >= 0 && (size_t)page.newer <= size);
	assert(!page.next || *page.next);
	revisions_page_fini(&page);
	return 0;
}
