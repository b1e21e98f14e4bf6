/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `use`: an SLO that names a preset becomes the mapping that somebody would
 * have written by hand. What the policy says itself stays; what it does not
 * say comes from the row, with the place of `use` for messages.
 */
#include <math.h>
#include <string.h>

#include "base/jsonw.h"
#include "base/suggest.h"
#include "policy/loader.h"
#include "policy/quantity.h"
#include "policy/slo_preset.h"

#define USES_TEXT_MAX 400 /* bytes of a list of names in a message */

/* ---- mappings put together ---- */

static struct node *use_copy(struct loader *loader, const struct node *node)
{
	struct node *copy = arena_alloc(loader->arena, sizeof(*copy)), **link;

	*copy = *node;
	copy->next = NULL;
	link = &copy->first;
	for (const struct node *n = node->first; n; n = n->next) {
		*link = arena_alloc(loader->arena, sizeof(**link));
		**link = *n;
		link = &(*link)->next;
	}
	return copy;
}

static struct node **use_link(struct node *mapping, const char *name)
{
	struct node **link = &mapping->first;

	while (*link && strcmp((*link)->key->text, name) != 0)
		link = &(*link)->next;
	return link;
}

/* Adds the keys of `from` that `into` lacks; mappings in both are merged. */
static void use_add_missing(
	struct loader *loader, struct node *into, const struct node *from)
{
	struct node **link, *next, *copy;

	for (const struct node *n = from->first; n; n = n->next) {
		link = use_link(into, n->key->text);
		if (!*link) {
			*link = use_copy(loader, n);
			into->n++;
			continue;
		}
		if ((*link)->kind != NODE_MAPPING || n->kind != NODE_MAPPING)
			continue;
		next = (*link)->next;
		copy = use_copy(loader, *link);
		copy->next = next;
		use_add_missing(loader, copy, n);
		*link = copy;
	}
}

static void use_remove(struct node *mapping, const char *name)
{
	struct node **link = use_link(mapping, name);

	if (!*link)
		return;
	*link = (*link)->next;
	mapping->n--;
}

static struct node *use_scalar(
	struct arena *arena, const struct node *place, const char *text)
{
	struct node *node = arena_alloc(arena, sizeof(*node));

	*node = (struct node){.kind = NODE_SCALAR,
		.text = text,
		.span = place->span,
		.line = place->line,
		.col = place->col};
	return node;
}

static void use_add_scalar(struct arena *arena, struct node *mapping,
	const struct node *place, const char *key, const char *text)
{
	struct node **link = use_link(mapping, key);

	if (*link)
		return;
	*link = use_scalar(arena, place, text);
	(*link)->key = use_scalar(arena, place, key);
	mapping->n++;
}

/* ---- the row ---- */

/* A tree that was read from a row: problems with it are told at `use`. */
static void set_place(struct node *node, const struct node *place)
{
	for (; node; node = node->next) {
		node->span = place->span;
		node->line = place->line;
		node->col = place->col;
		if (node->key)
			set_place((struct node *)node->key, place);
		set_place(node->first, place);
	}
}

static struct node *use_keys(
	struct loader *loader, const struct node *use, const char *yaml)
{
	struct node *keys = node_of(loader, yaml);

	set_place(keys, use);
	return keys;
}

static bool use_has(const struct node *slo, const char *key)
{
	return node_get(slo, key) != NULL;
}

static bool use_compares(const struct node *slo)
{
	return use_has(slo, "compare") || use_has(slo, "baseline");
}

/* The row's `critical` is for the row's `max`: a higher max does without. */
static void fit_critical(const struct node *slo, struct node *keys)
{
	const struct node *max = node_get(slo, "max");
	const struct node *critical = node_get(keys, "critical");
	double a, b;
	struct err err;

	if (max && max->text && critical &&
		quantity_parse(max->text, &a, &err) == 0 &&
		quantity_parse(critical->text, &b, &err) == 0 && a >= b)
		use_remove(keys, "critical");
}

