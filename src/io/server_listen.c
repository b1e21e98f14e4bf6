/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sockets that the server listens on, from an address as people write it,
 * and who it is that comes by them.
 */
#define _GNU_SOURCE /* struct ucred */
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "io/listen_fds.h"
#include "io/loop.h"
#include "io/server_parts.h"

#define BACKLOG   1024
#define UNIX_MODE 0600

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_un local;
};

static void listener_add(struct server *server, int fd)
{
	assert(server->n_listeners < LISTENERS_MAX);
	server->listeners[server->n_listeners++] =
		(struct listener){.server = server, .fd = fd};
}

void listener_close(struct listener *listener)
{
	struct stat now;

	watch_cancel(&listener->watch);
	if (listener->unix_path && !lstat(listener->unix_path, &now) &&
		now.st_dev == listener->device && now.st_ino == listener->inode)
		unlink(listener->unix_path);
	free(listener->unix_path);
	listener->unix_path = NULL;
	if (listener->fd >= 0)
		close(listener->fd);
	listener->fd = -1;
}

/* ---- Unix ---- */

static int unix_address(
	const char *path, union address *address, struct err *err_r)
{
	*address = (union address){.local.sun_family = AF_UNIX};
	if (*path != '/')
		return err_set(err_r, ERR_INVALID,
			"\"unix:%s\": the path of a socket begins with /",
			path);
	if (strlen(path) >= sizeof(address->local.sun_path))
		return err_set(err_r, ERR_INVALID,
			"\"unix:%s\": the path of a socket has at most %zu "
			"bytes",
			path, sizeof(address->local.sun_path) - 1);
	strcpy(address->local.sun_path, path);
	return 0;
}

/* Removes what an earlier process left: a socket behind which there is nobody.
 */
