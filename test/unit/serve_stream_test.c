/* SPDX-License-Identifier: Apache-2.0 */
/* What follows a daemon hears, from plain sockets; what a follower of changes
 * is told, and from where on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/xalloc.h"
#include "io/clock.h"
#include "io/loop.h"
#include "serve/changes.h"
#include "serve/driven.h"
#include "serve_fixture.h"
#include "server_peer.h"
#include "store/store.h"
#include "until.h"

/* ---- changes ---- */

struct listener {
	struct loop *loop;
	struct driven_set *driven;
	struct changes *changes;
	struct following *following;
	int n_told, n_ended;
	char heard[4096]; /* "ROLLOUT:SEQ " of a look */
};

static void on_changed(void *arg)
{
	struct listener *listener = arg;

	listener->n_told++;
}

static void on_end(void *arg)
{
	struct listener *listener = arg;

	listener->n_ended++;
	listener->following = NULL;
}

static void listener_init(struct listener *l)
{
	const struct follower follower = {on_changed, on_end, l};
	struct err err;

	*l = (struct listener){.loop = loop_new(&err)};
	l->driven = driven_new(NULL, NULL);
	l->changes = changes_new(l->loop, l->driven);
	l->following = changes_follow(l->changes, &follower);
}

static void listener_fini(struct listener *l)
{
	changes_unfollow(&l->following);
	changes_free(&l->changes);
	driven_free(&l->driven);
	loop_free(&l->loop);
}

static void happens(struct listener *l, const char *rollout, int64_t seq,
	const char *event, int percent)
{
	const struct store_event entry = {.seq = seq,
		.name = event,
		.phase = "baking",
		.percent = percent,
		.data = "{}"};

	changes_take(l->changes, rollout, "projects/p/locations/r/services/s",
		&entry);
}

static bool hear(const struct change *change, void *arg)
{
	struct listener *l = arg;
	size_t len = strlen(l->heard);

	snprintf(l->heard + len, sizeof(l->heard) - len, "%s:%d%s ",
		change->rollout, (int)change->seq,
		change->weighty == change->number ? "!" : "");
	return true;
}

static const char *heard_after(struct listener *l, uint64_t number)
{
	l->heard[0] = '\0';
	changes_after(l->changes, number, hear, l);
	return l->heard;
}

static void of_a_rollout_the_newest_is_told(void **state)
{
	struct listener l;
	uint64_t before;

	listener_init(&l);
	happens(&l, "a", 1, "started", 0);
	happens(&l, "b", 1, "started", 0);
	assert_string_equal(heard_after(&l, 0), "a:1! b:1! ");
	before = changes_last(l.changes);
	assert_string_equal(heard_after(&l, before), "");
	happens(&l, "a", 2, "check", 0);
	happens(&l, "b", 2, "check", 10);
	happens(&l, "a", 3, "timer", 0);
	/* A check alone is no news for a list; other traffic is. */
	assert_string_equal(heard_after(&l, before), "b:2! a:3 ");
	assert_string_equal(heard_after(&l, 0), "b:2! a:3 ");
	changes_take(l.changes, "b", "", NULL);
	assert_string_equal(heard_after(&l, before), "a:3 b:2! ");
	/* All of it is one word to who follows. */
	RUN_UNTIL(l.loop, l.n_told > 0);
	assert_int_equal(l.n_told, 1);
	happens(&l, "a", 4, "check", 0);
	RUN_UNTIL(l.loop, l.n_told == 2);
	listener_fini(&l);
}

