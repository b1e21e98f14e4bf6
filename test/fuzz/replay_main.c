/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main() of the fuzz targets where there is no libFuzzer: feeds them their
 * corpus, and a few damaged copies of every file in it, always the same ones.
 * Owns reading the files; knows nothing of what a target parses.
 *
 * Without arguments NAME_fuzz replays $srcdir/test/fuzz/corpus/NAME; with
 * arguments those files, as libFuzzer does.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/rng.h"
#include "base/xalloc.h"

#define INPUT_MAX  (4 * 1024 * 1024)
#define COPIES     64 /* damaged ones, of each file */
#define DAMAGE_MAX 8 /* changes in one copy */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An exact copy on the heap, so that one byte too far is seen. */
static void feed(const char *bytes, size_t len)
{
	uint8_t *copy = xrealloc(NULL, len, 1);

	if (len)
		memcpy(copy, bytes, len);
	LLVMFuzzerTestOneInput(copy, len);
	free(copy);
}

static void feed_damaged(const char *bytes, size_t len, struct rng *rng)
{
	char *copy = xmemdup0(bytes, len);
	size_t changes = 1 + rng_below(rng, DAMAGE_MAX), at, run;

	if (len && rng_below(rng, 4) == 0)
		len = rng_below(rng, len);
	for (; len && changes; changes--) {
		at = rng_below(rng, len);
		run = 1 + rng_below(rng, len - at < 16 ? len - at : 16);
		switch (rng_below(rng, 3)) {
		case 0: /* a bit */
			copy[at] = (char)(copy[at] ^ 1 << rng_below(rng, 8));
			break;
		case 1: /* a byte that parsers care for */
			copy[at] = "\"\\{}[]:,-.0\n\xff"[rng_below(rng, 14)];
			break;
		default: /* a piece moved */
			memmove(copy + rng_below(rng, len - run + 1), copy + at,
				run);
		}
	}
	feed(copy, len);
	xfree(&copy);
}

static int replay_file(const char *path)
{
	struct rng rng;
	struct buf bytes;
	char block[4096];
	size_t n;
	int copy;
	FILE *file = fopen(path, "rb");

	if (!file) {
		perror(path);
		return -1;
	}
	buf_init(&bytes, INPUT_MAX);
	while ((n = fread(block, 1, sizeof(block), file)) > 0)
		buf_add(&bytes, block, n);
	fclose(file);
	feed(bytes.data, bytes.len);
	rng_init(&rng, bytes.len);
	for (copy = 0; copy < COPIES; copy++)
		feed_damaged(bytes.data, bytes.len, &rng);
	n = bytes.overflow;
	buf_fini(&bytes);
	if (n)
		fprintf(stderr, "%s: longer than %d bytes\n", path, INPUT_MAX);
	return n ? -1 : 0;
}

/* Returns how many files there were, -1 when one could not be read. */
static int replay_folder(const char *folder)
{
	struct dirent **entry;
	int i, failed = 0, files = 0, n;
	char *path;

	n = scandir(folder, &entry, NULL, alphasort);
	for (i = 0; i < n; i++) {
		if (entry[i]->d_name[0] != '.') {
			path = xasprintf("%s/%s", folder, entry[i]->d_name);
			failed |= replay_file(path);
			xfree(&path);
			files++;
		}
		free(entry[i]);
	}
	if (n >= 0)
		free(entry);
	return failed ? -1 : files;
}

/* "test/fuzz/key_fuzz" is the target "key". */
static char *target_name(const char *program)
{
	const char *slash = strrchr(program, '/');
	char *name = xstrdup(slash ? slash + 1 : program);
	char *end = strstr(name, "_fuzz");

	if (end)
		*end = '\0';
	return name;
}

int main(int argc, char **argv)
{
	const char *srcdir = getenv("srcdir");
	char *folder, *name;
	int failed = 0, files, i;

	feed("", 0);
	for (i = 1; i < argc; i++)
		failed |= replay_file(argv[i]);
	if (argc > 1)
		return failed ? 1 : 0;
	name = target_name(argv[0]);
	folder = xasprintf(
		"%s/test/fuzz/corpus/%s", srcdir ? srcdir : ".", name);
	files = replay_folder(folder);
	printf("%s: %d files\n", folder, files);
	xfree(&folder);
	xfree(&name);
	return files > 0 ? 0 : 1;
}
