#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154,SC2034
# Input that is broken: one clear message, its exit status, traffic as it was.

load world
load suite
load rollout
load shared

setup() {
	shared_begin --token e2e-token
}
teardown() { shared_end; }

# ends STATUS TEXT: `run` does, says TEXT, and nothing was written.
ends() {
	local status=0

	timeout 40 "$TIDEGATE" run backend --policy "$WORLD/policy.yaml" \
		>"$WORLD/out" 2>"$WORLD/err" || status=$?
	[ "$status" = "$1" ] && cat "$WORLD/out" "$WORLD/err" |
		grep -qF -e "$2" && [ -z "$(writes)" ] &&
		refute grep -q 'runtime error\|AddressSanitizer' "$WORLD/err" &&
		return
	echo "exit $status, expected $1"
	head -c 2000 "$WORLD/out" "$WORLD/err"
	return 1
}

@test "a policy that is not there" {
	rm -f "$WORLD/policy.yaml"
	ends 3 'No such file'
}

@test "a policy that is a folder" {
	mkdir "$WORLD/policy.yaml"
	ends 3 policy.yaml
}

@test "a policy that may not be read" {
	[ "$(id -u)" != 0 ] || skip 'root may read everything'
	quick
	chmod 0 "$WORLD/policy.yaml"
	ends 3 'Permission denied'
}

@test "a policy that is empty" {
	: >"$WORLD/policy.yaml"
	ends 3 empty
}

@test "a policy of 10 MB" {
	quick
	head -c 10000000 /dev/zero | tr '\0' '#' >>"$WORLD/policy.yaml"
	ends 3 policy.yaml
}

@test "a policy that is not text" {
	head -c 4096 "$(command -v bash)" >"$WORLD/policy.yaml"
	ends 3 policy.yaml
}

@test "a policy whose alias contains itself" {
	quick 'rollback: &a' '  - *a'
	ends 3 policy.yaml
}

@test "a variable that is not set" {
	unset PROMETHEUS_URL
	quick
	ends 3 PROMETHEUS_URL
}

@test "a service that does not exist" {
	quick
	local status=0
	"$TIDEGATE" run nobody --policy "$WORLD/policy.yaml" \
		>"$WORLD/out" 2>&1 || status=$?
	cat "$WORLD/out"
	[ "$status" = 4 ]
	grep -qF nobody "$WORLD/out"
}

@test "a token that has expired" {
	quick
	CLOUDSDK_AUTH_ACCESS_TOKEN=old-token ends 4 token
	not grep -rqF old-token "$WORLD/out" "$WORLD/err"
	not grep -qaF old-token "$TIDEGATE_STATE"
}

@test "a token that expires while the rollout runs is loud, not a revert" {
	STEPS=$LONG quick 'revert_timeout: 3s'
	rollout_start
	until_step 20
	fault '{"kind": "status", "status": 401, "times": 1000,
		"path": "*/services/backend"}'
	kill -INT "$RUN_PID"
	rollout_ends 9
	finished '.outcome == "rollback-failed" and
		(.reason | contains("CLOUDSDK_AUTH_ACCESS_TOKEN"))'
}

@test "metrics that answer in HTML" {
	fault '{"kind": "status", "status": 200, "path": "*/api/v1/query",
		"times": 100, "body": "<html>please log in</html>"}'
	PROMETHEUS_URL=$ADMIN/v2
	quick
	ends 4 JSON
}

@test "a state file that may only be read" {
	quick
	"$TIDEGATE" run backend --policy "$WORLD/policy.yaml" --quiet \
		--candidate nobody-1 || true
	sandbox_ask DELETE /log
	if [ "$(id -u)" = 0 ]; then
		chattr +i "$TIDEGATE_STATE" 2>/dev/null ||
			skip 'root may write everything here'
	else
		chmod 400 "$TIDEGATE_STATE"
	fi
	ends 1 state.db || {
		chattr -i "$TIDEGATE_STATE" 2>/dev/null
		return 1
	}
	chattr -i "$TIDEGATE_STATE" 2>/dev/null || true
}

@test "a state file that is damaged" {
	quick
	"$TIDEGATE" run backend --policy "$WORLD/policy.yaml" --quiet \
		--candidate nobody-1 || true
	sandbox_ask DELETE /log
	local size
	size=$(stat -c %s "$TIDEGATE_STATE")
	head -c $((size - 4096)) /dev/urandom |
		dd of="$TIDEGATE_STATE" bs=4096 seek=1 conv=notrunc \
			status=none
	ends 1 state.db
}

@test "a state file of a newer version" {
	quick
	"$TIDEGATE" run backend --policy "$WORLD/policy.yaml" --quiet \
		--candidate nobody-1 || true
	sandbox_ask DELETE /log
	sqlite3 "$TIDEGATE_STATE" 'PRAGMA user_version = 99'
	ends 1 newer
}

@test "a state file that is no database" {
	quick
	echo 'dear diary, this is a text of some length' >"$TIDEGATE_STATE"
	cp "$TIDEGATE_STATE" "$WORLD/kept"
	ends 1 state.db
	cmp "$TIDEGATE_STATE" "$WORLD/kept"
}

@test "a state file that is a database of somebody else" {
	quick
	sqlite3 "$TIDEGATE_STATE" 'CREATE TABLE a (b); INSERT INTO a VALUES (1)'
	ends 1 state.db
	[ "$(journal 'SELECT b FROM a')" = 1 ]
}

has_given_back() {
	serves stable-1 100 && grep -q event=journal-late "$WORLD/run.err"
}

@test "a disk that is full takes the traffic back" {
	[ "$(id -u)" = 0 ] || skip 'only root may mount a small disk'
	mkdir "$WORLD/disk"
	mount -t tmpfs -o size=600k tmpfs "$WORLD/disk" 2>/dev/null ||
		skip 'no permission to mount a small disk'
	export TIDEGATE_STATE=$WORLD/disk/state.db
	STEPS=$LONG quick
	rollout_start
	until_step 20 || { umount -l "$WORLD/disk"; false; }
	head -c 1000000 /dev/zero >"$WORLD/disk/fill" 2>/dev/null || true
	local ok=0
	# It stays, since there may be space again; a signal ends that.
	until_run has_given_back || ok=1
	kill -TERM "$RUN_PID"
	rollout_ends 1 || ok=1
	umount -l "$WORLD/disk"
	[ "$ok" = 0 ]
	serves stable-1 100
	finished '.outcome == "error" and (.reason | contains("journal"))'
}
