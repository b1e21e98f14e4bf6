/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes the recordings of evidence in a folder:
 *   make_recordings policies/recordings/evidence
 */
#include <stdio.h>

#include "recorded_world.h"

#define BYTES_MAX (1024 * 1024)

static int make(const char *folder, const char *name,
	const struct recorded_world *world)
{
	char path[4096];
	struct buf json;
	FILE *file;
	int rc = 0;

	snprintf(path, sizeof(path), "%s/%s.json", folder, name);
	buf_init(&json, BYTES_MAX);
	recorded_world_print(world, &json);
	file = fopen(path, "w");
	if (!file || fwrite(json.data, 1, json.len, file) != json.len)
		rc = -1;
	if (file && fclose(file) != 0)
		rc = -1;
	if (rc < 0)
		perror(path);
	buf_fini(&json);
	return rc;
}

int main(int argc, char **argv)
{
	struct recorded_world world = recorded_good;
	int rc;

	/* Traffic moves when policy.yaml beside them moves it. */
	world.length_s = 1200;
	world.rates = true;
	world.share[1].from_s = 169;
	world.share[2].from_s = 381;

	if (argc != 2) {
		fprintf(stderr, "usage: make_recordings FOLDER\n");
		return 2;
	}
	world.expect = "promoted";
	rc = make(argv[1], "good", &world);
	/* Everybody fails alike: no reason to take the release back. */
	world.incident = 0.05;
	world.incident_from_s = 240;
	world.incident_to_s = 480;
	world.share[2].from_s = 801;
	world.length_s = 1500;
	rc |= make(argv[1], "incident-of-both", &world);
	/* One of 1,000 becomes one of 100. */
	world = recorded_good;
	world.length_s = 600;
	world.rates = true;
	world.errors = 0.01;
	world.expect = "rolled-back";
	rc |= make(argv[1], "ten-times-the-errors", &world);
	return rc < 0 ? 1 : 0;
}
