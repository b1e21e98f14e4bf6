/* SPDX-License-Identifier: Apache-2.0 */
/* What `run` was asked for, as JSON; see options_codec.h. */
#include "live/options_codec.h"

#include <jansson.h>
#include <stdlib.h>

#include "base/xalloc.h"

char *options_encode(const struct release_wish *wish)
{
	json_t *root = json_pack("{s:s*, s:b, s:b, s:s*, s:s*, s:s*}",
		"candidate", wish->candidate, "adopt", wish->adopt, "again",
		wish->again, "undo", wish->rollback_reason, "stable",
		wish->stable, "after", wish->rollback_of);
	char *dumped, *text;

	if (wish->anew)
		(void)json_object_set_new(root, "anew", json_true());
	if (wish->committed_ms)
		(void)json_object_set_new(
			root, "committed", json_integer(wish->committed_ms));
	dumped = json_dumps(root, JSON_COMPACT);
	/* No revision has a name that is not UTF-8. */
	text = xstrdup(dumped ? dumped : "{}");
	free(dumped);
	json_decref(root);
	return text;
}

int options_decode(const char *text, struct arena *arena,
	struct release_wish *wish_r, struct err *err_r)
{
	json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	const char *candidate = NULL, *undo = NULL, *stable = NULL;
	const char *after = NULL;
	json_int_t committed = 0;
	int adopt = 0, again = 0, anew = 0, rc;

	rc = json_unpack(root, "{s?s, s?b, s?b, s?s, s?s, s?s, s?b, s?I}",
		"candidate", &candidate, "adopt", &adopt, "again", &again,
		"undo", &undo, "stable", &stable, "after", &after, "anew",
		&anew, "committed", &committed);
	if (rc == 0)
		*wish_r = (struct release_wish){
			.candidate = arena_strdup(arena, candidate),
			.adopt = adopt,
			.again = again,
			.committed_ms = committed,
			.rollback_reason = arena_strdup(arena, undo),
			.stable = arena_strdup(arena, stable),
			.rollback_of = arena_strdup(arena, after),
			.anew = anew,
		};
	else
		err_set(err_r, ERR_STORE,
			"the options kept with the rollout cannot be read: "
			"%.100s",
			text);
	json_decref(root);
	return rc;
}
