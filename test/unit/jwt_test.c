/* SPDX-License-Identifier: Apache-2.0 */
/* The verifier of signed tokens: each way in that others have left open. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/xalloc.h"
#include "identity/jwt_verify.h"
#include "jwt_fixture.h"

#define TEST(name) cmocka_unit_test(name)
#define NOW        INT64_C(1790000000)

#define RS256 "{\"alg\":\"RS256\",\"typ\":\"JWT\",\"kid\":\"r1\"}"
#define ES256 "{\"alg\":\"ES256\",\"typ\":\"JWT\",\"kid\":\"e1\"}"
#define GOOD                                                          \
	"{\"iss\":\"https://issuer.example\",\"aud\":\"us\",\"sub\":" \
	"\"7\",\"iat\":1789999900,\"exp\":1790000200}"

static EVP_PKEY *rsa, *ec, *stranger;
static struct jwks *keys;

static const struct jwt_rule rs_rule = {
	.algs = JWT_ALG_BIT(JWT_RS256),
	.issuers = {"https://issuer.example", "issuer.example"},
	.audience = "us",
	.life_s_max = 3600,
};
static const struct jwt_rule es_rule = {
	.algs = JWT_ALG_BIT(JWT_ES256),
	.issuers = {"https://issuer.example", "issuer.example"},
	.audience = "us",
	.life_s_max = 3600,
};

static struct jwks *keys_of(const char *first, const char *second)
{
	char *text = xasprintf("{\"keys\":[%s%s%s]}", first, second ? "," : "",
		second ? second : "");
	struct err err;
	struct jwks *jwks = jwks_decode(text, strlen(text), &err);

	free(text);
	return jwks;
}

static int keys_make(void **state)
{
	char *a, *b;

	rsa = jwt_rsa_key(2048);
	stranger = jwt_rsa_key(2048);
	ec = jwt_ec_key("P-256");
	a = jwt_jwk(rsa, "r1", "\"use\":\"sig\",\"alg\":\"RS256\"");
	b = jwt_jwk(ec, "e1", "\"crv\":\"P-256\"");
	keys = keys_of(a, b);
	assert_non_null(keys);
	assert_int_equal(jwks_count(keys), 2);
	free(a);
	free(b);
	return 0;
}

static int keys_unmake(void **state)
{
	jwks_free(&keys);
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(ec);
	EVP_PKEY_free(stranger);
	return 0;
}

/* Frees the token. */
static enum refusal_code judge_at(
	char *token, const struct jwt_rule *rule, int64_t now_s)
{
	struct refusal why = {0};
	struct arena arena;
	struct jwt jwt;

	arena_init(&arena);
	if (jwt_decode(token, strlen(token), &arena, &jwt, &why) == 0 &&
		jwt_check(&jwt, rule, now_s, &why) == 0 &&
		jwt_check_signature(&jwt, rule, keys, &why) == 0)
		assert_int_equal(why.code, REFUSAL_NONE);
	else
		assert_true(why.code != REFUSAL_NONE && *why.reason);
	arena_fini(&arena);
	free(token);
	return why.code;
}

static enum refusal_code judge(char *token, const struct jwt_rule *rule)
{
	return judge_at(token, rule, NOW);
}

static enum refusal_code judge_claims(const char *payload)
{
	return judge(jwt_sign(rsa, RS256, payload), &rs_rule);
}

static enum refusal_code judge_header(const char *header)
{
	return judge(jwt_sign(rsa, header, GOOD), &rs_rule);
}

static void a_token_of_each_algorithm_is_taken(void **state)
{
	assert_int_equal(judge(jwt_sign(rsa, RS256, GOOD), &rs_rule), 0);
	for (int i = 0; i < 40; i++) /* r and s begin with zeros at times */
		assert_int_equal(judge(jwt_sign(ec, ES256, GOOD), &es_rule), 0);
}

