/* SPDX-License-Identifier: Apache-2.0 */
/* Latency and errors of a revision; see revision_profile.h. Pure. */
#include "sandbox/revision_profile.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "sandbox/admin_check.h"

#define TWO_PI 6.28318530717958647692

/* "5%" or "0.05". */
static int read_share(const char *text, double *share_r, struct err *err_r)
{
	char *end;
	double share = strtod(text, &end);

	if (end != text && strcmp(end, "%") == 0) {
		share /= 100;
		end++;
	}
	if (end == text || *end || !(share >= 0 && share <= 1))
		return err_set(err_r, ERR_USAGE,
			"\"%.40s\" is not a share: write 0.1%% or 0.001, at "
			"most 100%%",
			text);
	*share_r = share;
	return 0;
}

static int set_code(struct revision_profile *profile, const char *code,
	const char *share, struct err *err_r)
{
	struct profile_code row;
	double sum;
	size_t i;

	if (strlen(code) != 3 || strspn(code, "0123456789") != 3 ||
		atoi(code) < 200 || atoi(code) > 599)
		return err_set(err_r, ERR_USAGE,
			"\"%.40s\" is not a status code between 200 and 599",
			code);
	row.code = atoi(code);
	if (read_share(share, &row.share, err_r) < 0)
		return -1;
	if (profile->n_codes == PROFILE_CODES_MAX)
		return err_set(err_r, ERR_USAGE,
			"more than %d status codes for one revision",
			PROFILE_CODES_MAX);
	sum = row.share;
	for (i = 0; i < profile->n_codes; i++)
		sum += profile->code[i].share;
	if (sum > 1 + 1e-9)
		return err_set(err_r, ERR_USAGE,
			"the shares of the status codes are more than 100%% "
			"together");
	profile->code[profile->n_codes++] = row;
	return 0;
}

static int set_sigma(
	struct revision_profile *profile, double sigma, struct err *err_r)
{
	if (!(sigma >= 0 && sigma <= PROFILE_SIGMA_MAX))
		return err_set(err_r, ERR_USAGE,
			"sigma %g is not between 0 and %g", sigma,
			PROFILE_SIGMA_MAX);
	profile->sigma = sigma;
	return 0;
}

static int set_latency(
	struct revision_profile *profile, const char *text, struct err *err_r)
{
	int64_t ms;

	if (duration_parse(text, &ms, err_r) < 0)
		return err_wrap(err_r, "latency");
	if (ms > PROFILE_LATENCY_MS_MAX)
		return err_set(err_r, ERR_USAGE,
			"latency \"%.40s\" is longer than %d s", text,
			PROFILE_LATENCY_MS_MAX / 1000);
	profile->latency_ms = ms;
	return 0;
}

static int set_proxy(
	struct revision_profile *profile, const char *url, struct err *err_r)
{
	size_t len = strlen(url);

	if (len >= sizeof(profile->proxy))
		return err_set(err_r, ERR_USAGE,
			"the proxy's URL is longer than %d bytes",
			PROFILE_URL_MAX - 1);
	while (len && url[len - 1] == '/')
		len--;
	memcpy(profile->proxy, url, len);
	profile->proxy[len] = '\0';
	return 0;
}

static int set_pair(struct revision_profile *profile, const char *name,
	const char *value, struct err *err_r)
{
	char *end;
	double sigma;

	if (strcmp(name, "latency") == 0)
		return set_latency(profile, value, err_r);
	if (strcmp(name, "proxy") == 0)
		return set_proxy(profile, value, err_r);
	if (strcmp(name, "errors") == 0)
		return set_code(profile, "500", value, err_r);
	if (name[0] >= '0' && name[0] <= '9')
		return set_code(profile, name, value, err_r);
	if (strcmp(name, "sigma") != 0)
		return err_set(err_r, ERR_USAGE,
			"\"%.40s\" is none of latency, sigma, errors, proxy or "
			"a status code",
			name);
	sigma = strtod(value, &end);
	if (end == value || *end)
		return err_set(err_r, ERR_USAGE,
			"sigma \"%.40s\" is not a number", value);
	return set_sigma(profile, sigma, err_r);
}

int revision_profile_parse(
	const char *text, struct revision_profile *profile, struct err *err_r)
{
	char pair[PROFILE_URL_MAX + 16], *equals;
	size_t len;

	for (; *text; text += len + (text[len] == ',')) {
		len = strcspn(text, ",");
		if (len >= sizeof(pair))
			return err_set(err_r, ERR_USAGE,
				"\"%.40s\" is too long", text);
		memcpy(pair, text, len);
		pair[len] = '\0';
		equals = strchr(pair, '=');
		if (!equals)
			return err_set(err_r, ERR_USAGE,
				"\"%.40s\" is not NAME=VALUE", pair);
		*equals = '\0';
		if (set_pair(profile, pair, equals + 1, err_r) < 0)
			return -1;
	}
	return 0;
}