static void what_was_forgotten_is_not_covered(void **state)
{
	struct listener l;
	char rollout[32];

	listener_init(&l);
	for (int i = 0; i < CHANGES_MAX; i++) {
		snprintf(rollout, sizeof(rollout), "r%d", i);
		happens(&l, rollout, 1, "started", 0);
	}
	assert_true(changes_cover(l.changes, 0));
	happens(&l, "r0", 2, "check", 0);
	assert_true(changes_cover(l.changes, 0));
	happens(&l, "one more", 1, "started", 0);
	assert_false(changes_cover(l.changes, 0));
	assert_false(changes_cover(l.changes, 1));
	assert_true(changes_cover(l.changes, 2)); /* r1's */
	assert_true(changes_cover(l.changes, changes_last(l.changes)));
	assert_false(changes_cover(l.changes, changes_last(l.changes) + 1));
	changes_end(l.changes);
	assert_int_equal(l.n_ended, 1);
	assert_null(l.following);
	listener_fini(&l);
	assert_int_equal(l.n_ended, 1);
}

/* ---- streams ---- */

static struct served served;

static void ask_for(struct peer *peer, const char *path, const char *more)
{
	char *text = xasprintf("GET %s HTTP/1.1\r\nHost: localhost\r\n"
			       "Authorization: %s\r\n%s\r\n",
		path, served.token, more);
	int port = atoi(strrchr(served.address, ':') + 1);

	peer_connect(peer, daemon_loop(served.daemon), port);
	peer_say(peer, text);
	free(text);
}

static void follow(struct peer *peer, const char *query, const char *more)
{
	char *path = xasprintf("/api/v1/stream%s", query);

	ask_for(peer, path, more);
	free(path);
}

/* The id of the last event that has come, "Last-Event-ID: …\r\n". */
static char *place_of(const struct peer *peer)
{
	const char *at = peer->got.data, *last = NULL;

	while ((at = strstr(at, "id: ")))
		last = at += 4;
	assert_non_null(last);
	return xasprintf(
		"Last-Event-ID: %.*s\r\n", (int)strcspn(last, "\n"), last);
}

static void who_follows_hears_what_changes(void **state)
{
	struct peer all, one;
	char *id, *query, *place;

	served_open(&served);
	follow(&all, "", "");
	peer_waits_for(&all, "Content-Type: text/event-stream\r\n");
	assert_non_null(strstr(all.got.data, "X-Accel-Buffering: no\r\n"));
	peer_waits_for(&all, "retry: 2000\nevent: heartbeat\nid: ");
	peer_waits_for(&all, "\ndata: {}\n\n");
	assert_null(strstr(all.got.data, "event: rollout"));
	place = place_of(&all);
	id = served_rollout(&served, "awaiting-approval");
	query = xasprintf("\"rollout\":\"%s\",\"service\":\"" SERVED_SERVICE
			  "\",\"seq\":",
		id);
	peer_waits_for(&all, query);
	peer_waits_for(&all, "event: rollout\ndata: {\"time\":\"2");
	peer_waits_for(&all, "\"phase\":\"awaiting-approval\",\"percent\":20,"
			     "\"driven\":true}\n\n");
	free(query);

	/* Cut in the beginning: what it missed, once. */
	follow(&one, "", place);
	peer_waits_for(&one, "event: rollout\n");
	assert_null(strstr(one.got.data, "event: reset"));
	peer_fini(&one);
	free(place);
	/* Cut at the end: nothing. */
	place = place_of(&all);
	follow(&one, "", place);
	peer_waits_for(&one, "event: heartbeat\n");
	assert_null(strstr(one.got.data, "event: rollout"));
	peer_fini(&one);
	free(place);

	/* Checks are for who follows this one. */
	query = xasprintf("?rollout=%s", id);
	follow(&one, query, "");
	peer_waits_for(&one, "\"event\":\"check\"");
	peer_fini(&one);
	follow(&one, "?rollout=another", "");
	peer_waits_for(&one, "event: heartbeat\n");
	free(query);
	query = xasprintf("/api/v1/rollouts/%s/decisions", id);
	served_expect(&served, 202, "POST", query,
		"{\"verb\":\"abort\",\"step\":2,\"candidate\":\"backend-2\","
		"\"comment\":\"enough\"}");
	peer_waits_for(&all, "\"phase\":\"rolled-back\"");
	peer_waits_for(&all, "\"driven\":false}\n\n");
	assert_null(strstr(one.got.data, "event: rollout"));
	peer_fini(&one);
	peer_fini(&all);
	free(query);
	free(id);
	served_close(&served);
}