static void what_is_not_signed_is_refused(void **state)
{
	static const char *const algs[] = {"none", "None", "NONE", "nOnE", ""};
	char header[100];

	for (size_t i = 0; i < sizeof(algs) / sizeof(*algs); i++) {
		snprintf(header, sizeof(header),
			"{\"alg\":\"%s\",\"kid\":\"r1\"}", algs[i]);
		assert_int_equal(judge(jwt_join(header, GOOD, "", 0), &rs_rule),
			REFUSAL_MALFORMED); /* an empty part */
		assert_int_equal(
			judge(jwt_join(header, GOOD, "x", 1), &rs_rule),
			REFUSAL_ALGORITHM);
	}
	assert_int_equal(judge(jwt_join(RS256, GOOD, "x", 1), &rs_rule),
		REFUSAL_SIGNATURE);
}

static void a_public_key_is_no_secret_of_an_hmac(void **state)
{
	static const char *const headers[] = {
		"{\"alg\":\"HS256\",\"kid\":\"r1\"}", RS256};
	char *pem = jwt_pem(rsa);

	assert_int_equal(
		judge(jwt_sign_hmac(pem, strlen(pem), headers[0], GOOD),
			&rs_rule),
		REFUSAL_ALGORITHM);
	assert_int_equal(
		judge(jwt_sign_hmac(pem, strlen(pem), headers[1], GOOD),
			&rs_rule),
		REFUSAL_SIGNATURE);
	free(pem);
}

static void a_key_signs_with_its_own_algorithm_only(void **state)
{
	static const struct jwt_rule either = {
		.algs = JWT_ALG_BIT(JWT_RS256) | JWT_ALG_BIT(JWT_ES256),
		.issuers = {"https://issuer.example"},
		.audience = "us",
		.life_s_max = 3600,
	};

	/* An issuer of one algorithm, a token of the other. */
	assert_int_equal(
		judge(jwt_sign(ec, ES256, GOOD), &rs_rule), REFUSAL_ALGORITHM);
	/* The header says ES256 and names the RSA key. */
	assert_int_equal(
		judge(jwt_sign(rsa, "{\"alg\":\"ES256\",\"kid\":\"r1\"}", GOOD),
			&either),
		REFUSAL_ALGORITHM);
	assert_int_equal(
		judge(jwt_sign(ec, "{\"alg\":\"RS256\",\"kid\":\"e1\"}", GOOD),
			&either),
		REFUSAL_ALGORITHM);
	assert_int_equal(judge_header("{\"alg\":\"RS512\",\"kid\":\"r1\"}"),
		REFUSAL_ALGORITHM);
	assert_int_equal(judge_header("{\"alg\":\"rs256\",\"kid\":\"r1\"}"),
		REFUSAL_ALGORITHM);
	assert_int_equal(judge_header("{\"alg\":[\"RS256\"],\"kid\":\"r1\"}"),
		REFUSAL_MALFORMED);
	assert_int_equal(judge_header("{\"kid\":\"r1\"}"), REFUSAL_MALFORMED);
}

static void a_kid_is_compared_and_nothing_else(void **state)
{
	static const char *const kids[] = {"r2", "R1", "r1 ",
		"../../../../etc/passwd", "https://evil.example/keys",
		"r1' OR '1'='1", "%n%s", "/dev/null", "e2"};
	char header[200], big[1000];

	for (size_t i = 0; i < sizeof(kids) / sizeof(*kids); i++) {
		snprintf(header, sizeof(header),
			"{\"alg\":\"RS256\",\"kid\":\"%s\"}", kids[i]);
		assert_int_equal(judge_header(header), REFUSAL_KEY_UNKNOWN);
	}
	memset(big, 'k', sizeof(big));
	snprintf(header, sizeof(header), "{\"alg\":\"RS256\"}");
	assert_int_equal(judge_header(header), REFUSAL_MALFORMED);
	assert_int_equal(judge_header("{\"alg\":\"RS256\",\"kid\":\"\"}"),
		REFUSAL_MALFORMED);
	assert_int_equal(judge_header("{\"alg\":\"RS256\",\"kid\":1}"),
		REFUSAL_MALFORMED);
	assert_int_equal(
		judge_header("{\"alg\":\"RS256\",\"kid\":\"r1\\u0000x\"}"),
		REFUSAL_MALFORMED);
	snprintf(big, sizeof(big), "{\"alg\":\"RS256\",\"kid\":\"%0257d\"}", 1);
	assert_int_equal(judge_header(big), REFUSAL_MALFORMED);
}

