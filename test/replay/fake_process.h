/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What actions do, on the virtual clock: programs that are not run (argv[0] is
 * "act", as are tidegate's other programs, argv[1] the deed) and requests to FAKE_DEED_ORIGIN/DEED. Each deed
 * is counted when it is done.
 */
#ifndef TIDEGATE_TEST_FAKE_PROCESS_H
#define TIDEGATE_TEST_FAKE_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

#define FAKE_DEED_ORIGIN "http://127.0.0.1:7000"
#define FAKE_DEEDS_MAX   16

void fake_deeds_open(void);
void fake_deeds_close(void);

int fake_deeds(const char *deed); /* how often it was done */
int fake_deeds_cancelled(const char *deed); /* … and cut off by its caller */
const char *fake_deeds_order(void); /* "undo purge", in order of time */

/* From now on this deed fails; its effect is there all the same with `done`. */
void fake_deed_fails(const char *deed, bool done);
void fake_deed_works(const char *deed);
void fake_deed_takes(const char *deed, int64_t ms);
/* One that is cut off goes on for so long: until it has cleaned up, or was killed
 * when its grace was over, or for longer when the kernel cannot kill it. */
void fake_deed_lingers(const char *deed, int64_t ms);
int fake_deeds_lingering(void); /* were cut off and are not gone yet */

/* A load is a deed of the name "load", which ends with who started it. */
bool fake_load_is_made(void);

#endif
