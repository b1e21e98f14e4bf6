/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules that say what looks like a secret; see redact_rules.h. Each is set
 * off by one byte (a colon, an equals sign, a space, …), so that a text without
 * secrets costs little.
 */
#define _GNU_SOURCE /* memmem */

#include "base/redact_rules.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/xalloc.h"

#define WORD_LEN_MAX 15 /* more small letters in a row are not prose */
#define LINE_LEN_MAX 256 /* bytes that are looked back for a quote */

/* A field's name before a colon or an equals sign. */
struct name {
	size_t from, to;
	bool quoted;
	bool secret;
};

/* What is masked needs no second look; this also keeps the pass linear. */
struct span *scan_mask(struct scan *s, size_t from, size_t to)
{
	static struct span none;

	if (from >= to)
		return &none;
	if (s->n_spans == s->max_spans) {
		s->max_spans = s->max_spans ? s->max_spans * 2 : 16;
		s->spans = xrealloc(s->spans, s->max_spans, sizeof(*s->spans));
	}
	s->spans[s->n_spans] = (struct span){from, to, false};
	s->next = to;
	return &s->spans[s->n_spans++];
}

/* ---- Small readers; past the end everything is NUL. ---- */

static char at(const struct scan *s, size_t i)
{
	return i < s->len ? s->text[i] : '\0';
}

static bool starts(const struct scan *s, size_t i, const char *with)
{
	size_t n = strlen(with);

	return n <= s->len - i && !memcmp(s->text + i, with, n);
}

static bool is_in(char c, const char *set)
{
	return c && strchr(set, c);
}

/* The first byte of `set`, or the end. */
static size_t find_any(const struct scan *s, size_t i, const char *set)
{
	while (i < s->len && !is_in(s->text[i], set))
		i++;
	return i;
}

static size_t skip_any(const struct scan *s, size_t i, const char *set)
{
	while (i < s->len && is_in(s->text[i], set))
		i++;
	return i;
}

/* Backslashes in front of byte i. */
static size_t backslashes(const struct scan *s, size_t i)
{
	size_t n = 0;

	while (n < i && s->text[i - n - 1] == '\\')
		n++;
	return n;
}

/* ---- Names of fields. ---- */

/* How secret names end, without case, "_", "-", "." and a plural's s. */
static const struct ending {
	const char *text;
	size_t len;
} endings[] = {
#define ENDING(text)                   \
	{                              \
		text, sizeof(text) - 1 \
	}
	ENDING("password"),
	ENDING("passwd"),
	ENDING("passphrase"),
	ENDING("token"),
	ENDING("jwt"),
	ENDING("secret"),
	ENDING("apikey"),
	ENDING("authorization"),
	ENDING("cookie"),
	ENDING("privatekey"),
	ENDING("accesskey"),
	ENDING("routingkey"),
	ENDING("assertion"),
	ENDING("bearer"),
#undef ENDING
};

/* Both are read backwards. */
static bool ends_with(const char *name, const char *end, const struct ending *e)
{
	size_t left = e->len;

	while (left) {
		if (end == name)
			return false;
		end--;
		if (*end == '_' || *end == '-' || *end == '.')
			continue;
		if (tolower((unsigned char)*end) != e->text[--left])
			return false;
	}
	return true;
}

static bool is_secret_name(const char *name, size_t len)
{
	const char *end = name + len;
	size_t i;

	if (end > name && (end[-1] == 's' || end[-1] == 'S'))
		end--;
	for (i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		if (ends_with(name, end, &endings[i]))
			return true;
	}
	return false;
}

static bool is_name_byte(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '-' || c == '.';
}

/* The name that ends before the separator at i. */
static struct name name_before(const struct scan *s, size_t i)
{
	struct name name = {0};

	while (i && (s->text[i - 1] == ' ' || s->text[i - 1] == '\t'))
		i--;
	if (i && (s->text[i - 1] == '"' || s->text[i - 1] == '\'')) {
		name.quoted = true;
		i--;
		i -= backslashes(s, i);
	}
	name.to = i;
	while (i && is_name_byte(s->text[i - 1]))
		i--;
	name.from = i;
	name.secret = is_secret_name(s->text + i, name.to - i);
	return name;
}

/* ---- Values of fields. ---- */

/* Masks the string whose opening quote is at i; returns what follows it. In
 * JSON inside JSON the quotes carry backslashes: the closing one has as many
 * as the opening one, and more are part of the string. */
static size_t mask_string(struct scan *s, size_t i)
{
	size_t depth = backslashes(s, i), from = i + 1, n;
	char quote = s->text[i];

	for (i = from; i < s->len; i++) {
		if (s->text[i] != quote)
			continue;
		n = backslashes(s, i);
		if (n > i - from)
			n = i - from;
		if (n >= depth && (n - depth) / (depth + 1) % 2 == 0) {
			scan_mask(s, from, i - depth);
			return i + 1;
		}
	}
	scan_mask(s, from, s->len); /* it was cut */
	return s->len;
}

/* Every string up to the bracket that closes the one at i, or up to what no
 * array of strings has in it. */
