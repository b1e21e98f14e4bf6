# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154
# Kills `run` at a random instant of a wanted phase, lets `resume` end it, and
# judges what came of it. Lanes work side by side, each with a sandbox of its
# own; a line of results is "ok|BAD KIND PHASE-AT-THE-KILL WHY".

CRASH_KINDS=(preflight shifting baking awaiting-approval held paused
	reverting rolling-back)

# crash_lane NAME SEED TRIALS FIRST-KIND: its results are in $SHARED/NAME
crash_lane() {
	local i kinds=${#CRASH_KINDS[@]}

	# What goes wrong is judged, it ends nothing.
	set +eET
	trap - ERR EXIT DEBUG
	RANDOM=$2
	WORLD=$SHARED/lane-$1
	PIDS=()
	mkdir "$WORLD"
	sandbox_start --project acme --revision stable-1 --operation-delay 300ms
	export CLOUDSDK_API_ENDPOINT_OVERRIDES_RUN=$ADMIN/
	export PROMETHEUS_URL=$ADMIN/prometheus
	for ((i = 0; i < $3; i++)); do
		crash_trial "${CRASH_KINDS[($4 + i) % kinds]}" "$1-$i" \
			>>"$SHARED/$1" 2>"$WORLD/err"
	done
	kill "${PIDS[0]}"
}

crash_policy() { # KIND
	local undo='{name: undo, type: exec, idempotent: false, command: [sh, -c, "sleep 0.2; echo undo >>'$NOTES'"]}'
	local STEPS=$SHORT

	answers '{"value": 0}'

	case $1 in
	awaiting-approval)
		STEPS='[{percent: 20, bake: 1s}, {percent: 100, bake: 1s, approval: {approvers: [bob]}}]'
		;;
	held) answers '{"value": null}' ;;
	reverting | rolling-back)
		# On a slow machine, too, it bakes until it is interrupted.
		STEPS='[{percent: 20, bake: 1m}, {percent: 100, bake: 1s}]'
		;;
	esac
	quick 'hold_timeout: 2s' 'preflight:' \
		'  - {name: look, type: exec, idempotent: true, command: [sleep, "0.2"]}' \
		'hooks:' '  started:' \
		"    - {name: begin, type: exec, idempotent: false, command: [sh, -c, 'echo begin >>$NOTES']}" \
		'rollback:' "  - $undo"
}

# What the kind needs from outside to come to its phase.
crash_provoke() { # KIND
	case $1 in
	paused)
		until_run has '"event":"step-started"' &&
			"$TIDEGATE" pause "$(rollout_id)" >/dev/null
		;;
	reverting | rolling-back)
		until_run has '"event":"step-started"' &&
			kill -INT "$RUN_PID"
		;;
	esac
}

crash_resume() { # KIND: sets STATUS, 4 when there is nothing left to do
	case $1 in
	awaiting-approval)
		"$TIDEGATE" approve "$(rollout_id)" --as bob >/dev/null 2>&1
		;;
	paused) "$TIDEGATE" continue "$(rollout_id)" >/dev/null 2>&1 ;;
	esac
	STATUS=0
	timeout 120 "$TIDEGATE" resume --format json >"$WORLD/resume.json" \
		2>"$WORLD/resume.err" 3>&- || STATUS=$?
}

crash_trial() { # KIND NAME
	local kind=$1 phase ended

	crash_begin "$2"
	crash_policy "$kind"
	rollout_start
	crash_provoke "$kind" >&2
	[ "$kind" = preflight ] || until_in "$kind" >&2
	[ "$kind" != preflight ] || until_run has started >&2
	sleep "0.$((RANDOM % 3))$((RANDOM % 10))$((RANDOM % 10))" # the instant
	kill -KILL "$RUN_PID" 2>/dev/null
	ended=0
	wait "$RUN_PID" 2>/dev/null || ended=$?
	phase=$(journal 'SELECT phase FROM rollout')
	if [ "$ended" = 137 ]; then
		crash_resume "$kind"
	else
		STATUS=$ended
		: >"$WORLD/resume.json"
	fi
	crash_judge "$kind" "${phase:-none}"
}

crash_begin() { # NAME: everything new but the sandbox
	export TIDEGATE_STATE=$WORLD/$1.db
	NOTES=$WORLD/notes-$1
	: >"$NOTES"
	control PUT /traffic '{"stable-1": 100}'
	CANDIDATE=c$1
	control POST /deploy "{\"revision\": \"$CANDIDATE\"}"
	until_true 10 serves stable-1 100
	sandbox_ask DELETE /log
}

crash_expects() { # KIND: the exit status that is right
	local by_hand

	by_hand=$(grep -c 'finish it by hand' "$WORLD/resume.json")
	case $1 in
	held) echo $((by_hand ? 9 : 5)) ;;
	reverting | rolling-back) echo $((by_hand ? 9 : 6)) ;;
	*) echo 0 ;;
	esac
}

crash_judge() { # KIND PHASE
	local bad='' want

	want=$(crash_expects "$1")
	# Killed after its end was journaled: resume finds nothing to do.
	case $2 in
	rolled-back | rollback-failed | promoted)
		[ "$STATUS" != 4 ] || STATUS=$want
		;;
	esac
	[ "$STATUS" = "$want" ] || bad+=" exit-$STATUS-not-$want"
	if [ "$want" = 0 ]; then
		serves "$CANDIDATE" 100 || bad+=' traffic'
	else
		serves stable-1 100 || bad+=' traffic'
	fi
	journal_has_no_gaps || bad+=' gaps'
	[ "$(writes | jq -s '[.[] | select(.status == 200) |
		.body.traffic] | . as $w | [range(1; length)] |
		any(.[]; $w[.] == $w[. - 1])')" = false ] || bad+=' doubled'
	[ "$(journal "SELECT count(*) FROM event p
		WHERE p.name = 'step-passed' AND NOT EXISTS (
		SELECT 1 FROM event c WHERE c.name = 'check'
		AND c.rollout = p.rollout AND c.seq < p.seq
		AND json_extract(c.data, '$.outcome') = 'pass'
		AND json_extract(c.data, '$.step') =
			json_extract(p.data, '$.step'))")" = 0 ] ||
		bad+=' unevaluated'
	crash_counts begin "$bad" || bad+=' begin-count'
	[ "$want" = 0 ] || crash_counts undo || bad+=' undo-count'
	if [ -n "$bad" ]; then
		echo "BAD $1 $2$bad"
		mkdir "$WORLD/bad-$CANDIDATE"
		cp "$WORLD"/*.json "$TIDEGATE_STATE" "$WORLD/bad-$CANDIDATE"
	else
		echo "ok $1 $2"
	fi
}

# Once; or not more than once where a person was told to look.
crash_counts() { # NAME
	local n told

	n=$(grep -c "^$1\$" "$NOTES")
	told=$(journal "SELECT count(*) FROM event WHERE name = 'warning'
		AND data LIKE '%\"$1\"%by hand%'")
	[ "$n" = 1 ] || { [ "$n" = 0 ] && [ "$told" -gt 0 ]; }
}
