/* SPDX-License-Identifier: Apache-2.0 */
/* What readers see of the service, and when it changed; see model.h. Pure. */
#include <stdio.h>
#include <string.h>

#include "sandbox/model_parts.h"

void model_make_uuid(struct rng *rng, char id[MODEL_ID_MAX])
{
	uint64_t a = rng_next(rng), b = rng_next(rng);

	snprintf(id, MODEL_ID_MAX, "%08x-%04x-4%03x-a%03x-%012llx",
		(unsigned)(a >> 32), (unsigned)(a >> 16 & 0xffff),
		(unsigned)(a & 0xfff), (unsigned)(b >> 48 & 0xfff),
		(unsigned long long)(b & 0xffffffffffff));
}

/* The lists of routes are made once and shared by all answers and snapshots
 * until they change: a service may have a thousand tags. */
void model_show_routes(struct model *model)
{
	const char *uri = model->rules.uris_absent ? NULL : model->uri;
	struct routes all = {NULL, 0};

	json_decref(model->spec_json);
	json_decref(model->served_json);
	model->spec_json = routes_print(&model->spec, NULL);
	if (model->served.n) {
		model->served_json = routes_print(&model->served, uri);
		return;
	}
	routes_add(&all, ROUTE_LATEST, "", 100);
	model->served_json = routes_print(&all, uri);
	routes_fini(&all);
}

void model_forget_snapshots(struct model *model)
{
	while (model->n_snapshots)
		json_decref(model->snapshot[--model->n_snapshots].service);
}

/* The etag is another one, and a snapshot is kept for readers who are to see
 * the past. */
void model_changed(struct model *model, int64_t now_ms)
{
	struct rng hash;

	model->version++;
	rng_init(&hash, model->version ^ model->generation << 32 ^ 0x7ea1);
	snprintf(model->etag, sizeof(model->etag), "\"CK%014llx\"",
		(unsigned long long)(rng_next(&hash) >> 8));
	if (model->n_snapshots == MODEL_SNAPSHOTS_MAX) {
		json_decref(model->snapshot[0].service);
		memmove(model->snapshot, model->snapshot + 1,
			sizeof(model->snapshot) - sizeof(model->snapshot[0]));
		model->n_snapshots--;
	}
	model->snapshot[model->n_snapshots++] = (struct model_snapshot){
		now_ms, model->generation, model_service_json(model)};
}

void model_observe(struct model *model)
{
	if (model->pending || model->n_deploying || model->route_failure[0])
		return;
	if (model->rules.broken_stays_behind && model_is_broken(model))
		return;
	model->observed_generation = model->generation;
}

void model_modified_by(struct model *model, const char *who)
{
	if (who)
		snprintf(model->last_modifier, sizeof(model->last_modifier),
			"%s", who);
}

json_t *model_service_at(const struct model *model, int64_t at_ms)
{
	size_t i = model->n_snapshots;

	while (i > 1 && model->snapshot[i - 1].at_ms > at_ms)
		i--;
	return json_incref(model->snapshot[i - 1].service);
}

json_t *model_service_before(const struct model *model, int64_t generations)
{
	size_t i = model->n_snapshots;

	while (i > 1 && model->snapshot[i - 1].generation >
				model->generation - generations)
		i--;
	return json_incref(model->snapshot[i - 1].service);
}
