/* SPDX-License-Identifier: Apache-2.0 */
/* What the loader's files about secrets share: texts with variables in them. */
#ifndef TIDEGATE_POLICY_LOAD_SECRET_H
#define TIDEGATE_POLICY_LOAD_SECRET_H

#include "policy/loader.h"
#include "policy/url.h"

#define VARIABLES_MAX 16 /* in one text */

/* A text with its variables filled in, and where their values are in it. */
struct expansion {
	struct buf text;
	struct span variable[VARIABLES_MAX];
	size_t n;
};

/* false: a problem, nothing to free. */
bool expansion_make(struct loader *loader, const struct node *node,
	struct expansion *expansion);
void expansion_fini(struct expansion *expansion); /* wipes it */
/* As a template, in which variables' values are literals. */
struct secret *expansion_keep(
	struct loader *loader, const struct expansion *expansion);
/* What variables put into `part` of the text is masked from now on. */
void expansion_learn(struct loader *loader, const struct expansion *expansion,
	struct url_part part);
void expansion_learn_all(
	struct loader *loader, const struct expansion *expansion);
/* What cannot be masked is no secret: it would stand in every log. */
void secret_refuse_short(
	struct loader *loader, const struct node *node, size_t len);

#endif
