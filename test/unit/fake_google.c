/* SPDX-License-Identifier: Apache-2.0 */
/* A small Google for tests; see fake_google.h. */
#include "fake_google.h"

#include <assert.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/xalloc.h"
#include "io/clock.h"
#include "io/loop.h"
#include "io/server.h"

#define GRANT    "urn:ietf:params:oauth:grant-type:jwt-bearer"
#define AUDIENCE "https://oauth2.googleapis.com/token"
#define METADATA "/computeMetadata/v1/instance/service-accounts/default/"

EVP_PKEY *fake_key_new(int bits)
{
	EVP_PKEY *key = EVP_RSA_gen((unsigned)bits);

	assert(key);
	return key;
}

char *fake_key_file(EVP_PKEY *key, const char *token_uri)
{
	BIO *bio = BIO_new(BIO_s_mem());
	json_t *file;
	char *pem, *text;
	long len;

	assert(PEM_write_bio_PKCS8PrivateKey(
		bio, key, NULL, NULL, 0, NULL, NULL));
	len = BIO_get_mem_data(bio, &pem);
	file = json_pack("{ss ss ss ss% ss ss ss}", "type", "service_account",
		"project_id", "acme", "private_key_id", FAKE_KID, "private_key",
		pem, (size_t)len, "client_email", FAKE_EMAIL, "token_uri",
		token_uri, "universe_domain", "googleapis.com");
	text = json_dumps(file, 0);
	json_decref(file);
	BIO_free(bio);
	return text;
}

/* base64url without padding, strictly; the caller frees it. */
static unsigned char *from_base64url(
	const char *text, size_t len, size_t *len_r)
{
	size_t padded = (len + 3) / 4 * 4, i;
	char *plain = xcalloc(padded + 1, 1);
	unsigned char *bytes = xcalloc(padded + 1, 1);

	for (i = 0; i < padded; i++) {
		plain[i] = i >= len ? '=' : text[i];
		if (i < len && strchr("+/=", text[i]))
			plain[i] = '!';
		if (plain[i] == '-')
			plain[i] = '+';
		if (plain[i] == '_')
			plain[i] = '/';
	}
	*len_r = 0;
	if (EVP_DecodeBlock(bytes, (unsigned char *)plain, (int)padded) >= 0)
		*len_r = padded / 4 * 3 - (padded - len);
	free(plain);
	return bytes;
}

static json_t *json_part(const char *text, size_t len)
{
	unsigned char *bytes = from_base64url(text, len, &len);
	json_t *part =
		json_loadb((char *)bytes, len, JSON_REJECT_DUPLICATES, NULL);

	free(bytes);
	return part;
}

static void add_base64url(struct buf *out, const void *bytes, size_t len)
{
	char *text = xcalloc(4 * (len / 3 + 1) + 1, 1), *at;

	EVP_EncodeBlock((unsigned char *)text, bytes, (int)len);
	for (at = text; *at && *at != '='; at++)
		buf_addc(out, *at == '+' ? '-' : *at == '/' ? '_' : *at);
	free(text);
}

char *fake_jwt_new(EVP_PKEY *key, json_t *claims)
{
	static const char header[] =
		"{\"alg\":\"RS256\",\"typ\":\"JWT\",\"kid\":\"k1\"}";
	unsigned char signature[1024];
	size_t len = sizeof(signature);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	char *text = json_dumps(claims, JSON_COMPACT);
	struct buf jwt;

	buf_init(&jwt, 64 * 1024);
	add_base64url(&jwt, header, strlen(header));
	buf_addc(&jwt, '.');
	add_base64url(&jwt, text, strlen(text));
	assert(EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key) == 1);
	assert(EVP_DigestSign(context, signature, &len,
		       (unsigned char *)jwt.data, jwt.len) == 1);
	buf_addc(&jwt, '.');
	add_base64url(&jwt, signature, len);
	EVP_MD_CTX_free(context);
	free(text);
	json_decref(claims);
	return buf_steal(&jwt);
}

static bool signature_holds(EVP_PKEY *key, const char *jwt, const char *dot)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	size_t len;
	unsigned char *bytes = from_base64url(dot + 1, strlen(dot + 1), &len);
	bool ok = EVP_DigestVerifyInit(
			  context, NULL, EVP_sha256(), NULL, key) == 1 &&
		  EVP_DigestVerify(context, bytes, len,
			  (const unsigned char *)jwt, (size_t)(dot - jwt)) == 1;

	EVP_MD_CTX_free(context);
	free(bytes);
	return ok;
}

