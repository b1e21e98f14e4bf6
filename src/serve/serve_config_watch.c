/* SPDX-License-Identifier: Apache-2.0 */
/* Of the daemon's configuration: the services that release themselves. */
#include <string.h>

#include "cloudrun/services_codec.h"
#include "policy/policy_freeze.h"
#include "serve/serve_config_parts.h"
#include "serve/watch_config.h"

#define MEMBER(m) offsetof(struct watch_row, m)

double watch_calls_per_minute(const struct watch_row *row)
{
	return (double)row->n_regions * MS_MINUTE / (double)row->every_ms;
}

static void check_region(
	struct loader *loader, const struct node *node, const char *text)
{
	size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-");

	if (!n || text[n] || n > 63)
		problem_at(loader, node,
			"\"%.80s\" is no region: write it as us-central1",
			text);
}

static void read_regions(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	struct watch_row *row = into;

	row->regions = config_texts(loader, value, "regions", WATCH_REGIONS_MAX,
		check_region, &row->n_regions);
}

static const struct reader regions_reader = {read_regions, "a list of regions",
	"'type': 'array', 'minItems': 1, 'maxItems': 60, 'items': {'type': "
	"'string', 'pattern': '^[a-z0-9-]{1,63}$'}"};

static void read_label(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	const char *text = plain_text(loader, value);
	size_t n = text ? strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789"
				       "-_")
			: 0;

	if (!text)
		return;
	if (!n || text[n] || n > LABEL_VALUE_MAX || *text < 'a')
		problem_at(loader, value,
			"\"%.80s\" is no label: a small letter, then up to 62 "
			"of a-z, 0-9, \"-\" and \"_\"",
			text);
	else
		((struct watch_row *)into)->label = text;
}

static const struct reader label_reader = {read_label, "the key of a label",
	"'type': 'string', 'pattern': '^[a-z][a-z0-9_-]{0,62}$'"};

static const struct choice newer_choices[] = {
	{"queue", NEWER_QUEUE}, {"replace", NEWER_REPLACE}, {0}};
static const struct duration_range every_range = {1000, MS_HOUR};

static const struct key watch_keys[] = {
	{"project", &cloud_name_reader, MEMBER(project), ".:",
		.need = KEY_REQUIRED, .about = "Whose services are looked at"},
	{"regions", &regions_reader, .need = KEY_REQUIRED,
		.about = "Where; each is asked by itself"},
	{"label", &label_reader, .need = KEY_REQUIRED,
		.about = "The label that opts a service in; its value is the "
			 "name of a policy"},
	{"newer", &choice_reader, MEMBER(newer), newer_choices,
		.value = "queue",
		.about = "What a newer revision does while a rollout runs: "
			 "the newest waits for its end, or it is reverted "
			 "first"},
	{"every", &duration_reader, MEMBER(every_ms), &every_range,
		.value = "30s", .about = "Between two looks"},
	{"pin", &bool_reader, MEMBER(pin), .value = "false",
		.about = "When LATEST holds the traffic, give it to the "
			 "revision that serves, by its name"},
	{"freeze", &freeze_reader, MEMBER(freeze),
		.about = "When nothing is started, beside the policy's own"},
	{0},
};

static const struct section watch_section = {"a row of watch", watch_keys,
	.def = "watch",
	.about = "Services of one project that release themselves"};

static void read_watch(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	size_t n = list_len(loader, value, "rows of watch", WATCH_ROWS_MAX);
	struct watch_row *rows =
		arena_alloc(loader->arena, (n + 1) * sizeof(*rows));
	size_t i = 0;

	for (const struct node *node = value->first; node && i < n;
		node = node->next) {
		rows[i].project = "";
		read_section(loader, node, &watch_section, &rows[i++]);
	}
	((struct serve_config *)into)->watch = (struct watch_config){rows, n};
}

const struct reader watch_reader = {read_watch, "a list of what is watched",
	.sections = (const struct section *const[]){&watch_section, NULL},
	.list_max = WATCH_ROWS_MAX};

static bool has_region(const struct watch_row *row, size_t n, const char *name)
{
	for (size_t i = 0; i < n && i < row->n_regions; i++)
		if (!strcmp(row->regions[i], name))
			return true;
	return false;
}

/* Two rows would take turns at what one of them began. */
void config_check_watch(
	struct loader *loader, const struct serve_config *config)
{
	const struct watch_row *rows = config->watch.rows;

	for (size_t i = 0; i < config->watch.n; i++)
		for (size_t r = 0; r < rows[i].n_regions; r++)
			for (size_t k = 0; k <= i; k++)
				if (!strcmp(rows[k].project, rows[i].project) &&
					has_region(&rows[k],
						k == i ? r : rows[k].n_regions,
						rows[i].regions[r])) {
					problem_at(loader,
						place_of(loader->root, "watch"),
						"%.80s in %.80s is watched "
						"twice: keep one of them",
						rows[i].regions[r],
						rows[i].project);
					return;
				}
}