static void use_add_keys(struct loader *loader, struct node *slo,
	const struct slo_preset *preset, const struct node *use)
{
	bool relative =
		use_has(slo, "max_ratio") || use_has(slo, "max_increase");
	struct node *keys;

	if (use_compares(slo) && preset->compare) {
		keys = use_keys(loader, use, preset->compare);
		if (relative) {
			use_remove(keys, "max_ratio");
			use_remove(keys, "max_increase");
		}
		fit_critical(slo, keys);
		use_add_missing(loader, slo, keys);
	} else if (use_compares(slo)) {
		problem_at(loader, use,
			"%s cannot be compared: the two revisions get "
			"different shares of the traffic",
			preset->use);
	}
	keys = use_keys(loader, use, preset->keys);
	fit_critical(slo, keys);
	use_add_missing(loader, slo, keys);
}

static void use_add_query(struct loader *loader, struct node *mapping,
	const struct node *use, const char *text)
{
	use_add_scalar(loader->arena, mapping, use, "query", text);
}

static void use_add_queries(struct loader *loader, struct node *slo,
	const struct slo_preset *preset, const struct node *use,
	const char *const value[PRESET_PARAMS_MAX])
{
	struct node *requests;

	use_add_query(loader, slo, use,
		slo_preset_expand(loader->arena, preset, preset->query, value));
	requests = *use_link(slo, "requests");
	if (preset->requests && requests && requests->kind == NODE_MAPPING)
		use_add_query(loader, requests, use,
			slo_preset_expand(loader->arena, preset,
				preset->requests, value));
}

/* ---- kind evidence ---- */

bool slo_is_evidence(const struct node *slo)
{
	const struct node *kind = node_get(slo, "kind");

	return kind && kind->text && strcmp(kind->text, "evidence") == 0;
}

/* `max` is what the preset's own limit is about: the objective, or a bound. */
static void use_rename_max(struct loader *loader, struct node *slo,
	const struct slo_preset *preset)
{
	const char *name = preset->counts.buckets ? "bound" : "objective";
	struct node **max = use_link(slo, "max");

	if (!*max)
		return;
	if (use_has(slo, name)) {
		problem_at(loader, (*max)->key,
			"max of %s is the %s, which is here, too: remove one",
			preset->use, name);
		use_remove(slo, "max");
	} else {
		(*max)->key = use_scalar(loader->arena, (*max)->key, name);
	}
}

/* That of the preset's latencies, when it is a parameter. */
static const char *use_unit(const struct slo_preset *preset,
	const char *const value[PRESET_PARAMS_MAX])
{
	for (size_t i = 0; preset->params[i].name; i++)
		if (preset->params[i].kind == PRESET_UNIT)
			return value[i] ? value[i] : preset->params[i].value;
	return NULL;
}

static bool use_add_counts(struct loader *loader, struct node *slo,
	const struct slo_preset *preset, const struct node *use,
	const char *const value[PRESET_PARAMS_MAX])
{
	const struct preset_counts *counts = &preset->counts;
	const char *const text[] = {
		counts->total, counts->bad, counts->buckets};
	static const char *const keys[] = {"total", "bad", "buckets"};
	const char *unit = use_unit(preset, value);

	if (!counts->keys) {
		problem_at(loader, use,
			"%s has no good and bad requests to count: leave out "
			"\"kind: evidence\" here",
			preset->use);
		return false;
	}
	use_rename_max(loader, slo, preset);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (text[i])
			use_add_scalar(loader->arena, slo, use, keys[i],
				slo_preset_expand(
					loader->arena, preset, text[i], value));
	if (unit)
		use_add_scalar(loader->arena, slo, use, "unit", unit);
	use_add_missing(loader, slo, use_keys(loader, use, counts->keys));
	return true;
}

/* ---- parameters ---- */

