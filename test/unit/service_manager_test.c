/* SPDX-License-Identifier: Apache-2.0 */
/* What a service manager hears, on a datagram socket as it would have one. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/notify.h"

/* A manager listens; `name` is what it hands over. */
static int manager_new(const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	size_t len = strlen(name);

	memcpy(address.sun_path, name, len);
	if (*name == '@')
		address.sun_path[0] = '\0';
	assert_int_equal(
		bind(fd, (struct sockaddr *)&address,
			(socklen_t)(offsetof(struct sockaddr_un, sun_path) +
				    len)),
		0);
	setenv("NOTIFY_SOCKET", name, 1);
	return fd;
}

static void hears(int fd, const char *text)
{
	char bytes[1024] = "";
	ssize_t n = recv(fd, bytes, sizeof(bytes) - 1, 0);

	if (n < 0)
		assert_null(text);
	else
		assert_string_equal(bytes, text);
}

static void a_manager_hears_what_happens(void **state)
{
	char folder[] = "/tmp/tidegate-notify-XXXXXX", path[64], name[64];
	struct notify *notify;
	struct err err;

	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/socket", folder);
	snprintf(name, sizeof(name), "@%s", folder);
	for (int abstract = 0; abstract < 2; abstract++) {
		int fd = manager_new(abstract ? name : path);

		notify = notify_new(&err);
		assert_non_null(notify);
		assert_true(notify_is_heard(notify));
		/* Children have nothing to tell it. */
		assert_null(getenv("NOTIFY_SOCKET"));
		hears(fd, NULL);
		notify_ready(notify);
		hears(fd, "READY=1");
		notify_status(notify, "driving 2\nREADY=0 rollouts");
		hears(fd, "STATUS=driving 2\\nREADY=0 rollouts");
		notify_reloading(notify);
		hears(fd, "RELOADING=1");
		notify_alive(notify);
		hears(fd, "WATCHDOG=1");
		notify_stopping(notify);
		hears(fd, "STOPPING=1");
		close(fd);
		notify_alive(notify); /* it is gone: so be it */
		notify_free(&notify);
		assert_null(notify);
	}
	unlink(path);
	assert_int_equal(rmdir(folder), 0);
}

static void a_status_is_cut_and_a_full_queue_does_not_hold(void **state)
{
	char folder[] = "/tmp/tidegate-notify-XXXXXX", name[64], text[1000];
	struct notify *notify;
	struct err err;
	char bytes[1024] = "";
	int fd;

	assert_non_null(mkdtemp(folder));
	snprintf(name, sizeof(name), "@%s", folder);
	fd = manager_new(name);
	notify = notify_new(&err);
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	for (int i = 0; i < 5000; i++)
		notify_status(notify, text);
	assert_int_equal(recv(fd, bytes, sizeof(bytes) - 1, 0),
		(int)(strlen("STATUS=") + NOTIFY_STATUS_MAX - 1));
	notify_free(&notify);
	close(fd);
	assert_int_equal(rmdir(folder), 0);
}

static void without_a_manager_nothing_is_told(void **state)
{
	struct notify *notify;
	struct err err;

	unsetenv("NOTIFY_SOCKET");
	setenv("WATCHDOG_USEC", "30000000", 1);
	notify = notify_new(&err);
	assert_non_null(notify);
	assert_false(notify_is_heard(notify));
	assert_int_equal(notify_alive_every_ms(notify), 0);
	notify_ready(notify);
	notify_status(notify, "x");
	notify_free(&notify);
	notify_free(&notify);
}

static void an_address_that_is_none_is_an_error(void **state)
{
	static const char *const rows[] = {"socket", "/", "@", "vsock:2:1234",
		"/0123456789012345678901234567890123456789012345678901234567890"
		"12345678901234567890123456789012345678901234567"};
	struct err err;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		setenv("NOTIFY_SOCKET", rows[i], 1);
		assert_null(notify_new(&err));
		assert_int_equal(err.code, ERR_INVALID);
		assert_null(getenv("NOTIFY_SOCKET"));
	}
}

static void the_watchdog_is_told_twice_in_its_time(void **state)
{
	char own[32];
	const struct {
		const char *usec, *pid;
		int64_t every_ms;
	} rows[] = {
		{"30000000", NULL, 15000},
		{"30000000", own, 15000},
		{"1000", own, 1},
		{"86400000000", own, 43200000},
		{"86400000001", own, 0},
		{"99999999999999999999999", own, 0},
		{"30000000", "1", 0}, /* somebody else's */
		{"30000000", "", 0},
		{"30000000", "x", 0},
		{"0", own, 0},
		{"-1", own, 0},
		{"30s", own, 0},
		{"", own, 0},
		{NULL, own, 0},
	};
	struct notify *notify;
	struct err err;

	snprintf(own, sizeof(own), "%d", getpid());
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		setenv("NOTIFY_SOCKET", "@tidegate-none", 1);
		unsetenv("WATCHDOG_USEC");
		if (rows[i].usec)
			setenv("WATCHDOG_USEC", rows[i].usec, 1);
		if (rows[i].pid)
			setenv("WATCHDOG_PID", rows[i].pid, 1);
		notify = notify_new(&err);
		assert_non_null(notify);
		if (notify_alive_every_ms(notify) != rows[i].every_ms)
			fail_msg("row %zu", i);
		assert_null(getenv("WATCHDOG_USEC"));
		assert_null(getenv("WATCHDOG_PID"));
		notify_free(&notify);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_manager_hears_what_happens),
		cmocka_unit_test(
			a_status_is_cut_and_a_full_queue_does_not_hold),
		cmocka_unit_test(without_a_manager_nothing_is_told),
		cmocka_unit_test(an_address_that_is_none_is_an_error),
		cmocka_unit_test(the_watchdog_is_told_twice_in_its_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
