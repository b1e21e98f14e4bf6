/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of type external_account; see external_codec.h. Must not open files or
 * sockets, and must never quote the value of a header or a secret.
 */
#define _GNU_SOURCE
#include "google/external_codec.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/printable.h"
#include "base/xalloc.h"
#include "google/iam_codec.h"
#include "google/secret_json.h"

#define WORD_MAX    512
#define URL_MAX     8192
#define PATH_LEN    4096
#define HEADER_MAX  (16 * 1024) /* a bearer token */
#define COMMAND_MAX 4096
#define MASKED_MIN  8 /* shorter values of headers are words */

/* ---- Small readers. ---- */

/* Absent: NULL and 0. It must be an object. */
static int get_object(const json_t *root, const char *name,
	const json_t **object_r, struct err *err_r)
{
	*object_r = json_object_get(root, name);
	if (json_is_null(*object_r))
		*object_r = NULL;
	if (!*object_r || json_is_object(*object_r))
		return 0;
	return err_set(err_r, ERR_AUTH, "\"%s\" is not an object {…}", name);
}

/* Text without control characters, such as a path with spaces in it. */
static int copy_text(const json_t *root, const char *name, size_t max,
	char **text_r, struct err *err_r)
{
	const json_t *member = json_object_get(root, name);
	const char *text = json_string_value(member);
	size_t i, len = json_string_length(member);

	*text_r = NULL;
	if (!text)
		return err_set(err_r, ERR_AUTH,
			member ? "\"%s\" is not a string" : "\"%s\" is missing",
			name);
	for (i = 0; i < len; i++) {
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
			break;
	}
	if (!len || i < len || len > max)
		return err_set(err_r, ERR_AUTH,
			"\"%s\" must be 1 to %zu characters, none of them a "
			"control character",
			name, max);
	*text_r = xstrdup(text);
	return 0;
}

int words_split(
	const char *line, char *words_r[], size_t max, struct err *err_r)
{
	size_t n = 0;
	char quote = '\0';
	bool inside = false;
	struct buf word;

	buf_init(&word, strlen(line));
	for (;; line++) {
		if (!*line || (!quote && (*line == ' ' || *line == '\t'))) {
			if (inside && n < max)
				words_r[n++] = xmemdup0(word.data, word.len);
			else if (inside)
				n = max + 1;
			inside = false;
			buf_clear(&word);
			if (!*line || n > max)
				break;
			continue;
		}
		inside = true;
		if (quote ? *line == quote : *line == '\'' || *line == '"')
			quote = quote ? '\0' : *line;
		else if (*line == '\\' && quote != '\'' && line[1])
			buf_addc(&word, *++line);
		else
			buf_addc(&word, *line);
	}
	buf_fini(&word);
	words_r[n > max ? max : n] = NULL;
	if (quote)
		return err_set(err_r, ERR_AUTH,
			"a quote %c is opened and not closed", quote);
	if (!n || n > max)
		return err_set(
			err_r, ERR_AUTH, "it must have 1 to %zu words", max);
	return 0;
}

/* ---- Where tokens may go. ---- */

/* sts.googleapis.com, sts.REGION.rep.googleapis.com */
static bool is_sts(const char *host, size_t len)
{
	static const char plain[] = "sts.googleapis.com";
	static const char start[] = "sts.", end[] = ".rep.googleapis.com";
	size_t around = strlen(start) + strlen(end);

	if (len == strlen(plain))
		return memcmp(host, plain, len) == 0;
	return len > around && memcmp(host, start, strlen(start)) == 0 &&
	       memcmp(host + len - strlen(end), end, strlen(end)) == 0 &&
	       memchr(host + strlen(start), '.', len - around) == NULL;
}

