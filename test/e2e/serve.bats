#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154
# The controller that stays: one process, many rollouts, requests.

bats_require_minimum_version 1.5.0

load world
load rollout
load shared
load daemon

setup() {
	rollout_world
	mkdir "$WORLD/policies"
	# It makes the state file, too.
	TOKEN=$("$CONTROLLER" token create e2e --for alice --expires 1h \
		--may read,start,operate,approve)
}

teardown() {
	world_close
}

# The policy of rollout.bash, as policies/e2e.yaml
served_policy() {
	policy 'target: {project: acme, region: us-central1, service: backend}'
	mv "$WORLD/policy.yaml" "$WORLD/policies/e2e.yaml"
}

# phase_is ROLLOUT PHASE…
phase_is() {
	local row="\"rollout\":\"$1\"[^{}]*\"phase\":\"([a-z-]+)\""

	shift
	ask GET '/api/v1/rollouts?limit=200'
	[[ $REPLY_BODY =~ $row && " $* " == *" ${BASH_REMATCH[1]} "* ]]
}

@test "a rollout goes on over a drained and a killed daemon to its end" {
	local id

	served_policy
	serve_by_flags
	ask GET /healthz
	[ "$REPLY_STATUS $REPLY_BODY" = "200 ok" ]
	ask GET /readyz
	[ "$REPLY_STATUS $REPLY_BODY" = "200 ok" ]
	[ "$(curl -s -o "$WORLD/reply" -w '%{http_code}' \
		"$SERVER/api/v1/rollouts")" = 401 ]
	ask POST /api/v1/rollouts '{"policy": "e2"}'
	[ "$REPLY_STATUS" = 404 ]
	[[ $REPLY_BODY == *"did you mean e2e?"* ]]
	ask POST /api/v1/rollouts '{"policy": "e2e", "servcie": "backend"}'
	[ "$REPLY_STATUS" = 400 ]
	[[ $REPLY_BODY == *"did you mean service?"* ]]

	ask POST /api/v1/rollouts '{"policy": "e2e"}'
	[ "$REPLY_STATUS" = 201 ]
	id=$(member rollout "$REPLY_BODY")
	ask POST /api/v1/rollouts '{"policy": "e2e"}'
	[ "$REPLY_STATUS" = 409 ]
	[[ $REPLY_BODY == *'"code":"busy"'*"$id"* ]]
	until_true 20 serves backend-2 20

	# Drained: nothing is reverted, the lease is free.
	kill -TERM "$SERVE_PID"
	wait "$SERVE_PID"
	serves backend-2 20
	[[ $("$TIDEGATE" status "$id" --format json) == *'"driver":null'* ]]

	serve_by_flags
	until_true 20 phase_is "$id" shifting baking promoted
	kill -KILL "$SERVE_PID"
	wait "$SERVE_PID" || true
	serve_by_flags
	until_true 40 phase_is "$id" promoted
	serves backend-2 100
	kill -TERM "$SERVE_PID"
	wait "$SERVE_PID"
	[ "$(grep -c 'event=taken-up' "$WORLD/serve.err")" -ge 2 ]
}

@test "a start that waits as the daemon is killed is begun when it is sent again" {
	served_policy
	serve_by_flags
	# Another process drives the service meanwhile.
	cp "$WORLD/policies/e2e.yaml" "$WORLD/policy.yaml"
	rollout_start
	until_true 20 knows_one lease
	ask_once & local asking=$!
	until_true 20 knows_one request
	kill -KILL "$SERVE_PID"
	wait "$SERVE_PID" || true
	wait "$asking" || true
	serve_by_flags
	ask_once
	[ "$REPLY_STATUS" = 201 ]
	until_true 20 phase_is "$(member rollout "$REPLY_BODY")" refused
}

knows_one() { # TABLE
	[ "$(sqlite3 -readonly "$TIDEGATE_STATE" \
		"SELECT count(*) FROM $1")" = 1 ]
}

ask_once() { # it waits for the lease, for 30 s at most
	REPLY_STATUS=$(curl -sS --max-time 60 -o "$WORLD/reply" \
		-w '%{http_code}' -H "Authorization: Bearer $TOKEN" \
		-H 'Content-Type: application/json' -H 'Idempotency-Key: k' \
		-d '{"policy": "e2e"}' "$SERVER/api/v1/rollouts") || true
	REPLY_BODY=$(cat "$WORLD/reply" || true)
}