/* ---- what another process drives ---- */

#define THEIRS        "theirs-20260101-000000-abcd"
#define THEIR_SERVICE "projects/acme/locations/us-central1/services/theirs"

/* It drives a rollout of its own, an entry for each byte that it is sent. */
struct other {
	pid_t pid;
	int end; /* a socket; what was done is said by a byte */
};

static int other_begins(
	struct store *store, struct arena *arena, struct store_lease *lease)
{
	const struct store_rollout row = {.id = THEIRS,
		.service = THEIR_SERVICE,
		.candidate = "",
		.stable = "",
		.policy_name = "p",
		.policy_path = "p.yaml",
		.policy_source = "",
		.policy_digest = "d",
		.options = "{}",
		.starter = "alice",
		.started_ms = clock_wall_ms(),
		.phase = "preflight",
		.reason = ""};
	struct lease_watch watch = {0};
	struct err err;

	if (store_rollout_create(store, &row, &err) < 0)
		return -1;
	return store_lease_take(store, THEIR_SERVICE, THEIRS, &watch, arena,
		       lease, &err) == 1
		       ? 0
		       : -1;
}

static int other_goes_on(struct store *store, const struct store_lease *lease,
	int64_t seq, const char *phase, bool ended)
{
	const struct store_event event = {.seq = seq,
		.time_ms = clock_wall_ms(),
		.name = "check",
		.phase = phase,
		.percent = 20,
		.data = "{}"};
	struct err err;

	if (store_lease_renew(store, THEIR_SERVICE, lease->fence, &err) < 0)
		return -1;
	return store_append(
		store, THEIRS, lease->fence, &event, 1, NULL, ended, &err);
}

static void other_run(int end)
{
	static const char *const phases[] = {"settling", "baking", "promoted"};
	struct store_lease lease;
	struct arena arena;
	struct store *store;
	struct err err;
	char byte;

	arena_init(&arena);
	store = store_open(served.config->state, STORE_EDIT, &err);
	if (!store || other_begins(store, &arena, &lease) < 0 ||
		write(end, "", 1) != 1)
		_exit(1);
	for (int i = 0; i < 3 && read(end, &byte, 1) == 1; i++)
		if (other_goes_on(store, &lease, i + 1, phases[i], i == 2) ||
			write(end, "", 1) != 1)
			_exit(1);
	_exit(0);
}

/* While there is no daemon here: nothing is held by the file. */
static void other_start(struct other *other)
{
	char byte;
	int ends[2];

	served_stop(&served);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	other->pid = fork();
	assert_true(other->pid >= 0);
	if (!other->pid) {
		close(ends[0]);
		other_run(ends[1]);
	}
	close(ends[1]);
	other->end = ends[0];
	assert_int_equal(read(other->end, &byte, 1), 1);
	served_start(&served);
}

/* And the daemon looks again. */
static void other_step(struct other *other)
{
	char byte;

	assert_int_equal(write(other->end, "", 1), 1);
	assert_int_equal(read(other->end, &byte, 1), 1);
	until_later(daemon_loop(served.daemon), 3000);
}

static void other_fini(struct other *other)
{
	int status;

	close(other->end);
	assert_int_equal(waitpid(other->pid, &status, 0), other->pid);
	assert_int_equal(status, 0);
}

