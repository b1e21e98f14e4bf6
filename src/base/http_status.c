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
