/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens taken apart; see jwt_codec.h. Names claims, never quotes the token. */
#include "identity/jwt_codec.h"

#include <jansson.h>
#include <math.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "base/base64url.h"

#define NESTING_MAX 8 /* of a claim's value; nobody needs more */
#define MEMBERS_MAX 100
#define SECONDS_MAX 9007199254740992.0 /* 2^53 */

static int malformed(struct refusal *refusal_r, const char *what)
{
	return refuse(refusal_r, REFUSAL_MALFORMED, "the token %s", what);
}

/* ---- parts ---- */

struct part {
	const char *text;
	size_t len;
};

static int split(const char *text, size_t len, struct part parts[3],
	struct refusal *refusal_r)
{
	const char *end = text + len, *dot;

	if (len > JWT_BYTES_MAX)
		return malformed(refusal_r, "is longer than 16 KiB");
	for (int i = 0; i < 3; i++) {
		dot = memchr(text, '.', (size_t)(end - text));
		if (!dot != (i == 2))
			return malformed(refusal_r, "has not three parts");
		parts[i].text = text;
		parts[i].len = (size_t)((dot ? dot : end) - text);
		if (!parts[i].len)
			return malformed(refusal_r, "has an empty part");
		text = dot ? dot + 1 : end;
	}
	return 0;
}

/* How deep brackets go; those in strings do not count. */
static int depth_of(const char *text, size_t len)
{
	int depth = 0, most = 0;
	bool in_string = false;

	for (size_t i = 0; i < len; i++) {
		if (in_string && text[i] == '\\')
			i++;
		else if (text[i] == '"')
			in_string = !in_string;
		else if (!in_string && text[i] && strchr("{[", text[i]))
			most = ++depth > most ? depth : most;
		else if (!in_string && text[i] && strchr("}]", text[i]))
			depth--;
	}
	return most;
}

/* The caller frees it; NULL: refused. */
static json_t *load_object(
	const struct part *part, const char *which, struct refusal *refusal_r)
{
	json_t *root = NULL;
	struct buf text;

	buf_init(&text, JWT_BYTES_MAX);
	if (base64url_decode(part->text, part->len, &text) < 0)
		(void)refuse(refusal_r, REFUSAL_MALFORMED,
			"the token's %s is not base64url", which);
	else if (depth_of(text.data, text.len) > NESTING_MAX)
		(void)refuse(refusal_r, REFUSAL_MALFORMED,
			"the token's %s is nested too deeply", which);
	else
		root = json_loadb(
			text.data, text.len, JSON_REJECT_DUPLICATES, NULL);
	buf_fini(&text);
	if (json_is_object(root) && json_object_size(root) <= MEMBERS_MAX)
		return root;
	if (root || refusal_r->code == REFUSAL_NONE)
		(void)refuse(refusal_r, REFUSAL_MALFORMED,
			"the token's %s is not one JSON object whose members "
			"have different names",
			which);
	json_decref(root);
	return NULL;
}

static int decode_signature(const struct part *part, struct arena *arena,
	struct jwt *jwt, struct refusal *refusal_r)
{
	struct buf bytes;
	unsigned char *copy;
	int rc;

	buf_init(&bytes, JWT_SIGNATURE_MAX);
	rc = base64url_decode(part->text, part->len, &bytes);
	if (rc < 0) {
		(void)malformed(refusal_r, "has a signature of no kind");
	} else {
		copy = arena_alloc(arena, bytes.len + 1);
		memcpy(copy, bytes.data, bytes.len);
		jwt->signature = copy;
		jwt->signature_len = bytes.len;
	}
	buf_fini(&bytes);
	return rc;
}

/* ---- members ---- */

/* Absent and null are NULL; anything but a text of some length is refused. */
static int take_text(const json_t *root, const char *name, size_t max,
	struct arena *arena, const char **text_r, struct refusal *refusal_r)
{
	const json_t *member = json_object_get(root, name);
	size_t len = json_string_length(member);

	*text_r = NULL;
	if (!member || json_is_null(member))
		return 0;
	if (!json_is_string(member) || len > max ||
		strlen(json_string_value(member)) != len)
		return refuse(refusal_r, REFUSAL_MALFORMED,
			"%s is not a text of at most %zu bytes", name, max);
	*text_r = arena_strdup(arena, json_string_value(member));
	return 0;
}

static int take_seconds(const json_t *root, const char *name, bool needed,
	int64_t *seconds_r, struct refusal *refusal_r)
{
	const json_t *member = json_object_get(root, name);
	double value = json_number_value(member);

	*seconds_r = 0;
	if (!member && !needed)
		return 0;
	if (!json_is_number(member) || !isfinite(value) || value <= 0 ||
		value >= SECONDS_MAX)
		return refuse(refusal_r, REFUSAL_MALFORMED,
			"%s is not a number of seconds", name);
	*seconds_r = json_is_integer(member) ? json_integer_value(member)
					     : (int64_t)value;
	return 0;
}

static int take_audience(struct arena *arena, const json_t *one,
	struct jwt_claims *claims, struct refusal *refusal_r)
{
	size_t len = json_string_length(one);

