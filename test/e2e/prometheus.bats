#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154
# The rules of contrib/prometheus, and the runbook that they lead to.

load world

setup() {
	top=$BATS_TEST_DIRNAME/../..
	rules=$top/contrib/prometheus
}

@test "alerts fire when they should, not when they should not, and end" {
	promtool check rules --lint=all --lint-fatal "$rules"/*-alerts.yml
	promtool test rules "$rules"/*.test.yml
}

# Each has a test that fires it and one that does not: names as they are tested.
@test "no alert is without its tests" {
	local file name n=0

	for file in "$rules"/*-alerts.yml; do
		while read -r name; do
			[ "$(grep -c "alertname=\"$name\"" "${file%.yml}.test.yml")" -ge 2 ]
			grep -A2 "alertname=\"$name\"" "${file%.yml}.test.yml" |
				grep -q exp_samples
			n=$((n + 1))
		done < <(sed -n 's/^ *- alert: //p' "$file" | sort -u)
	done
	[ "$n" -ge 15 ]
}

# Names in rules and on dashboards are those of the daemon's page.
@test "every metric of ours that is asked for is one that the daemon has" {
	local name known

	known=$(grep -oE '"(tidegate|process)_[a-z_]+"' "$top/src/serve/metrics.def" |
		tr -d '"')
	while read -r name; do
		grep -qxE "${name%_bucket}|${name%_count}|${name%_sum}|$name" <<<"$known" || {
			echo "there is no metric $name"
			return 1
		}
	done < <(grep -ohE '\btidegate_[a-z_]+' -r "$rules" "$top/contrib/grafana" \
		"$top/contrib/docs" | sort -u)
}

# anchors FILE: of its headings, as they are made of them
anchors() {
	sed -n 's/^##* //p' "$1" | tr '[:upper:]' '[:lower:]' |
		sed -e 's/[^a-z0-9 _-]//g' -e 's/ /-/g'
}

@test "every alert has its section in the runbook, and every section its alert" {
	diff <(sed -n 's/.*runbook_url: .*#//p' "$rules/tidegate-alerts.yml" | sort -u) \
		<(anchors "$top/contrib/docs/runbook.md" | grep ^tidegate | sort)
	diff <(sed -n 's/^ *- alert: //p' "$rules/tidegate-alerts.yml" | sort -u) \
		<(sed -n 's/^## \(Tidegate.*\)/\1/p' "$top/contrib/docs/runbook.md" | sort)
}

@test "every link of the papers leads somewhere" {
	local file target anchor

	for file in "$top"/contrib/docs/*.md; do
		while IFS='#' read -r target anchor; do
			target=$(dirname "$file")/${target:-$(basename "$file")}
			[ -e "$target" ]
			[ -z "$anchor" ] || anchors "$target" | grep -qx -- "$anchor" || {
				echo "$file: no $target#$anchor"
				return 1
			}
		done < <(grep -oE '\]\([^)]+\)' "$file" | sed 's/^](//; s/)$//' |
			grep -v '^https\?:')
	done
}

# Blocks that need the cloud: they are shell, and their options exist.
@test "commands of the runbook are what the program takes" {
	local line n=0

	awk '/^```sh$/ { on = 1; next } /^```$/ { on = 0 } on' \
		"$top/contrib/docs/runbook.md" >"$BATS_TEST_TMPDIR/commands"
	bash -n "$BATS_TEST_TMPDIR/commands"
	export SERVICE=backend POLICY=policy.yaml ROLLOUT=backend-1
	while read -r line; do
		eval "set -- $line"
		shift
		run "$TIDEGATE" "$@" --no-such-option
		echo "$line: $output"
		[ "$status" = 2 ]
		[[ $output == *'unknown option "--no-such-option"'* ]]
		n=$((n + 1))
	done < <(grep '^tidegate ' "$BATS_TEST_TMPDIR/commands")
	[ "$n" -ge 10 ]
}

# paper NAME: its commands are run in a folder of their own
paper() {
	local name

	world_open
	cd "$WORLD" || return
	mkdir bin
	for name in tidegate tidegate-sandbox tidegate-workbench; do
		ln -s "$(dirname "$(realpath "$TIDEGATE")")/$name" bin/
	done
	export PATH=$WORLD/bin:$PATH TIDEGATE_USER=alice
	unset TIDEGATE_STATE GITHUB_ACTOR
	run "$BATS_TEST_DIRNAME/ten-minutes" "$top/contrib/docs/$1.md" all
	echo "$output"
	world_close
	[ "$status" = 0 ]
	[[ $output == *' commands' ]]
}

@test "a release is made as it stands there" {
	paper release
}

@test "rules for error budgets are made as it stands there" {
	paper slo
}

@test "what to do in a disaster is done as it stands there" {
	paper disaster-recovery
}