static int use_param(struct loader *loader, const struct slo_preset *preset,
	const struct node *key)
{
	struct suggest suggest = {.word = key->text};
	struct buf names;

	buf_init(&names, USES_TEXT_MAX);
	for (int i = 0; preset->params[i].name; i++) {
		if (!strcmp(preset->params[i].name, key->text)) {
			buf_fini(&names);
			return i;
		}
		suggest_try(&suggest, preset->params[i].name);
		buf_addf(&names, "%s%s", i ? ", " : "", preset->params[i].name);
	}
	if (suggest.best)
		problem_at(loader, key,
			"%s has no parameter \"%.60s\": did you mean %s?",
			preset->use, key->text, suggest.best);
	else
		problem_at(loader, key,
			"%s has no parameter \"%.60s\": there are %s",
			preset->use, key->text, names.data);
	buf_fini(&names);
	return -1;
}

static bool use_params(struct loader *loader, const struct node *with,
	const struct slo_preset *preset, const char *value[PRESET_PARAMS_MAX])
{
	bool good = true;
	struct err err;
	int i;

	if (!with || with->kind == NODE_BROKEN)
		return !with;
	if (with->kind != NODE_MAPPING) {
		problem_at(loader, with,
			"\"with\" is a mapping, \"parameter: value\"");
		return false;
	}
	for (const struct node *n = with->first; n; n = n->next) {
		i = use_param(loader, preset, n->key);
		if (i >= 0)
			value[i] = template_text(loader, n);
		if (i < 0 || !value[i]) {
			good = false;
		} else if (preset_param_check(
				   &preset->params[i], value[i], &err) < 0) {
			problem_at(loader, n, "%s", err.text);
			good = false;
		}
	}
	return good;
}

static void unknown_use(struct loader *loader, const struct node *use)
{
	struct suggest suggest = {.word = use->text};
	struct buf names;

	buf_init(&names, USES_TEXT_MAX);
	for (const struct slo_preset *r = slo_presets; r->use; r++) {
		suggest_try(&suggest, r->use);
		suggest_try(&suggest, slo_preset_name(r->use));
		buf_addf(&names, "%s%s", names.len ? ", " : "", r->use);
	}
	for (const struct slo_preset *r = slo_presets; suggest.best && r->use;
		r++)
		if (!strcmp(suggest.best, slo_preset_name(r->use))) {
			suggest.best = r->use;
			break;
		}
	if (suggest.best)
		problem_at(loader, use,
			"there is no preset \"%.60s\": did you mean %s?",
			use->text, suggest.best);
	else
		problem_at(loader, use,
			"there is no preset \"%.60s\": there are %s", use->text,
			names.data);
	buf_fini(&names);
}

/* ---- all of it ---- */

const struct node *use_expand(struct loader *loader, const struct node *slo)
{
	const struct node *use = node_get(slo, "use");
	const struct node *with = node_get(slo, "with");
	const char *value[PRESET_PARAMS_MAX] = {0};
	const struct slo_preset *preset;
	struct node *whole;

	if (!use) {
		if (with)
			problem_at(loader, with->key,
				"\"with\" has the parameters of a preset: "
				"name it with \"use\"");
		return slo;
	}
	if (!plain_text(loader, use))
		return NULL;
	preset = slo_preset_find(use->text);
	if (!preset) {
		unknown_use(loader, use);
		return NULL;
	}
	if (!use_params(loader, with, preset, value))
		return NULL;
	whole = use_copy(loader, slo);
	if (slo_is_evidence(slo))
		return use_add_counts(loader, whole, preset, use, value) ? whole
									 : NULL;
	use_add_keys(loader, whole, preset, use);
	use_add_queries(loader, whole, preset, use, value);
	return whole;
}

/* Of latencies, in the unit of the label le. */
static double use_bound(struct loader *loader, const struct slo_preset *preset,
	const struct node *use, const char *const value[PRESET_PARAMS_MAX],
	double seconds)
{
	const struct node *keys = use_keys(loader, use, preset->counts.keys);
	const struct node *unit = node_get(keys, "unit");
	const char *text = unit ? unit->text : use_unit(preset, value);

	return text && !strcmp(text, "ms") ? round(seconds * 1e6) / 1e3
					   : seconds;
}

