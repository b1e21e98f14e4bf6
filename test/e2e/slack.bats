#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154
# The daemon and Slack, as processes: a death between a message and its answer,
# secrets in files, presses that are signed.

bats_require_minimum_version 1.5.0

load world
load rollout
load daemon

SIGNING=8f742231b10e8888abcd99yyyzzz85a5
BOT=xoxb-1-2-abcdefghijkl

setup() {
	rollout_world
	mkdir "$WORLD/policies"
	TOKEN=$("$CONTROLLER" token create e2e --for alice --expires 1h \
		--may read,start)
	slack_start
	slack_config
}

teardown() {
	world_close
}

# Sets SLACK_API_URL, FAKE.
slack_start() {
	"${TIDEGATE%/*}/test/e2e/fake-slack" >"$WORLD/slack.out" 3>&- &
	PIDS+=($!)
	until_true 20 test -s "$WORLD/slack.out"
	SLACK_API_URL=$(<"$WORLD/slack.out")
	export SLACK_API_URL
	FAKE=${SLACK_API_URL%/api}/fake
}

slack_config() {
	printf '%s\n' "$SIGNING" >"$WORLD/signing"
	printf '%s\n' "$BOT" >"$WORLD/bot"
	cat >"$WORLD/serve.yaml" <<-YAML
		version: 1
		listen: 127.0.0.1:0
		public_url: https://tidegate.example/ops
		state: state.db
		policies: policies
		identity:
		  - {type: token}
		  - {type: slack, app: A1, team: T1,
		     signing_secret_file: signing, bot_token_file: bot}
		people:
		  - {name: alice, keys: ["slack:T1/U1"]}
		  - {name: bob, keys: ["slack:T1/U3"]}
		access:
		  - {who: [alice, bob], may: [read, start, operate, approve]}
		notify:
		  - {type: slack, channel: C1, on: [approval, rolled-back]}
	YAML
	policy 'target: {project: acme, region: us-central1, service: backend}'
	sed -e 's/bake: 3s/bake: 1s/' -e 's/settle: .*/settle: 0s/' \
		-e 's/percent: 100, bake: 1s/&, approval: {approvers: [alice, bob]}/' \
		-e 's/min_passes: 2/min_passes: 1/' \
		"$WORLD/policy.yaml" >"$WORLD/policies/e2e.yaml"
}

# fake_says JQ-CONDITION
fake_says() {
	curl -s "$FAKE" >"$WORLD/fake" && jq -e "$1" "$WORLD/fake" >/dev/null
}

# press USER VERB SECRET: of the message's button; sets PRESSED, the status
press() {
	local now value body mac

	now=$(date +%s)
	value=$(curl -s "$FAKE" | jq -r --arg verb "$2" '[.posts[0].body.blocks[]
		.elements[]? | select(.action_id == $verb)][0].value')
	body=payload=$(jq -cn --arg user "$1" --arg verb "$2" \
		--arg value "$value" '{type: "block_actions", api_app_id: "A1",
		team: {id: "T1"}, user: {id: $user, team_id: "T1"},
		trigger_id: "trigger", actions: [{action_id: $verb,
		value: $value}]} | tojson | @uri' -r)
	mac=$(printf 'v0:%s:%s' "$now" "$body" |
		openssl dgst -sha256 -hmac "$3" -r)
	PRESSED=$(curl -s -o "$WORLD/reply" -w '%{http_code}' \
		-H "X-Slack-Request-Timestamp: $now" \
		-H "X-Slack-Signature: v0=${mac%% *}" \
		-H 'Content-Type: application/x-www-form-urlencoded' \
		-H 'Host: tidegate.example' -d "$body" \
		"$SERVER/ops/slack/actions")
}

@test "it dies between a message and its answer, and nobody is told twice" {
	curl -s -X POST "$FAKE/swallows" >"$WORLD/fake"
	serve_by_config
	[ "$(curl -s -o "$WORLD/reply" -w '%{http_code}' -X POST \
		-H "Authorization: Bearer $TOKEN" -H 'Host: tidegate.example' \
		-H 'Content-Type: application/json' -d '{"policy": "e2e"}' \
		"$SERVER/api/v1/rollouts")" = 201 ]
	until_true 20 fake_says '.posts | length == 1'
	kill -KILL "$SERVE_PID"
	wait "$SERVE_PID" || true
	curl -s -X POST "$FAKE/well" >"$WORLD/fake"
	serve_by_config
	until_true 20 fake_says '.posts[0].updates > 0'
	fake_says '(.posts | length) == 1 and .refused == 0'

	# Secrets are files: read again, nowhere else.
	printf 'short\n' >"$WORLD/signing"
	printf 'xoxb-another-bot-token\n' >"$WORLD/bot"
	kill -HUP "$SERVE_PID"
	until_true 20 grep -q 'signing.*no signing secret' "$WORLD/serve.err"
	printf '%s\n' "$BOT" >"$WORLD/bot"
	printf '%s\n' "another-${SIGNING#*-}" >"$WORLD/signing"
	kill -HUP "$SERVE_PID"
	until_true 20 pressed U1 approve "another-${SIGNING#*-}"
	press U3 approve "$SIGNING"
	[ "$PRESSED" = 401 ]
	# Who started it was the first to press.
	fake_says '.posts[0].body.text | contains("waits for approval")'
	press U3 approve "another-${SIGNING#*-}"
	[ "$PRESSED" = 200 ]
	until_true 30 fake_says '.posts[0].body.text | contains("Promoted")'
	fake_says '(.posts | length) == 1 and .refused == 0'
	fake_says '[.posts[0].body.blocks[].text.text?] | tostring |
		contains("approve by bob")'
	run ! grep -r -e "$SIGNING" -e "$BOT" "$WORLD/serve.err" \
		"/proc/$SERVE_PID/cmdline" "/proc/$SERVE_PID/environ"
}

pressed() {
	press "$@"
	[ "$PRESSED" = 200 ]
}

@test "check --config says what is wrong with Slack's part" {
	"$WORKBENCH" check --config "$WORLD/serve.yaml" | grep 'slack C1'
	echo xoxp-1 >"$WORLD/bot"
	sed -i -e 's/channel: C1/channel: releases/' -e '/public_url/d' \
		"$WORLD/serve.yaml"
	run --separate-stderr "$WORKBENCH" check --config "$WORLD/serve.yaml"
	[ "$status" -eq 3 ]
	[[ $stderr == *"this file holds no bot token"* ]]
	[[ $stderr == *'"releases" is no channel'* ]]
	[[ $stderr == *'by "public_url", which is missing'* ]]
	[[ $stderr != *xoxp-1* ]]
}
