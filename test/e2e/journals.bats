#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154,SC2034
# State files of earlier versions (test/journals): what they left is taken up,
# what they ended is shown. That each folds to its end is a unit test.
# Takes long.

load world
load rollout
load shared

setup() {
	world_open
	OLD=$BATS_TEST_DIRNAME/../journals/0.1.0
}
teardown() { world_close; }

# Its driver is gone for good, its folder is another one.
state_of() { # STORY
	rm -f "$TIDEGATE_STATE"
	sqlite3 "$TIDEGATE_STATE" <"$OLD/$1.sql"
	sqlite3 "$TIDEGATE_STATE" "DELETE FROM lease;
		UPDATE rollout SET policy_path = '$WORLD/policy.yaml'"
}

# take_up STORY ROLLOUT PERCENT: "ok", or what is wrong. Each has a service that
# is as the journal says, and metrics that end its bake of an hour.
take_up() {
	local status=0

	world_open
	trap world_close EXIT
	sandbox_start --project acme --operation-delay 50ms \
		--revision backend-1 --revision backend-2 --revision backend-3 \
		--traffic "backend-1=$((100 - $3)),backend-2=$3"
	shared_environment
	answers '{"value": 1}'
	[ "$1" != left_shifting ] || answers '{"value": 0}'
	state_of "$1"
	# It would settle for an hour; what people said since then counts.
	[ "$1" != left_settling ] || "$TIDEGATE" abort "$2" --as bob >/dev/null
	STORY_KEY=secret "$TIDEGATE" resume "$2" --quiet \
		>"$WORLD/out" 2>&1 || status=$?
	case $status,$(serving backend-1),$(serving backend-2) in
	0,0,100 | 4,100,0 | [56],100,0) echo "ok $1" ;;
	*)
		echo "BAD $1: exit $status," \
			"stable $(serving backend-1) candidate $(serving backend-2)"
		cat "$WORLD/out"
		;;
	esac
}

# Of a state file of an earlier version; the metrics are asked of nobody.
shows() { # STORY ROLLOUT PHASE PERCENT
	TIDEGATE_STATE=$WORLD/$1.db
	state_of "$1"
	"$TIDEGATE" status "$2" --format json | jq -e --arg phase "$3" \
		".phase == \$phase and .percent == $4" >/dev/null || {
		"$TIDEGATE" status "$2"
		return 1
	}
	"$TIDEGATE" report "$2" >"$WORLD/report"
	grep -q "$2" "$WORLD/report"
}

@test "status and report of what an earlier version did say how it ended" {
	local story rollout phase percent

	export TIDEGATE_STATE
	while read -r story rollout phase percent _; do
		shows "$story" "$rollout" "$phase" "$percent"
	done < <(grep -E '^(again|gate_approved|observed|drift|refused|rollback|sequence_failed|left_held)\b' \
		"$OLD/index")
}

@test "what an earlier version's checks found is simulated to the same end" {
	local story rollout

	sandbox_start --project acme --revision backend-1
	shared_environment
	while read -r story rollout _; do
		state_of "$story"
		journal 'SELECT source FROM policy' >"$WORLD/policy.yaml"
		answers "{\"value\": $([ "$story" = promoted ] && echo 0 || echo 1)}"
		run "$WORKBENCH" simulate --policy "$WORLD/policy.yaml" \
			--rollout "$rollout"
		echo "$story: $output"
		case $story,$status in
		promoted,0 | reverted,5) ;;
		*) false ;;
		esac
	done < <(grep -P '^(promoted|reverted)\t' "$OLD/index")
}

@test "what an earlier version left is promoted or taken back, never stranded" {
	local lanes=() story rollout percent

	while read -r story rollout _ percent _; do
		take_up "$story" "$rollout" "$percent" >"$WORLD/$story" 2>&1 &
		lanes+=($!)
	done < <(grep ^left_ "$OLD/index")
	wait "${lanes[@]}"
	cat "$WORLD"/left_*
	[ "$(cat "$WORLD"/left_* | grep -c '^ok ')" = "${#lanes[@]}" ]
	[ "${#lanes[@]}" -ge 12 ]
}