bool fake_jwt_verify(
	EVP_PKEY *key, const char *jwt, json_t **header_r, json_t **claims_r)
{
	const char *first = strchr(jwt, '.');
	const char *second = first ? strchr(first + 1, '.') : NULL;
	const char *alg;

	*header_r = *claims_r = NULL;
	if (!second || strchr(second + 1, '.'))
		return false;
	*header_r = json_part(jwt, (size_t)(first - jwt));
	*claims_r = json_part(first + 1, (size_t)(second - first - 1));
	alg = json_string_value(json_object_get(*header_r, "alg"));
	return alg && strcmp(alg, "RS256") == 0 &&
	       signature_holds(key, jwt, second);
}

static int hex_digit(char c)
{
	const char *digits = "0123456789ABCDEF", *at = strchr(digits, c);

	return c && at ? (int)(at - digits) : -1;
}

char *fake_form_field(const char *form, const char *name)
{
	size_t name_len = strlen(name), len, i;
	char *value, *out;

	for (; form; form = strchr(form, '&')) {
		form += *form == '&';
		if (strncmp(form, name, name_len) == 0 && form[name_len] == '=')
			break;
	}
	if (!form)
		return NULL;
	form += name_len + 1;
	len = strcspn(form, "&");
	value = out = xcalloc(len + 1, 1);
	for (i = 0; i < len; i++) {
		if (form[i] == '%' && i + 2 < len &&
			hex_digit(form[i + 1]) >= 0 &&
			hex_digit(form[i + 2]) >= 0) {
			*out++ = (char)(hex_digit(form[i + 1]) * 16 +
					hex_digit(form[i + 2]));
			i += 2;
		} else {
			*out++ = form[i] == '+' ? ' ' : form[i];
		}
	}
	return value;
}

void fake_answer(struct server_request *request, int status, const char *body)
{
	request_answer(request, status,
		body[0] == '<' ? "text/html" : "application/json", body,
		strlen(body));
}

void fake_refuse(struct server_request *request, const char *error,
	const char *description)
{
	char *body = xasprintf("{\"error\":\"%s\",\"error_description\":\"%s"
			       "\"}",
		error, description);

	fake_answer(request, 400, body);
	free(body);
}

char *fake_token(const struct fake_google *google, int n)
{
	return google->long_tokens ? xasprintf("ya29.%d.%013000d", n, 7)
				   : xasprintf("ya29.%d", n);
}

void fake_hand_out(struct fake_google *google, struct server_request *request)
{
	char *token = fake_token(google, ++google->tokens);
	char *body = xasprintf("{\"access_token\":\"%s\",\"expires_in\":"
			       "%s,\"token_type\":\"Bearer\"}",
		token, google->life);

	fake_answer(request, 200, body);
	free(body);
	free(token);
}

char *fake_id_token(const struct fake_google *google, const char *audience)
{
	int64_t now = clock_wall_ms() / 1000 + google->clock_ahead_s;

	return fake_jwt_new(google->key,
		json_pack("{ss ss sI sI}", "iss", "https://accounts.google.com",
			"aud", audience, "iat", (json_int_t)now, "exp",
			(json_int_t)(now + google->id_life_s)));
}

/* Takes the token over. */
void fake_give_id(struct server_request *request, const char *name, char *jwt)
{
	char *body = xasprintf("{\"%s\":\"%s\"}", name, jwt);

	fake_answer(request, 200, body);
	free(body);
	free(jwt);
}

bool fake_is(const json_t *part, const char *name, const char *wanted)
{
	const char *value = json_string_value(json_object_get(part, name));

	return value && strcmp(value, wanted) == 0;
}

