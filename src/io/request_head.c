/* SPDX-License-Identifier: Apache-2.0 */
/* The head of a request; see request_head.h. */
#include "io/request_head.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/xalloc.h"

static const struct gate_row rows[GATE_REFUSALS] = {
#define G(constant, status, code, instead) [constant] = {status, code, instead},
#include "io/gate.def"
#undef G
};

const struct gate_row *gate_row(enum gate_refusal refusal)
{
	assert(refusal > GATE_PASSED && refusal < GATE_REFUSALS);
	return &rows[refusal];
}

/* ---- lines ---- */

static enum gate_refusal line_end(
	struct head_scan *scan, const char *bytes, size_t head_max)
{
	size_t at = scan->at;

	if (at == scan->line || bytes[at - 1] != '\r')
		return GATE_BARE_LF;
	if (at - 1 == scan->line) {
		if (scan->n_lines == 0)
			return GATE_REQUEST_LINE;
		scan->head_len = at + 1;
		return scan->head_len > head_max ? GATE_HEAD_LONG : GATE_PASSED;
	}
	scan->line = at + 1;
	return ++scan->n_lines > GATE_HEADERS_MAX + 1 ? GATE_HEADERS_MANY
						      : GATE_PASSED;
}

static enum gate_refusal scan_byte(
	struct head_scan *scan, const char *bytes, size_t head_max)
{
	unsigned char c = (unsigned char)bytes[scan->at];

	if (c == '\n')
		return line_end(scan, bytes, head_max);
	if (scan->at > scan->line && bytes[scan->at - 1] == '\r')
		return GATE_BARE_CR;
	if ((c < ' ' && c != '\t' && c != '\r') || c == 0x7f)
		return GATE_CONTROL;
	if (scan->n_lines == 0 && scan->at >= GATE_LINE_MAX)
		return GATE_LINE_LONG;
	return scan->at >= head_max ? GATE_HEAD_LONG : GATE_PASSED;
}

enum gate_refusal head_scan(
	struct head_scan *scan, const char *bytes, size_t len, size_t head_max)
{
	enum gate_refusal refusal = GATE_PASSED;

	while (scan->at < len && !scan->head_len && !refusal) {
		refusal = scan_byte(scan, bytes, head_max);
		scan->at++;
	}
	return refusal;
}

/* ---- fields ---- */

static bool is_token_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') ||
	       (c && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

bool http_token_is(const char *text)
{
	const char *at = text;

	while (is_token_byte(*at))
		at++;
	return at > text && !*at;
}

/* The line that begins at `*at`, as a string; `*at` goes behind its CR LF. */
static char *line_take(char **at)
{
	char *line = *at, *end = strstr(line, "\r\n");

	*end = '\0';
	*at = end + 2;
	return line;
}

static enum gate_refusal version_parse(
	struct request_head *head, const char *text)
{
	if (strncmp(text, "HTTP/", 5) != 0 || strlen(text) != 8 ||
		text[5] < '0' || text[5] > '9' || text[6] != '.' ||
		text[7] < '0' || text[7] > '9')
		return GATE_REQUEST_LINE;
	if (text[5] != '1' || text[7] > '1')
		return GATE_VERSION;
	head->minor = text[7] - '0';
	return GATE_PASSED;
}

static enum gate_refusal request_line_parse(
	struct request_head *head, char *line)
{
	char *target = strchr(line, ' '), *version;

	if (!target)
		return GATE_REQUEST_LINE;
	*target++ = '\0';
	version = strchr(target, ' ');
	if (!version || !http_token_is(line) || version == target)
		return GATE_REQUEST_LINE;
	*version++ = '\0';
	head->method = line;
	head->target = target;
	return version_parse(head, version);
}

static char *trim(char *text)
{
	char *end;

	text += strspn(text, " \t");
	end = text + strlen(text);
	while (end > text && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	*end = '\0';
	return text;
}

static enum gate_refusal header_parse(struct request_head *head, char *line)
{
	char *colon = strchr(line, ':');

	if (*line == ' ' || *line == '\t')
		return GATE_FOLD;
	if (!colon)
		return GATE_HEADER_NAME;
	*colon = '\0';
	if (!http_token_is(line))
		return GATE_HEADER_NAME;
	assert(head->n_headers < GATE_HEADERS_MAX); /* head_scan counts lines */
	head->headers[head->n_headers++] = (struct request_field){
		.name = line,
		.value = trim(colon + 1),
	};
	return GATE_PASSED;
}

enum gate_refusal request_head_parse(
	struct request_head *head, const char *bytes, size_t head_len)
{
	enum gate_refusal refusal;
	char *at;

	*head = (struct request_head){
		.text = xmemdup0(bytes, head_len), .method = "", .target = ""};
	at = head->text;
	refusal = request_line_parse(head, line_take(&at));
	while (!refusal && *at != '\r')
		refusal = header_parse(head, line_take(&at));
	return refusal;
}

void request_head_fini(struct request_head *head)
{
	free(head->text);
	*head = (struct request_head){.method = "", .target = ""};
}

const char *request_head_find(
	const struct request_head *head, const char *name, int *n_r)
{
	const char *value = NULL;

	*n_r = 0;
	for (int i = 0; i < head->n_headers; i++) {
		if (strcasecmp(head->headers[i].name, name) != 0)
			continue;
		if (!value)
			value = head->headers[i].value;
		++*n_r;
	}
	return value;
}
