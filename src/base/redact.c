/*
 * Masking; see secret.h. It owns the rules that say what looks like a secret;
 * the values that are known to be one are in secret.c.
 *
 * One pass over the text collects what to mask. Each rule is set off by one
 * byte (a colon, an equals sign, a space, …), so that a text without secrets
 * costs little; only a text with some is written anew.
 */
#define _GNU_SOURCE /* memmem */

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/secret.h"
#include "base/xalloc.h"

#define WORD_LEN_MAX 15 /* more small letters in a row are not prose */
#define LINE_LEN_MAX 256 /* bytes that are looked back for a quote */

struct span {
	size_t from, to;
	bool number; /* its mask gets quotes: JSON stays JSON */
};

struct scan {
	const char *text;
	size_t len;
	struct span *spans;
	size_t n_spans, max_spans;
	size_t next; /* rules are done with everything before it */
	size_t query, query_end; /* and with the last URL's query */
};

/* A field's name before a colon or an equals sign. */
struct name {
	size_t from, to;
	bool quoted;
	bool secret;
};

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

/* What is masked needs no second look; this also keeps the pass linear. */
static struct span *mask(struct scan *s, size_t from, size_t to)
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
			mask(s, from, i - depth);
			return i + 1;
		}
	}
	mask(s, from, s->len); /* it was cut */
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
		mask(s, i, skip_any(s, i, "-+.eE0123456789"))->number = true;
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
		mask(s, i, find_any(s, i, " \t\r\n&;,\"')]}<>|\\"));
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
		mask(s, i, find_any(s, i, stop));
		return;
	}
	to = find_any(s, i, " \t\r\n,;\"')]}<>");
	if (!is_prose(s, i, to))
		mask(s, i, to);
}

/* ---- URLs and credentials. ---- */

#define URL_STOP "# \t\r\n\"'<>\\`"

/* After "://": user information, and everything behind the question mark. */
static void mask_url(struct scan *s, size_t i)
{
	size_t end = find_any(s, i, "/?" URL_STOP), user = end;

	while (user > i && s->text[user - 1] != '@')
		user--;
	if (user > i)
		mask(s, i, user - 1);
	end = find_any(s, end, "?:" URL_STOP);
	while (at(s, end) == ':' && !starts(s, end, "://"))
		end = find_any(s, end + 1, "?:" URL_STOP);
	if (at(s, end) == '?') {
		s->query = end + 1;
		s->query_end = find_any(s, end, URL_STOP);
		mask(s, s->query, s->query_end);
	}
	s->next = i; /* the host and the path are still to be looked at */
}

/* Whoever knows the path of a chat webhook can post there. */
static void mask_webhook(struct scan *s, size_t i)
{
	static const char *const prefixes[] = {"hooks.slack.com/services/",
		"hooks.slack.com/workflows/", "hooks.slack.com/triggers/"};
	size_t p;

	for (p = 0; p < sizeof(prefixes) / sizeof(prefixes[0]); p++) {
		if (starts(s, i, prefixes[p])) {
			i += strlen(prefixes[p]);
			mask(s, i, find_any(s, i, " \t\r\n\"'<>\\`),;"));
			return;
		}
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
		mask(s, from, to);
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
		mask(s, from + 5, find_text(s, from + 5, "-----END"));
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
	case 'h':
		if (starts(s, i, "hooks."))
			mask_webhook(s, i);
		break;
	case '-':
		if (starts(s, i, "-----BEGIN "))
			mask_private_key(s, i);
		break;
	}
}

static void scan_rules(struct scan *s)
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

static void scan_known(struct scan *s)
{
	size_t i = 0, n;

	while ((i = secret_find(s->text, s->len, i, &n)) < s->len) {
		mask(s, i, i + n);
		i++; /* another may begin inside it */
	}
}

static int span_compare(const void *a, const void *b)
{
	const struct span *x = a, *y = b;

	return x->from < y->from ? -1 : x->from > y->from;
}

/* Spans that touch become one mask. Frees them. */
static void rewrite(struct scan *s, struct buf *out)
{
	size_t i = 0, done = 0, from, to;
	bool number;

	qsort(s->spans, s->n_spans, sizeof(*s->spans), span_compare);
	while (i < s->n_spans) {
		from = s->spans[i].from;
		to = s->spans[i].to;
		number = s->spans[i].number;
		for (i++; i < s->n_spans && s->spans[i].from <= to; i++) {
			if (s->spans[i].to > to)
				to = s->spans[i].to;
		}
		buf_add(out, s->text + done, from - done);
		buf_adds(out, number ? "\"***\"" : "***");
		done = to;
	}
	buf_add(out, s->text + done, s->len - done);
	free(s->spans);
}

/* One pass; false: nothing to mask, `out` is untouched. */
static bool pass(const char *text, size_t len, bool rules, struct buf *out)
{
	struct scan s = {.text = text, .len = len};

	scan_known(&s);
	if (rules)
		scan_rules(&s);
	if (!s.n_spans)
		return false;
	buf_init(out, len + s.n_spans * sizeof("\"***\""));
	rewrite(&s, out);
	return true;
}

static void replace(struct buf *buf, struct buf *by)
{
	buf_wipe(buf);
	buf_fini(buf);
	*buf = *by;
}

/* Masks may join what is around them to another secret, so known values are
 * looked for until there are none; each round makes the text shorter. */
static bool redact_copy(const char *text, size_t len, struct buf *out)
{
	struct buf again;

	if (!pass(text, len, true, out))
		return false;
	while (pass(out->data, out->len, false, &again))
		replace(out, &again);
	return true;
}

void redact(struct buf *buf)
{
	size_t max = buf->max;
	bool overflow = buf->overflow;
	struct buf out;

	if (!redact_copy(buf->data, buf->len, &out))
		return;
	replace(buf, &out);
	buf->max = max;
	buf->overflow = overflow || buf->len > max;
	if (buf->len > max)
		buf_truncate(buf, max);
}

void redact_text(char *text, size_t size)
{
	struct buf out;
	size_t len;

	if (!redact_copy(text, strlen(text), &out))
		return;
	len = out.len < size ? out.len : size - 1;
	explicit_bzero(text, strlen(text));
	memcpy(text, out.data, len);
	text[len] = '\0';
	buf_fini(&out);
}