/* A JSON number or text as text. */
static int share_text(const json_t *value, char text[32], struct err *err_r)
{
	if (json_is_string(value))
		snprintf(text, 32, "%s", json_string_value(value));
	else if (json_is_number(value))
		snprintf(text, 32, "%.17g", json_number_value(value));
	else
		return err_set(
			err_r, ERR_USAGE, "a share must be \"0.1%%\" or 0.001");
	return 0;
}

static int read_codes(const json_t *codes, struct revision_profile *profile,
	struct err *err_r)
{
	const char *code;
	char text[32];
	json_t *share;

	if (!json_is_object(codes))
		return err_set(err_r, ERR_USAGE,
			"codes must be an object such as {\"503\": \"1%%\"}");
	json_object_foreach((json_t *)codes, code, share) {
		if (share_text(share, text, err_r) < 0 ||
			set_code(profile, code, text, err_r) < 0)
			return -1;
	}
	return 0;
}

static int read_texts(
	const json_t *body, struct revision_profile *profile, struct err *err_r)
{
	const json_t *latency = json_object_get(body, "latency");
	const json_t *proxy = json_object_get(body, "proxy");
	const json_t *sigma = json_object_get(body, "sigma");

	if ((latency && !json_is_string(latency)) ||
		(proxy && !json_is_string(proxy)) ||
		(sigma && !json_is_number(sigma)))
		return err_set(err_r, ERR_USAGE,
			"latency and proxy must be texts, sigma a number");
	if (latency && set_latency(profile, json_string_value(latency), err_r))
		return -1;
	if (proxy && set_proxy(profile, json_string_value(proxy), err_r) < 0)
		return -1;
	if (sigma && set_sigma(profile, json_number_value(sigma), err_r) < 0)
		return -1;
	return 0;
}

int revision_profile_read(const json_t *body, const char *also,
	struct revision_profile *profile, struct err *err_r)
{
	const json_t *errors = json_object_get(body, "errors");
	const json_t *codes = json_object_get(body, "codes");
	struct revision_profile next = *profile;
	const char *name;
	char text[32];
	json_t *value;

	json_object_foreach((json_t *)body, name, value) {
		if (!admin_word_in(name, strlen(name),
			    "latency sigma errors codes proxy") &&
			!admin_word_in(name, strlen(name), also))
			return err_set(err_r, ERR_USAGE,
				"\"%.40s\" is none of latency, sigma, errors, "
				"codes, proxy%s%s",
				name, *also ? ", " : "", also);
	}
	if (errors || codes)
		next.n_codes = 0;
	if (errors && (share_text(errors, text, err_r) < 0 ||
			      set_code(&next, "500", text, err_r) < 0))
		return -1;
	if (codes && read_codes(codes, &next, err_r) < 0)
		return -1;
	if (read_texts(body, &next, err_r) < 0)
		return -1;
	*profile = next;
	return 0;
}

json_t *revision_profile_json(const struct revision_profile *profile)
{
	char text[DURATION_TEXT_MAX], code[16];
	json_t *codes = json_object();
	size_t i;

	for (i = 0; i < profile->n_codes; i++) {
		snprintf(code, sizeof(code), "%d", profile->code[i].code);
		json_object_set_new(
			codes, code, json_real(profile->code[i].share));
	}
	return json_pack("{s:s, s:f, s:o, s:s}", "latency",
		duration_print(profile->latency_ms, text), "sigma",
		profile->sigma, "codes", codes, "proxy", profile->proxy);
}

/* A standard normal number, by Box and Muller. */
static double normal(struct rng *rng)
{
	double u = 1.0 - rng_unit(rng); /* never 0 */

	return sqrt(-2.0 * log(u)) * cos(TWO_PI * rng_unit(rng));
}

int64_t revision_profile_latency_ms(
	const struct revision_profile *profile, struct rng *rng)
{
	double ms = (double)profile->latency_ms;

	if (profile->sigma > 0 && ms > 0)
		ms *= exp(profile->sigma * normal(rng));
	if (ms > PROFILE_LATENCY_MS_MAX)
		return PROFILE_LATENCY_MS_MAX;
	return (int64_t)(ms + 0.5);
}

int revision_profile_code(
	const struct revision_profile *profile, struct rng *rng)
{
	double drawn;
	size_t i;

	if (!profile->n_codes)
		return 200;
	drawn = rng_unit(rng);
	for (i = 0; i < profile->n_codes; i++) {
		if (drawn < profile->code[i].share)
			return profile->code[i].code;
		drawn -= profile->code[i].share;
	}
	return 200;
}