static void a_token_does_not_bring_its_own_key(void **state)
{
	char *jwk = jwt_jwk(stranger, "r1", NULL);
	char *header = xasprintf("{\"alg\":\"RS256\",\"kid\":\"r1\",\"jwk\":%s,"
				 "\"jku\":\"https://evil.example/keys\","
				 "\"x5u\":\"https://evil.example/cert\","
				 "\"x5c\":[\"AAAA\"]}",
		jwk);

	assert_int_equal(judge(jwt_sign(stranger, header, GOOD), &rs_rule),
		REFUSAL_SIGNATURE);
	/* The right signature counts, whatever else is there. */
	assert_int_equal(judge(jwt_sign(rsa, header, GOOD), &rs_rule), 0);
	free(header);
	free(jwk);
}

static void what_a_token_demands_must_be_known(void **state)
{
	assert_int_equal(
		judge_header("{\"alg\":\"RS256\",\"kid\":\"r1\",\"crit\":[]}"),
		REFUSAL_MALFORMED);
	assert_int_equal(judge_header("{\"alg\":\"RS256\",\"kid\":\"r1\","
				      "\"crit\":[\"exp\"],\"exp\":1}"),
		REFUSAL_MALFORMED);
	assert_int_equal(judge_header("{\"alg\":\"RS256\",\"kid\":\"r1\","
				      "\"typ\":\"at+jwt\"}"),
		REFUSAL_MALFORMED);
	assert_int_equal(judge_header("{\"alg\":\"RS256\",\"kid\":\"r1\","
				      "\"typ\":\"jwt\"}"),
		0);
	assert_int_equal(judge_header("{\"alg\":\"RS256\",\"kid\":\"r1\"}"), 0);
}

static void a_name_that_comes_twice_is_refused(void **state)
{
	assert_int_equal(judge_header("{\"alg\":\"RS256\",\"alg\":\"none\","
				      "\"kid\":\"r1\"}"),
		REFUSAL_MALFORMED);
	assert_int_equal(
		judge_claims("{\"iss\":\"https://issuer.example\","
			     "\"aud\":\"us\",\"iat\":1789999900,"
			     "\"exp\":1790000200,\"sub\":\"7\",\"sub\":\"8\"}"),
		REFUSAL_MALFORMED);
}

static void the_audience_is_ours_as_text_or_in_a_list(void **state)
{
	static const struct {
		const char *aud;
		enum refusal_code code;
	} rows[] = {
		{"\"us\"", 0},
		{"[\"us\"]", 0},
		{"[\"others\",\"us\"]", 0},
		{"\"others\"", REFUSAL_AUDIENCE},
		{"\"us \"", REFUSAL_AUDIENCE},
		{"\"US\"", REFUSAL_AUDIENCE},
		{"\"us/\"", REFUSAL_AUDIENCE},
		{"[]", REFUSAL_AUDIENCE},
		{"[\"others\"]", REFUSAL_AUDIENCE},
		{"[[\"us\"]]", REFUSAL_MALFORMED},
		{"[\"us\",7]", REFUSAL_MALFORMED},
		{"{\"us\":1}", REFUSAL_MALFORMED},
		{"\"us\\u0000x\"", REFUSAL_MALFORMED},
		{"7", REFUSAL_MALFORMED},
		{"null", REFUSAL_MALFORMED},
		{"\"\"", REFUSAL_MALFORMED},
	};
	char payload[300];

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		snprintf(payload, sizeof(payload),
			"{\"iss\":\"https://issuer.example\",\"aud\":%s,"
			"\"iat\":1789999900,\"exp\":1790000200}",
			rows[i].aud);
		if (judge_claims(payload) != rows[i].code)
			fail_msg("aud %s", rows[i].aud);
	}
	assert_int_equal(judge_claims("{\"iss\":\"https://issuer.example\","
				      "\"iat\":1789999900,\"exp\":1790000200}"),
		REFUSAL_MALFORMED);
}

