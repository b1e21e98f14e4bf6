#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154,SC2034,SC2030,SC2031
# Silences in a real Alertmanager: made, kept alive, expired, after a crash too.

load world
load suite
load rollout
load shared


setup() {
	shared_begin
	alertmanager_start
}

teardown() { shared_end; }

alertmanager_start() {
	local log=$WORLD/alertmanager.log

	printf 'route: {receiver: none}\nreceivers: [{name: none}]\n' \
		>"$WORLD/alertmanager.yml"
	prometheus-alertmanager --config.file="$WORLD/alertmanager.yml" \
		--storage.path="$WORLD/alertmanager" \
		--web.listen-address=127.0.0.1:0 \
		--cluster.listen-address= >"$log" 2>&1 3>&- &
	PIDS+=($!)
	until_true 20 grep -q 'Listening on' "$log"
	ALERTS=http://$(sed -n 's/.*"Listening on" address=//p' "$log")
	until_true 20 curl -sf -o /dev/null "$ALERTS/-/ready"
}

# amtool has no say in what is compared: the API has.
silences() { # STATE: how many of this rollout are in it
	curl -sf "$ALERTS/api/v2/silences" |
		jq --arg state "$1" --arg by "tidegate $(rollout_id)" \
			'[.[] | select(.status.state == $state and
				.createdBy == $by)] | length'
}

has_silences() { # STATE NUMBER
	[ "$(silences "$1")" = "$2" ]
}

ends() { # when the one silence does
	curl -sf "$ALERTS/api/v2/silences" | jq -r '.[0].endsAt'
}

ends_after() {
	[[ $(ends) > $1 ]]
}

mute() { # in which list it stands is the caller's
	printf '%s\n' \
		"    - {name: mute, type: alertmanager-silence, url: \"$ALERTS\"," \
		"       matchers: {service: '{{service}}', severity: page}, lease: 1m}"
}

mute_as_amtool() { # what amtool writes: regexes, quotes and backslashes
	printf '%s\n' \
		"    - name: mute" \
		"      type: alertmanager-silence" \
		"      url: \"$ALERTS\"" \
		"      lease: 1m" \
		"      matchers:" \
		"      - 'alertname=~\"Err\\\\d+|say \\\"x\\\"\"'" \
		"      - 'team!=\"web\"'" \
		"      - 'job=\"a \\\"b\\\"\"'"
}

@test "a silence holds from the start to the end of a rollout" {
	STEPS=$LONG quick 'hooks:' '  started:' "$(mute)"
	rollout_start
	until_step 20
	until_true 10 has_silences active 1
	amtool --alertmanager.url "$ALERTS" silence query service=backend |
		grep -q "tidegate"
	said '.event == "action" and .name == "mute" and
		(.detail | test("silence [0-9a-f]{8}-"))'
	kill -INT "$RUN_PID"
	rollout_ends 6
	until_true 10 has_silences active 0
	until_true 10 has_silences expired 1
}

@test "a crash leaves the silence, and who resumes expires it" {
	STEPS=$LONG quick 'hooks:' '  started:' "$(mute)"
	rollout_start
	until_step 20
	kill -KILL "$RUN_PID"
	rollout_ends 137
	until_true 10 has_silences active 1
	end=$(ends)
	"$TIDEGATE" resume --format json >"$WORLD/run.json" \
		2>"$WORLD/run.err" 3>&- &
	RUN_PID=$!
	PIDS+=("$RUN_PID")
	until_run has '"event":"resumed"'
	until_true 10 ends_after "$end"
	until_true 10 has_silences active 1
	kill -INT "$RUN_PID"
	rollout_ends 6
	until_true 10 has_silences active 0
	until_true 10 has_silences expired 1
}

@test "a silence with regexes and quotes is found again, until a person ends it" {
	local id

	STEPS=$LONG quick 'hooks:' '  started:' "$(mute_as_amtool)"
	rollout_start
	until_step 20
	kill -KILL "$RUN_PID"
	rollout_ends 137
	curl -sf "$ALERTS/api/v2/silences" | jq -e '.[0].matchers |
		(map(.value) | sort) == ["Err\\d+|say \"x\"", "a \"b\"", "web"]'
	end=$(ends)
	"$TIDEGATE" resume --format json >"$WORLD/run.json" \
		2>"$WORLD/run.err" 3>&- &
	RUN_PID=$!
	PIDS+=("$RUN_PID")
	until_true 10 ends_after "$end"
	until_true 10 has_silences active 1
	kill -KILL "$RUN_PID"
	rollout_ends 137
	id=$(curl -sf "$ALERTS/api/v2/silences" | jq -r '.[0].id')
	amtool --alertmanager.url "$ALERTS" silence expire "$id"
	"$TIDEGATE" resume --format json >"$WORLD/run.json" \
		2>"$WORLD/run.err" 3>&- &
	RUN_PID=$!
	PIDS+=("$RUN_PID")
	until_true 10 grep -q "somebody has ended silence $id" "$WORLD/run.err"
	until_true 10 has_silences active 0
	kill -INT "$RUN_PID"
	rollout_ends 6
	until_true 10 has_silences expired 1
}

@test "an Alertmanager that is not one is found before anything moves" {
	ALERTS=$ADMIN/prometheus
	STEPS=$LONG quick 'hooks:' '  started:' "$(mute)"
	rollout_start
	rollout_ends 4
	said '.event == "preflight" and .ok == false and
		(.reason | contains("no API v2 at this URL"))'
	serves stable-1 100
}