@test "a policy that is wrong is refused at the start, and kept as it was on SIGHUP" {
	served_policy
	serve_by_flags
	ask GET /healthz
	echo 'nmae: x' >>"$WORLD/policies/e2e.yaml"
	cp "$WORLD/policies/e2e.yaml" "$WORLD/policies/new.yaml"
	sed -i '$d' "$WORLD/policies/new.yaml"
	kill -HUP "$SERVE_PID"
	until_true 20 grep -q 'event=reload.*nmae' "$WORLD/serve.err"
	# The other one of the folder is there all the same.
	ask POST /api/v1/rollouts '{"policy": "new", "candidate": "backend-9"}'
	[ "$REPLY_STATUS" = 201 ]
	until_true 20 phase_is "$(member rollout "$REPLY_BODY")" refused
	ask POST /api/v1/rollouts '{"policy": "e2e", "candidate": "backend-9"}'
	[ "$REPLY_STATUS" = 201 ]
	kill -TERM "$SERVE_PID"
	wait "$SERVE_PID"

	run --separate-stderr "$CONTROLLER" serve --listen 127.0.0.1:0 \
		--policies "$WORLD/policies"
	[ "$status" -eq 3 ]
	[[ $stderr == *"e2e.yaml:"*"did you mean name?"* ]]
}

# Root may write everything, unless it goes without that.
unprivileged() {
	if [ "$(id -u)" = 0 ]; then
		setpriv --bounding-set=-dac_override,-dac_read_search "$@"
	else
		"$@"
	fi
}

@test "tokens are listed of a state file that may only be read" {
	mkdir "$WORLD/state"
	cp "$TIDEGATE_STATE" "$WORLD/state/state.db"
	chmod 444 "$WORLD/state/state.db"
	chmod 555 "$WORLD/state"
	export TIDEGATE_STATE=$WORLD/state/state.db
	run --separate-stderr unprivileged "$CONTROLLER" token list --format json
	[ "$status" -eq 0 ]
	[ "$(jq -r '.[] | "\(.name) \(.state)"' <<<"$output")" = "e2e active" ]
	run --separate-stderr unprivileged "$CONTROLLER" token revoke e2e
	[ "$status" -eq 1 ]
	[[ $stderr == *"is read-only for this user"* ]]
}

# config MAY: of who has a token of the name "e2e"
config() {
	cat >"$WORLD/serve.yaml" <<-YAML
		version: 1
		listen: 127.0.0.1:0
		state: $TIDEGATE_STATE
		policies: $WORLD/policies
		identity: [{type: token}]
		people: [{name: erin, keys: ["email:erin@example.com"]}]
		access: [{who: ["token:e2e"], may: [$1]}]
	YAML
}

@test "people and access are read again on SIGHUP, and a wrong file changes nothing" {
	served_policy
	config read
	serve_by_config
	ask POST /api/v1/rollouts '{"policy": "e2e", "candidate": "backend-9"}'
	[ "$REPLY_STATUS" = 403 ]
	config 'read, fly'
	kill -HUP "$SERVE_PID"
	until_true 20 grep -q 'event=reload.*stay as they were' "$WORLD/serve.err"
	ask POST /api/v1/rollouts '{"policy": "e2e", "candidate": "backend-9"}'
	[ "$REPLY_STATUS" = 403 ]
	config 'read, start'
	kill -HUP "$SERVE_PID"
	until_true 20 grep -q 'event=reload.*people and access are read' \
		"$WORLD/serve.err"
	ask POST /api/v1/rollouts '{"policy": "e2e", "candidate": "backend-9"}'
	[ "$REPLY_STATUS" = 201 ]
	until_true 20 phase_is "$(member rollout "$REPLY_BODY")" refused
	config read
	: >"$WORLD/serve.err"
	kill -HUP "$SERVE_PID"
	until_true 20 grep -q 'event=reload.*people and access are read' \
		"$WORLD/serve.err"
	ask POST /api/v1/rollouts '{"policy": "e2e", "candidate": "backend-9"}'
	[ "$REPLY_STATUS" = 403 ]
}

# 200 by hand: test/bench/serve-crash 200
@test "it dies at random instants while somebody decides: nothing is lost or done twice" {
	cd "${TIDEGATE%/*}"
	run --separate-stderr "$BATS_TEST_DIRNAME/../bench/serve-crash" 4
	[ "$status" -eq 0 ] || {
		echo "$output$stderr"
		return 1
	}
	[[ $output == "4 kills, "*" 0 lost, 0 twice, 1 rollout, "* ]]
}

# ---- serve --demo, as a browser uses it ----

# visit PATH [CURL-ARGUMENT…]: with the session; sets PAGE, PAGE_STATUS
visit() {
	PAGE_STATUS=$(curl -sS --max-time 30 -b "$WORLD/cookies" \
		-c "$WORLD/cookies" -o "$WORLD/page" -w '%{http_code}' \
		"${@:2}" "$SERVER$1")
	PAGE=$(<"$WORLD/page")
}

# there_is CANDIDATE PHASE…: sets ID to its rollout
there_is() {
	visit /api/v1/rollouts
	ID=$(jq -r --arg c "$1" --arg p " ${*:2} " 'first(.rollouts[] |
		select(.candidate == $c) | .phase as $now |
		select($p | contains(" \($now) "))).rollout' <<<"$PAGE")
	[ -n "$ID" ]
}

# ends_as PHASE: follows the rollout ID to its end, with one request
ends_as() {
	curl -sS --max-time 120 -b "$WORLD/cookies" -o "$WORLD/events" \
		-H 'Accept: text/event-stream' \
		"$SERVER/api/v1/rollouts/$ID/events"
	visit "/api/v1/rollouts/$ID"
	[ "$(jq -r .phase <<<"$PAGE")" = "$1" ]
}