static void a_token_for_several_says_whom_it_was_made_for(void **state)
{
	struct jwt_rule rule = rs_rule;
	static const struct {
		const char *claims;
		enum refusal_code code;
	} rows[] = {
		{"\"aud\":\"us\"", 0},
		{"\"aud\":[\"us\",\"x\"]", REFUSAL_AUDIENCE},
		{"\"aud\":[\"us\",\"x\"],\"azp\":\"us\"", 0},
		{"\"aud\":[\"us\",\"x\"],\"azp\":\"x\"", REFUSAL_AUDIENCE},
		{"\"aud\":\"us\",\"azp\":\"x\"", REFUSAL_AUDIENCE},
	};
	char payload[300];

	rule.wants_azp = true;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		snprintf(payload, sizeof(payload),
			"{\"iss\":\"https://issuer.example\",%s,"
			"\"iat\":1789999900,\"exp\":1790000200}",
			rows[i].claims);
		if (judge(jwt_sign(rsa, RS256, payload), &rule) != rows[i].code)
			fail_msg("%s", rows[i].claims);
	}
}

static void an_issuer_is_compared_byte_by_byte(void **state)
{
	static const struct {
		const char *iss;
		enum refusal_code code;
	} rows[] = {
		{"https://issuer.example", 0},
		{"issuer.example", 0}, /* Google's other form */
		{"https://issuer.example/", REFUSAL_ISSUER},
		{"http://issuer.example", REFUSAL_ISSUER},
		{"https://issuer.example.evil.example", REFUSAL_ISSUER},
		{"HTTPS://issuer.example", REFUSAL_ISSUER},
		{"", REFUSAL_ISSUER},
	};
	char payload[300];

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		snprintf(payload, sizeof(payload),
			"{\"iss\":\"%s\",\"aud\":\"us\",\"iat\":1789999900,"
			"\"exp\":1790000200}",
			rows[i].iss);
		if (judge_claims(payload) != rows[i].code)
			fail_msg("iss %s", rows[i].iss);
	}
	assert_int_equal(judge_claims("{\"aud\":\"us\",\"iat\":1789999900,"
				      "\"exp\":1790000200}"),
		REFUSAL_ISSUER);
}

static void clocks_may_differ_by_a_minute_and_no_more(void **state)
{
	char *token = jwt_sign(rsa, RS256, GOOD);
	static const struct {
		int64_t now_s;
		enum refusal_code code;
	} rows[] = {
		{1789999900 - 61, REFUSAL_TIME},
		{1789999900 - 60, 0},
		{1790000200 + 59, 0},
		{1790000200 + 60, REFUSAL_EXPIRED},
		{1790000200 + 100000, REFUSAL_EXPIRED},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (judge_at(xstrdup(token), &rs_rule, rows[i].now_s) !=
			rows[i].code)
			fail_msg("row %zu", i);
	}
	free(token);
}

static void times_are_numbers_that_make_sense(void **state)
{
	static const struct {
		const char *times;
		enum refusal_code code;
	} rows[] = {
		{"\"iat\":1789999900.5,\"exp\":1790000200.25", 0},
		{"\"iat\":1789999900,\"exp\":1790000200,\"nbf\":1790000060", 0},
		{"\"iat\":1789999900,\"exp\":1790000200,\"nbf\":1790000061",
			REFUSAL_TIME},
		{"\"iat\":1789999900,\"exp\":1790003501", REFUSAL_TIME},
		{"\"iat\":1790000030,\"exp\":1790000020", REFUSAL_TIME},
		{"\"iat\":1789999900,\"exp\":\"1790000200\"",
			REFUSAL_MALFORMED},
		{"\"iat\":\"1789999900\",\"exp\":1790000200",
			REFUSAL_MALFORMED},
		{"\"iat\":1789999900,\"exp\":1e300", REFUSAL_MALFORMED},
		{"\"iat\":1789999900,\"exp\":9223372036854775807",
			REFUSAL_MALFORMED},
		{"\"iat\":-1,\"exp\":1790000200", REFUSAL_MALFORMED},
		{"\"iat\":1789999900,\"exp\":1790000200,\"nbf\":null",
			REFUSAL_MALFORMED},
		{"\"iat\":1789999900", REFUSAL_MALFORMED},
		{"\"exp\":1790000200", REFUSAL_MALFORMED},
		{"\"iat\":true,\"exp\":1790000200", REFUSAL_MALFORMED},
	};
	char payload[300];

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		snprintf(payload, sizeof(payload),
			"{\"iss\":\"issuer.example\",\"aud\":\"us\",%s}",
			rows[i].times);
		if (judge_claims(payload) != rows[i].code)
			fail_msg("%s", rows[i].times);
	}
}