int sts_url_check(const char *url, struct err *err_r)
{
	static const char scheme[] = "https://";
	const char *host = url + strlen(scheme);
	char shown[128];
	size_t len;

	if (strncmp(url, scheme, strlen(scheme)) == 0) {
		len = strspn(host, "abcdefghijklmnopqrstuvwxyz0123456789-.");
		if (is_sts(host, len) && (host[len] == '/' || !host[len]) &&
			!strpbrk(host + len, "\\@?#\"<>^`{|}"))
			return 0;
	}
	printable_copy(shown, sizeof(shown), url);
	return err_set(err_r, ERR_AUTH,
		"\"token_url\" is \"%s\", not https://sts.googleapis.com/… or "
		"https://sts.REGION.rep.googleapis.com/…; "
		"CLOUDSDK_AUTH_TOKEN_HOST overrides it",
		shown);
}

/* Azure's and Google's metadata servers, which know no https. */
static bool is_metadata_url(const char *url)
{
	static const char *const hosts[] = {
		"169.254.169.254", "metadata.google.internal"};
	static const char scheme[] = "http://";
	size_t i, len;

	if (strncasecmp(url, scheme, strlen(scheme)) != 0)
		return false;
	url += strlen(scheme);
	for (i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		len = strlen(hosts[i]);
		if (strncasecmp(url, hosts[i], len) == 0 &&
			(url[len] == '/' || !url[len]))
			return true;
	}
	return false;
}

/* ---- The source of subject tokens. ---- */

static int decode_format(
	const json_t *source, struct subject_source *subject, struct err *err_r)
{
	const json_t *format;
	const char *type;

	if (get_object(source, "format", &format, err_r) < 0)
		return -1;
	if (!format)
		return 0;
	type = secret_json_word(format, "type", WORD_MAX, err_r);
	if (!type)
		return err_wrap(err_r, "\"format\"");
	if (strcmp(type, "text") == 0)
		return 0;
	if (strcmp(type, "json") != 0)
		return err_set(err_r, ERR_AUTH,
			"\"format\" has a type that is neither text nor json");
	return copy_text(format, "subject_token_field_name", WORD_MAX,
		&subject->field, err_r);
}

/* "Bearer TOKEN": the token alone is looked for in what is printed, and "True"
 * is not. */
static void take_value(struct subject_header *header, const char *value)
{
	const char *word = strrchr(value, ' ');

	word = word ? word + 1 : value;
	header->value = secret_hold(value, strlen(value));
	if (strlen(word) >= MASKED_MIN)
		header->masked = secret_new(word, strlen(word));
}

static int decode_headers(
	const json_t *source, struct subject_source *subject, struct err *err_r)
{
	struct subject_header *header;
	const json_t *headers;
	const char *name;
	json_t *value;

	if (get_object(source, "headers", &headers, err_r) < 0)
		return -1;
	if (json_object_size(headers) > SUBJECT_HEADERS_MAX)
		return err_set(err_r, ERR_AUTH, "more than %d \"headers\"",
			SUBJECT_HEADERS_MAX);
	json_object_foreach((json_t *)headers, name, value) {
		header = &subject->headers[subject->n_headers];
		if (!json_is_string(value) ||
			json_string_length(value) > HEADER_MAX)
			return err_set(err_r, ERR_AUTH,
				"one of the \"headers\" is not a string of at "
				"most %d bytes",
				HEADER_MAX);
		header->name = xstrdup(name);
		take_value(header, json_string_value(value));
		subject->n_headers++;
	}
	return 0;
}

static int decode_url(
	const json_t *source, struct subject_source *subject, struct err *err_r)
{
	subject->kind = SUBJECT_URL;
	if (secret_json_copy(source, "url", URL_MAX, &subject->url, err_r) < 0)
		return -1;
	subject->url_plain_ok = is_metadata_url(subject->url);
	return decode_headers(source, subject, err_r);
}

static int decode_timeout(const json_t *executable,
	struct subject_source *subject, struct err *err_r)
{
	const json_t *timeout = json_object_get(executable, "timeout_millis");

