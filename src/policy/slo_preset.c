/* SPDX-License-Identifier: Apache-2.0 */
/* Finds presets of SLOs and fills in their parameters; see slo_preset.h. What they
 * are is in slo_preset.def. */
#include "policy/slo_preset.h"

#include <string.h>

#include "base/buf.h"

#define EXPANDED_MAX (64 * 1024)
#define SHOWN_MAX    60 /* bytes of a bad value that a message repeats */

#define PARAMS(...)         \
	{                   \
		__VA_ARGS__ \
	}
#define COUNTS(...)         \
	{                   \
		__VA_ARGS__ \
	}
#define PRESET(use, about, params, query, requests, keys, compare, counts) \
	{use, about, params, query, requests, keys, compare, counts},

const struct slo_preset slo_presets[] = {
#include "policy/slo_preset.def"
	{0},
};

const struct slo_preset *slo_preset_find(const char *use)
{
	const struct slo_preset *slo;

	for (slo = slo_presets; slo->use; slo++)
		if (!strcmp(slo->use, use))
			return slo;
	return NULL;
}

const char *slo_preset_name(const char *use)
{
	const char *slash = strrchr(use, '/');

	return slash ? slash + 1 : use;
}

/* ---- values of parameters ---- */

static size_t name_len(const char *text, bool colons)
{
	static const char first[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ_:";
	size_t len;

	if (!*text || !strchr(first, *text) || (!colons && *text == ':'))
		return 0;
	for (len = 1; text[len]; len++)
		if (!strchr(first, text[len]) &&
			!(text[len] >= '0' && text[len] <= '9'))
			break;
	if (!colons && memchr(text, ':', len))
		return 0;
	return len;
}

/* After one matcher, name="value"; NULL: it is none. */
static const char *skip_matcher(const char *p)
{
	static const char *const operators[] = {"=~", "!~", "!=", "="};
	size_t len;

	p += strspn(p, " ");
	len = name_len(p, false);
	if (!len)
		return NULL;
	p += len;
	for (size_t i = 0; i < sizeof(operators) / sizeof(*operators); i++) {
		len = strlen(operators[i]);
		if (strncmp(p, operators[i], len) != 0)
			continue;
		p += len;
		break;
	}
	if (p[-1] != '=' && p[-1] != '~')
		return NULL;
	if (*p++ != '"')
		return NULL;
	for (; *p != '"'; p++) {
		if (*p == '\\' && p[1])
			p++;
		if (!*p || *p == '\n')
			return NULL;
	}
	return p + 1 + strspn(p + 1, " ");
}

static bool is_selector(const char *p)
{
	while ((p = skip_matcher(p)) && *p == ',')
		p++;
	return p && !*p;
}

int preset_param_check(
	const struct preset_param *param, const char *value, struct err *err_r)
{
	const char *what = NULL;

	switch (param->kind) {
	case PRESET_METRIC:
		if (strlen(value) != name_len(value, true))
			what = "the name of a metric: letters, digits, "
			       "\"_\" and \":\"";
		break;
	case PRESET_LABEL:
		if (strlen(value) != name_len(value, false))
			what = "the name of a label: letters, digits and "
			       "\"_\"";
		break;
	case PRESET_VALUE:
		break;
	case PRESET_SELECTOR:
		if (!is_selector(value))
			what = "a list of matchers: label=\"value\", or =~ "
			       "!= !~, with commas between";
		break;
	case PRESET_UNIT:
		if (strcmp(value, "s") != 0 && strcmp(value, "ms") != 0)
			what = "a unit: s or ms";
		break;
	}
	if (!what)
		return 0;
	return err_set(err_r, ERR_POLICY, "\"%.*s\" is not %s", SHOWN_MAX,
		value, what);
}

/* ---- putting them in ---- */

static void preset_add_param(
	struct buf *out, const struct preset_param *param, const char *value)
{
	switch (param->kind) {
	case PRESET_METRIC:
	case PRESET_LABEL:
		buf_adds(out, value);
		break;
	case PRESET_VALUE:
		for (; *value; value++) {
			if (*value == '\\' || *value == '"')
				buf_addc(out, '\\');
			if (*value == '\n')
				buf_adds(out, "\\n");
			else
				buf_addc(out, *value);
		}
		break;
	case PRESET_SELECTOR:
		if (*value)
			buf_addf(out, ",%s", value);
		break;
	case PRESET_UNIT:
		if (!strcmp(value, "ms"))
			buf_adds(out, " / 1000");
		break;
	}
}

/* The parameter at "<name>", with its index; NULL: there is none. */
static const struct preset_param *param_at(
	const struct slo_preset *slo, const char *open, size_t *i_r)
{
	size_t len = strcspn(open + 1, ">");

	for (size_t i = 0; slo->params[i].name; i++) {
		if (strlen(slo->params[i].name) != len ||
			strncmp(slo->params[i].name, open + 1, len) != 0)
			continue;
		*i_r = i;
		return &slo->params[i];
	}
	return NULL;
}

const char *slo_preset_expand(struct arena *arena, const struct slo_preset *slo,
	const char *text, const char *const value[PRESET_PARAMS_MAX])
{
	const struct preset_param *param;
	const char *expanded;
	struct buf out;
	size_t i;

	buf_init(&out, EXPANDED_MAX);
	for (; *text; text++) {
		param = *text == '<' ? param_at(slo, text, &i) : NULL;
		if (!param) {
			buf_addc(&out, *text);
			continue;
		}
		preset_add_param(
			&out, param, value[i] ? value[i] : param->value);
		text += strlen(param->name) + 1;
	}
	expanded = arena_strdup(arena, out.data ? out.data : "");
	buf_fini(&out);
	return expanded;
}