static void an_es256_signature_is_two_numbers_of_32_bytes(void **state)
{
	char *good = jwt_sign(ec, ES256, GOOD), *der, *dot;
	unsigned char zeros[64] = {0}, ones[64], sig[256];
	size_t len = sizeof(sig);
	EVP_MD_CTX *context = EVP_MD_CTX_new();

	/* Zeros are the signature that some verifiers took for anything. */
	assert_int_equal(judge(jwt_join(ES256, GOOD, zeros, 64), &es_rule),
		REFUSAL_SIGNATURE);
	memset(ones, 0xff, sizeof(ones));
	assert_int_equal(judge(jwt_join(ES256, GOOD, ones, 64), &es_rule),
		REFUSAL_SIGNATURE);
	for (size_t n = 1; n <= 64; n += 21)
		assert_int_equal(
			judge(jwt_join(ES256, GOOD, zeros, n), &es_rule),
			REFUSAL_SIGNATURE);
	/* DER, as OpenSSL makes it, is another form. */
	dot = strrchr(good, '.');
	EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, ec);
	assert_int_equal(EVP_DigestSign(context, sig, &len,
				 (unsigned char *)good, (size_t)(dot - good)),
		1);
	der = jwt_join(ES256, GOOD, sig, len);
	assert_int_equal(judge(der, &es_rule), REFUSAL_SIGNATURE);
	EVP_MD_CTX_free(context);
	free(good);
}

static void a_signature_of_no_form_is_refused(void **state)
{
	unsigned char bytes[1024];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(i * 131);
	for (size_t n = 1; n <= sizeof(bytes); n *= 2) {
		assert_int_equal(
			judge(jwt_join(RS256, GOOD, bytes, n), &rs_rule),
			REFUSAL_SIGNATURE);
		assert_int_equal(
			judge(jwt_join(ES256, GOOD, bytes, n), &es_rule),
			REFUSAL_SIGNATURE);
	}
	assert_int_equal(judge(jwt_sign(stranger, RS256, GOOD), &rs_rule),
		REFUSAL_SIGNATURE);
}

static void an_answer_that_is_not_yes_is_no(void **state)
{
	char *token = jwt_sign(ec, ES256, GOOD);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	struct refusal why;
	struct arena arena;
	struct jwt jwt;

	arena_init(&arena);
	assert_int_equal(
		jwt_decode(token, strlen(token), &arena, &jwt, &why), 0);
	assert_int_equal(
		EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, ec), 1);
	/* r and s as they are no DER: this is what makes it say -1. */
	assert_int_equal(
		EVP_DigestVerify(context, jwt.signature, jwt.signature_len,
			(const unsigned char *)jwt.signed_text, jwt.signed_len),
		-1);
	assert_false(
		jwt_is_signed_by(ec, &jwt, jwt.signature, jwt.signature_len));
	EVP_MD_CTX_free(context);
	arena_fini(&arena);
	free(token);
}

