/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP statuses; see http_status.h. */
#include "base/http_status.h"

#include <stddef.h>

bool http_status_is_success(int status)
{
	return status / 100 == 2;
}

enum err_code http_status_code(int status)
{
	static const struct {
		int status;
		enum err_code code;
	} rows[] = {
		{401, ERR_AUTH},
		{403, ERR_DENIED},
		{404, ERR_NOT_FOUND},
		{408, ERR_TIMEOUT},
		{409, ERR_CONFLICT},
		{410, ERR_NOT_FOUND},
		{412, ERR_CONFLICT},
		{413, ERR_LIMIT},
		{414, ERR_LIMIT},
		{429, ERR_THROTTLED},
		{499, ERR_UNAVAILABLE}, /* a proxy saw the client go */
		{501, ERR_INVALID},
		{504, ERR_TIMEOUT},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].status == status)
			return rows[i].code;
	if (status >= 500)
		return ERR_UNAVAILABLE;
	return status >= 400 ? ERR_INVALID : ERR_PROTOCOL;
}

const char *http_status_reason(int status)
{
	static const struct {
		int status;
		const char *reason;
	} rows[] = {
		{200, "OK"},
		{201, "Created"},
		{202, "Accepted"},
		{204, "No Content"},
		{301, "Moved Permanently"},
		{302, "Found"},
		{303, "See Other"},
		{304, "Not Modified"},
		{307, "Temporary Redirect"},
		{308, "Permanent Redirect"},
		{400, "Bad Request"},
		{401, "Unauthorized"},
		{403, "Forbidden"},
		{404, "Not Found"},
		{405, "Method Not Allowed"},
		{406, "Not Acceptable"},
		{408, "Request Timeout"},
		{409, "Conflict"},
		{410, "Gone"},
		{411, "Length Required"},
		{412, "Precondition Failed"},
		{413, "Content Too Large"},
		{414, "URI Too Long"},
		{415, "Unsupported Media Type"},
		{417, "Expectation Failed"},
		{421, "Misdirected Request"},
		{422, "Unprocessable Content"},
		{428, "Precondition Required"},
		{429, "Too Many Requests"},
		{431, "Request Header Fields Too Large"},
		{500, "Internal Server Error"},
		{501, "Not Implemented"},
		{502, "Bad Gateway"},
		{503, "Service Unavailable"},
		{504, "Gateway Timeout"},
		{505, "HTTP Version Not Supported"},
	};
	static const char *const classes[] = {"Unknown", "Informational",
		"Success", "Redirection", "Client Error", "Server Error"};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].status == status)
			return rows[i].reason;
	return classes[status >= 100 && status < 600 ? status / 100 : 0];
}
