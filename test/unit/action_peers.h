/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What actions speak to, on the virtual clock of test/replay: small models of
 * the systems with their effects counted at their own side, and a way to make
 * the next write go wrong. Programs are functions of action_programs.c.
 */
#ifndef TEST_ACTION_PEERS_H
#define TEST_ACTION_PEERS_H

#include <stdbool.h>
#include <stdint.h>

#define PEERS_ORIGIN "http://127.0.0.1:7000"

/* What becomes of the next writes. */
struct mishap {
	int times; /* 0: all goes well */
	int status; /* of the answer, or of the program; 0: none comes */
	bool has_effect; /* it is done all the same */
	int64_t retry_after_ms;
};

struct peers {
	struct mishap mishap;
	int writes; /* that arrived, whatever became of them */
	int effects; /* as a person would count them */
	bool token_refused; /* the first token is no good any more */
};

extern struct peers peers;

void peers_open(void); /* the loop and the net are reset before */
void peers_close(void);

/* The mishap of a write that arrives now, if there is one. */
bool peers_take_mishap(struct mishap *mishap_r);

/* Somebody releases, deploys or sets something else, or ends a silence. */
void peers_person_acts(void);
/* What a release brings with it, after preflight has looked. */
void peers_release(void);

/* The Alertmanager's silences that are in force now. */
int peers_silenced(void);
const char *peers_live_version(void); /* of the site: "one" */
const char *peers_secret(void); /* the latest value as base64 */

/* ---- programs; see action_programs.c ---- */

void programs_open(void);
void programs_close(void);
void programs_release(void);
void programs_person_acts(void);
extern bool programs_paused; /* the Deployment is */
int programs_image(void); /* that the Deployment has now */

#endif
