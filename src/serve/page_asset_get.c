/* SPDX-License-Identifier: Apache-2.0 */
/* GET /assets/NAME: style, script and icon, for ever. */
#include <string.h>

#include "io/server.h"
#include "serve/handlers.h"
#include "serve/page_assets.h"

/* "gzip", also among others; not "gzip;q=0". */
static bool takes_gzip(const struct server_request *request)
{
	const char *accepts = request_header(request, "Accept-Encoding");
	const char *at = accepts ? strstr(accepts, "gzip") : NULL;

	return at && strncmp(at, "gzip;q=0", strlen("gzip;q=0")) != 0;
}

void page_asset_get(struct visit *visit)
{
	const struct page_asset *asset = page_asset_find(visit->part[0]);
	struct server_request *request = visit->request;
	struct buf body;

	if (!asset) {
		visit_problem(&visit, 404, "not-found", "nothing is here");
		return;
	}
	request_set_header(request, "Cache-Control",
		"public, max-age=31536000, immutable");
	request_set_header(request, "Vary", "Accept-Encoding");
	buf_init(&body, asset->len + asset->gzipped_len);
	if (takes_gzip(request)) {
		request_set_header(request, "Content-Encoding", "gzip");
		buf_add(&body, asset->gzipped, asset->gzipped_len);
	} else {
		buf_add(&body, asset->bytes, asset->len);
	}
	visit_answer(&visit, 200, asset->type, &body);
	buf_fini(&body);
}
