#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154,SC2016
# Nothing that leaves the process holds a secret: a marked one is planted in
# every key that takes one, and every peer repeats all it was sent, in the words
# of several languages.

load world
load suite
load rollout

setup() {
	rollout_world
	python3 "$BATS_TEST_DIRNAME/bin/echoer" "$WORLD/strayed" \
		>"$WORLD/peers" 3>&- &
	PIDS+=($!)
	until_true 20 test -s "$WORLD/peers"
	read -r PEER _ <"$WORLD/peers"
	export GITHUB_OUTPUT=$WORLD/github-output
	export GITHUB_STEP_SUMMARY=$WORLD/github-summary
}

teardown() {
	world_close
}

# plant NAME…: each holds a secret of its own, with what languages escape
plant() {
	local name

	for name; do
		export "$name=$name-k<&é'\"\$+%41\\z"
		MARKED+=("$name")
	done
}

# plant_word NAME…: without it, where only some bytes may stand
plant_word() {
	local name

	for name; do
		export "$name=$name.0123~Wxyz"
		MARKED+=("$name")
	done
}

no_leaks() { # FILE…
	"$BATS_TEST_DIRNAME/bin/leaks" "${MARKED[@]}" -- "$@"
}

# looked VERB…: what it says, by any way, holds none
looked() {
	local n=$((LOOKS += 1))

	"$TIDEGATE" "$@" >"$WORLD/look-$n.out" 2>"$WORLD/look-$n.err" || true
	no_leaks "$WORLD/look-$n.out" "$WORLD/look-$n.err" || {
		echo "in: $*"
		return 1
	}
}

planted_policy() {
	MARKED=() LOOKS=0
	plant BASIC_NAME BASIC_PASSWORD METRICS_HEADER HTTP_HEADER EXEC_ENV \
		DATABASE_ENV JSON_HEADER JSON_PARAM SILENCE_TOKEN HOOK_HEADER
	plant_word HTTP_PATH HTTP_QUERY HTTP_TOKEN HOOK_PATH CHAT_PATH JSON_PATH \
		JSON_USER JSON_PASSWORD AWAY_TOKEN REDIS_PASSWORD PAGE_PATH
	export ROUTING_KEY=0123456789abcdef0123456789ABCDEF
	MARKED+=(ROUTING_KEY)
	printf '%s\n' "$SILENCE_TOKEN" >"$WORLD/silence-token"
	export CHAT_URL=$PEER/services/$CHAT_PATH/send
	export HOOK_URL=$PEER/hooks/$HOOK_PATH
	export PEER
	policy "$@" 'hooks:' '  rolled_back:' \
		'    - {name: chat, type: slack, webhook: "${CHAT_URL}"}' \
		'    - {name: bus, type: webhook, url: "${HOOK_URL}", headers: {X-Key: "${HOOK_HEADER}"}}' \
		'    - {name: page, type: pagerduty, url: "${PEER}/${PAGE_PATH}", routing_key: "${ROUTING_KEY}"}' \
		'    - {name: paper, type: report, path: "paper.md"}' \
		'rollback:' \
		"  - {name: call, type: http, method: PUT, url: \"\${PEER}/\${HTTP_PATH}/x?key=\${HTTP_QUERY}\", auth: {type: bearer, token: \"\${HTTP_TOKEN}\"}, headers: {X-Key: \"\${HTTP_HEADER}\"}, body: '{}'}" \
		'  - {name: away, type: http, method: POST, url: "${PEER}/away/${HTTP_PATH}", auth: {type: bearer, token: "${AWAY_TOKEN}"}, headers: {X-Key: "${HTTP_HEADER}"}}' \
		'  - {name: program, type: exec, command: [sh, -c, "env; echo $KEY >&2; ulimit -c; exit 1"], env: {KEY: "${EXEC_ENV}"}}' \
		'  - {name: stranger, type: exec, command: [sh, -c, "env >child-env"]}' \
		'  - {name: schema, type: database, command: ["false"], guard: [sh, -c, "echo no $KEY; exit 1"], env: {KEY: "${DATABASE_ENV}"}}'
	export REDIS_ADDRESS=${PEER#http://}
	[ -z "${LAST-}" ] || printf '%s\n' "$LAST" >>"$WORLD/policy.yaml"
	sed -i 's|^metrics: .*|metrics: {url: "${PROMETHEUS_URL}", timeout: 900ms, auth: {type: basic, username: "${BASIC_NAME}", password: "${BASIC_PASSWORD}"}, headers: {X-Key: "${METRICS_HEADER}"}}|' \
		"$WORLD/policy.yaml"
}

@test "a rollback whose peers repeat all they were sent leaks nothing" {
	planted_policy
	rollout_start
	until_true 30 said '.event == "step-started"'
	[ "$(awk '/Max core file size/ { print $5 }' "/proc/$RUN_PID/limits")" = 0 ]
	answers '{"value": 0.5}'
	until_true 60 run_is_gone
	# Each of them was called, and said something.
	local name
	for name in chat bus page call away program schema; do
		said ".event == \"action\" and .name == \"$name\" and
			.result != \"ok\" and (.detail | contains(\"***\"))"
	done
	no_leaks "$WORLD"/run.json "$WORLD"/run.err "$WORLD"/state.db* \
		"$WORLD"/paper.md "$WORLD"/github-* "$WORLD"/child-env
	# Nobody follows a redirect with a credential in hand.
	no_leaks "$WORLD/strayed"
	local format
	for format in markdown html json; do
		looked report --format "$format"
	done
	looked status
	looked status --format json
	looked watch
	looked list
	looked check "$WORLD/policy.yaml"
	looked rollback backend --policy "$WORLD/policy.yaml" --drill
	looked rollback backend --policy "$WORLD/policy.yaml" --again
	no_leaks "$WORLD"/state.db* "$WORLD"/github-* "$WORLD/strayed"
}

@test "metrics that repeat all they were sent leak nothing" {
	LAST='  - {name: quiet, type: alertmanager-silence, url: "${PEER}", matchers: {a: b}, auth: {type: bearer, token_file: silence-token}}
  - {name: cache, type: redis, url: "redis://:${REDIS_PASSWORD}@${REDIS_ADDRESS}/0", patterns: ["a:*"], timeout: 2s}'
	planted_policy '  - {name: stats, provider: json, url: "${PEER}/${JSON_PATH}/stats?key=${HTTP_QUERY}", pointer: /a, max: 1, interval: 1s, min_passes: 1, headers: {X-Key: "${JSON_HEADER}"}, params: {q: "${JSON_PARAM}"}}' \
		'  - {name: other, provider: json, url: "http://${JSON_USER}:${JSON_PASSWORD}@${PEER_ADDRESS}/stats", pointer: /a, max: 1, interval: 1s, min_passes: 1}'
	export PEER_ADDRESS=${PEER#http://}
	rollout_start
	until_true 60 run_is_gone
	said '.event == "finished" and (.reason | contains("***"))'
	looked check --live backend --policy "$WORLD/policy.yaml"
	looked check --live backend --policy "$WORLD/policy.yaml" --format json
	# All of Prometheus is in trouble, below a path that is a secret.
	export PROMETHEUS_URL=$PEER/$JSON_PATH
	looked run backend --policy "$WORLD/policy.yaml"
	looked check --live backend --policy "$WORLD/policy.yaml"
	looked record backend --policy "$WORLD/policy.yaml" --from -1m \
		-o "$WORLD/recording.json"
	no_leaks "$WORLD"/run.json "$WORLD"/run.err "$WORLD"/state.db* \
		"$WORLD"/github-*
}
