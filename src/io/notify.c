/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The service manager; see notify.h. It owns the datagram socket and knows
 * nothing of when there is what to tell.
 */
#include "io/notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/printable.h"
#include "base/xalloc.h"

#define USEC_MAX INT64_C(86400000000) /* a day */

struct notify {
	int fd; /* -1: no manager */
	struct sockaddr_un address;
	socklen_t len;
	int64_t alive_every_ms;
};

/* "/path", or "@name" for one of the abstract names. */
static bool address_parse(struct notify *notify, const char *text)
{
	struct sockaddr_un *address = &notify->address;
	size_t len = strlen(text);

	if ((*text != '/' && *text != '@') || len < 2 ||
		len >= sizeof(address->sun_path))
		return false;
	address->sun_family = AF_UNIX;
	memcpy(address->sun_path, text, len);
	if (*text == '@')
		address->sun_path[0] = '\0';
	notify->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	return true;
}

/* Digits alone, up to `max`; -1: anything else. */
static int64_t number_parse(const char *text, int64_t max)
{
	int64_t number = 0;

	if (!text || !*text)
		return -1;
	for (; *text; text++) {
		if (*text < '0' || *text > '9' || number > max)
			return -1;
		number = number * 10 + (*text - '0');
	}
	return number <= max ? number : -1;
}

/* The variables may have been meant for a process that started us. */
static int64_t alive_every(void)
{
	int64_t usec = number_parse(getenv("WATCHDOG_USEC"), USEC_MAX);
	const char *pid = getenv("WATCHDOG_PID");

	if (usec <= 0 || (pid && number_parse(pid, INT32_MAX) != getpid()))
		return 0;
	return usec >= 2000 ? usec / 2000 : 1;
}

static int socket_open(struct notify *notify, struct err *err_r)
{
	const char *address = getenv("NOTIFY_SOCKET");

	if (!address || !*address)
		return 0;
	if (!address_parse(notify, address))
		return err_set(err_r, ERR_INVALID,
			"NOTIFY_SOCKET is \"%.200s\": /path or @name, of 107 "
			"bytes at most",
			address);
	notify->fd =
		socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (notify->fd < 0)
		return err_set(err_r, ERR_IO, "no socket: %s", strerror(errno));
	notify->alive_every_ms = alive_every();
	return 0;
}

struct notify *notify_new(struct err *err_r)
{
	struct notify *notify = xcalloc(1, sizeof(*notify));

	notify->fd = -1;
	if (socket_open(notify, err_r))
		notify_free(&notify);
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	return notify;
}

void notify_free(struct notify **notify)
{
	if (!*notify)
		return;
	if ((*notify)->fd >= 0)
		close((*notify)->fd);
	free(*notify);
	*notify = NULL;
}

bool notify_is_heard(const struct notify *notify)
{
	return notify->fd >= 0;
}

/* A manager that does not listen just now misses it: nothing here may hold a
 * rollout. */
static void tell(struct notify *notify, const char *text)
{
	if (notify->fd >= 0)
		(void)!sendto(notify->fd, text, strlen(text), MSG_NOSIGNAL,
			(const struct sockaddr *)&notify->address, notify->len);
}

void notify_ready(struct notify *notify)
{
	tell(notify, "READY=1");
}

void notify_reloading(struct notify *notify)
{
	tell(notify, "RELOADING=1");
}

void notify_stopping(struct notify *notify)
{
	tell(notify, "STOPPING=1");
}

void notify_status(struct notify *notify, const char *text)
{
	char line[NOTIFY_STATUS_MAX], message[NOTIFY_STATUS_MAX + 8];

	printable_copy(line, sizeof(line), text);
	snprintf(message, sizeof(message), "STATUS=%s", line);
	tell(notify, message);
}

int64_t notify_alive_every_ms(const struct notify *notify)
{
	return notify->alive_every_ms;
}

void notify_alive(struct notify *notify)
{
	tell(notify, "WATCHDOG=1");
}
