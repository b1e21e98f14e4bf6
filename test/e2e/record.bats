#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154
# record against a real Prometheus; what was lived through is decided alike in
# a simulation of it.
# Takes long.

bats_require_minimum_version 1.5.0

load world
load suite
load rollout

setup() {
	export WINDOW=4s
	rollout_world
	rollout_metered
}

teardown() {
	world_close
}

had_users() { # SINCE
	[ -n "$(prometheus_value "sum(rate(http_requests_total{
		revision=\"backend-1\",sandbox=\"$METERED\"}[4s] offset $1)) > 0")" ]
}

record() {
	"$WORKBENCH" record --policy "$WORLD/policy.yaml" \
		-o "$WORLD/recording.json" "$@"
}

# Its SLO is asked so seldom that an answer may take long: who only records many
# points does not measure how fast a busy Prometheus is.
patient_policy() {
	WINDOW=40s policy
	sed -i 's/timeout: 900ms/timeout: 25s/; s/interval: 1s/interval: 30s/
		s/bake: 3s/bake: 2m/' "$WORLD/policy.yaml"
}

# simulated STATUS: of the recording; its lines are in sim.json.
simulated() {
	run --separate-stderr "$WORKBENCH" simulate --format json \
		--policy "$WORLD/policy.yaml" "$WORLD/recording.json"
	echo "$output" >"$WORLD/sim.json"
	[ "$status" = "$1" ] && return
	echo "simulate: exit $status, expected $1: $stderr"
	jq -c '[.time, .event, .phase, .outcome, .text]' "$WORLD/sim.json"
	return 1
}

# decisions FILE: what was decided, without times
decisions() {
	jq -c 'select(.event == "step-started" or .event == "step-passed" or
		.event == "breach" or (.event == "phase" and
			(.to | IN("shifting", "held", "reverting",
				"promoted", "rolled-back")))) |
		[.event, .to // "", .step // 0, .slo // ""]' "$1"
}

# moments FILE: when each decision was taken, and when its step had begun
moments() {
	jq -s -c 'def at: .time | (.[:19] + "Z" | fromdate) +
			(.[19:23] | tonumber);
		[foreach .[] as $line (null;
			if $line.event == "step-started" then $line | at else . end;
			. as $began | $line | select(.event == "step-passed" or
				.event == "breach" or (.event == "phase" and
				.to == "held")) | {at: at, began: $began})]' "$1"
}

# slowest FILE: how many seconds the slowest answer took
slowest() {
	jq -s '[.[] | select(.event == "check") | .latency_ms] | max / 1000' "$1"
}

# The same steps, outcome and deciding SLO, in the same order; each decision
# within SECONDS, the interval of the SLO, of the other. By how much a step began
# later is added, and how long an answer took: a busy machine is late with each
# write and each check, which the recording does not know.
decided_alike() {
	# So that there is something to decide on at a slightly other time.
	local enough=$((SECONDS + 7))
	until_true 20 eval "[ \$SECONDS -ge $enough ]"
	record --rollout "$(jq -sr '.[0].rollout' "$WORLD/run.json")" \
		--interval 500ms
	simulated "$(jq -sr '.[-1].exit' "$WORLD/run.json")"
	diff <(decisions "$WORLD/run.json") <(decisions "$WORLD/sim.json")
	jq -n -e --argjson live "$(moments "$WORLD/run.json")" \
		--argjson sim "$(moments "$WORLD/sim.json")" \
		--argjson by "$1" --argjson took "$(slowest "$WORLD/run.json")" \
		'[$live, $sim] | transpose |
		all(.[]; (.[0].at - .[1].at | fabs) <=
			$by + $took + (.[0].began - .[1].began | fabs))' \
		>/dev/null || {
		moments "$WORLD/run.json"
		moments "$WORLD/sim.json"
		return 1
	}
}

@test "a promoted rollout is promoted in its recording" {
	policy
	rollout_start
	rollout_ends 0
	decided_alike 1
}

@test "a breach is found by the same SLO at about the same time" {
	policy
	rollout_start
	until_true 30 said '.event == "step-started"'
	control POST /revisions/backend-2 '{"errors": "50%"}'
	rollout_ends 5
	decided_alike 1
	# Another query was never asked: what was found is no value of it.
	sed 's/^    query: |/    query: vector(7)/; /^      [(/]/d' \
		"$WORLD/policy.yaml" >"$WORLD/other.yaml"
	"$WORKBENCH" record --policy "$WORLD/other.yaml" --interval 500ms \
		--rollout "$(jq -sr '.[0].rollout' "$WORLD/run.json")" \
		-o "$WORLD/other.json"
	jq -e '[.series["error-rate"].data.result[].values[][1]] |
		length > 5 and all(.[]; . == "7")' "$WORLD/other.json"
	jq -se '.[-1] | .outcome == "rolled-back" and .first_bad' \
		"$WORLD/sim.json"
}

@test "a hold for lack of data is a hold in the recording" {
	policy 'hold_timeout: 4s'
	sed -i 's/or vector(0))/or vector(0)) + absent(nothing{x="y"}) * 0/;
		s/min_passes: 2/min_passes: 2\n    requests: {query: "sum(rate(http_requests_total{revision=\\"{{candidate}}\\",sandbox=\\"'"$METERED"'\\"}[4s]))", min: 100000}/' \
		"$WORLD/policy.yaml"
	rollout_start
	rollout_ends 5
	said '.event == "phase" and .to == "held"'
	decided_alike 1
}

# counts FILE: what each check counted
counts() {
	jq -c 'select(.event == "check") | .counts' "$1"
}

@test "what a rollout counted is counted in its recording" {
	local of="revision=\"{{revision}}\",sandbox=\"$METERED\""
	policy
	sed -i '/^slos:/,$d; s/bake: 3s/bake: 1m/' "$WORLD/policy.yaml"
	cat >>"$WORLD/policy.yaml" <<-YAML
		slos:
		  - {name: errors, kind: evidence, objective: 1%, interval: 5s,
		     total: 'http_requests_total{$of}',
		     bad: 'http_requests_total{$of,code=~"5.."}'}
	YAML
	rollout_start
	until_true 30 said '.event == "step-started"'
	control POST /revisions/backend-2 '{"errors": "50%"}'
	rollout_ends 5
	record --rollout "$(jq -sr '.[0].rollout' "$WORLD/run.json")"
	simulated 5
	diff <(decisions "$WORLD/run.json") <(decisions "$WORLD/sim.json")
	diff <(counts "$WORLD/run.json") <(counts "$WORLD/sim.json")
	diff <(jq -r 'select(.event == "finished").reason' "$WORLD/run.json") \
		<(jq -r 'select(.event == "finished").reason' "$WORLD/sim.json")
	diff <(jq -c 'select(.event == "preflight").history' "$WORLD/run.json") \
		<(jq -c 'select(.event == "preflight").history' "$WORLD/sim.json")
}

has_failed() { # CHECKS
	[ "$(grep -c '"event":"check".*"outcome":"error"' \
		"$WORLD/run.json")" -ge "$1" ]
}

@test "an outage of the metrics is taken from the journal" {
	policy 'hold_timeout: 20s'
	sed -i 's/bake: 3s/bake: 12s/; s/interval: 1s/interval: 2s/' \
		"$WORLD/policy.yaml"
	rollout_start
	until_true 30 said '.event == "step-started"'
	metrics_stop
	until_true 30 said '.event == "phase" and .to == "held"'
	until_true 30 has_failed 7 # longer than it takes to be held
	metrics_continue
	rollout_ends 0
	decided_alike 2
	jq -e '.series["error-rate"].errors | length >= 1' \
		"$WORLD/recording.json"
}

@test "long spans are asked in chunks that fit together" {
	patient_policy
	local now
	until_true 20 had_users 3s
	now=$(date +%s)
	record --from $((now - 250)) --to "$now" --interval 10ms \
		--candidate backend-1 --stable backend-0
	jq -e '.series["error-rate"].data.result[0].values | map(.[0]) |
		. == unique and .[-1] - .[0] < length * 0.011' \
		"$WORLD/recording.json"
	[ ! -e "$WORLD/recording.json.part" ]
	"$WORKBENCH" simulate --policy "$WORLD/policy.yaml" \
		"$WORLD/recording.json" >"$WORLD/answer" || [ $? = 8 ]
	# Nothing is kept beside what is no regular file, and it stays.
	mkfifo "$WORLD/fifo"
	jq .series "$WORLD/fifo" >"$WORLD/answer" 3>&- &
	PIDS+=($!)
	"$WORKBENCH" record --policy "$WORLD/policy.yaml" --from $((now - 2)) \
		--to "$now" --candidate backend-1 -o "$WORLD/fifo"
	until_true 10 is_gone "${PIDS[-1]}"
	[ -p "$WORLD/fifo" ]
	[ -s "$WORLD/answer" ]
	[ -z "$(find "$WORLD" -name 'fifo.*')" ]
}

@test "what was is simulated without a file" {
	policy
	until_true 30 had_users 9s
	run --separate-stderr "$WORKBENCH" simulate \
		--policy "$WORLD/policy.yaml" --from -10s --candidate backend-1
	[ "$status" = 8 ]
	[[ $output == *"the metrics of then"* ]]
	[[ $output == *"error-rate: 0 % <= max 5 %"* ]]
	run "$WORKBENCH" simulate --policy "$WORLD/policy.yaml" --from -10s x.json
	[ "$status" = 2 ]
}

@test "a terminal sees how far it has come" {
	patient_policy
	local now
	now=$(date +%s)
	# A terminal of its own, since there is none in a test.
	python3 -c 'import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)' \
		"$WORKBENCH" record --policy "$WORLD/policy.yaml" \
		--from $((now - 2000)) --to "$now" --interval 20ms \
		--candidate backend-1 --stable backend-0 \
		-o "$WORLD/recording.json" </dev/null >"$WORLD/seen"
	grep -q $'\r\[ *\] 0 of 11 chunks ' "$WORLD/seen"
	grep -q '11 of 11 chunks are read, 20' "$WORLD/seen"
}

@test "a recording that was interrupted goes on where it was" {
	patient_policy
	local pid
	metrics_stop
	"$WORKBENCH" record --policy "$WORLD/policy.yaml" \
		-o "$WORLD/recording.json" --from -20s --candidate backend-1 \
		--stable x 2>"$WORLD/err" 3>&- &
	pid=$!
	PIDS+=("$pid")
	until_true 10 test -s "$WORLD/recording.json.part"
	kill -INT "$pid"
	until_true 10 grep -q 'recording.json.part keeps what was read' \
		"$WORLD/err"
	[ ! -e "$WORLD/recording.json" ]
	metrics_continue
	# Another span is another recording.
	run record --from -90s --candidate backend-1 --stable x
	[ "$status" = 1 ]
	[[ $output == *"was begun for another"* ]]
	record --from -20s --candidate backend-1 --stable x
	[ -s "$WORLD/recording.json" ]
	[ ! -e "$WORLD/recording.json.part" ]
}

# It is given up after half a minute.
@test "a Prometheus that is gone fails the recording" {
	policy
	sed -i 's/timeout: 900ms/timeout: 100ms/' "$WORLD/policy.yaml"
	PROMETHEUS_URL=http://127.0.0.1:1 run record --from -20s \
		--candidate x --stable y
	[ "$status" = 1 ]
	[[ $output == *"error-rate: metrics http://127.0.0.1:1"* ]]
	[ ! -e "$WORLD/recording.json" ]
}

@test "what cannot be recorded is said before anything is asked" {
	policy
	run record --from -20s
	[ "$status" = 2 ]
	[[ $output == *"{{candidate}}"*"--rollout"* ]]
	run record --from -20s --to -30s --candidate a --stable b
	[ "$status" = 2 ]
	run record --from yesterday --candidate a --stable b
	[ "$status" = 2 ]
	[[ $output == *'"yesterday" is not a time'* ]]
	run record --rollout nobody
	[ "$status" = 4 ]
}
