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
load tmux
load daemon

setup() {
	shared_begin
	unset TIDEGATE_SERVER TIDEGATE_TOKEN_FILE ACTIONS_ID_TOKEN_REQUEST_URL
	mkdir "$WORLD/policies"
	token alice read,start,operate,approve >"$WORLD/token"
	export TIDEGATE_TOKEN_FILE=$WORLD/token
}

teardown() {
	[ -z "${TERMINAL-}" ] || "${TERMINAL[@]}" kill-server 2>/dev/null || true
	shared_end
}

token() { # PERSON RIGHTS
	"$CONTROLLER" token create "$1-$RANDOM" --for "$1" --expires 1h \
		--may "$2"
}

# The policy of shared.bash, as policies/e2e.yaml
served() {
	quick 'target: {project: acme, region: us-central1, service: backend}'
	mv "$WORLD/policy.yaml" "$WORLD/policies/e2e.yaml"
}

# LISTEN says where. Sets SERVER, SERVE_PID.
serve_people() {
	cat >"$WORLD/serve.yaml" <<-YAML
		version: 1
		listen: ${LISTEN:-127.0.0.1:0}
		state: $WORLD/state.db
		policies: $WORLD/policies
		identity: [{type: token}]
		${PUBLIC_URL:+public_url: $PUBLIC_URL}
		people:
		  - {name: alice, keys: ["email:alice@example.com"]}
		  - {name: bob, keys: ["email:bob@example.com"]}
		  - {name: mallory, keys: ["email:mallory@example.com"]}
		access:
		  - {who: [alice, bob], may: [read, start, operate, approve]}
		  - {who: [mallory], may: [read, approve]}
		  - {who: ["os:$(id -un)"], may: [read]}
	YAML
	serve_by_config
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
			-e 's/\b[0-9]+[dhms]([0-9]+[hms])?\b/D/g' \
			-e 's/"renewed":"[^"]*"/"renewed":T/' \
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
	# Nothing happens between two looks.
	sed -i 's/interval: 1s/interval: 1h/' "$WORLD/policies/e2e.yaml"
	serve_people
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
	serve_people
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
	"$TIDEGATE" list -w --server "$SERVER" >"$WORLD/list.out" 3>&- &
	PIDS+=($!)
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
	until_true 20 grep -qx "$ID  promoted: .*" "$WORLD/list.out"
	same watch "$ID" --format json
	[ "$LOCAL" = 0 ]
	same status
	same pause "$ID"
	[ "$LOCAL" = 4 ]
}

# Times and ids are those of each; how often it was checked is chance.
normal() { # FILE
	sed -E -e 's/^[0-9:]{8} /TIME /; s/[0-9]{8}-[0-9]{6}-[a-z0-9]{4}/ID/g' \
		-e 's/[0-9.]+ (m?s)\b/N \1/g' "$1" | grep -v '  check ' || true
}

