/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What many short processes have run, in a file for each program that all of
 * them map. By itself each would read, add to and write the 330 files of libgcov
 * when it ends, which costs as much as all else that it does.
 *
 * $TIDEGATE_GATHER    a folder: counters are added to the program's file there,
 *                     and no other file is written
 * $TIDEGATE_GATHERED  the same folder: what is in the program's file is added to
 *                     this process's counters, and libgcov writes them as ever
 * neither             libgcov's own way
 *
 * The linker puts these in front of libgcov's functions (--wrap), in builds that
 * are configured with --enable-coverage, and in no other.
 */
#define _GNU_SOURCE 1 /* program_invocation_short_name */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* Of libgcov, as GCC 12 has them; others are left to it (is_known). */
enum { KINDS = 8, GCC_12 = 'B' << 8 | '2' };

struct counters {
	unsigned n;
	int64_t *value;
};

struct function {
	const void *key;
	unsigned ident, line_sum, flow_sum;
	struct counters counters[]; /* of each kind that the object has */
};

struct object {
	unsigned version;
	struct object *next;
	unsigned stamp, checksum;
	const char *file;
	void (*merge[KINDS])(
		int64_t *, unsigned); /* NULL: it has not the kind */
	unsigned n_functions;
	const struct function *const *functions;
};

void __real___gcov_init(struct object *object);
void __real___gcov_exit(void);
void __real___gcov_dump(void);
void __wrap___gcov_init(struct object *object);
void __wrap___gcov_exit(void);
void __wrap___gcov_dump(void);

enum { OBJECTS_MAX = 4096 };
static struct object *objects[OBJECTS_MAX];
static size_t n_objects;
static bool is_done;

/* libgcov makes a list of them, and a page for each that it writes to: where they
 * are gathered it never learns of them. */
void __wrap___gcov_init(struct object *object)
{
	if (n_objects < OBJECTS_MAX)
		objects[n_objects++] = object;
	else
		__real___gcov_init(object);
}

static void tell_libgcov(void)
{
	static bool is_told;

	for (size_t i = 0; !is_told && i < n_objects; i++)
		__real___gcov_init(objects[i]);
	is_told = true;
}

/* Calls `each` for the counters of all objects, which have their place in the
 * file one after the other; returns how many there are. */
static size_t walk(void (*each)(int64_t *ours, int64_t *sum), int64_t *sum)
{
	size_t at = 0;

	for (size_t i = 0; i < n_objects; i++) {
		for (unsigned f = 0; f < objects[i]->n_functions; f++) {
			const struct function *function =
				objects[i]->functions[f];

			/* One of an inline function may be another object's. */
			if (!function || function->key != objects[i])
				continue;
			/* Arcs alone are counted, which are the first kind. */
			for (unsigned k = 0; k < function->counters[0].n; k++)
				each(&function->counters[0].value[k],
					sum ? &sum[at + k] : NULL);
			at += function->counters[0].n;
		}
	}
	return at;
}

static void skip(int64_t *ours, int64_t *sum)
{
	(void)ours;
	(void)sum;
}

static void add(int64_t *ours, int64_t *sum)
{
	/* Most are 0, and a page that is only read is not made. */
	if (*ours)
		__atomic_fetch_add(sum, *ours, __ATOMIC_RELAXED);
	*ours = 0;
}

static void take(int64_t *ours, int64_t *sum)
{
	*ours += *sum;
}

static bool is_known(void)
{
	for (size_t i = 0; i < n_objects; i++) {
		if (objects[i]->version >> 16 != GCC_12 ||
			!objects[i]->merge[0])
			return false;
	}
	return n_objects > 0 && n_objects < OBJECTS_MAX;
}

/* The program's file in the folder; NULL: there is none, errno says why. */
static int64_t *map(const char *folder, size_t size)
{
	char path[4096];
	unsigned build = 0;
	void *sum;
	int file;

	for (size_t i = 0; i < n_objects; i++)
		build = build * 31 + objects[i]->stamp;
	snprintf(path, sizeof(path), "%s/%s.%08x", folder,
		program_invocation_short_name, build);
	file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	if (file < 0)
		return NULL;
	sum = ftruncate(file, (off_t)size) == 0
		      ? mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED,
				file, 0)
		      : MAP_FAILED;
	close(file);
	return sum == MAP_FAILED ? NULL : sum;
}

/* Whether libgcov has nothing left to do. */
static bool gather(void)
{
	const char *to = getenv("TIDEGATE_GATHER"),
		   *from = getenv("TIDEGATE_GATHERED");
	size_t size;
	int64_t *sum;

	if ((!to && !from) || !is_known())
		return false;
	size = walk(skip, NULL) * sizeof(*sum);
	sum = map(to ? to : from, size);
	if (!sum)
		return false;
	walk(to ? add : take, sum);
	munmap(sum, size);
	return to;
}

/* At the end of the process. */
void __wrap___gcov_exit(void)
{
	if (is_done)
		return;
	is_done = true;
	if (gather())
		return;
	tell_libgcov();
	__real___gcov_exit();
}

/* Before another program takes the process's place. */
void __wrap___gcov_dump(void)
{
	if (gather())
		return;
	tell_libgcov();
	__real___gcov_dump();
}
