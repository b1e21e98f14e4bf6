/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that change something; see request_origin.h. */
#include "identity/request_origin.h"

#include <string.h>
#include <strings.h>

bool request_changes(const char *method)
{
	return strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0;
}

bool request_type_is(const char *content_type, const char *type)
{
	size_t len = strlen(type);

	return content_type && strncasecmp(content_type, type, len) == 0 &&
	       (!content_type[len] || content_type[len] == ';' ||
		       content_type[len] == ' ');
}

static int check_site(
	const struct request_origin *request, struct refusal *refusal_r)
{
	if (request->fetch_site &&
		strcmp(request->fetch_site, "same-origin") != 0)
		return refuse(refusal_r, REFUSAL_CROSS_SITE,
			"Sec-Fetch-Site is %.40s, not same-origin",
			request->fetch_site);
	if (request->origin &&
		(!request->own_origin ||
			strcmp(request->origin, request->own_origin) != 0))
		return refuse(refusal_r, REFUSAL_CROSS_SITE,
			"Origin is %.80s, not %.80s", request->origin,
			request->own_origin ? request->own_origin
					    : "(no public_url)");
	if (!request->fetch_site && !request->origin && !request->is_machine)
		return refuse(refusal_r, REFUSAL_NO_ORIGIN,
			"neither Sec-Fetch-Site nor Origin says which page "
			"has sent this");
	return 0;
}

int request_origin_check(const struct request_origin *request,
	bool *wants_form_token_r, struct refusal *refusal_r)
{
	*wants_form_token_r = false;
	if (!request_changes(request->method))
		return 0;
	if (check_site(request, refusal_r) < 0)
		return -1;
	if (request_type_is(request->content_type, "application/json"))
		return 0;
	if (request_type_is(request->content_type, REQUEST_FORM_TYPE)) {
		*wants_form_token_r = true;
		return 0;
	}
	return refuse(refusal_r, REFUSAL_CONTENT_TYPE,
		"Content-Type is %.60s, not application/json or a form's",
		request->content_type ? request->content_type : "missing");
}