	if (claims->n_aud == JWT_AUDIENCES_MAX || !len || len > JWT_WORD_MAX ||
		strlen(json_string_value(one)) != len)
		return refuse(refusal_r, REFUSAL_MALFORMED,
			"aud is not a text or a short list of texts");
	claims->aud[claims->n_aud++] =
		arena_strdup(arena, json_string_value(one));
	return 0;
}

static int take_audiences(const json_t *root, struct arena *arena,
	struct jwt_claims *claims, struct refusal *refusal_r)
{
	const json_t *aud = json_object_get(root, "aud"), *one;
	size_t i;

	if (!json_is_array(aud))
		return take_audience(arena, aud, claims, refusal_r);
	json_array_foreach(aud, i, one) {
		if (take_audience(arena, one, claims, refusal_r) < 0)
			return -1;
	}
	return 0;
}

/* Google says true, others "true". */
static int take_verified(const json_t *root, struct jwt_claims *claims,
	struct refusal *refusal_r)
{
	const json_t *member = json_object_get(root, "email_verified");
	const char *text = json_string_value(member);

	claims->has_email_verified = member != NULL;
	claims->email_verified =
		json_is_true(member) || (text && strcmp(text, "true") == 0);
	if (member && !json_is_boolean(member) && !text)
		return refuse(refusal_r, REFUSAL_MALFORMED,
			"email_verified is neither true nor false");
	return 0;
}

#define CLAIM(name)                                      \
	{                                                \
#name, offsetof(struct jwt_claims, name) \
	}

static const struct claim_text {
	const char *name;
	size_t offset;
} claim_texts[] = {
	CLAIM(iss),
	CLAIM(sub),
	CLAIM(azp),
	CLAIM(nonce),
	CLAIM(jti),
	CLAIM(email),
	CLAIM(hd),
	CLAIM(repository),
	CLAIM(repository_id),
	CLAIM(repository_owner_id),
	CLAIM(ref),
	CLAIM(environment),
	CLAIM(workflow_ref),
	CLAIM(job_workflow_ref),
	CLAIM(event_name),
	CLAIM(actor),
	CLAIM(actor_id),
	CLAIM(run_id),
	CLAIM(runner_environment),
};

static int decode_claims(const json_t *root, struct arena *arena,
	struct jwt_claims *claims, struct refusal *refusal_r)
{
	const struct claim_text *text = claim_texts;
	size_t i, n = sizeof(claim_texts) / sizeof(*claim_texts);

	for (i = 0; i < n; i++, text++) {
		if (take_text(root, text->name, JWT_WORD_MAX, arena,
			    (const char **)((char *)claims + text->offset),
			    refusal_r) < 0)
			return -1;
	}
	if (take_seconds(root, "exp", true, &claims->exp_s, refusal_r) < 0 ||
		take_seconds(root, "iat", true, &claims->iat_s, refusal_r) <
			0 ||
		take_seconds(root, "nbf", false, &claims->nbf_s, refusal_r) <
			0 ||
		take_verified(root, claims, refusal_r) < 0)
		return -1;
	return take_audiences(root, arena, claims, refusal_r);
}

/* Where keys might be fetched instead (jku, x5u) and keys that come along (jwk,
 * x5c) are not even looked at. */
static int decode_header(const json_t *root, struct arena *arena,
	struct jwt *jwt, struct refusal *refusal_r)
{
	const char *typ;

	if (json_object_get(root, "crit"))
		return malformed(refusal_r, "demands what is not known (crit)");
	if (take_text(root, "typ", JWT_WORD_MAX, arena, &typ, refusal_r) < 0 ||
		take_text(root, "alg", JWT_WORD_MAX, arena, &jwt->alg,
			refusal_r) < 0 ||
		take_text(root, "kid", JWT_KID_MAX, arena, &jwt->kid,
			refusal_r) < 0)
		return -1;
	if (typ && strcasecmp(typ, "JWT") != 0)
		return refuse(refusal_r, REFUSAL_MALFORMED,
			"typ is %.40s: another kind of token", typ);
	if (!jwt->alg)
		return malformed(refusal_r, "does not say its alg");
	if (!jwt->kid || !*jwt->kid)
		return malformed(refusal_r, "does not say its kid");
	return 0;
}

int jwt_decode(const char *text, size_t len, struct arena *arena,
	struct jwt *jwt_r, struct refusal *refusal_r)
{
	json_t *header = NULL, *payload = NULL;
	struct part parts[3];
	int rc = -1;

	*jwt_r = (struct jwt){0};
	*refusal_r = (struct refusal){0};
	if (split(text, len, parts, refusal_r) < 0)
		return -1;
	jwt_r->signed_text = text;
	jwt_r->signed_len = parts[0].len + 1 + parts[1].len;
	header = load_object(&parts[0], "header", refusal_r);
	if (header)
		payload = load_object(&parts[1], "payload", refusal_r);
	if (payload &&
		decode_signature(&parts[2], arena, jwt_r, refusal_r) == 0 &&
		decode_header(header, arena, jwt_r, refusal_r) == 0)
		rc = decode_claims(payload, arena, &jwt_r->claims, refusal_r);
	json_decref(header);
	json_decref(payload);
	return rc;
}