# hidden NAME: of the page's form
hidden() {
	grep -o "name=\"$1\" value=\"[^\"]*" "$WORLD/page" | head -n 1 |
		sed 's/.*value="//'
}

@test "a demo shows a good and a bad release, and leaves nothing behind" {
	local child invitation

	mkdir "$WORLD/tmp"
	TMPDIR=$WORLD/tmp serve_start --demo
	invitation=$(member invitation "$(<"$WORLD/serve.out")")
	child=$(<"/proc/$SERVE_PID/task/$SERVE_PID/children")
	[ -n "$child" ] && [ "$(ls "$WORLD/tmp")" ]

	visit "${invitation#"$SERVER"}" -L
	[ "$PAGE_STATUS" = 200 ]
	[[ $PAGE == *"Needs you"* ]]
	until_true 40 there_is shop-00002-good awaiting-approval
	visit "/rollouts/$ID"
	visit "/rollouts/$ID/decide" -H "Origin: $SERVER" \
		--data-urlencode "form_token=$(hidden form_token)" \
		--data-urlencode "step=$(hidden step)" \
		--data-urlencode "candidate=$(hidden candidate)" \
		-d verb=approve -d confirmed=yes
	[ "$PAGE_STATUS" = 303 ]
	ends_as promoted
	until_true 40 there_is shop-00003-bad shifting baking reverting \
		rolling-back rolled-back
	ends_as rolled-back

	kill -TERM "$SERVE_PID"
	wait "$SERVE_PID"
	is_gone "${child% }"
	[ -z "$(ls "$WORLD/tmp")" ]
	# A machine that stands still is told of; errors are not.
	refute grep -v '^level=warn ' "$WORLD/serve.err"
}

@test "a demo that nohup has started goes on when its terminal goes" {
	mkdir "$WORLD/tmp"
	trap '' HUP # what is started from here on ignores it
	TMPDIR=$WORLD/tmp serve_start --demo
	trap - HUP
	kill -HUP "$SERVE_PID"
	visit /readyz
	visit /readyz # the signal has come by now
	[ "$PAGE_STATUS" = 200 ]
	kill -TERM "$SERVE_PID"
	wait "$SERVE_PID"
	[ -z "$(ls "$WORLD/tmp")" ]
}

# ---- README ----

# commands SECTION: those of its blocks, one a line
commands() {
	awk -v want="## $1" '/^## / { here = $0 == want }
		/^```/ { block = here && !block; next }
		block' "$BATS_TEST_DIRNAME/../../README.md" |
		sed ':more; /\\$/ { N; s/\\\n\s*/ /; b more }'
}

listens() { # PORT
	{ : <>"/dev/tcp/127.0.0.1/$1"; } 2>/dev/null
}

# Below those that the kernel gives away: nobody gets it meanwhile.
free_port() {
	PORT=$((10000 + RANDOM % 20000))
	while listens "$PORT"; do
		PORT=$((10000 + RANDOM % 20000))
	done
}

phase_shown() { # PHASE: of the newest rollout
	[[ $("$TIDEGATE" list --server "http://127.0.0.1:$PORT" \
		--token-file token --format json | jq -r '.[0].phase') \
		== "$1" ]]
}

@test "README's commands for a daemon do what it says" {
	local line n=0

	STEPS='[{percent: 20, bake: 1s}, {percent: 100, bake: 1s, approval: {approvers: [alice], self_approval: true, timeout: 1h}}]'
	quick
	mv "$WORLD/policy.yaml" "$WORLD/policies/quick-demo.yaml"
	free_port
	mkdir "$WORLD/bin"
	ln -s "$(realpath "$TIDEGATE")" "$WORLD/bin/tidegate"
	export PATH=$WORLD/bin:$PATH USER=alice
	cd "$WORLD"
	while read -r line; do
		n=$((n + 1))
		line=${line//127.0.0.1:8080/127.0.0.1:$PORT}
		case $line in
		'tidegate serve '*)
			eval "$line" 2>serve.err 3>&-
			PIDS+=("$!")
			until_true 20 listens "$PORT"
			;;
		export*) eval "$line" ;;
		'tidegate approve '*)
			until_true 20 phase_shown awaiting-approval
			eval "$line"
			;;
		'tidegate run '*)
			until_true 20 phase_shown promoted
			serves backend-2 100
			api POST "$ADMIN/sandbox/deploy" \
				-d '{"revision": "backend-3"}'
			eval "$line" >said 2>&1 3>&- &
			PIDS+=("$!")
			until_true 20 phase_shown awaiting-approval || {
				cat said
				return 1
			}
			tidegate approve
			wait "$!"
			serves backend-3 100
			grep -q 'backend-3 serves 100 %' said
			;;
		*) eval "$line" ;;
		esac
	done < <(commands 'One place for many releases')
	[ "$n" = 8 ]
}
