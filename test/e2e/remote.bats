#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154,SC2034
# The command line on a daemon: what it prints there and how it ends is what it
# prints and how it ends on the state file.

bats_require_minimum_version 1.5.0

load world
load suite
load rollout
load shared

setup() {
	shared_begin
	unset TIDEGATE_SERVER TIDEGATE_TOKEN_FILE ACTIONS_ID_TOKEN_REQUEST_URL
	mkdir "$WORLD/policies"
	token alice read,start,operate,approve >"$WORLD/token"
	export TIDEGATE_TOKEN_FILE=$WORLD/token
}

teardown() {
	shared_end
}

token() { # PERSON RIGHTS
	"$TIDEGATE" token create "$1-$RANDOM" --for "$1" --expires 1h \
		--may "$2"
}

# The policy of shared.bash, as policies/e2e.yaml
served() {
	quick 'target: {project: acme, region: us-central1, service: backend}'
	mv "$WORLD/policy.yaml" "$WORLD/policies/e2e.yaml"
}

# Sets SERVER, SERVE_PID; LISTEN says where.
serve_start() {
	: >"$WORLD/serve.out"
	cat >"$WORLD/serve.yaml" <<-YAML
		version: 1
		listen: ${LISTEN:-127.0.0.1:0}
		state: $WORLD/state.db
		policies: $WORLD/policies
		identity: [{type: token}]
		people:
		  - {name: alice, keys: ["email:alice@example.com"]}
		  - {name: bob, keys: ["email:bob@example.com"]}
		  - {name: mallory, keys: ["email:mallory@example.com"]}
		access:
		  - {who: [alice, bob], may: [read, start, operate, approve]}
		  - {who: [mallory], may: [read, approve]}
	YAML
	"$TIDEGATE" serve --config "$WORLD/serve.yaml" --format json \
		>"$WORLD/serve.out" 2>>"$WORLD/serve.err" 3>&- &
	SERVE_PID=$!
	PIDS+=("$SERVE_PID")
	until_true 20 serve_began
	[ -s "$WORLD/serve.out" ] || {
		cat "$WORLD/serve.err" >&2
		return 1
	}
	SERVER=$(member address "$(<"$WORLD/serve.out")")
}

serve_began() {
	[ -s "$WORLD/serve.out" ] || is_gone "$SERVE_PID"
}

# start: a rollout that the daemon drives; sets ID.
start() {
	curl -sS --max-time 30 -o "$WORLD/reply" \
		-H "Authorization: Bearer $(<"$WORLD/token")" \
		-H 'Content-Type: application/json' -d '{"policy": "e2e"}' \
		"$SERVER/api/v1/rollouts"
	ID=$(member rollout "$(<"$WORLD/reply")")
}

phase_is() { # PHASE
	[ "$(journal "SELECT phase FROM rollout WHERE id = '$ID'")" = "$1" ]
}

# Both ways: prints the same (LOCAL, REMOTE), and ends with the same status.
# What a state file is called there, and times that go on, are not compared.
same() { # VERB…
	local there

	"$TIDEGATE" "$@" >"$WORLD/local.out" 2>"$WORLD/local.err" &&
		LOCAL=0 || LOCAL=$?
	"$TIDEGATE" "$@" --server "$SERVER" \
		>"$WORLD/remote.out" 2>"$WORLD/remote.err" &&
		REMOTE=0 || REMOTE=$?
	for there in local remote; do
		sed -i -E -e "s|$WORLD/state.db|STATE|g; s|$SERVER|STATE|g" \
			-e 's/[0-9.]+ (m?s|min)( [0-9]+ s)? ago/… ago/g' \
			"$WORLD/$there".{out,err}
	done
	diff "$WORLD/local.out" "$WORLD/remote.out" &&
		diff "$WORLD/local.err" "$WORLD/remote.err" &&
		[ "$LOCAL" = "$REMOTE" ] && return
	echo "$*: $LOCAL here, $REMOTE there"
	return 1
}

@test "what is looked at on a daemon is what its state file shows" {
	STEPS=$GATE served
	serve_start
	same list
	same status
	start
	until_true 20 phase_is awaiting-approval
	same list
	same list --format json
	same list --unfinished --service backend
	same status
	same status "${ID%????}" --format json
	same report
	same report --format html
	same status nothing-of-this-name
	[ "$REMOTE" = 4 ]
	same list --limit none
	[ "$REMOTE" = 2 ]
	# By the environment; a flag goes before it.
	run -0 env TIDEGATE_SERVER="$SERVER" "$TIDEGATE" list
	[[ $output == *"$ID"* ]]
	run env TIDEGATE_SERVER=https://nowhere.invalid "$TIDEGATE" list \
		--state "$WORLD/state.db"
	[ "$status" = 0 ]
	run "$TIDEGATE" list --server "$SERVER" --state "$WORLD/state.db"
	[ "$status" = 2 ]
}

@test "decisions are taken, and refused, in the same words" {
	local verb

	STEPS=$GATE served
	serve_start
	start
	until_true 20 phase_is awaiting-approval
	same continue
	[ "$LOCAL" = 4 ]
	for verb in pause continue; do
		"$TIDEGATE" "$verb" --comment why
	done >"$WORLD/local.out"
	for verb in pause continue; do
		"$TIDEGATE" "$verb" --server "$SERVER" --comment why
	done >"$WORLD/remote.out"
	diff "$WORLD/local.out" "$WORLD/remote.out"
	run "$TIDEGATE" abort --server "$SERVER"
	[ "$status" = 4 ]
	[[ $output == *"abort $ID is refused: a comment is needed: say why; --comment TEXT" ]]
	run "$TIDEGATE" approve --server "$SERVER" --as bob
	[ "$status" = 4 ]
	token mallory read,approve >"$WORLD/token"
	run "$TIDEGATE" approve --server "$SERVER"
	[ "$status" = 4 ]
	echo "$output" >"$WORLD/remote.refused"
	run "$TIDEGATE" approve --as mallory
	[ "$status" = 4 ]
	diff "$WORLD/remote.refused" - <<<"$output"
	token bob read >"$WORLD/token"
	run "$TIDEGATE" approve --server "$SERVER"
	[ "$status" = 4 ]
	[[ $output == *"approve $ID is refused: "*"right"*approve* ]]
	# Followed from both sides, to the same end.
	"$TIDEGATE" watch >"$WORLD/local.out" 3>&- &
	PIDS+=($!)
	"$TIDEGATE" watch --server "$SERVER" >"$WORLD/remote.out" 3>&- &
	PIDS+=($!)
	until_true 20 grep -q awaiting-approval "$WORLD/remote.out"
	token bob read,approve >"$WORLD/token"
	run -0 "$TIDEGATE" approve --server "$SERVER" --comment fine
	[[ $output == "approve $ID by bob: done, it is "* ]]
	wait "${PIDS[-1]}"
	wait "${PIDS[-2]}"
	diff "$WORLD/local.out" "$WORLD/remote.out"
	grep -q "by bob: fine" "$WORLD/remote.out"
	same watch "$ID" --format json
	[ "$LOCAL" = 0 ]
	same status
	same pause "$ID"
	[ "$LOCAL" = 4 ]
}
