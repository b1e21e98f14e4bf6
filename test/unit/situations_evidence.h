/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Situations of a rollout whose SLO is of kind evidence, for the table of
 * situations.c: "errors", at most 1 % of the requests, 50 of them in a second,
 * one of a thousand bad, bakes of ten minutes.
 */
#ifndef TIDEGATE_TEST_SITUATIONS_EVIDENCE_H
#define TIDEGATE_TEST_SITUATIONS_EVIDENCE_H

#include "situations.h"

void weighed(struct stage *stage);
void weighed_by_pace(struct stage *stage);
void going_back_to_ask(struct stage *stage);
void stepped_back(struct stage *stage);
void stepped_back_twice(struct stage *stage);
void silent(struct stage *stage);
void weighed_without_control(struct stage *stage);
void held_without_control(struct stage *stage);
void held_by_stable_in_trouble(struct stage *stage);
void held_with_few_to_weigh(struct stage *stage);
void held_in_doubt(struct stage *stage);
void held_in_silence(struct stage *stage);
void stable_is_silent(struct stage *stage);

#endif