static void who_follows_hears_what_another_process_drives_and_its_end(
	void **state)
{
	struct other other;
	struct peer peer;

	served_open(&served);
	other_start(&other);
	follow(&peer, "", "");
	peer_waits_for(&peer, "event: heartbeat\n");
	other_step(&other);
	peer_waits_for(&peer,
		"\"rollout\":\"" THEIRS "\",\"service\":\"" THEIR_SERVICE
		"\",\"seq\":1,\"event\":null,"
		"\"phase\":\"settling\",\"percent\":null,"
		"\"driven\":false}\n\n");
	other_step(&other);
	peer_waits_for(&peer, "\"seq\":2,\"event\":null,"
			      "\"phase\":\"baking\"");
	other_step(&other);
	peer_waits_for(&peer, "\"seq\":3,\"event\":null,"
			      "\"phase\":\"promoted\"");
	assert_false(served_is_driven(&served, THEIRS));
	peer_fini(&peer);
	other_fini(&other);
	served_close(&served);
}

static void what_may_not_be_read_is_not_told(void **state)
{
	static const char *const who[] = {"owner"};
	static const char *const others[] = {"acme/us-central1/frontend"};
	static const struct access_row rows[] = {
		{who, 1, RIGHTS_ALL & ~RIGHT_BIT(RIGHT_READ), .n_services = 0},
		{who, 1, RIGHT_BIT(RIGHT_READ), others, 1, .n_policies = 0},
	};
	struct peer peer;
	char *id, *path, *place;

	served_open(&served);
	follow(&peer, "", "");
	peer_waits_for(&peer, "event: heartbeat\n");
	place = place_of(&peer);
	id = served_rollout(&served, "awaiting-approval");
	peer_waits_for(&peer, "awaiting-approval");
	peer_fini(&peer);
	served.config->access = (struct access){rows, 2};
	follow(&peer, "", place);
	peer_waits_for(&peer, "event: heartbeat\n");
	path = xasprintf("/api/v1/rollouts/%s/decisions", id);
	served_expect(&served, 202, "POST", path,
		"{\"verb\":\"pause\",\"step\":2,\"candidate\":\"backend-2\"}");
	until_later(daemon_loop(served.daemon), CHANGES_PAUSE_MS);
	daemon_drain(served.daemon);
	peer_waits_for(&peer, "event: bye\n");
	assert_null(strstr(peer.got.data, "event: rollout"));
	assert_null(strstr(peer.got.data, id));
	peer_fini(&peer);
	free(path);
	free(place);
	free(id);
	served_close(&served);
}

static void a_place_that_is_not_known_is_a_reset(void **state)
{
	static const char *const places[] = {
		"x", "0-1", "0123456789abcdef-1", "-", "18446744073709551616"};
	struct peer peer;
	char *place, *later;

	served_open(&served);
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		place = xasprintf("Last-Event-ID: %s\r\n", places[i]);
		follow(&peer, "", place);
		peer_waits_for(&peer, "event: reset\nid: ");
		free(place);
		if (i == 0) {
			/* A number of this epoch that is still to come. */
			place = place_of(&peer);
			later = xasprintf(
				"%.*s99\r\n", (int)strcspn(place, "\r"), place);
			peer_fini(&peer);
			follow(&peer, "", later);
			peer_waits_for(&peer, "event: reset\n");
			free(later);
			free(place);
		}
		peer_fini(&peer);
	}
	follow(&peer, "?other=1", "");
	peer_waits_for(&peer, "HTTP/1.1 400 ");
	peer_fini(&peer);
	served_close(&served);
}

static void the_daemons_end_is_told_and_followed_by_a_pause(void **state)
{
	struct peer peer;

	served_open(&served);
	follow(&peer, "", "");
	peer_waits_for(&peer, "event: heartbeat\n");
	daemon_drain(served.daemon);
	peer_waits_for(&peer, "\ndata: {}\n\n\r\n0\r\n\r\n");
	assert_non_null(strstr(peer.got.data, "event: bye\nid: "));
	assert_true(atoi(strstr(strstr(peer.got.data, "retry: 2000") + 8,
				 "retry: ") +
			    7) >= 1000);
	peer_fini(&peer);
	served_close(&served);
}

