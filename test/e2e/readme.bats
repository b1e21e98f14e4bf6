#!/usr/bin/env bats
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