@test "a run on a daemon prints and ends as one of its own" {
	served
	serve_people
	"$TIDEGATE" run backend --policy "$WORLD/policies/e2e.yaml" \
		--state "$WORLD/own.db" --committed 2026-11-01T10:00:00+02:00 \
		>"$WORLD/local.out" 2>"$WORLD/local.err"
	control POST /deploy '{"revision": "next-1"}'
	# What the policy says of the project stands before what is set here.
	CLOUDSDK_CORE_PROJECT=elsewhere GITHUB_OUTPUT=$WORLD/github \
		"$TIDEGATE" run backend --policy e2e \
		--server "$SERVER" --committed 2026-11-01T10:00:00+02:00 \
		>"$WORLD/remote.out" 2>"$WORLD/remote.err"
	# The lead time begins there, here and there.
	for what in "$WORLD/own.db" "$TIDEGATE_STATE"; do
		[ "$(sqlite3 "$what" 'SELECT options FROM rollout' |
			jq .committed)" = 1793520000000 ]
	done
	for what in out err; do
		sed -i "s/next-1/NEW/g; s/$CANDIDATE/OLD/g" "$WORLD/remote.$what"
		sed -i "s/$CANDIDATE/NEW/g; s/stable-1/OLD/g" "$WORLD/local.$what"
		diff <(normal "$WORLD/local.$what") <(normal "$WORLD/remote.$what")
	done
	grep -q '^outcome=promoted$' "$WORLD/github"
	# What is refused there.
	run "$TIDEGATE" run backend --policy e2f --server "$SERVER"
	[ "$status" = 4 ]
	[[ $output == *"did you mean e2e?"* ]]
	run "$TIDEGATE" run backend --policy e2e --server "$SERVER"
	[ "$status" = 4 ]
	run "$TIDEGATE" run backend --policy e2e --server "$SERVER" \
		--committed yesterday
	[ "$status" = 2 ]
	[[ $output == *'--committed: "yesterday" is not a time: write RFC 3339'* ]]
	run "$TIDEGATE" run backend --policy e2e --server "$SERVER" \
		--candidate nobody
	[ "$status" = 4 ]
	# A whole policy is sent: it may have nothing that is the daemon's.
	run "$TIDEGATE" run --policy "$WORLD/policies/e2e.yaml" \
		--server "$SERVER"
	[ "$status" = 3 ]
	[[ $output == *"/policies/e2e.yaml:3:17: error: a variable is the daemon's"* ]]
	sed "s,\"\${PROMETHEUS_URL}\",$PROMETHEUS_URL," \
		"$WORLD/policies/e2e.yaml" >"$WORLD/sent.yaml"
	control POST /deploy '{"revision": "next-2"}'
	run -0 "$TIDEGATE" run --policy "$WORLD/sent.yaml" --server "$SERVER" \
		--quiet
	[[ $output == *": promoted: "*"next-2 serves 100 %"* ]]
	printf 'version: 1\nnmae: x\n' >"$WORLD/bad.yaml"
	run "$TIDEGATE" run backend --policy "$WORLD/bad.yaml" \
		--server "$SERVER"
	[ "$status" = 3 ]
	[[ $output == *'bad.yaml:2:1: error: '*'did you mean'* ]]
}

# odd KIND [ARGUMENT]: sets ODD, its URL.
odd() {
	local ready

	ready=$(mktemp -u "$WORLD/odd.XXXXXX")
	"$BATS_TEST_DIRNAME/odd-server.py" "$ready" "$@" 3>&- &
	PIDS+=($!)
	until_true 20 test -s "$ready"
	ODD=$(<"$ready")
	ODD_LOG=$ready.log
}

# remote_start [OPTION…]: `run` on SERVER in the background, as rollout_start.
remote_start() {
	UNSAID=
	: >"$WORLD/run.json"
	"$TIDEGATE" run backend --policy e2e --format json --server "$SERVER" \
		"$@" >"$WORLD/run.json" 2>"$WORLD/run.err" 3>&- &
	RUN_PID=$!
	PIDS+=("$RUN_PID")
}

said_once() {
	jq -r .seq "$WORLD/run.json" | awk '$1 != NR { exit 1 }'
}