/* NULL: nothing is wrong with it; else what Google would say. */
static const char *judge(const struct fake_google *google, const json_t *header,
	const json_t *claims)
{
	int64_t now = clock_wall_ms() / 1000 + google->clock_ahead_s;
	int64_t iat = json_integer_value(json_object_get(claims, "iat"));
	int64_t exp = json_integer_value(json_object_get(claims, "exp"));

	if (!fake_is(header, "typ", "JWT") || !fake_is(header, "kid", FAKE_KID))
		return "Invalid JWT: Failed header.";
	if (!fake_is(claims, "iss", FAKE_EMAIL))
		return "Invalid grant: account not found";
	if (!fake_is(claims, "aud", AUDIENCE))
		return "Invalid JWT: Failed audience check.";
	if (json_object_get(claims, "target_audience")
			? json_object_get(claims, "scope") != NULL
			: !fake_is(claims, "scope",
				  "https://www.googleapis.com/auth/"
				  "cloud-platform"))
		return "Invalid scope.";
	if (exp - iat > 3600 || exp <= now || iat > now + 60)
		return "Invalid JWT: Token must be a short-lived token (60 "
		       "minutes) and in a reasonable timeframe. Check your "
		       "iat and exp values in the JWT claim.";
	return NULL;
}

static void take_assertion(struct fake_google *google,
	struct server_request *request, const char *assertion)
{
	json_t *header, *claims;
	const char *wrong = "Invalid JWT Signature.";

	if (fake_jwt_verify(google->key, assertion, &header, &claims))
		wrong = judge(google, header, claims);
	if (wrong)
		fake_refuse(request, "invalid_grant", wrong);
	else if (json_object_get(claims, "target_audience"))
		fake_give_id(request, "id_token",
			fake_id_token(
				google, json_string_value(json_object_get(
						claims, "target_audience"))));
	else
		fake_hand_out(google, request);
	json_decref(header);
	json_decref(claims);
}

static void fake_rotate(
	struct fake_google *google, struct server_request *request)
{
	char *token = fake_token(google, ++google->tokens);
	char *body = xasprintf("{\"access_token\":\"%s\",\"expires_in\":"
			       "%s,\"token_type\":\"Bearer\","
			       "\"refresh_token\":\"%s\"}",
		token, google->life, google->rotated);

	fake_answer(request, 200, body);
	free(body);
	free(token);
}

static bool field_is(const char *form, const char *name, const char *wanted)
{
	char *value = fake_form_field(form, name);
	bool is = value && strcmp(value, wanted) == 0;

	free(value);
	return is;
}

/* Once a new one was handed out, the old one is worth nothing. An ID token is
 * for the login's client, whatever was asked for. */
static void take_refresh_token(struct fake_google *google,
	struct server_request *request, const char *form)
{
	char *scope = fake_form_field(form, "scope");
	bool moved = google->rotated && google->tokens > 0;

	if (scope)
		fake_refuse(request, "invalid_scope", "Scopes are fixed.");
	else if (!field_is(form, "client_id", FAKE_CLIENT) ||
		 !field_is(form, "client_secret", FAKE_SECRET))
		fake_refuse(request, "invalid_client", "Unauthorized");
	else if (!field_is(form, "refresh_token",
			 moved ? google->rotated : FAKE_REFRESH))
		fake_refuse(request, "invalid_grant",
			"Token has been expired or revoked.");
	else if (strstr(form, "target_audience="))
		fake_give_id(request, "id_token",
			fake_id_token(google, FAKE_CLIENT));
	else if (google->rotated && !moved)
		fake_rotate(google, request);
	else
		fake_hand_out(google, request);
	free(scope);
}

static void token_endpoint(
	struct fake_google *google, struct server_request *request)
{
	const char *type = request_header(request, "Content-Type");
	size_t len;
	const char *form = request_body(request, &len);
	char *grant = fake_form_field(form, "grant_type");
	char *assertion = fake_form_field(form, "assertion");

	if (strcmp(request_method(request), "POST") != 0)
		fake_answer(request, 405, "<html>Method Not Allowed</html>");
	else if (!type ||
		 strcmp(type, "application/x-www-form-urlencoded") != 0)
		fake_refuse(request, "invalid_request", "Bad content type");
	else if (request_header(request, "Authorization"))
		fake_refuse(
			request, "invalid_request", "Authorization is sent");
	else if (grant && strcmp(grant, "refresh_token") == 0)
		take_refresh_token(google, request, form);
	else if (!grant || strcmp(grant, GRANT) != 0)
		fake_refuse(request, "unsupported_grant_type",
			"Invalid grant_type");
	else if (!assertion)
		fake_refuse(request, "invalid_request", "Missing assertion");
	else
		take_assertion(google, request, assertion);
	free(grant);
	free(assertion);
}