static void the_signed_bytes_are_those_that_came(void **state)
{
	char *token = jwt_sign(rsa, RS256, GOOD);
	char *other = jwt_join(RS256,
		"{\"iss\":\"https://issuer.example\",\"aud\":\"us\",\"sub\":"
		"\"8\",\"iat\":1789999900,\"exp\":1790000200}",
		"", 0);
	char *mixed = xasprintf("%s%s", other, strrchr(token, '.') + 1);

	assert_int_equal(judge(mixed, &rs_rule), REFUSAL_SIGNATURE);
	/* Another spelling of the same bytes, in the last character's unused
	 * bits. */
	token[strlen(token) - 1]++;
	assert_int_equal(judge(token, &rs_rule), REFUSAL_MALFORMED);
	free(other);
}

static void what_is_not_three_parts_of_base64url_is_refused(void **state)
{
	static const char *const wrong[] = {"", ".", "..", "...", "a.b.c",
		"AAAA", "AAAA.AAAA", "AAAA.AAAA.AAAA.AAAA", ".AAAA.AAAA",
		"AAAA..AAAA", "AAAA.AAAA.", "e30=.e30.AA", "e30 .e30.AA",
		"e3+.e30.AA", "W10.W10.AA", "MQ.MQ.AA", "bnVsbA.e30.AA",
		"e30.e30.AA\n", "e30.e30.A"};
	char *large = xcalloc(JWT_BYTES_MAX + 10, 1);

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		if (judge(xstrdup(wrong[i]), &rs_rule) != REFUSAL_MALFORMED)
			fail_msg("\"%s\"", wrong[i]);
	}
	memset(large, 'A', JWT_BYTES_MAX + 9);
	large[10] = large[1000] = '.';
	assert_int_equal(judge(large, &rs_rule), REFUSAL_MALFORMED);
	assert_int_equal(judge(jwt_sign(rsa, RS256, GOOD " "), &rs_rule), 0);
	assert_int_equal(judge(jwt_sign(rsa, RS256, GOOD "{}"), &rs_rule),
		REFUSAL_MALFORMED);
	assert_int_equal(
		judge(jwt_sign(rsa, RS256, "{\"a\":[[[[[[[[[1]]]]]]]]]}"),
			&rs_rule),
		REFUSAL_MALFORMED);
	assert_int_equal(
		judge(jwt_sign(rsa, RS256, "{\"sub\":\"\xff\"}"), &rs_rule),
		REFUSAL_MALFORMED);
}

static void a_refusal_never_quotes_the_token(void **state)
{
	char *token = jwt_sign(stranger, RS256, GOOD);
	struct refusal why = {0};
	struct arena arena;
	struct jwt jwt;

	arena_init(&arena);
	assert_int_equal(
		jwt_decode(token, strlen(token), &arena, &jwt, &why), 0);
	assert_int_equal(jwt_check_signature(&jwt, &rs_rule, keys, &why), -1);
	assert_null(strstr(why.reason, strrchr(token, '.') + 1));
	assert_non_null(strstr(why.reason, "r1"));
	assert_string_equal(refusal_name(why.code), "proof-signature");
	assert_int_equal(refusal_status(why.code), 401);
	arena_fini(&arena);
	free(token);
}

/* ---- key sets ---- */

static void weak_and_foreign_keys_are_left_out(void **state)
{
	EVP_PKEY *small = jwt_rsa_key(1024), *p384 = jwt_ec_key("P-384");
	char *good = jwt_jwk(ec, "e1", "\"crv\":\"P-256\"");
	char *jwk[] = {
		jwt_jwk(small, "k", NULL),
		jwt_jwk(p384, "k", "\"crv\":\"P-384\""),
		jwt_jwk(p384, "k", "\"crv\":\"P-256\""),
		jwt_jwk(ec, "k", "\"crv\":\"P-384\""),
		jwt_jwk(ec, "k", "\"crv\":\"P-256\",\"use\":\"enc\""),
		jwt_jwk(ec, "k", "\"crv\":\"P-256\",\"alg\":\"RS256\""),
		jwt_jwk(rsa, "k", "\"alg\":\"HS256\""),
		jwt_jwk(rsa, "", NULL),
		xstrdup("{\"kty\":\"oct\",\"kid\":\"k\",\"k\":\"AAAA\"}"),
		xstrdup("{\"kty\":\"EC\",\"kid\":\"k\",\"crv\":\"P-256\","
			"\"x\":\"AAAA\",\"y\":\"AAAA\"}"), /* no point */
		xstrdup("{\"kty\":\"RSA\",\"kid\":\"k\",\"n\":\"AAAA\","
			"\"e\":\"AQAB\"}"),
		xstrdup("{\"kty\":\"RSA\",\"kid\":\"k\"}"),
		xstrdup("7"),
	};
	struct jwks *jwks;

	for (size_t i = 0; i < sizeof(jwk) / sizeof(*jwk); i++) {
		jwks = keys_of(good, jwk[i]);
		if (!jwks || jwks_count(jwks) != 1)
			fail_msg("%s", jwk[i]);
		jwks_free(&jwks);
		assert_null(keys_of(jwk[i], NULL)); /* none is left */
		free(jwk[i]);
	}
	free(good);
	EVP_PKEY_free(small);
	EVP_PKEY_free(p384);
}