@test "a run goes on over a daemon that is killed, and says each line once" {
	STEPS=$GATE served
	serve_people
	remote_start
	until_in awaiting-approval
	kill -KILL "$SERVE_PID"
	wait "$SERVE_PID" || true
	until_run grep -q 'is tried again' "$WORLD/run.err"
	LISTEN=${SERVER#http://} serve_people
	run -0 "$TIDEGATE" approve --as bob
	rollout_ends 0
	grep -q 'answers again' "$WORLD/run.err"
	said_once
	finished '.outcome == "promoted" and .exit == 0'
}

@test "a signal to a run takes the traffic back, as its policy says" {
	STEPS=$LONG served
	serve_people
	remote_start
	until_step 20
	run "$TIDEGATE" run backend --policy e2e --server "$SERVER"
	[ "$status" = 4 ]
	[[ $output == *"has a rollout that has not ended: $(rollout_id)"* ]]
	kill -TERM "$RUN_PID"
	rollout_ends 6
	said '.event == "command" and .verb == "abort" and
		(.comment | contains("SIGTERM"))'
	serves stable-1 100
	echo 'on_interrupt: leave' >>"$WORLD/policies/e2e.yaml"
	kill -HUP "$SERVE_PID"
	until_true 20 grep -q event=reload "$WORLD/serve.err"
	remote_start --again
	until_step 20
	kill -INT "$RUN_PID"
	rollout_ends 8
	[[ $(<"$WORLD/run.json") == *'on_interrupt: leave; the rollout goes on at'* ]]
	serves "$CANDIDATE" 20
	# Held or waiting for longer than it was told.
	ID=$(rollout_id)
	run -0 "$TIDEGATE" abort --server "$SERVER" --comment enough
}

@test "a signal as the daemon is a step ahead is not lost" {
	local asked='approval: {approvers: [alice], timeout: 1h, self_approval: true}'

	STEPS='[{percent: 20, bake: 1s}'
	STEPS+=", {percent: 50, bake: 1s, $asked}, {percent: 100, bake: 1h}]"
	served
	serve_people
	odd ahead "${SERVER#http://}"
	SERVER=$ODD remote_start
	until_true 60 said '.phase == "awaiting-approval"'
	kill -TERM "$RUN_PID"
	until_true 30 grep -q 'is refused: the rollout has moved on' \
		"$WORLD/run.err"
	run -0 "$TIDEGATE" approve --server "$SERVER"
	rollout_ends 6
	said '.event == "command" and .verb == "abort"'
	serves stable-1 100
}

@test "how a load goes is seen while the daemon makes it" {
	local load='name: users, type: load, url: "{{candidate_url}}/x", think: 100ms'

	load+=', stages: [{for: 1s, users: 5}, {for: 59s, users: 5}]'
	STEPS="[{percent: 100, bake: 1s, load: {$load}}]" \
		quick 'tag: next' 'target: {project: acme, region: us-central1, service: backend}'
	mv "$WORLD/policy.yaml" "$WORLD/policies/e2e.yaml"
	serve_people
	remote_start
	until_run has '"event":"load"'
	"$TIDEGATE" status --server "$SERVER" >"$WORLD/status"
	run -0 "$TIDEGATE" abort --server "$SERVER" --comment seen
	rollout_ends 6
	jq -es '[.[] | select(.event == "load")] | length > 0 and
		all(.[]; .phase == "baking" and .percent == 100 and
			.users <= 5 and .total_ms == 60000 and
			.failed_share == 0)' "$WORLD/run.json"
	grep -Eq 'its load "users" is made, .*now [0-9]+ users, .*/s, p95' \
		"$WORLD/status"
}

@test "a connection that is cut again and again is resumed" {
	STEPS=$GATE served
	serve_people
	odd cut "${SERVER#http://}"
	SERVER=$ODD remote_start --wait 3s
	rollout_ends 8
	said_once
	finished '.outcome == "waiting" and (.reason | contains("--wait 3s"))'
	run -0 "$TIDEGATE" approve --as bob
	SERVER=$ODD same watch "$(rollout_id)" --format json
	[ "$REMOTE" = 0 ]
}

# Whichever look has it: the stream that begins after it has nothing to say.
@test "an end that comes between two looks is not waited for" {
	local n

	served
	serve_people
	remote_start
	rollout_ends 0
	for n in 0 1 2 3 4; do
		odd late "$SERVER" "$n"
		run -0 timeout 100 "$TIDEGATE" watch "$(rollout_id)" \
			--server "$ODD"
		[[ $output == *": promoted: "* ]]
	done
}

@test "a start whose answer is lost is sent again, and begins one rollout" {
	served
	serve_people
	odd swallow "${SERVER#http://}"
	SERVER=$ODD remote_start
	rollout_ends 0
	[ "$(journal 'SELECT count(*) FROM rollout')" = 1 ]
}

# signalled TIMES: a run whose start the daemon has answered, and nobody heard
signalled() {
	local n

	odd hold "${SERVER#http://}"
	SERVER=$ODD remote_start
	until_true 30 serves "$CANDIDATE" 20
	for ((n = 1; n <= $1; n++)); do
		kill -TERM "$RUN_PID"
		until_true 20 grep -q 'a second signal does not wait' \
			"$WORLD/run.err"
	done
}

@test "a signal before the answer to a start is known takes the traffic back" {
	STEPS=$LONG served
	serve_people
	signalled 1
	: >"${ODD_LOG%.log}.cut"
	rollout_ends 6
	said '.event == "command" and .verb == "abort" and
		(.comment | contains("SIGTERM"))'
	serves stable-1 100
	[ "$(journal 'SELECT count(*) FROM rollout')" = 1 ]
}

@test "a second signal does not wait for the answer to a start" {
	STEPS=$LONG served
	serve_people
	signalled 2
	rollout_ends 1
	grep -q 'it is not known whether it has begun, see tidegate list' \
		"$WORLD/run.err"
	serves "$CANDIDATE" 20
	run -0 "$TIDEGATE" abort --server "$SERVER" --comment enough
}

@test "who asks is told by a socket, a file or a GitHub job" {
	served
	LISTEN=unix:$WORLD/http.sock serve_people
	unset TIDEGATE_TOKEN_FILE
	run -0 "$TIDEGATE" list --server "unix:$WORLD/http.sock" --format json
	[ "$output" = '[]' ]
	kill "$SERVE_PID"
	wait "$SERVE_PID"
	serve_people
	run "$TIDEGATE" list --server "$SERVER"
	[ "$status" = 4 ]
	[[ $output == *"$SERVER does not know who asks: "*--token-file* ]]
	echo tgt_aaaaaaaa_bbbb >"$WORLD/wrong"
	run "$TIDEGATE" list --server "$SERVER" --token-file "$WORLD/wrong"
	[ "$status" = 4 ]
	[[ $output == *"does not know who asks: "*"tidegate token list"* ]]
	run "$TIDEGATE" list --token-file "$WORLD/token"
	[ "$status" = 2 ]
	odd github "$(<"$WORLD/token")"
	export ACTIONS_ID_TOKEN_REQUEST_URL="$ODD/token?api-version=2.0"
	run "$TIDEGATE" list --server "$SERVER"
	[ "$status" = 4 ]
	[[ $output == *ACTIONS_ID_TOKEN_REQUEST_TOKEN*"id-token: write"* ]]
	ACTIONS_ID_TOKEN_REQUEST_TOKEN=of-the-job \
		run -0 "$TIDEGATE" list --server "$SERVER/" --format json
	[ "$output" = '[]' ]
	[[ $(<"$ODD_LOG") == *"api-version=2.0&audience=http%3A%2F%2F127.0.0.1%3A${SERVER##*:} Bearer of-the-job"* ]]
	# Below a path of its own.
	kill "$SERVE_PID"
	wait "$SERVE_PID"
	PUBLIC_URL=$SERVER/ops LISTEN=${SERVER#http://} serve_people
	run -0 "$TIDEGATE" list --server "${SERVER%/ops*}/ops/" --format json \
		--token-file "$WORLD/token"
	[ "$output" = '[]' ]
}

# kilobytes COMMAND…: the most memory that it had is its last line.
kilobytes() {
	python3 - "$@" <<-'END'
		import resource, subprocess, sys
		status = subprocess.run(sys.argv[1:]).returncode
		print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
		sys.exit(status)
	END
}

@test "what no daemon answers is refused, however long it is" {
	local kind

	for kind in endless types names leads-away; do
		odd "$kind"
		run kilobytes "$TIDEGATE" list --server "$ODD"
		echo "$kind: $output"
		[ "${lines[-1]}" -lt 500000 ] # with sanitizers
		[ "$status" = 1 ]
		[[ $output != *$'\e'* ]]
		case $kind in
		endless) [[ $output == *"larger than 17825792 bytes"* ]] ;;
		types) [[ $output == *'"started" is not a time'* ]] ;;
		names) [[ $output == *'is not the id of a rollout'* ]] ;;
		leads-away) [[ $output == *'leads elsewhere (302)'* ]] ;;
		esac
	done
	refute grep -q stolen "$ODD_LOG"
}

