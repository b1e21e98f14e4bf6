/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the model share; private to them. model.c calls
 * model_revision.c, both call model_state.c, and all read by model_json.c.
 */
#ifndef TIDEGATE_SANDBOX_MODEL_PARTS_H
#define TIDEGATE_SANDBOX_MODEL_PARTS_H

#include "sandbox/model.h"

/* ---- model_state.c ---- */

void model_make_uuid(struct rng *rng, char id[MODEL_ID_MAX]);
/* To be called after every change that a reader can see. */
void model_changed(struct model *model, int64_t now_ms);
/* After the routes or how they are shown changed, before model_changed. */
void model_show_routes(struct model *model);
void model_forget_snapshots(struct model *model);
/* What was asked for is what serves, as far as nothing is under way. */
void model_observe(struct model *model);
void model_modified_by(struct model *model, const char *who);

/* ---- model_revision.c ---- */

/* The deployment that ends first, or NULL; and its end. */
struct model_revision *model_deploying(const struct model *model);
void model_deployment_end(
	struct model *model, struct model_revision *revision, int64_t now_ms);
/* All of them go; they may be put back under other uids. */
void model_revisions_renew(struct model *model, int64_t now_ms);

#endif