static void metadata_identity(
	struct fake_google *google, struct server_request *request)
{
	const char *audience = request_query(request, "audience");
	const char *format = request_query(request, "format");
	char *jwt;

	if (!audience || !format || strcmp(format, "full") != 0) {
		fake_answer(request, 400, "<html>non-empty audience</html>");
		return;
	}
	jwt = fake_id_token(google, audience);
	request_answer(request, 200, "text/html", jwt, strlen(jwt));
	free(jwt);
}

static void metadata_server(
	struct fake_google *google, struct server_request *request)
{
	const char *flavor = request_header(request, "Metadata-Flavor");
	const char *scopes = request_query(request, "scopes");
	const char *path = request_path(request);

	if (!google->no_flavor)
		request_set_header(request, "Metadata-Flavor", "Google");
	if (!flavor || strcmp(flavor, "Google") != 0)
		fake_answer(
			request, 403, "<html>Missing Metadata-Flavor</html>");
	else if (strcmp(request_method(request), "GET") != 0)
		fake_answer(request, 405, "<html>Method Not Allowed</html>");
	else if (strcmp(path, "/") == 0)
		fake_answer(request, 200, "computeMetadata/\n");
	else if (strcmp(path, METADATA "token") == 0 && scopes &&
		 strcmp(scopes,
			 "https://www.googleapis.com/auth/cloud-platform") == 0)
		fake_hand_out(google, request);
	else if (strcmp(path, METADATA "identity") == 0)
		metadata_identity(google, request);
	else
		fake_answer(request, 400, "<html>Bad request</html>");
}

static void tell_the_time(
	const struct fake_google *google, struct server_request *request)
{
	time_t now = (time_t)(clock_wall_ms() / 1000) +
		     (time_t)google->clock_ahead_s;
	struct tm tm;
	char text[40];

	strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT",
		gmtime_r(&now, &tm));
	request_set_header(request, "Date", text);
}

static void serve_now(
	struct fake_google *google, struct server_request *request)
{
	const struct fake_answer *scripted = google->script;
	const char *path = request_path(request);

	google->requests++;
	tell_the_time(google, request);
	if (google->n_script) {
		google->n_script--;
		google->script++;
		if (scripted->status) {
			if (!google->no_flavor)
				request_set_header(
					request, "Metadata-Flavor", "Google");
			fake_answer(request, scripted->status, scripted->body);
			return;
		}
	}
	if (strcmp(path, "/token") == 0)
		token_endpoint(google, request);
	else if (strncmp(path, METADATA, strlen(METADATA)) == 0 ||
		 strcmp(path, "/") == 0)
		metadata_server(google, request);
	else if (!fake_identity(google, request))
		fake_answer(request, 404, "<html>Not Found</html>");
}

struct late {
	struct late *next;
	struct fake_google *google;
	struct server_request *request;
	struct timer *timer;
};

static void serve_late(void *arg)
{
	struct late *late = arg;

	late->timer = NULL; /* it goes with all of them */
	serve_now(late->google, late->request);
}

static void serve(struct server_request *request, void *arg)
{
	struct fake_google *google = arg;
	struct late *late;

	if (!google->delay_ms) {
		serve_now(google, request);
		return;
	}
	late = xcalloc(1, sizeof(*late));
	*late = (struct late){
		.next = google->lates, .google = google, .request = request};
	google->lates = late;
	late->timer =
		timer_start(google->loop, google->delay_ms, serve_late, late);
}

void fake_google_init(
	struct fake_google *google, struct loop *loop, EVP_PKEY *key)
{
	struct err err;

	*google = (struct fake_google){
		.loop = loop, .key = key, .life = "3599", .id_life_s = 3600};
	google->server = server_new(loop, 0, serve, google, &err);
	assert(google->server);
}

void fake_google_fini(struct fake_google *google)
{
	struct late *late;

	while ((late = google->lates)) {
		google->lates = late->next;
		if (late->timer)
			request_reset(late->request);
		timer_cancel(&late->timer);
		free(late);
	}
	server_free(&google->server);
	xfree(&google->subject);
}

char *fake_google_url(const struct fake_google *google, const char *path)
{
	return xasprintf(
		"http://127.0.0.1:%d%s", server_port(google->server), path);
}
