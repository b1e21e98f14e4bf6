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
#include "io/server.h"

#define GRANT      "urn:ietf:params:oauth:grant-type:jwt-bearer"
#define AUDIENCE   "https://oauth2.googleapis.com/token"
#define TOKEN_PATH "/computeMetadata/v1/instance/service-accounts/default/token"

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

static void answer(struct server_request *request, int status, const char *body)
{
	request_answer(request, status,
		body[0] == '<' ? "text/html" : "application/json", body,
		strlen(body));
}

static void refuse(struct server_request *request, const char *error,
	const char *description)
{
	char *body = xasprintf("{\"error\":\"%s\",\"error_description\":\"%s"
			       "\"}",
		error, description);

	answer(request, 400, body);
	free(body);
}

static void hand_out(struct fake_google *google, struct server_request *request)
{
	char *body = xasprintf("{\"access_token\":\"ya29.%d\",\"expires_in\":"
			       "%s,\"token_type\":\"Bearer\"}",
		++google->tokens, google->life);

	answer(request, 200, body);
	free(body);
}

static bool is(const json_t *part, const char *name, const char *wanted)
{
	const char *value = json_string_value(json_object_get(part, name));

	return value && strcmp(value, wanted) == 0;
}

/* NULL: nothing is wrong with it; else what Google would say. */
static const char *judge(const struct fake_google *google, const json_t *header,
	const json_t *claims)
{
	int64_t now = (int64_t)time(NULL) + google->clock_ahead_s;
	int64_t iat = json_integer_value(json_object_get(claims, "iat"));
	int64_t exp = json_integer_value(json_object_get(claims, "exp"));

	if (!is(header, "typ", "JWT") || !is(header, "kid", FAKE_KID))
		return "Invalid JWT: Failed header.";
	if (!is(claims, "iss", FAKE_EMAIL))
		return "Invalid grant: account not found";
	if (!is(claims, "aud", AUDIENCE))
		return "Invalid JWT: Failed audience check.";
	if (!is(claims, "scope",
		    "https://www.googleapis.com/auth/cloud-platform") ||
		json_object_get(claims, "target_audience"))
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
		refuse(request, "invalid_grant", wrong);
	else
		hand_out(google, request);
	json_decref(header);
	json_decref(claims);
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
		answer(request, 405, "<html>Method Not Allowed</html>");
	else if (!type ||
		 strcmp(type, "application/x-www-form-urlencoded") != 0)
		refuse(request, "invalid_request", "Bad content type");
	else if (request_header(request, "Authorization"))
		refuse(request, "invalid_request", "Authorization is sent");
	else if (!grant || strcmp(grant, GRANT) != 0)
		refuse(request, "unsupported_grant_type", "Invalid grant_type");
	else if (!assertion)
		refuse(request, "invalid_request", "Missing assertion");
	else
		take_assertion(google, request, assertion);
	free(grant);
	free(assertion);
}

static void metadata_server(
	struct fake_google *google, struct server_request *request)
{
	const char *flavor = request_header(request, "Metadata-Flavor");
	const char *scopes = request_query(request, "scopes");

	if (!google->no_flavor)
		request_set_header(request, "Metadata-Flavor", "Google");
	if (!flavor || strcmp(flavor, "Google") != 0)
		answer(request, 403, "<html>Missing Metadata-Flavor</html>");
	else if (strcmp(request_method(request), "GET") != 0)
		answer(request, 405, "<html>Method Not Allowed</html>");
	else if (!scopes ||
		 strcmp(scopes,
			 "https://www.googleapis.com/auth/cloud-platform") != 0)
		answer(request, 400, "<html>Bad scopes</html>");
	else
		hand_out(google, request);
}

static void tell_the_time(
	const struct fake_google *google, struct server_request *request)
{
	time_t now = time(NULL) + (time_t)google->clock_ahead_s;
	struct tm tm;
	char text[40];

	strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT",
		gmtime_r(&now, &tm));
	request_set_header(request, "Date", text);
}

static void serve(struct server_request *request, void *arg)
{
	struct fake_google *google = arg;
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
			answer(request, scripted->status, scripted->body);
			return;
		}
	}
	if (strcmp(path, "/token") == 0)
		token_endpoint(google, request);
	else if (strcmp(path, TOKEN_PATH) == 0)
		metadata_server(google, request);
	else
		answer(request, 404, "<html>Not Found</html>");
}

void fake_google_init(
	struct fake_google *google, struct loop *loop, EVP_PKEY *key)
{
	struct err err;

	*google = (struct fake_google){.key = key, .life = "3599"};
	google->server = server_new(loop, 0, serve, google, &err);
	assert(google->server);
}

void fake_google_fini(struct fake_google *google)
{
	server_free(&google->server);
}

char *fake_google_url(const struct fake_google *google, const char *path)
{
	return xasprintf(
		"http://127.0.0.1:%d%s", server_port(google->server), path);
}