static void a_stream_ends_by_itself_after_a_while(void **state)
{
	struct peer peer;

	served_open(&served);
	follow(&peer, "", "");
	peer_waits_for(&peer, "event: heartbeat\n");
	until_later(daemon_loop(served.daemon), 9 * 60 * 1000);
	peer_look(&peer);
	assert_null(strstr(peer.got.data, "event: bye"));
	until_later(daemon_loop(served.daemon), 7 * 60 * 1000);
	peer_waits_for(&peer, "event: bye");
	peer_fini(&peer);
	served_close(&served);
}

#define EVENTS "Accept: text/event-stream\r\n"

static void a_journal_is_followed_to_its_end(void **state)
{
	struct peer peer, late;
	char *id, *path, *decisions;

	served_open(&served);
	id = served_rollout(&served, "awaiting-approval");
	path = xasprintf("/api/v1/rollouts/%s/events", id);
	decisions = xasprintf("/api/v1/rollouts/%s/decisions", id);
	ask_for(&peer, path, EVENTS);
	peer_waits_for(&peer, "Content-Type: text/event-stream\r\n");
	peer_waits_for(&peer, "retry: 2000\n\nid: 1\ndata: {\"time\":\"2");
	peer_waits_for(&peer, "\"event\":\"started\"");
	ask_for(&late, path, EVENTS "Last-Event-ID: 2\r\n");
	peer_waits_for(&late, "id: 3\n");
	assert_null(strstr(late.got.data, "id: 2\n"));
	served_expect(&served, 202, "POST", decisions,
		"{\"verb\":\"abort\",\"step\":2,\"candidate\":\"backend-2\","
		"\"comment\":\"enough\"}");
	peer_waits_for(&peer, "enough");
	peer_waits_for(&peer, "event: end\ndata: {}\n\n\r\n0\r\n\r\n");
	peer_waits_for(&late, "event: end\n");
	peer_fini(&late);
	/* What has ended is told at once; that it is over even to who knows. */
	ask_for(&late, path, EVENTS "Last-Event-ID: 99999\r\n");
	peer_waits_for(&late, "retry: 2000\n\n");
	peer_waits_for(&late, "event: end\n");
	assert_null(strstr(late.got.data, "id: "));
	peer_fini(&late);
	ask_for(&late, "/api/v1/rollouts/none/events", EVENTS);
	peer_waits_for(&late, "HTTP/1.1 404 ");
	peer_fini(&late);
	peer_fini(&peer);
	free(decisions);
	free(path);
	free(id);
	served_close(&served);
}

static void who_follows_a_journal_may_leave_and_the_daemon_end(void **state)
{
	struct peer first, second;
	char *id, *path;

	served_open(&served);
	id = served_rollout(&served, "awaiting-approval");
	path = xasprintf("/api/v1/rollouts/%s/events", id);
	ask_for(&first, path, EVENTS);
	ask_for(&second, path, EVENTS);
	peer_waits_for(&first, "id: 1\n");
	peer_waits_for(&second, "id: 1\n");
	peer_fini(&first);
	until_later(daemon_loop(served.daemon), 1000);
	daemon_drain(served.daemon);
	peer_waits_for(&second, "event: bye\ndata: {}\n\n\r\n0\r\n\r\n");
	peer_fini(&second);
	free(path);
	free(id);
	served_close(&served);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_a_rollout_the_newest_is_told),
		cmocka_unit_test(what_was_forgotten_is_not_covered),
		cmocka_unit_test(who_follows_hears_what_changes),
		cmocka_unit_test(
			who_follows_hears_what_another_process_drives_and_its_end),
		cmocka_unit_test(what_may_not_be_read_is_not_told),
		cmocka_unit_test(a_place_that_is_not_known_is_a_reset),
		cmocka_unit_test(
			the_daemons_end_is_told_and_followed_by_a_pause),
		cmocka_unit_test(a_stream_ends_by_itself_after_a_while),
		cmocka_unit_test(a_journal_is_followed_to_its_end),
		cmocka_unit_test(
			who_follows_a_journal_may_leave_and_the_daemon_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
