/* SPDX-License-Identifier: Apache-2.0 */
/* What may pass; see request_gate.h. */
#include "io/request_gate.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/loopback.h"

#define LENGTH_DIGITS_MAX 10

/* ---- methods ---- */

static bool is_among(const char *const *names, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

#define LENGTH(array)     (sizeof(array) / sizeof((array)[0]))
#define AMONG(list, name) is_among(list, LENGTH(list), name)

static enum gate_refusal method_check(bool strict, const char *method)
{
	static const char *const allowed[] = {"GET", "HEAD", "POST"};
	static const char *const known[] = {"GET", "HEAD", "POST", "PUT",
		"DELETE", "OPTIONS", "TRACE", "PATCH"};

	if (!AMONG(known, method))
		return GATE_METHOD_UNKNOWN;
	return strict && !AMONG(allowed, method) ? GATE_METHOD : GATE_PASSED;
}

/* ---- headers that are given once ---- */

/* Who is asked, who asks, what is sent: two readers of two of these may believe
 * different ones. */
static bool is_single(const char *name)
{
	static const char *const names[] = {"authorization", "content-length",
		"content-type", "cookie", "expect", "host", "idempotency-key",
		"if-none-match", "last-event-id", "origin", "referer",
		"transfer-encoding", "x-goog-iap-jwt-assertion",
		"x-tidegate-token"};
	static const char *const prefixes[] = {"sec-fetch-", "x-slack-"};

	for (size_t i = 0; i < LENGTH(names); i++)
		if (strcasecmp(names[i], name) == 0)
			return true;
	for (size_t i = 0; i < LENGTH(prefixes); i++)
		if (strncasecmp(prefixes[i], name, strlen(prefixes[i])) == 0)
			return true;
	return false;
}

static enum gate_refusal singles_check(const struct request_head *head)
{
	int n;

	for (int i = 0; i < head->n_headers; i++) {
		if (!is_single(head->headers[i].name))
			continue;
		(void)request_head_find(head, head->headers[i].name, &n);
		if (n > 1)
			return GATE_HEADER_TWICE;
	}
	return GATE_PASSED;
}

/* ---- hosts ---- */

/* How long the name in front of ":port" is; -1: that is no host. */
static int host_name_len(const char *host)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
	size_t len, digits;

	if (*host == '[') {
		len = 1 + strspn(host + 1, "0123456789abcdefABCDEF:.");
		if (host[len] != ']' || len == 1)
			return -1;
		len++;
	} else {
		len = strspn(host, letters);
	}
	if (!len)
		return -1;
	if (!host[len])
		return (int)len;
	digits = strspn(host + len + 1, "0123456789");
	return host[len] == ':' && digits >= 1 && digits <= 5 &&
			       !host[len + 1 + digits]
		       ? (int)len
		       : -1;
}

static bool host_is_listed(
	const char *const *hosts, const char *host, size_t name_len)
{
	for (; *hosts; hosts++) {
		if (strcasecmp(*hosts, host) == 0)
			return true;
		if (strlen(*hosts) == name_len &&
			strncasecmp(*hosts, host, name_len) == 0)
			return true;
	}
	return false;
}

static bool path_is_open(const struct gate_rules *rules, const char *path)
{
	const char *const *open = rules->open_paths;

	for (; open && *open; open++)
		if (strcmp(*open, path) == 0)
			return true;
	return false;
}

static enum gate_refusal host_check(const struct gate_rules *rules,
	const struct request_head *head, const char *path)
{
	int n, len;
	const char *host = request_head_find(head, "Host", &n);

	if (!host)
		return GATE_HOST_MISSING;
	len = host_name_len(host);
	if (len < 0)
		return GATE_HOST;
	if (!rules->hosts || path_is_open(rules, path) ||
		host_is_listed(rules->hosts, host, (size_t)len))
		return GATE_PASSED;
	return GATE_HOST_FOREIGN;
}

/* ---- the body's length ---- */

static enum gate_refusal length_parse(const char *text, size_t *len_r)
{
	size_t digits = strspn(text, "0123456789");

	if (!digits || digits > LENGTH_DIGITS_MAX || text[digits])
		return GATE_LENGTH;
	*len_r = strtoul(text, NULL, 10);
	return GATE_PASSED;
}

static enum gate_refusal coding_check(const char *coding, bool has_length)
{
	if (has_length)
		return GATE_LENGTH_AND_CODING;
	return strcasecmp(coding, "chunked") == 0 ? GATE_CHUNKED : GATE_CODING;
}

static bool has_no_body(const char *method)
{
	return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
}

/* Strict for all: a proxy that frames a request otherwise lets the rest of it
 * pass as a request of somebody else. */
static enum gate_refusal framing_check(const struct gate_rules *rules,
	const struct request_head *head, struct gate_pass *pass)
{
	int n_lengths, n_codings, n_expects;
	const char *length =
		request_head_find(head, "Content-Length", &n_lengths);
	const char *coding =
		request_head_find(head, "Transfer-Encoding", &n_codings);
	const char *expect = request_head_find(head, "Expect", &n_expects);
	enum gate_refusal refusal = GATE_PASSED;

	if (n_lengths > 1 || n_codings > 1)
		return GATE_HEADER_TWICE;
	if (coding)
		return coding_check(coding, length != NULL);
	if (expect && strcasecmp(expect, "100-continue") != 0)
		return GATE_EXPECT;
	if (length)
		refusal = length_parse(length, &pass->body_len);
	if (refusal)
		return refusal;
	if (pass->body_len && rules->strict && has_no_body(head->method))
		return GATE_BODY_UNASKED;
	pass->continues = expect && pass->body_len && head->minor > 0;
	return pass->body_len > rules->body_max ? GATE_BODY_LONG : GATE_PASSED;
}

/* ---- the end of a connection ---- */

static bool list_has(const char *list, const char *word)
{
	size_t len = strlen(word);

	while (*list) {
		list += strspn(list, " \t,");
		if (strncasecmp(list, word, len) == 0 &&
			(!list[len] || strchr(" \t,", list[len])))
			return true;
		list += strcspn(list, ",");
	}
	return false;
}

static bool is_last(const struct request_head *head)
{
	if (head->minor == 0)
		return true;
	for (int i = 0; i < head->n_headers; i++)
		if (strcasecmp(head->headers[i].name, "Connection") == 0 &&
			list_has(head->headers[i].value, "close"))
			return true;
	return false;
}

enum gate_refusal gate_check(const struct gate_rules *rules,
	const struct request_head *head, struct gate_pass *pass_r)
{
	enum gate_refusal refusal;

	*pass_r = (struct gate_pass){.closes = is_last(head)};
	refusal = method_check(rules->strict, head->method);
	if (!refusal)
		refusal = request_uri_parse(
			&pass_r->uri, head->target, rules->strict);
	if (!refusal && rules->strict)
		refusal = singles_check(head);
	if (!refusal && rules->strict)
		refusal = host_check(rules, head, pass_r->uri.path);
	if (!refusal)
		refusal = framing_check(rules, head, pass_r);
	return refusal;
}
