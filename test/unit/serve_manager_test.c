/* SPDX-License-Identifier: Apache-2.0 */
/* What a daemon tells the service manager that started it. */
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

#include "io/loop.h"
#include "serve/manager.h"
#include "serve_fixture.h"
#include "until.h"

/* All that was heard so far, a line each. */
static char heard[65536];

static bool hears(int fd, const char *text)
{
	size_t len = strlen(heard);
	ssize_t n;

	while ((n = recv(fd, heard + len, sizeof(heard) - len - 2, 0)) > 0) {
		len += (size_t)n;
		heard[len++] = '\n';
		heard[len] = '\0';
	}
	return strstr(heard, text) != NULL;
}

static int manager_socket(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	char name[64];
	int len = snprintf(
		name, sizeof(name), "@tidegate-serve-manager-%d", getpid());

	memcpy(address.sun_path + 1, name + 1, (size_t)len - 1);
	assert_int_equal(
		bind(fd, (struct sockaddr *)&address,
			(socklen_t)(offsetof(struct sockaddr_un, sun_path) +
				    (size_t)len)),
		0);
	setenv("NOTIFY_SOCKET", name, 1);
	return fd;
}

static void a_manager_hears_what_the_daemon_does_and_that_it_lives(void **state)
{
	struct served served;
	struct manager *manager;
	struct loop *loop;
	struct err err;
	char *id;
	int fd;

	served_open(&served);
	fd = manager_socket();
	setenv("WATCHDOG_USEC", "30000000", 1);
	loop = daemon_loop(served.daemon);
	manager = manager_new(served.daemon, &err);
	assert_non_null(manager);
	assert_true(hears(fd, "") && !*heard);
	manager_ready(manager);
	assert_true(hears(fd, "READY=1\n"));
	assert_true(hears(fd, "STATUS=driving 0 rollouts, 0 wait for "
			      "approval\n"));
	assert_true(hears(fd, "WATCHDOG=1\n"));
	/* What is as it was is not told again; that it lives is. */
	heard[0] = '\0';
	until_later(loop, 10000);
	assert_false(hears(fd, "STATUS"));
	assert_false(hears(fd, "WATCHDOG"));
	until_later(loop, 5000);
	RUN_UNTIL(loop, hears(fd, "WATCHDOG=1\n"));
	id = served_rollout(&served, "awaiting-approval");
	until_later(loop, 5000);
	RUN_UNTIL(loop, hears(fd, "STATUS=driving 1 rollout, 1 waits for "
				  "approval\n"));
	heard[0] = '\0';
	manager_reloading(manager);
	manager_ready(manager);
	assert_true(hears(fd, "RELOADING=1\nREADY=1\n"));
	manager_stopping(manager);
	assert_true(hears(fd, "STOPPING=1\n"));
	manager_free(&manager);
	assert_null(manager);
	close(fd);
	free(id);
	served_close(&served);
}

static void without_a_manager_a_daemon_is_as_well(void **state)
{
	struct served served;
	struct manager *manager;
	struct err err;

	served_open(&served);
	manager = manager_new(served.daemon, &err);
	assert_non_null(manager);
	manager_ready(manager);
	manager_stopping(manager);
	manager_free(&manager);
	setenv("NOTIFY_SOCKET", "nowhere", 1);
	assert_null(manager_new(served.daemon, &err));
	assert_int_equal(err.code, ERR_INVALID);
	served_close(&served);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_manager_hears_what_the_daemon_does_and_that_it_lives),
		cmocka_unit_test(without_a_manager_a_daemon_is_as_well),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