static void mask_array(struct scan *s, size_t i)
{
	size_t depth = 0;

	while (i < s->len) {
		if (s->text[i] == '"') {
			i = mask_string(s, i);
			continue;
		}
		if (!is_in(s->text[i], " \t\r\n\\,[]-+.0123456789"))
			return;
		if (s->text[i] == '[')
			depth++;
		if (s->text[i] == ']' && --depth == 0)
			return;
		i++;
	}
}

/* After "name": in JSON. */
static void mask_json(struct scan *s, size_t i)
{
	size_t quote;

	i = skip_any(s, i, " \t\r\n");
	quote = skip_any(s, i, "\\");
	if (is_in(at(s, quote), "\"'"))
		mask_string(s, quote);
	else if (at(s, i) == '[')
		mask_array(s, i);
	else if (is_in(at(s, i), "-0123456789"))
		scan_mask(s, i, skip_any(s, i, "-+.eE0123456789"))->number =
			true;
}

/* After name= in logs, URLs, command lines and ini files. */
static void mask_assigned(struct scan *s, size_t i)
{
	size_t quote;

	if (is_in(at(s, i), "=~")) /* a comparison */
		return;
	i = skip_any(s, i, " \t");
	quote = skip_any(s, i, "\\");
	if (is_in(at(s, quote), "\"'"))
		mask_string(s, quote);
	else
		scan_mask(s, i, find_any(s, i, " \t\r\n&;,\"')]}<>|\\"));
}

/* Small letters with at most some punctuation: "token: expired". */
static bool is_prose(const struct scan *s, size_t from, size_t to)
{
	while (to > from && is_in(s->text[to - 1], ".,:!?"))
		to--;
	if (to - from > WORD_LEN_MAX)
		return false;
	for (; from < to; from++) {
		if (!islower((unsigned char)s->text[from]))
			return false;
	}
	return true;
}

/* The quote that the line before i has opened, or 0. */
static char open_quote(const struct scan *s, size_t i)
{
	char open = '\0';
	size_t from = i > LINE_LEN_MAX ? i - LINE_LEN_MAX : 0, j;

	for (j = i; j > from && s->text[j - 1] != '\n';)
		j--;
	for (; j < i; j++) {
		if (!open && is_in(s->text[j], "\"'"))
			open = s->text[j];
		else if (open && s->text[j] == open)
			open = '\0';
	}
	return open;
}

/* Nothing but marks stands before the name on its line. */
static bool is_line_start(const struct scan *s, size_t i)
{
	while (i && is_in(s->text[i - 1], " \t-\"'{<>"))
		i--;
	return !i || is_in(s->text[i - 1], "\n\\");
}

/* Their values have spaces, and prose never has these names. */
static bool is_header_name(const char *name, size_t len)
{
	static const struct ending cookie = {"cookie", 6},
				   authorization = {"authorization", 13};

	return ends_with(name, name + len, &cookie) ||
	       ends_with(name, name + len, &authorization);
}

/* After Name: in headers and YAML. At the start of a line, or with a name that
 * is never prose, the rest of the line is the value; else the next word. */
static void mask_header(struct scan *s, const struct name *name, size_t i)
{
	char stop[4] = "\r\n";
	size_t to, quote;

	i = skip_any(s, i, " \t");
	quote = skip_any(s, i, "\\");
	if (is_in(at(s, quote), "\"'")) {
		mask_string(s, quote);
		return;
	}
	if (is_line_start(s, name->from) ||
		is_header_name(s->text + name->from, name->to - name->from)) {
		stop[2] = open_quote(s, name->from);
		scan_mask(s, i, find_any(s, i, stop));
		return;
	}
	to = find_any(s, i, " \t\r\n,;\"')]}<>");
	if (!is_prose(s, i, to))
		scan_mask(s, i, to);
}

/* ---- URLs and credentials. ---- */

#define URL_STOP  "# \t\r\n\"'<>\\`"
#define PATH_STOP " \t\r\n\"'<>\\`),;"

/* A page for people who are logged in: what it asks for is no secret by its
 * place, such as the "Logs URL" that Cloud Run gives for a broken revision. */
static bool is_console(const struct scan *s, size_t i)
{
	return starts(s, i, "console.cloud.google.com/");
}

/* After "://": user information, and everything behind the question mark. */
static void mask_url(struct scan *s, size_t i)
{
	size_t end = find_any(s, i, "/?" URL_STOP), user = end;

	while (user > i && s->text[user - 1] != '@')
		user--;
	if (user > i)
		scan_mask(s, i, user - 1);
	end = find_any(s, end, "?:" URL_STOP);
	while (at(s, end) == ':' && !starts(s, end, "://"))
		end = find_any(s, end + 1, "?:" URL_STOP);
	if (at(s, end) == '?' && !is_console(s, i)) {
		s->query = end + 1;
		s->query_end = find_any(s, end, URL_STOP);
		scan_mask(s, s->query, s->query_end);
	}
	s->next = i; /* the host and the path are still to be looked at */
}

