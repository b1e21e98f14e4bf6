/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happens in the demo by itself: good and bad revisions are deployed to
 * its sandbox by turns, each when nothing is being released, and the daemon
 * drives their rollouts as it would any.
 */
#ifndef TIDEGATE_SERVE_DEMO_RELEASES_H
#define TIDEGATE_SERVE_DEMO_RELEASES_H

#define DEMO_POLICY  "demo"
#define DEMO_SERVICE "shop"
/* It serves from the start: a revision and its profile. */
#define DEMO_FIRST "shop-00001-old:latency=40ms,sigma=0.3"

struct daemon;
struct demo_releases;

/* The daemon is borrowed; `admin` is the sandbox's address. */
struct demo_releases *demo_releases_new(
	struct daemon *daemon, const char *admin);
/* Before the daemon is closed. NULL inside is accepted. */
void demo_releases_free(struct demo_releases **releases);

#endif
