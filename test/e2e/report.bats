#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154
# `report`: what happened in a rollout, out of its journal.

load world
load suite
load rollout

setup() {
	rollout_world
}

teardown() {
	world_close
}

report() {
	"$TIDEGATE" report "$@" >"$WORLD/report"
}

has() { # TEXT…: each is in the report
	local text

	for text; do
		grep -qF -- "$text" "$WORLD/report" || {
			echo "the report lacks: $text"
			cat "$WORLD/report"
			return 1
		}
	done
}

breached() {
	policy 'rollback:' \
		'  - {name: undo, type: exec, command: [echo, "a|b <i>c</i>"]}' \
		'  - {name: broken, type: exec, command: ["false"]}'
	rollout_start
	until_true 30 said '.event == "step-started"'
	answers '{"value": 0.5}'
	rollout_ends 5
}

@test "a rollback is reported with its evidence, actions and what is left" {
	breached
	report --format markdown
	has '# backend: rolled-back' 'backend-2' 'alice' \
		'## What decided' 'error-rate at ' \
		'sum(rate(http_requests_total{revision="backend-2"}[2s]))' \
		'## Left for a person' '- broken (rollback) failed' \
		'backend-1 is pinned' 'a\|b \<i\>c\</i\>' \
		'backend-1  100 %' '## Journal' '| rolling-back | stable serves 100 %'
	run "$TIDEGATE" report --format html -o "$WORLD/page.html"
	[ "$status" = 0 ]
	cp "$WORLD/page.html" "$WORLD/report"
	has '<figure class="chart"' 'a|b &lt;i&gt;c&lt;/i&gt;' 'max 5 %' \
		'prefers-color-scheme:dark' 'class="limit"'
	# Nothing of a page is fetched or run.
	run grep -cE '<script|<i>|href=|src=' "$WORLD/page.html"
	[ "$output" = 0 ]
	[ -z "$(find "$WORLD" -name 'page.html.*')" ]
	[ -z "$E2E_KEEP" ] || cp "$WORLD/page.html" "$E2E_KEEP"
}

@test "a promotion is reported too, and an unknown rollout is said" {
	policy
	rollout_start
	rollout_ends 0
	report --format markdown
	has ': promoted' 'is pinned' 'error-rate'
	run grep -c 'What decided' "$WORLD/report"
	[ "$output" = 0 ]
	run "$TIDEGATE" report no-such-one
	[ "$status" = 4 ] || [ "$status" = 1 ]
	[[ $output == *no-such-one* ]]
	run "$TIDEGATE" report --output "$WORLD/none/x.md"
	[ "$status" = 1 ]
	[[ $output == *"$WORLD/none/x.md"* ]]
	# What is no regular file is written through.
	ln -s link-leads-here "$WORLD/link"
	mkfifo "$WORLD/fifo"
	cat "$WORLD/fifo" >"$WORLD/report" 3>&- &
	PIDS+=($!)
	"$TIDEGATE" report -o "$WORLD/fifo"
	until_true 10 is_gone "${PIDS[-1]}"
	has ': promoted'
	"$TIDEGATE" report -o "$WORLD/link"
	cmp "$WORLD/report" "$WORLD/link-leads-here"
	[ -L "$WORLD/link" ]
	[ -p "$WORLD/fifo" ]
	"$TIDEGATE" report -o - >"$WORLD/printed"
	cmp "$WORLD/report" "$WORLD/printed"
}

@test "the report is an action, too, and is written whole" {
	mkdir "$WORLD/incidents"
	policy 'hooks:' '  rolled_back:' \
		'    - {name: incident, type: report, path: "incidents/{{service}}.md"}' \
		'    - {name: nowhere, type: report, path: "incidents/{{rollout}}/x.md"}'
	rollout_start
	until_true 30 said '.event == "step-started"'
	answers '{"value": 0.5}'
	rollout_ends 5
	cp "$WORLD/incidents/backend.md" "$WORLD/report"
	has '# backend: rolling-back' 'error-rate at ' '## Journal'
	said '.event == "action" and .name == "incident" and .result == "ok"'
	said '.event == "action" and .name == "nowhere" and .result == "failed"'
	[ "$(ls "$WORLD/incidents")" = backend.md ]
	# A folder that is not there is found before anything moves.
	sed -i 's,incidents/{{service}},no-such-folder/{{service}},' \
		"$WORLD/policy.yaml"
	rollout_start --again
	rollout_ends 4
	said '.event == "preflight" and (.reason | contains("no-such-folder"))'
}