static int unix_make_room(const union address *address, struct err *err_r)
{
	const char *path = address->local.sun_path;
	struct stat st;
	int fd, rc;

	if (lstat(path, &st))
		return errno == ENOENT ? 0
				       : err_set(err_r, ERR_IO, "%s: %s", path,
						 strerror(errno));
	if (!S_ISSOCK(st.st_mode))
		return err_set(err_r, ERR_INVALID,
			"%s is there and is no socket; it is left alone", path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_set(err_r, ERR_IO, "no socket: %s", strerror(errno));
	rc = connect(fd, &address->any, sizeof(address->local));
	if (rc && errno == ECONNREFUSED && !unlink(path))
		rc = 0;
	else if (!rc || errno == EAGAIN)
		rc = err_set(err_r, ERR_IO,
			"another process answers on %s already", path);
	else
		rc = err_set(err_r, ERR_IO, "cannot take the place of %s: %s",
			path, strerror(errno));
	close(fd);
	return rc;
}

/* The file has its mode from the first moment on: without that of the process,
 * whose threads may be making files. */
static int unix_bind(struct server *server, const union address *address,
	mode_t mode, struct err *err_r)
{
	const char *path = address->local.sun_path;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct listener *listener;
	struct stat st;

	if (fd < 0 || fchmod(fd, mode) ||
		bind(fd, &address->any, sizeof(address->local)) ||
		chmod(path, mode) || lstat(path, &st) || listen(fd, BACKLOG)) {
		err_set(err_r, ERR_IO, "cannot listen on %s: %s", path,
			strerror(errno));
		if (fd >= 0)
			close(fd);
		return -1;
	}
	listener_add(server, fd);
	listener = &server->listeners[server->n_listeners - 1];
	listener->unix_path = xstrdup(path);
	listener->device = st.st_dev;
	listener->inode = st.st_ino;
	return 0;
}

/* Two who start at once would both find nobody: one after the other. */
static int folder_lock(const char *path, struct err *err_r)
{
	char *copy = xstrdup(path);
	int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	free(copy);
	if (fd >= 0 && !flock(fd, LOCK_EX))
		return fd;
	err_set(err_r, ERR_IO, "cannot listen on %s: its folder: %s", path,
		strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

static int unix_open(
	struct server *server, const char *path, mode_t mode, struct err *err_r)
{
	union address address;
	int lock, rc;

	if (unix_address(path, &address, err_r))
		return -1;
	lock = folder_lock(path, err_r);
	if (lock < 0)
		return -1;
	rc = unix_make_room(&address, err_r);
	if (!rc)
		rc = unix_bind(
			server, &address, mode ? mode : UNIX_MODE, err_r);
	close(lock);
	return rc;
}

/* ---- TCP ---- */

static bool port_parse(const char *text, in_port_t *port_r)
{
	size_t digits = strspn(text, "0123456789");

	if (!digits || digits > 5 || text[digits] || atol(text) > 65535)
		return false;
	*port_r = htons((uint16_t)atol(text));
	return true;
}

/* "192.0.2.1", "localhost", "[2001:db8::1]" and a port. */
static bool tcp_address(const char *text, union address *address)
{
	const char *colon = strrchr(text, ':');
	size_t len = colon ? (size_t)(colon - text) : 0;
	char host[INET6_ADDRSTRLEN + 2];
	in_port_t port;

	if (!len || len >= sizeof(host) || !port_parse(colon + 1, &port))
		return false;
	memcpy(host, text, len);
	host[len] = '\0';
	*address = (union address){.v4 = {.sin_family = AF_INET}};
	address->v4.sin_port = port;
	if (strcmp(host, "localhost") == 0)
		strcpy(host, "127.0.0.1");
	if (inet_pton(AF_INET, host, &address->v4.sin_addr) == 1)
		return true;
	if (host[0] != '[' || host[len - 1] != ']')
		return false;
	host[len - 1] = '\0';
	*address = (union address){.v6 = {.sin6_family = AF_INET6}};
	address->v6.sin6_port = port;
	return inet_pton(AF_INET6, host + 1, &address->v6.sin6_addr) == 1;
}

static int tcp_port(int fd)
{
	union address address;
	socklen_t len = sizeof(address);

	if (getsockname(fd, &address.any, &len))
		return 0;
	if (address.any.sa_family == AF_INET)
		return ntohs(address.v4.sin_port);
	return address.any.sa_family == AF_INET6 ? ntohs(address.v6.sin6_port)
						 : 0;
}

static int tcp_open(struct server *server, const char *text, struct err *err_r)
{
	union address address;
	socklen_t len;
	int fd, on = 1;

	if (!tcp_address(text, &address))
		return err_set(err_r, ERR_INVALID,
			"\"%s\" is no address to listen on: 127.0.0.1:8080, "
			"[::]:8080, unix:/path or systemd",
			text);
	len = address.any.sa_family == AF_INET ? sizeof(address.v4)
					       : sizeof(address.v6);
	fd = socket(address.any.sa_family,
		SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 ||
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
		bind(fd, &address.any, len) || listen(fd, BACKLOG)) {
		err_set(err_r, ERR_IO, "cannot listen on %s: %s", text,
			strerror(errno));
		if (fd >= 0)
			close(fd);
		return -1;
	}
	listener_add(server, fd);
	return 0;
}

/* ---- all ---- */

static int handed_open(
	struct server *server, const char *name, struct err *err_r)
{
	struct listen_fds fds;

	if (listen_fds_take(name, &fds, err_r))
		return -1;
	for (int i = 0; i < fds.n; i++)
		listener_add(server, fds.fds[i]);
	return 0;
}

int listeners_open(struct server *server, const char *address, mode_t unix_mode,
	struct err *err_r)
{
	int rc;

	if (strncmp(address, "unix:", 5) == 0)
		rc = unix_open(server, address + 5, unix_mode, err_r);
	else if (strcmp(address, "systemd") == 0)
		rc = handed_open(server, NULL, err_r);
	else if (strncmp(address, "systemd:", 8) == 0)
		rc = handed_open(server, address + 8, err_r);
	else
		rc = tcp_open(server, address, err_r);
	for (int i = 0; !rc && i < server->n_listeners && !server->port; i++)
		server->port = tcp_port(server->listeners[i].fd);
	return rc;
}

static bool v6_is_loopback(const struct in6_addr *v6)
{
	return IN6_IS_ADDR_LOOPBACK(v6) ||
	       (IN6_IS_ADDR_V4MAPPED(v6) && v6->s6_addr[12] == 127);
}

static struct in6_addr v4_mapped(struct in_addr v4)
{
	struct in6_addr v6 = {.s6_addr = {[10] = 0xff, [11] = 0xff}};

	memcpy(v6.s6_addr + 12, &v4, sizeof(v4));
	return v6;
}

bool listeners_are_local(const struct server *server)
{
	for (int i = 0; i < server->n_listeners; i++) {
		union address address = {.any.sa_family = AF_UNSPEC};
		socklen_t len = sizeof(address);
		struct in6_addr v6 = {.s6_addr = {0}};

		if (getsockname(server->listeners[i].fd, &address.any, &len))
			return false;
		if (address.any.sa_family == AF_INET)
			v6 = v4_mapped(address.v4.sin_addr);
		else if (address.any.sa_family == AF_INET6)
			v6 = address.v6.sin6_addr;
		if (address.any.sa_family != AF_UNIX && !v6_is_loopback(&v6))
			return false;
	}
	return true;
}

static void peer_read_unix(struct connection *connection)
{
	struct server_peer *peer = &connection->peer;
	struct ucred who;
	socklen_t len = sizeof(who);

	if (getsockopt(connection->fd, SOL_SOCKET, SO_PEERCRED, &who, &len)) {
		peer->kind = PEER_OTHER;
		snprintf(peer->address, sizeof(peer->address), "unix");
		return;
	}
	peer->kind = PEER_UNIX;
	peer->uid = who.uid;
	peer->pid = who.pid;
	snprintf(peer->address, sizeof(peer->address), "unix:uid=%lu,pid=%ld",
		(unsigned long)who.uid, (long)who.pid);
}

void peer_read(struct connection *connection)
{
	struct server_peer *peer = &connection->peer;
	union address address = {.any.sa_family = AF_UNSPEC};
	socklen_t len = sizeof(address);
	struct in6_addr *from = &connection->from;

	if (getpeername(connection->fd, &address.any, &len))
		address.any.sa_family = AF_UNSPEC;
	if (address.any.sa_family == AF_UNIX) {
		peer_read_unix(connection);
		return;
	}
	peer->kind = PEER_OTHER;
	snprintf(peer->address, sizeof(peer->address), "unknown");
	if (address.any.sa_family == AF_INET)
		*from = v4_mapped(address.v4.sin_addr);
	else if (address.any.sa_family == AF_INET6)
		*from = address.v6.sin6_addr;
	else
		return;
	if (v6_is_loopback(from))
		peer->kind = PEER_LOOPBACK;
	if (IN6_IS_ADDR_V4MAPPED(from))
		inet_ntop(AF_INET, from->s6_addr + 12, peer->address,
			sizeof(peer->address));
	else
		inet_ntop(AF_INET6, from, peer->address, sizeof(peer->address));
}