@test "a rollback on a daemon is drilled, done and said as one of its own" {
	local how

	STEPS=$GATE served
	serve_people
	run -8 "$TIDEGATE" run backend --policy e2e --server "$SERVER" \
		--quiet --wait 0s
	ID=$(journal 'SELECT id FROM rollout')
	until_true 20 phase_is awaiting-approval
	for how in text json; do
		run -0 "$TIDEGATE" rollback --policy e2e --server "$SERVER" \
			--format "$how" --drill
		echo "$output" >"$WORLD/remote.out"
		run -0 "$TIDEGATE" rollback --format "$how" --drill \
			--policy "$WORLD/policies/e2e.yaml"
		diff <(echo "$output") "$WORLD/remote.out"
	done
	# One that has not ended is aborted.
	run -0 "$TIDEGATE" rollback --policy e2e --server "$SERVER" \
		--comment "no more"
	[[ $output == "$ID has not ended: it is aborted, by the policy it was started with"*"abort $ID by alice: done, it is "*"$ID: rolled-back"* ]]
	serves stable-1 100
	for how in text json; do
		run -0 "$TIDEGATE" rollback --policy e2e --server "$SERVER" \
			--format "$how"
		echo "$output" >"$WORLD/remote.out"
		run -0 "$TIDEGATE" rollback --format "$how" \
			--policy "$WORLD/policies/e2e.yaml"
		diff <(echo "$output") "$WORLD/remote.out"
	done
	control PUT /traffic "{\"$CANDIDATE\": 100}"
	run -0 "$TIDEGATE" rollback --policy e2e --server "$SERVER" \
		--to stable-1 --quiet
	[[ $output == *": rolled-back: "* ]]
	serves stable-1 100
	same status backend
	[ "$REMOTE" = "$LOCAL" ] && [ "$LOCAL" != 0 ]
	token mallory read,operate >"$WORLD/token"
	run "$TIDEGATE" rollback --policy e2e --server "$SERVER"
	[ "$status" = 4 ]
	[[ $output == *'mallory does not have the right "operate"'* ]]
}