/* Texts that end in a slash, behind which a secret stands, and what ends it:
 * who knows the path of a chat's webhook can write there. */
static const struct path_rule {
	const char *before, *until;
} path_rules[] = {
	{"hooks.slack.com/services/", PATH_STOP},
	{"hooks.slack.com/workflows/", PATH_STOP},
	{"hooks.slack.com/triggers/", PATH_STOP},
	{"discord.com/api/webhooks/", PATH_STOP},
	{"discordapp.com/api/webhooks/", PATH_STOP},
	{".webhook.office.com/", PATH_STOP},
	{"outlook.office.com/webhook/", PATH_STOP},
	{"api.telegram.org/", PATH_STOP},
};

/* After the slash at i. */
static void mask_path(struct scan *s, size_t i)
{
	for (size_t p = 0; p < sizeof(path_rules) / sizeof(*path_rules); p++) {
		const struct path_rule *rule = &path_rules[p];
		size_t n = strlen(rule->before);

		if (i + 1 >= n && !memcmp(s->text + i + 1 - n, rule->before, n))
			scan_mask(s, i + 1, find_any(s, i + 1, rule->until));
	}
}

static bool word_before(const struct scan *s, size_t i, const char *word)
{
	size_t n = strlen(word);

	return i >= n && !strncasecmp(s->text + i - n, word, n) &&
	       (i == n || !isalnum((unsigned char)s->text[i - n - 1]));
}

/* "bearer token expired" tells no secret. */
static bool is_about_tokens(const char *word, size_t len)
{
	static const char *const words[] = {"token", "tokens", "auth",
		"authentication", "authorization", "credentials", "challenge",
		"scheme", "realm", "error", "header", "format", "and", "or",
		"is", "was", "from", "in", "to", "with"};
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strlen(words[i]) == len && !memcmp(words[i], word, len))
			return true;
	}
	return false;
}

/* The space at i may follow "Bearer" or "Basic". Base64 of a user and a
 * password is never a word of small letters. */
static void mask_credentials(struct scan *s, size_t i)
{
	bool bearer = word_before(s, i, "bearer");
	size_t from, to;

	if (!bearer && !word_before(s, i, "basic"))
		return;
	from = to = skip_any(s, i, " ");
	while (isalnum((unsigned char)at(s, to)) || is_in(at(s, to), "-._~+/="))
		to++;
	if (bearer ? !is_about_tokens(s->text + from, to - from)
		   : !is_prose(s, from, to))
		scan_mask(s, from, to);
}

static size_t find_text(const struct scan *s, size_t i, const char *text)
{
	const char *p = memmem(s->text + i, s->len - i, text, strlen(text));

	return p ? (size_t)(p - s->text) : s->len;
}

/* PEM, with whatever stands between its lines. */
static void mask_private_key(struct scan *s, size_t i)
{
	size_t from = find_text(s, i + 5, "-----");

	if (starts(s, from - 11, "PRIVATE KEY-----"))
		scan_mask(s, from + 5, find_text(s, from + 5, "-----END"));
}

#define TOKEN_ID_LEN 8

/* A token of ours, "tgt_<id>_<secret>", by the first underscore. Its id may be
 * told. */
static void mask_token(struct scan *s, size_t i)
{
	size_t id = i + 1, from = id + TOKEN_ID_LEN + 1, to = from;

	while (id < from - 1 && isalnum((unsigned char)at(s, id)))
		id++;
	if (id != from - 1 || at(s, id) != '_')
		return;
	while (isalnum((unsigned char)at(s, to)) || is_in(at(s, to), "-_"))
		to++;
	scan_mask(s, from, to);
}

/* ---- The pass. ---- */

static void scan_field(struct scan *s, size_t i)
{
	struct name name;

	if (s->text[i] == ':' && starts(s, i + 1, "//")) {
		mask_url(s, i + 3);
		return;
	}
	name = name_before(s, i);
	if (!name.secret)
		return;
	if (s->text[i] == '=')
		mask_assigned(s, i + 1);
	else if (name.quoted)
		mask_json(s, i + 1);
	else if (at(s, i + 1) != ':')
		mask_header(s, &name, i + 1);
}

static void scan_byte(struct scan *s, size_t i)
{
	switch (s->text[i]) {
	case ':':
	case '=':
		scan_field(s, i);
		break;
	case ' ':
		if (i && is_in(s->text[i - 1], "rRcC"))
			mask_credentials(s, i);
		break;
	case '/':
		if (i > 4 && is_in(s->text[i - 1], "smkg"))
			mask_path(s, i);
		break;
	case '_':
		if (i >= 3 && !memcmp(s->text + i - 3, "tgt", 3))
			mask_token(s, i);
		break;
	case '-':
		if (starts(s, i, "-----BEGIN "))
			mask_private_key(s, i);
		break;
	}
}

void scan_rules(struct scan *s)
{
	size_t i = 0;

	s->next = 0;
	while (i < s->len) {
		scan_byte(s, i);
		i++;
		if (i < s->next)
			i = s->next;
		if (i == s->query && i < s->query_end)
			i = s->query_end;
	}
}
