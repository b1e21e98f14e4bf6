/* SPDX-License-Identifier: Apache-2.0 */
/* Globs; see glob.h. */
#include "policy/glob.h"

#include <string.h>

#include "base/buf.h"

const char *glob_skip_class(const char *p)
{
	p++;
	while (*p && *p != ']')
		p += p[0] == '\\' && p[1] ? 2 : 1;
	return *p ? p + 1 : p;
}

bool glob_is_narrow(const char *glob)
{
	while (*glob == '*' || *glob == '?' || *glob == '[')
		glob = *glob == '[' ? glob_skip_class(glob) : glob + 1;
	return *glob && (*glob != '\\' || glob[1]);
}

/* ---- samples ---- */

/* The characters of a class, of which a range has many. */
struct class
{
	bool negated, has[256];
};

static void add_range(struct class *class, unsigned char a, unsigned char b)
{
	for (int c = a < b ? a : b; c <= (a < b ? b : a); c++)
		class->has[c] = true;
}

static void read_class(const char *p, struct class *class)
{
	*class = (struct class){.negated = p[1] == '^'};
	for (p += class->negated ? 2 : 1; *p && *p != ']'; p++) {
		if (*p == '\\' && p[1]) {
			p++;
			class->has[(unsigned char)*p] = true;
		} else if (p[1] == '-' && p[2] && p[2] != ']') {
			add_range(
				class, (unsigned char)*p, (unsigned char)p[2]);
			p += 2;
		} else {
			class->has[(unsigned char)*p] = true;
		}
	}
}

/* Whether it has more than one character; of a negated one a letter or digit
 * that it leaves. */
static bool add_one_of(const struct class *class, bool last, struct buf *out)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	int first = -1, c, final = -1;

	if (class->negated) {
		for (c = 0; plain[c] && class->has[(unsigned char)plain[c]];)
			c++;
		if (plain[c])
			buf_addc(out, plain[c]);
		return false;
	}
	for (c = 1; c < 256; c++) {
		if (!class->has[c])
			continue;
		if (first < 0)
			first = c;
		final = c;
	}
	if (first >= 0)
		buf_addc(out, (char)(last ? final : first));
	return final > first;
}

bool glob_sample(const char *glob, bool last, struct buf *out)
{
	bool choice = false;
	struct class class;

	while (*glob) {
		if (*glob == '[') {
			read_class(glob, &class);
			choice |= add_one_of(&class, last, out);
			glob = glob_skip_class(glob);
			continue;
		}
		if (*glob == '\\' && glob[1])
			glob++;
		buf_addc(out, *glob++);
	}
	return choice;
}
