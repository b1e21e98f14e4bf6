#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# README's first ten minutes, as they stand there. Takes long.

load world

setup() {
	world_open
	local name top=$BATS_TEST_DIRNAME/../..
	for name in policies contrib README.md; do
		ln -s "$(realpath "$top/$name")" "$WORLD/$name"
	done
	for name in tidegate tidegate-sandbox tidegate-workbench; do
		ln -s "$(dirname "$(realpath "$TIDEGATE")")/$name" "$WORLD/$name"
	done
	export XDG_STATE_HOME=$WORLD/state
	unset TIDEGATE_STATE
}

teardown() {
	world_close
}

@test "the commands of README do what it says, from top to bottom" {
	cd "$WORLD"
	run "$BATS_TEST_DIRNAME/ten-minutes" README.md
	echo "$output"
	[ "$status" = 0 ]
	[[ $output == *' commands' ]]
	[ -s report.html ]
}

@test "README uses the action with inputs and outputs that it has" {
	python3 - "$BATS_TEST_DIRNAME/../.." <<-'END'
		import re, sys, yaml
		top = sys.argv[1]
		readme = open(top + '/README.md').read()
		action = yaml.safe_load(open(top + '/contrib/github/action.yml'))
		uses = re.search(r'uses: OWNER/tidegate/contrib/github@.*\n'
		                 r'(?: +id: .*\n)? +with: (\{.*\})', readme)
		assert set(yaml.safe_load(uses[1])) <= set(action['inputs']), uses[1]
		outputs = re.search(r"The action's outputs are `([a-z ]+)`", readme)
		assert outputs[1].split() == list(action['outputs']), outputs[1]
	END
}
