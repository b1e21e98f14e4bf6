/* SPDX-License-Identifier: Apache-2.0 */
/* What the files that load the daemon's configuration share. */
#ifndef TIDEGATE_SERVE_SERVE_CONFIG_PARTS_H
#define TIDEGATE_SERVE_SERVE_CONFIG_PARTS_H

#include "policy/loader.h"
#include "serve/serve_config.h"

#define CONFIG_PEOPLE_MAX 1000
#define CONFIG_KEYS_MAX   16 /* of a person */
#define CONFIG_ROWS_MAX   1000 /* of access */
#define CONFIG_WHO_MAX    1000 /* of a row */
#define CONFIG_LIST_MAX   100 /* of services, policies, domains */

/* Of tables; each reads a member of struct serve_config. */
extern const struct reader people_reader, access_reader, identity_reader,
	notify_reader, watch_reader;

/* A list of texts; each is looked at by `check`, which tells what is wrong. */
typedef void (*item_check)(
	struct loader *loader, const struct node *node, const char *text);
const char *const *config_texts(struct loader *loader, const struct node *list,
	const char *what, size_t max, item_check check, size_t *n_r);

/* What the parts say together: whose names and keys stand where. */
void config_check_who(struct loader *loader, const struct serve_config *config);
void config_check_watch(
	struct loader *loader, const struct serve_config *config);
/* Who is told, where, and by which app. */
void config_check_notify(struct loader *loader, struct serve_config *config);

#endif
