#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154,SC2034
# A schema in a real PostgreSQL that goes back, or is kept when it cannot.

load world
load suite
load rollout
load shared

setup_file() {
	PG=$(dirname "$(find /usr/lib/postgresql -name initdb | head -n 1)")
	export PG
}

setup() {
	[ -x "$PG/initdb" ] || skip 'there is no PostgreSQL here'
	shared_begin
	postgres_start
}

teardown() {
	[ -x "$PG/initdb" ] || return 0
	as_postgres "$PG/pg_ctl" -D "$DATA" -m immediate stop >/dev/null || true
	rm -rf "$DATA"
	shared_end
}

# It refuses to run as root.
as_postgres() {
	if [ "$(id -u)" = 0 ]; then
		(cd / && runuser -u postgres -- "$@")
	else
		"$@"
	fi
}

# A server that only has a socket, in a folder of its own.
postgres_start() {
	DATA=$(as_postgres mktemp -d /tmp/pg.XXXXXX)
	as_postgres "$PG/initdb" -D "$DATA" -A trust -U tide -N >/dev/null
	as_postgres "$PG/pg_ctl" -D "$DATA" -w -l "$DATA/log" -o \
		"-k $DATA -c listen_addresses= -c fsync=off" start >/dev/null 3>&-
	export PGHOST=$DATA PGUSER=tide PGDATABASE=postgres
	# Version 2 of the schema: what the candidate brought.
	sql 'CREATE TABLE version (n int); INSERT INTO version VALUES (2);
		CREATE TABLE cart (id int, price int, note text)'
	# Back to 1, as long as nobody has written a note.
	cat >"$WORLD/down.sql" <<-'SQL'
		BEGIN;
		ALTER TABLE cart DROP COLUMN note;
		UPDATE version SET n = 1;
		COMMIT;
	SQL
	cat >"$WORLD/guard.sql" <<-'SQL'
		DO $$ BEGIN
			IF EXISTS (SELECT FROM cart WHERE note IS NOT NULL) THEN
				RAISE EXCEPTION 'notes would be lost';
			END IF;
		END $$;
	SQL
}

sql() {
	psql -v ON_ERROR_STOP=1 -qAtc "$1"
}

downgrade() {
	STEPS=$LONG quick 'rollback:' \
		"  - {name: schema, type: database, timeout: 20s," \
		"     command: [psql, -v, ON_ERROR_STOP=1, -qf, down.sql]," \
		"     guard: [psql, -v, ON_ERROR_STOP=1, -qf, guard.sql]," \
		"     env: {PGHOST: \"$PGHOST\", PGUSER: tide, PGDATABASE: postgres}}"
	rollout_start
	until_step 20
	kill -INT "$RUN_PID"
	rollout_ends 6
}

@test "a schema that can go back does" {
	downgrade
	said '.event == "action" and .name == "schema" and .result == "ok" and
		(.detail | startswith("downgraded"))'
	[ "$(sql 'SELECT n FROM version')" = 1 ]
	run sql 'SELECT note FROM cart'
	[ "$status" != 0 ]
}

@test "a schema that would lose data is kept, and that is no failure" {
	sql "INSERT INTO cart VALUES (1, 5, 'fragile')"
	downgrade
	said '.event == "action" and .name == "schema" and
		.result == "skipped" and
		(.detail | contains("not possible: the schema is kept")) and
		(.detail | contains("notes would be lost"))'
	[ "$(sql 'SELECT n FROM version')" = 2 ]
	[ "$(sql 'SELECT note FROM cart')" = fragile ]
}
