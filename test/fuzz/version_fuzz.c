/* SPDX-License-Identifier: Apache-2.0 */
/* Versions of secrets and sites: numbers are numbers, names stay in a site. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "action/site_codec.h"
#include "action/version_codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data;
	static const struct site_record wanted = {"sites/shop/versions/a", 1};
	char number[VERSION_NUMBER_MAX];
	struct site_list *list = site_list_decode(bytes, size);
	struct site_releases releases;
	struct buf value;
	struct err err;
	bool granted;

	buf_init(&value, SECRET_VALUE_MAX);
	if (secret_access_decode(bytes, size, number, &value, &err) == 0)
		assert(strspn(number, "0123456789") == strlen(number));
	(void)!granted_decode(bytes, size, "a.b.c", &granted, &err);
	if (secret_added_decode(bytes, size, number, &err) == 0)
		assert(*number);
	if (site_list_look(list, "shop", &wanted, &releases, &err) == 0 &&
		*releases.previous) {
		assert(!strncmp(releases.previous, "sites/shop/versions/", 20));
		assert(!strpbrk(releases.previous + 20, "/?&.%"));
		assert(strcmp(releases.previous, releases.live.version) != 0);
	}
	site_list_free(&list);
	(void)site_release_is_of(bytes, size, wanted.version);
	buf_clear(&value);
	google_refusal_decode(bytes, size, &value);
	buf_fini(&value);
	return 0;
}
