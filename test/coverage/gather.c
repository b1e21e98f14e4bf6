/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What many short processes of many programs have run, in one file that all of
 * them map. By itself each would read, add to and write the 330 files of libgcov
 * when it ends, which costs as much as all else that it does.
 *
 * $TIDEGATE_GATHER    a file: counters are added to it, and no other is written
 * $TIDEGATE_GATHERED  the same file: what is there of this program's objects is
 *                     taken out and added to this process's counters, and libgcov
 *                     writes them as ever
 * neither             libgcov's own way
 *
 * The linker puts these in front of libgcov's functions (--wrap), in builds that
 * are configured with --enable-coverage, and in no other.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
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

/* ---- the start ---- */

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25 /* of Linux 6.1 */
#endif

extern char __bss_start[], _end[];

/* What sanitizers keep, megabytes that are never full, they touch here and there,
 * and read whole when they look for leaks: as a few large pages that takes a
 * seventh less of a short process. A kernel that cannot make them leaves it. */
__attribute__((no_sanitize("address"))) static void pages_join(void)
{
	const uintptr_t large = 2 << 20;
	uintptr_t from = ((uintptr_t)__bss_start + large - 1) & -large,
		  to = (uintptr_t)_end & -large;

	if (from < to)
		madvise((void *)from, to - from, MADV_COLLAPSE);
}

/* After the sanitizers', before whatever else there is. */
__attribute__((section(".preinit_array"), used)) static void (*const at_start)(
	void) = pages_join;

/* ---- the file ---- */

enum { SLOTS = 4096, COUNTERS = 1 << 22 };

struct slot {
	uint64_t key; /* of an object; 0: free */
	uint64_t at; /* its first counter; 0: that is being decided */
};

/* Whoever adds to it may be killed or stopped at any instant: there is no lock. */
struct sums {
	uint64_t used;
	struct slot slot[SLOTS];
	int64_t counter[COUNTERS];
};

static uint64_t key_of(const struct object *object, unsigned n)
{
	uint64_t key = ((uint64_t)object->stamp << 32 | n) * 0x9e3779b97f4a7c15;

	for (const char *c = object->file; *c; c++)
		key = (key ^ (unsigned char)*c) * 0x100000001b3;
	return key ? key : 1;
}

/* Whoever is first in a slot says where its counters are. */
static int64_t *settle(struct sums *sums, struct slot *slot, unsigned n)
{
	uint64_t at = 1 + __atomic_fetch_add(&sums->used, n, __ATOMIC_RELAXED);

	if (at + n > COUNTERS)
		abort();
	__atomic_store_n(&slot->at, at, __ATOMIC_RELEASE);
	return &sums->counter[at];
}

/* NULL: who was first in its slot died in that instant. */
static int64_t *find(struct sums *sums, uint64_t key, unsigned n)
{
	struct slot *slot = &sums->slot[key % SLOTS];
	uint64_t at = 0, was = 0;

	for (int i = 0; i < SLOTS; i++) {
		if (__atomic_compare_exchange_n(&slot->key, &was, key, false,
			    __ATOMIC_RELAXED, __ATOMIC_RELAXED))
			return settle(sums, slot, n);
		if (was == key)
			break;
		was = 0;
		slot = slot == &sums->slot[SLOTS - 1] ? sums->slot : slot + 1;
	}
	if (was != key)
		abort();
	for (int i = 0; !at && i < 1000; i++) {
		at = __atomic_load_n(&slot->at, __ATOMIC_ACQUIRE);
		if (!at)
			sched_yield();
	}
	return at ? &sums->counter[at] : NULL;
}

/* It is as long as it gets from the first one on: a process may be forbidden to
 * make files that long. NULL: there is none. */
static struct sums *map(const char *path)
{
	struct stat is;
	void *sums = MAP_FAILED;
	int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);

	if (file < 0)
		return NULL;
	if (fstat(file, &is) == 0 &&
		(is.st_size == sizeof(struct sums) ||
			ftruncate(file, sizeof(struct sums)) == 0))
		sums = mmap(NULL, sizeof(struct sums), PROT_READ | PROT_WRITE,
			MAP_SHARED, file, 0);
	close(file);
	return sums == MAP_FAILED ? NULL : sums;
}

/* ---- an object ---- */

/* Arcs alone are counted, which are the first kind. One of an inline function may
 * be another object's. */
static const struct function *function_of(
	const struct object *object, unsigned f)
{
	const struct function *function = object->functions[f];

	return function && function->key == object ? function : NULL;
}

static unsigned count(const struct object *object, bool *runs_r)
{
	const struct function *function;
	unsigned n = 0;

	*runs_r = false;
	for (unsigned f = 0; f < object->n_functions; f++) {
		function = function_of(object, f);
		for (unsigned k = 0; function && k < function->counters[0].n;
			k++, n++)
			*runs_r = *runs_r || function->counters[0].value[k];
	}
	return n;
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
	*sum = 0; /* other programs have the same object */
}

static void walk(const struct object *object,
	void (*each)(int64_t *ours, int64_t *sum), int64_t *sum)
{
	const struct function *function;

	for (unsigned f = 0; f < object->n_functions; f++) {
		function = function_of(object, f);
		for (unsigned k = 0; function && k < function->counters[0].n;
			k++)
			each(&function->counters[0].value[k], sum++);
	}
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

/* Whether libgcov has nothing left to do. */
static bool gather(void)
{
	const char *to = getenv("TIDEGATE_GATHER"),
		   *from = getenv("TIDEGATE_GATHERED");
	struct sums *sums;
	int64_t *sum;
	unsigned n;
	bool runs;

	if ((!to && !from) || !is_known())
		return false;
	sums = map(to ? to : from);
	if (!sums)
		return false;
	for (size_t i = 0; i < n_objects; i++) {
		n = count(objects[i], &runs);
		if (to && !runs)
			continue;
		sum = n ? find(sums, key_of(objects[i], n), n) : NULL;
		if (sum)
			walk(objects[i], to ? add : take, sum);
	}
	munmap(sums, sizeof(*sums));
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