	subject->timeout_ms = SUBJECT_TIMEOUT_MS;
	if (!timeout || json_is_null(timeout))
		return 0;
	subject->timeout_ms = json_integer_value(timeout);
	if (json_is_integer(timeout) &&
		subject->timeout_ms >= SUBJECT_TIMEOUT_MS_MIN &&
		subject->timeout_ms <= SUBJECT_TIMEOUT_MS_MAX)
		return 0;
	return err_set(err_r, ERR_AUTH,
		"\"timeout_millis\" must be a number from %d to %d",
		SUBJECT_TIMEOUT_MS_MIN, SUBJECT_TIMEOUT_MS_MAX);
}

static int decode_executable(
	const json_t *source, struct subject_source *subject, struct err *err_r)
{
	const json_t *executable, *output;
	char *command;
	int rc;

	subject->kind = SUBJECT_EXECUTABLE;
	if (get_object(source, "executable", &executable, err_r) < 0 ||
		decode_timeout(executable, subject, err_r) < 0 ||
		copy_text(executable, "command", COMMAND_MAX, &command, err_r) <
			0)
		return -1;
	rc = words_split(command, subject->argv, SUBJECT_WORDS_MAX, err_r);
	xfree(&command);
	if (rc < 0)
		return err_wrap(err_r, "\"command\"");
	output = json_object_get(executable, "output_file");
	if (!output || json_is_null(output) || !json_string_length(output))
		return 0;
	return copy_text(
		executable, "output_file", PATH_LEN, &subject->file, err_r);
}

static bool has(const json_t *object, const char *name)
{
	const json_t *member = json_object_get(object, name);

	return member && !json_is_null(member);
}

/* What can be recognised and is not supported. */
static int refuse_others(const json_t *source, struct err *err_r)
{
	const char *what = has(source, "environment_id") ? "AWS's metadata"
			   : has(source, "certificate") ? "a certificate (mTLS)"
							: NULL;

	if (!what)
		return 0;
	return err_set(err_r, ERR_AUTH,
		"\"credential_source\" takes the subject token from %s, which "
		"this version does not; use an OIDC or SAML provider with a "
		"file, a URL or an executable (gcloud iam "
		"workload-identity-pools create-cred-config), or the key file "
		"of a service account",
		what);
}

static int decode_source(
	const json_t *root, struct subject_source *subject, struct err *err_r)
{
	const json_t *source;
	int n;

	if (get_object(root, "credential_source", &source, err_r) < 0)
		return -1;
	if (!source)
		return err_set(
			err_r, ERR_AUTH, "\"credential_source\" is missing");
	if (refuse_others(source, err_r) < 0)
		return -1;
	n = has(source, "file") + has(source, "url") +
	    has(source, "executable");
	if (n != 1)
		return err_set(err_r, ERR_AUTH,
			"\"credential_source\" must have exactly one of "
			"\"file\", \"url\" and \"executable\"; it has %s",
			n ? "several" : "none");
	if (has(source, "executable"))
		return decode_executable(source, subject, err_r);
	if (decode_format(source, subject, err_r) < 0)
		return -1;
	if (has(source, "url"))
		return decode_url(source, subject, err_r);
	subject->kind = SUBJECT_FILE;
	return copy_text(source, "file", PATH_LEN, &subject->file, err_r);
}

/* ---- The rest. ---- */

static int decode_impersonation(
	const json_t *root, struct external_account *account, struct err *err_r)
{
	const json_t *options, *life;
	char *url;
	int rc = 0;

	account->life_s = IAM_LIFE_S;
	if (secret_json_optional(root, "service_account_impersonation_url",
		    URL_MAX, &url, err_r) < 0)
		return -1;
	if (url)
		rc = iam_target_decode(url, &account->impersonated, err_r);
	xfree(&url);
	if (rc < 0 || get_object(root, "service_account_impersonation",
			      &options, err_r) < 0)
		return -1;
	if (!has(options, "token_lifetime_seconds"))
		return 0;
	life = json_object_get(options, "token_lifetime_seconds");
	account->life_s = json_integer_value(life);
	if (json_is_integer(life) && account->life_s >= IAM_LIFE_S_MIN &&
		account->life_s <= IAM_LIFE_S_MAX)
		return 0;
	return err_set(err_r, ERR_AUTH,
		"\"token_lifetime_seconds\" must be a number from %d to %d",
		IAM_LIFE_S_MIN, IAM_LIFE_S_MAX);
}

