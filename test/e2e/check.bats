#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# tidegate check: plans on stdout, all problems on stderr, the exit status.

load world
load suite

setup() {
	world_open
	# What the ready policies name; nothing is asked there.
	export PROMETHEUS_URL=http://127.0.0.1:9090
	export ALERTMANAGER_URL=http://127.0.0.1:9093
	export REDIS_URL=redis://127.0.0.1:6379/0
	export API_URL=https://api.example.com
	export SLACK_WEBHOOK=https://hooks.slack.com/services/T0/B0/X
	policies=$BATS_TEST_DIRNAME/../../policies
}

teardown() {
	world_close
}

check() {
	"$WORKBENCH" check "$@" >"$WORLD/out" 2>"$WORLD/err"
}

@test "the plans of good policies go to stdout, one after the other" {
	check "$policies"/*.yaml
	[ ! -s "$WORLD/err" ]
	[ "$(grep -c '^policy  ' "$WORLD/out")" = "$(printf '%s\n' "$policies"/*.yaml | wc -l)" ]
	grep -q 'steps, at least 30s in all' "$WORLD/out"
	grep -q 'bad requests to 10 % within 7s, to 50 % within 5s' "$WORLD/out"
}

@test "each policy names its schema for editors" {
	local file line
	while read -r file; do
		read -r line <"$file"
		[[ $line == '# yaml-language-server: $schema='* ]]
		cmp "$(dirname "$file")/${line#*=}" "$policies/policy.schema.json"
	done < <(find "$policies" -name '*.yaml')
}

@test "what a policy may hold is printed, as installed and as in the manual" {
	check --schema
	cmp "$policies/policy.schema.json" "$WORLD/out"
	check --keys
	grep -A1 '^  settle: a duration; default 30s$' "$WORLD/out"
	status=0
	check --schema --keys || status=$?
	[ "$status" = 2 ]
	status=0
	check --schema "$policies/quick-demo.yaml" || status=$?
	[ "$status" = 2 ]
}

@test "problems go to stderr with their places, and the exit status is 3" {
	sed 's/max: 5%/max: 5 percent/; s/min_passes: 3/min_pases: 3/' \
		"$policies/quick-demo.yaml" >"$WORLD/bad.yaml"
	status=0
	check "$WORLD/bad.yaml" "$policies/quick-demo.yaml" || status=$?
	[ "$status" = 3 ]
	[ "$(grep -c 'bad.yaml:[0-9]*:[0-9]*: error: ' "$WORLD/err")" = 3 ]
	grep -q 'did you mean min_passes?' "$WORLD/err"
	grep -q '\^\^' "$WORLD/err"
	[ "$(grep -c '^policy  ' "$WORLD/out")" = 1 ]
}

@test "warnings go to stderr beside the plan, and are failures with --strict" {
	sed 's/max: 5%/max: 5/; s/critical: [0-9]*%/critical: 50/' \
		"$policies/quick-demo.yaml" >"$WORLD/odd.yaml"
	check "$WORLD/odd.yaml"
	grep -q 'odd.yaml:[0-9]*:[0-9]*: warning: .* for 5 percent write 5%' \
		"$WORLD/err"
	cp "$WORLD/out" "$WORLD/plan"
	status=0
	check --strict "$WORLD/odd.yaml" || status=$?
	[ "$status" = 3 ]
	cmp "$WORLD/out" "$WORLD/plan"
	check --strict "$policies"/*.yaml
}

@test "an unset variable and a missing file are problems of the policy" {
	unset PROMETHEUS_URL
	status=0
	check "$policies/quick-demo.yaml" "$WORLD/none.yaml" || status=$?
	[ "$status" = 3 ]
	grep -q 'PROMETHEUS_URL is not set' "$WORLD/err"
	grep -q 'none.yaml" cannot be read: No such file' "$WORLD/err"
}

@test "a policy comes from stdin, and what it knows in secret is not printed" {
	printf 'correct-horse-battery\n' >"$WORLD/token"
	export HOOK_KEY=staple-staple-staple
	{
		cat "$policies/quick-demo.yaml"
		cat <<-END
		  - name: hook
		    type: http
		    url: https://ada:\${HOOK_KEY}@hooks.example.com/x?key=\${HOOK_KEY}
		    auth: {type: bearer, token_file: $WORLD/token}
		END
	} >"$WORLD/policy.yaml"
	check - <"$WORLD/policy.yaml"
	grep -q 'http GET https://hooks.example.com/x, expects 2xx' "$WORLD/out"
	[ "$(grep -c 'staple\|horse' "$WORLD/out")" = 0 ]
}

@test "a file that is too large is refused unread" {
	head -c 10000000 /dev/zero | tr '\0' '#' >"$WORLD/large.yaml"
	status=0
	check "$WORLD/large.yaml" || status=$?
	[ "$status" = 3 ]
	grep -q 'larger than 1024 KiB' "$WORLD/err"
}
