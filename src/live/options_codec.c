/* What `run` was asked for, as JSON; see options_codec.h. */
#include "live/options_codec.h"

#include <jansson.h>
#include <stdlib.h>

#include "base/xalloc.h"

char *options_encode(const struct rollout_options *options)
{
	json_t *root =
		json_pack("{s:s*, s:b, s:b}", "candidate", options->candidate,
			"adopt", options->adopt, "again", options->again);
	char *dumped = json_dumps(root, JSON_COMPACT);
	/* A candidate that is not UTF-8 names no revision. */
	char *text = xstrdup(dumped ? dumped : "{}");

	free(dumped);
	json_decref(root);
	return text;
}

int options_decode(
	const char *text, struct rollout_options *options_r, struct err *err_r)
{
	json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	const char *candidate = NULL;
	int adopt = 0, again = 0, rc;

	rc = json_unpack(root, "{s?s, s?b, s?b}", "candidate", &candidate,
		"adopt", &adopt, "again", &again);
	if (rc == 0)
		*options_r = (struct rollout_options){
			xstrdup(candidate), adopt, again};
	else
		err_set(err_r, ERR_STORE,
			"the options kept with the rollout cannot be read: "
			"%.100s",
			text);
	json_decref(root);
	return rc;
}