static int decode_client(
	const json_t *root, struct external_account *account, struct err *err_r)
{
	if (secret_json_optional(root, "client_id", WORD_MAX,
		    &account->client_id, err_r) < 0)
		return -1;
	if (!account->client_id) {
		if (has(root, "client_secret"))
			return err_set(err_r, ERR_AUTH,
				"\"client_secret\" without \"client_id\"");
		return 0;
	}
	if (strchr(account->client_id, ':'))
		return err_set(err_r, ERR_AUTH, "\"client_id\" has a colon");
	if (has(root, "client_secret"))
		return secret_json_secret(root, "client_secret", WORD_MAX,
			&account->client_secret, err_r);
	account->client_secret = secret_new("", 0);
	return 0;
}

/* //iam.googleapis.com/locations/global/workforcePools/…; a project is for
 * these only. */
static int decode_project(
	const json_t *root, struct external_account *account, struct err *err_r)
{
	static const char start[] = "//iam.googleapis.com/locations/";

	if (secret_json_optional(root, "quota_project_id", WORD_MAX,
		    &account->quota_project, err_r) < 0 ||
		secret_json_optional(root, "workforce_pool_user_project",
			WORD_MAX, &account->user_project, err_r) < 0)
		return -1;
	if (!account->user_project ||
		(strncmp(account->audience, start, strlen(start)) == 0 &&
			strstr(account->audience, "/workforcePools/")))
		return 0;
	return err_set(err_r, ERR_AUTH,
		"\"workforce_pool_user_project\" is for workforce pools, and "
		"\"audience\" names none");
}

static int decode_members(
	const json_t *root, struct external_account *account, struct err *err_r)
{
	if (secret_json_copy(root, "audience", WORD_MAX, &account->audience,
		    err_r) < 0 ||
		secret_json_copy(root, "subject_token_type", WORD_MAX,
			&account->subject_type, err_r) < 0 ||
		secret_json_copy(root, "token_url", WORD_MAX,
			&account->token_url, err_r) < 0 ||
		sts_url_check(account->token_url, err_r) < 0)
		return -1;
	if (decode_source(root, &account->subject, err_r) < 0 ||
		decode_impersonation(root, account, err_r) < 0 ||
		decode_client(root, account, err_r) < 0)
		return -1;
	return decode_project(root, account, err_r);
}

int external_decode(const char *bytes, size_t len,
	struct external_account *account_r, struct err *err_r)
{
	json_t *root = secret_json_load(bytes, len, err_r);
	int rc = -1;

	*account_r = (struct external_account){0};
	if (root)
		rc = decode_members(root, account_r, err_r);
	if (rc < 0) {
		external_fini(account_r);
		err_r->code = ERR_AUTH;
	}
	secret_json_free(&root);
	return rc;
}

static void subject_source_fini(struct subject_source *subject)
{
	size_t i;

	for (i = 0; i < subject->n_headers; i++) {
		xfree(&subject->headers[i].name);
		secret_free(&subject->headers[i].value);
		secret_free(&subject->headers[i].masked);
	}
	for (i = 0; subject->argv[i]; i++)
		xfree(&subject->argv[i]);
	xfree(&subject->file);
	xfree(&subject->url);
	xfree(&subject->field);
}

void external_fini(struct external_account *account)
{
	xfree(&account->audience);
	xfree(&account->subject_type);
	xfree(&account->token_url);
	xfree(&account->impersonated);
	xfree(&account->client_id);
	secret_free(&account->client_secret);
	xfree(&account->user_project);
	xfree(&account->quota_project);
	subject_source_fini(&account->subject);
	*account = (struct external_account){0};
}