is_connected() { # PID
	local file

	for file in $(readlink "/proc/$1/fd/"* 2>/dev/null); do
		[[ $file == socket:* ]] && grep -qE \
			" 01 [0-9A-F:]+ .* ${file//[^0-9]/} " /proc/net/tcp &&
			return
	done
	return 1
}

@test "one signal ends a drill whose answer does not come" {
	served
	serve_people
	kill -STOP "$SERVE_PID"
	"$TIDEGATE" rollback --policy e2e --server "$SERVER" --drill \
		3>&- >"$WORLD/drill" 2>&1 &
	PIDS+=($!)
	until_true 20 is_connected $!
	kill -TERM $!
	until_true 20 is_gone $!
	kill -CONT "$SERVE_PID"
}

@test "on a terminal there are panel and keys, over a daemon that is killed" {
	TERMINAL=(tmux -S "$WORLD/tmux" -f /dev/null)
	STEPS=$GATE served
	serve_people
	opens run 100 30 "$TIDEGATE" run backend --policy e2e --server "$SERVER"
	shown run 'awaiting-approval' '[p]ause a[b]ort'
	opens list 100 24 "$TIDEGATE" list -w --server "$SERVER"
	shown list 'awaiting-approval'
	token bob read,operate,approve >"$WORLD/token"
	opens bob 100 30 "$TIDEGATE" watch --server "$SERVER"
	shown bob '[a]pprove'
	opens other 100 30 "$TIDEGATE" watch --server "$SERVER"
	shown other '[q]uit'
	types run p
	shown run 'pause, with a comment'
	types run Enter
	shown run 'alice pauses' '[c]ontinue'
	shown bob '[c]ontinue'
	shown list paused
	# Keys work while the answer to a decision is waited for.
	shown other '[c]ontinue'
	stopped=$SECONDS
	kill -STOP "$SERVE_PID"
	types other c
	shown other 'continue, with a comment'
	types other Enter
	gone other 'continue, with a comment'
	types other q
	shown other 'goes on without being watched here' 'ended 0'
	# By itself the wait ends after 30 s, which a slow machine may need to get
	# here: then nobody can tell what ended it.
	[ $((SECONDS - stopped)) -ge 25 ] || shows_not other 'no answer from'
	keyboard_is_back other
	kill -KILL "$SERVE_PID"
	wait "$SERVE_PID" || true
	shown run 'is tried again'
	shown bob 'is tried again'
	LISTEN=${SERVER#http://} serve_people
	shown run 'answers again'
	until_true 30 shows bob '[c]ontinue'
	types bob c
	shown bob 'continue, with a comment'
	types bob Enter
	shown bob '[a]pprove'
	types bob a
	shown bob 'approve, with a comment'
	types bob 'looks good' Enter
	shown bob 'ended 0'
	shown run 'bob approves: looks good' 'ended 0'
	shown list promoted
	keyboard_is_back run
	keyboard_is_back bob
}
