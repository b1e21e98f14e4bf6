/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two APIs that actions use, as far as the driver's part in it goes: an
 * Alertmanager that keeps one silence, and a Secret Manager with one secret
 * and its versions.
 */
#ifndef TIDEGATE_TEST_FAKE_APIS_H
#define TIDEGATE_TEST_FAKE_APIS_H

#include <stdbool.h>
#include <stdint.h>

#define FAKE_ALERTS_ORIGIN  "http://127.0.0.1:9093"
#define FAKE_SECRETS_ORIGIN "http://127.0.0.1:7001"
#define FAKE_VERSIONS_MAX   16

struct fake_apis {
	int stored, expired; /* how often the silence was, renewals included */
	/* The next one is stored and 503 answered, and the list after it
	 * refused. */
	bool alerts_mumble, alerts_refuse;
	int versions;
	bool secret_denied;
};

extern struct fake_apis fake_apis;

bool fake_alerts_are_silenced(void); /* and the silence has not run out */

void fake_alerts_person_ends(void); /* the silence */

void fake_apis_open(void); /* the secret has one version, "on" */
void fake_apis_close(void);
void fake_secret_turn(bool on); /* somebody adds a version */
bool fake_secret_is_on(void); /* the newest version says so */

#endif