static void an_exponent_of_one_signs_nothing(void **state)
{
	static const char *const exponents[] = {"AQ", "AA", "Ag", "AAAAAQ"};
	char *jwk = jwt_jwk(rsa, "k", NULL), *with, *at;

	at = strstr(jwk, "\"e\":\"AQAB\"");
	assert_non_null(at);
	*at = '\0';
	for (size_t i = 0; i < sizeof(exponents) / sizeof(*exponents); i++) {
		with = xasprintf("%s\"e\":\"%s\"}", jwk, exponents[i]);
		assert_null(keys_of(with, NULL));
		free(with);
	}
	free(jwk);
}

static void a_set_with_one_kid_twice_is_refused(void **state)
{
	char *a = jwt_jwk(rsa, "k", NULL);
	char *b = jwt_jwk(ec, "k", "\"crv\":\"P-256\"");

	assert_null(keys_of(a, b));
	free(a);
	free(b);
}

static void what_is_no_key_set_is_refused(void **state)
{
	static const char *const wrong[] = {"", "[]", "{}", "{\"keys\":7}",
		"{\"keys\":[]}", "{\"keys\":[],\"keys\":[]}", "\"keys\"",
		"{\"keys\":[{}"};
	struct err err;
	char *large = xcalloc(JWKS_BYTES_MAX + 2, 1);

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		assert_null(jwks_decode(wrong[i], strlen(wrong[i]), &err));
	memset(large, ' ', JWKS_BYTES_MAX + 1);
	assert_null(jwks_decode(large, JWKS_BYTES_MAX + 1, &err));
	assert_non_null(strstr(err.text, "256 KiB"));
	free(large);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_token_of_each_algorithm_is_taken),
		TEST(what_is_not_signed_is_refused),
		TEST(a_public_key_is_no_secret_of_an_hmac),
		TEST(a_key_signs_with_its_own_algorithm_only),
		TEST(a_kid_is_compared_and_nothing_else),
		TEST(a_token_does_not_bring_its_own_key),
		TEST(what_a_token_demands_must_be_known),
		TEST(a_name_that_comes_twice_is_refused),
		TEST(the_audience_is_ours_as_text_or_in_a_list),
		TEST(a_token_for_several_says_whom_it_was_made_for),
		TEST(an_issuer_is_compared_byte_by_byte),
		TEST(clocks_may_differ_by_a_minute_and_no_more),
		TEST(times_are_numbers_that_make_sense),
		TEST(an_es256_signature_is_two_numbers_of_32_bytes),
		TEST(a_signature_of_no_form_is_refused),
		TEST(an_answer_that_is_not_yes_is_no),
		TEST(the_signed_bytes_are_those_that_came),
		TEST(what_is_not_three_parts_of_base64url_is_refused),
		TEST(a_refusal_never_quotes_the_token),
		TEST(weak_and_foreign_keys_are_left_out),
		TEST(an_exponent_of_one_signs_nothing),
		TEST(a_set_with_one_kid_twice_is_refused),
		TEST(what_is_no_key_set_is_refused),
	};

	return cmocka_run_group_tests(tests, keys_make, keys_unmake);
}