void use_counters(
	struct loader *loader, const struct node *slo, struct slo *into)
{
	const struct node *use = node_get(slo, "use");
	const struct slo_preset *preset =
		use && use->text ? slo_preset_find(use->text) : NULL;
	const char *value[PRESET_PARAMS_MAX] = {0};
	struct slo_counters *counters = &into->counters;
	const struct preset_counts *counts;

	if (!preset || !preset->counts.keys || counters->total ||
		counters->good ||
		!use_params(loader, node_get(slo, "with"), preset, value))
		return;
	counts = &preset->counts;
	/* A query of the policy's own may be about something else. */
	if (!into->query || (counts->buckets && !into->has_max) ||
		strcmp(into->query, slo_preset_expand(loader->arena, preset,
					    preset->query, value)) != 0)
		return;
#define EXPAND(text) \
	((text) ? slo_preset_expand(loader->arena, preset, text, value) : NULL)
	*counters = (struct slo_counters){.total = EXPAND(counts->total),
		.bad = EXPAND(counts->bad),
		.buckets = EXPAND(counts->buckets)};
#undef EXPAND
	if (!counts->buckets)
		return;
	counters->bound = into->max;
	counters->bound_le = use_bound(loader, preset, use, value, into->max);
}

void use_names(struct arena *arena, struct node *root)
{
	const struct node *list = node_get(root, "slos"), *use;
	const char *name;

	if (!list || list->kind != NODE_SEQUENCE)
		return;
	for (struct node *slo = list->first; slo; slo = slo->next) {
		use = node_get(slo, "use");
		if (!use || use->kind != NODE_SCALAR ||
			!slo_preset_find(use->text))
			continue;
		name = slo_preset_name(use->text);
		if (use_compares(slo))
			name = arena_printf(arena, "%s-vs-%s", name,
				use_has(slo, "compare") ? "stable"
							: "baseline");
		use_add_scalar(arena, slo, use, "name", name);
	}
}

/* ---- readers for tables ---- */

static void read_use(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	*(const char **)((char *)into + key->offset) = value->text;
}

static void add_use_schema(struct jsonw *w, const struct key *key)
{
	jsonw_array(w, "enum");
	for (const struct slo_preset *p = slo_presets; p->use; p++)
		jsonw_text(w, NULL, p->use);
	jsonw_end(w, ']');
}

const struct reader use_reader = {
	read_use, "a preset", .add_schema = add_use_schema};

static void read_with(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	/* use_expand has put it into the query. */
}

static const char *const param_schemas[] = {
	[PRESET_METRIC] =
		"'type': 'string', 'pattern': '^[a-zA-Z_:][a-zA-Z0-9_:]*$'",
	[PRESET_LABEL] =
		"'type': 'string', 'pattern': '^[a-zA-Z_][a-zA-Z0-9_]*$'",
	[PRESET_VALUE] = "'type': ['string', 'number'], 'minLength': 1",
	[PRESET_SELECTOR] = "'type': 'string', 'minLength': 1",
	[PRESET_UNIT] = "'enum': ['s', 'ms']",
};

/* Whether an earlier row has a parameter of this name already. */
static bool is_known_param(const struct slo_preset *last, const char *name)
{
	for (const struct slo_preset *p = slo_presets; p != last; p++)
		for (size_t i = 0; p->params[i].name; i++)
			if (!strcmp(p->params[i].name, name))
				return true;
	return false;
}

static void add_with_schema(struct jsonw *w, const struct key *key)
{
	jsonw_object(w, "properties");
	for (const struct slo_preset *p = slo_presets; p->use; p++)
		for (size_t i = 0; p->params[i].name; i++) {
			if (is_known_param(p, p->params[i].name))
				continue;
			jsonw_object(w, p->params[i].name);
			jsonw_text(w, "description", p->params[i].about);
			schema_members(w, param_schemas[p->params[i].kind]);
			jsonw_end(w, '}');
		}
	jsonw_end(w, '}');
}

const struct reader with_reader = {read_with, "a mapping",
	"'type': 'object', 'additionalProperties': false",
	.add_schema = add_with_schema, .def = "with"};
