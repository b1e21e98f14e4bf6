#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154,SC2034,SC2016
# What contrib/ has for GitHub and Cloud Build: the files are well formed, what
# is wrong in one is found, and their steps do what they say, run here.

load world
load suite
load rollout
load shared


setup() {
	shared_begin
	contrib=$(cd "$BATS_TEST_DIRNAME/../../contrib" && pwd)
	PATH=$BATS_TEST_DIRNAME/bin:$PATH
	export RUNNER_TEMP=$WORLD/temp GITHUB_WORKSPACE=$WORLD/work
	export GITHUB_STEP_SUMMARY=$WORLD/summary.md
	mkdir "$RUNNER_TEMP" "$GITHUB_WORKSPACE"
	cd "$GITHUB_WORKSPACE" || return
	unset TIDEGATE_STATE
	quick
	cp "$WORLD/policy.yaml" policy.yaml
}

teardown() { shared_end; }

steps() { # FILE [ARGUMENT…] sets status; results in result.json
	local file=$1

	shift
	status=0
	run-steps "$contrib/github/$file" "$@" 3>&- \
		>"$WORLD/result.json" 2>"$WORLD/steps.log" || status=$?
}

action() { # [NAME=VALUE…]
	steps action.yml "inputs.tidegate=$(realpath "$TIDEGATE_HERE")" \
		inputs.service=backend inputs.policy=policy.yaml "$@"
}

TIDEGATE_HERE=$(realpath "$TIDEGATE")

result() { # CONDITION (jq)
	jq -e "$1" "$WORLD/result.json" >/dev/null || {
		cat "$WORLD/result.json" "$WORLD/steps.log"
		return 1
	}
}

@test "every workflow, action and build is well formed" {
	run "$contrib/lint-workflows" "$contrib"/../.github/workflows/*.yml \
		"$contrib"/github/*.yml \
		"$contrib"/cloudbuild/*.yaml
	[ "$status" = 0 ]
	[ -z "$output" ]
}

# spoilt FILE SED TEXT: this is to be found, see found.
spoilt() {
	local file=$WORLD/spoilt.$((${#SPOILT[@]} + 1)).yml

	sed "$2" "$contrib/$1" >"$file"
	not cmp -s "$contrib/$1" "$file"
	SPOILT+=("$3")
}

found() {
	local i line

	run "$contrib/lint-workflows" "$WORLD"/spoilt.*.yml
	[ "$status" = 1 ]
	for i in "${!SPOILT[@]}"; do
		for line in "${lines[@]}"; do
			[[ $line != *"/spoilt.$((i + 1)).yml:"*"${SPOILT[i]}"* ]] ||
				continue 2
		done
		echo "expected: ${SPOILT[i]}"
		echo "got: $output"
		return 1
	done
}

@test "what is wrong in one of them is found" {
	local w=github/production-release.yml a=github/action.yml
	local b=cloudbuild/cloudbuild.yaml d=github/daemon-release.yml SPOILT=()
	spoilt $d '/id-token: write # who/d' 'id-token: write is missing'
	spoilt $d '/^          server:/d' 'id-token: write is not needed here'
	spoilt $w 's/^permissions:/permission:/' "'permission' was unexpected"
	spoilt $w 's/timeout-minutes: 330/timeout-minutes: 999/' 'maximum of 360'
	spoilt $w 's/id-token: write/id-token: yes/' "'yes' is not one of"
	spoilt $w 's/checkout@[0-9a-f]*/checkout@v4/' 'does not match'
	spoilt $w 's/needs: deploy$/needs: deplay/' 'needs deplay'
	spoilt $w 's/steps.stable.outputs.stable/steps.stable.outputs.stabl/' \
		'steps.stable.outputs.stabl is not there'
	spoilt $w '0,/^      id-token/{/^      id-token/d}' \
		'id-token: write is missing'
	spoilt $w '0,/^  contents: read/s//&\n  id-token: write/' \
		'is for the jobs that need it'
	spoilt $w '0,/^      contents: read/{//d}' 'name contents, too'
	spoilt $w 's/needs.deploy.result ==/needs.deploy.rezult ==/' \
		'needs.deploy.rezult is not there'
	spoilt $w 's/always() \&\&/allways() \&\&/' 'no function is called allways'
	spoilt $w "s/!= 'success'\$/!= 'success/" 'cannot be parsed'
	spoilt $w 's/{{ github.sha }}/{{ github.sha }/' 'not closed'
	spoilt $w 's/--to "\$STABLE"/--to ${{ env.STABLE }}/' 'run as code'
	spoilt $w 's/--to "\$STABLE"/--to $STABLE/' 'Double quote'
	spoilt $w 's/          policy: \$/          polizy: $/' 'no input polizy'
	spoilt $w 's,\./\.tidegate/contrib/github$,./.tidegate/contrib/hub,' \
		'no action ./.tidegate/contrib/hub'
	spoilt $w 's/^name: .*/&\nname: twice/' 'there twice'
	spoilt $a 's/inputs.wait/inputs.weit/' 'inputs.weit is not there'
	spoilt $a 's/steps.run.outputs.exit/steps.run.outputs.exitt/' 'exitt'
	spoilt $a '0,/shell: bash/s/shell: bash/name: x/' 'there twice'
	spoilt $a '0,/      shell: bash/{//d}' 'a shell must be named'
	spoilt $b 's/--region=\${_REGION}/--region=${_REGIO}/' '$_REGIO is not'
	spoilt $b 's/^timeout: .*/timeout: 5h/' 'does not match'
	spoilt $b 's/"\$SERVICE" --policy/$SERVICE --policy/' 'Double quote'
	found
}

@test "the action promotes a good candidate and says so" {
	action "inputs.candidate=$CANDIDATE" inputs.project=acme \
		inputs.region=us-central1 inputs.wait=1m 'inputs.args=--quiet'
	[ "$status" = 0 ] || cat "$WORLD/steps.log"
	result ".failed == false and (.outputs | .outcome == \"promoted\" and
		.candidate == \"$CANDIDATE\" and .stable == \"stable-1\" and
		.percent == \"100\" and .exit == \"0\" and
		(.rollout | startswith(\"backend-\")) and .reason != \"\")"
	serves "$CANDIDATE" 100
	grep -q '^### backend: ready for a rollout$' "$GITHUB_STEP_SUMMARY"
	grep -q '^### backend: promoted$' "$GITHUB_STEP_SUMMARY"
	[ -e "$RUNNER_TEMP/tidegate.db" ]
}

@test "the action fails with a bad candidate, and says that it was taken back" {
	STEPS=$LONG quick
	cp "$WORLD/policy.yaml" policy.yaml
	{ until_true 60 serves "$CANDIDATE" 20 && answers '{"value": 3}'; } 3>&- &
	action
	[ "$status" = 1 ]
	result ".failed and (.outputs | .outcome == \"rolled-back\" and
		.exit == \"5\" and .stable == \"stable-1\" and
		(.reason | contains(\"errors\")))"
	serves stable-1 100
	grep -q '^### backend: rolled-back$' "$GITHUB_STEP_SUMMARY"
}

@test "the action stops before anything moves when a rollout could not run" {
	control PUT /traffic "{\"stable-1\": 60, \"$CANDIDATE\": 40}"
	action
	[ "$status" = 1 ]
	result '.failed and .outputs.outcome == ""'
	grep -q '^### backend: not ready for a rollout$' "$GITHUB_STEP_SUMMARY"
	grep -q -- '-- run: left out' "$WORLD/steps.log"
	[ ! -e "$RUNNER_TEMP/tidegate.db" ]
	# Without the look it is run that refuses.
	action inputs.check=false
	[ "$status" = 1 ]
	result '.outputs | .outcome == "refused" and .exit == "4"'
}

# noted: a tidegate that only writes down how it was called, a word a line
noted() {
	cat >"$WORLD/noted" <<-END
		#!/bin/sh
		printf '%s\\n' "\$@" >>"$WORLD/words.\$1"
		echo "\${TIDEGATE_SERVER-} \${TIDEGATE_STATE-}" >"$WORLD/server"
	END
	chmod +x "$WORLD/noted"
	TIDEGATE_HERE=$WORLD/noted action "$@"
}

@test "further options are taken as they were written, by the look as well" {
	noted $'inputs.args=--quiet\n--again\n  --as "bob the builder" \n\'--wait\' 5m --adopt'
	[ "$status" = 0 ] || cat "$WORLD/steps.log"
	[ "$(tail -n 7 "$WORLD/words.run" | paste -sd,)" = \
		'--quiet,--again,--as,bob the builder,--wait,5m,--adopt' ]
	[ "$(tail -n 4 "$WORLD/words.check" | paste -sd,)" = \
		'--again,--as,bob the builder,--adopt' ]
	# Nothing of it is code, and half a word is none.
	noted 'inputs.args=$(touch owned) `touch owned` ; touch owned'
	[ ! -e owned ]
	[ "$(tail -n 7 "$WORLD/words.run" | paste -sd,)" = \
		'$(touch,owned),`touch,owned`,;,touch,owned' ]
	noted 'inputs.args=--as "bob'
	[ "$status" = 1 ]
}

@test "a released package is installed when it is what its sum says, and no other" {
	local sum

	noted # writes $WORLD/noted
	mkdir "$WORLD/www" "$WORLD/fake"
	echo 'the package' >"$WORLD/www/tidegate.deb"
	sum=$(sha256sum <"$WORLD/www/tidegate.deb") sum=${sum%% *}
	# What apt would install is on the PATH already; it is noted who was asked.
	ln -s "$WORLD/noted" "$WORLD/fake/tidegate"
	printf '#!/bin/sh\necho "$@" >>"%s"\n' "$WORLD/sudo" >"$WORLD/fake/sudo"
	chmod +x "$WORLD/fake/sudo"
	python3 -u -m http.server --bind 127.0.0.1 --directory "$WORLD/www" 0 \
		>"$WORLD/www.log" 2>&1 3>&- &
	PIDS+=($!)
	until_true 10 grep -q 'http://[^/]*' "$WORLD/www.log"
	url=$(grep -o 'http://[^/]*' "$WORLD/www.log")/tidegate.deb
	packaged() {
		rm -rf "$RUNNER_TEMP/tidegate"
		PATH=$WORLD/fake:$PATH steps action.yml inputs.service=backend \
			inputs.policy=policy.yaml "inputs.package=$url" "$@"
	}
	packaged
	[ "$status" = 1 ] && grep -q 'must go with package' "$WORLD/steps.log"
	packaged "inputs.sha256=$(printf '0%.0s' {1..64})"
	[ "$status" = 1 ] && grep -q 'is not what sha256 says' "$WORLD/steps.log"
	[ ! -e "$WORLD/sudo" ]
	packaged "inputs.sha256=$sum"
	[ "$status" = 0 ] || cat "$WORLD/steps.log"
	grep -q 'apt-get .* install .*/tidegate.deb' "$WORLD/sudo"
	cmp "$WORLD/www/tidegate.deb" "$RUNNER_TEMP/tidegate/tidegate.deb"
}

@test "with a server it is the daemon that releases, by the job's own token" {
	noted inputs.server=https://tidegate.example.com inputs.policy=backend \
		inputs.committed=2026-11-01T10:00:00+02:00
	[ "$status" = 0 ] || cat "$WORLD/steps.log"
	[ ! -e "$WORLD/words.check" ]
	[ "$(paste -sd, "$WORLD/words.run")" = \
		run,backend,--policy,backend,--committed,2026-11-01T10:00:00+02:00 ]
	[ "$(<"$WORLD/server")" = 'https://tidegate.example.com ' ]
}

@test "a state with a line break sets no variable of the job" {
	noted $'inputs.state=x.db\nBASH_ENV=evil'
	[ "$status" = 1 ]
	grep -q 'state or server has a line break' "$WORLD/steps.log"
	[ ! -e "$WORLD/words.run" ]
}

# script_of FILE JOB STEP: runs it as the runner would, in out and output
script_of() {
	python3 - "$contrib/github/$1" "$2" "$3" >"$WORLD/step" <<-'END'
		import sys, yaml
		for step in yaml.safe_load(open(sys.argv[1]))["jobs"][sys.argv[2]]["steps"]:
		    if step.get("name") == sys.argv[3]:
		        print(step["run"])
	END
	[ -s "$WORLD/step" ]
	mkdir -p "$WORLD/bin"
	ln -sf "$TIDEGATE_HERE" "$WORLD/bin/tidegate"
	: >"$WORLD/output"
	status=0
	PATH=$WORLD/bin:$PATH GITHUB_OUTPUT=$WORLD/output SERVICE=backend \
		POLICY=policy.yaml bash -e "$WORLD/step" 3>&- \
		>"$WORLD/out" 2>&1 || status=$?
}

tagged() { # PERCENT: of stable-1, below a tag that is nobody's business
	control PUT /traffic "$(jq -nc --arg c "$CANDIDATE" --argjson p "$1" '
		def to: {type: "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION"} + .;
		{traffic: ([{revision: $c, tag: "debug"}, {revision: "stable-1",
			percent: $p}, {revision: $c, percent: (100 - $p)}] |
			map(select(.percent != 0) | to))}')"
}

@test "stable is who serves 100 %, wherever it stands in the list" {
	tagged 100
	script_of production-release.yml deploy stable
	[ "$status" = 0 ] || cat "$WORLD/out"
	[ "$(cat "$WORLD/output")" = stable=stable-1 ]
	tagged 90
	script_of production-release.yml deploy stable
	[ "$status" = 1 ]
	[ ! -s "$WORLD/output" ]
	grep -q 'no revision of backend serves 100 %' "$WORLD/out"
	grep -qF '{"revision":"stable-1","percent":90}' "$WORLD/out"
	TO='' script_of rollback-drill.yml drill drill
	[ "$status" = 1 ]
	grep -q 'say where to go back to' "$WORLD/out"
	# The service cannot be read: nobody guesses.
	rm policy.yaml
	script_of production-release.yml deploy stable
	[ "$status" = 1 ]
	[ ! -s "$WORLD/output" ]
}

@test "the look tells programs who serves what" {
	tagged 90
	"$TIDEGATE_HERE" check --live backend --policy policy.yaml --adopt \
		--candidate "$CANDIDATE" --format json >"$WORLD/look.json" ||
		[ $? = 4 ]
	jq -e --arg c "$CANDIDATE" '.stable == "stable-1" and .candidate == $c and
		.split == {candidate: 10, stable: 90, other: 0} and
		(.serving | sort_by(.percent)) == [{revision: $c, percent: 10},
			{revision: "stable-1", percent: 90}]' "$WORLD/look.json"
}

production() { # JOB [NAME=VALUE…]: with a tidegate on the PATH of the job
	local job=$1

	shift
	mkdir -p "$RUNNER_TEMP/tidegate/bin"
	ln -sf "$TIDEGATE_HERE" "$RUNNER_TEMP/tidegate/bin/tidegate"
	SERVICE=backend POLICY=policy.yaml \
		steps production-release.yml --job "$job" \
		"needs.deploy.outputs.candidate=$CANDIDATE" \
		needs.deploy.outputs.stable=stable-1 "$@"
}

@test "the production workflow releases, reports, and has nothing left to do" {
	production release
	[ "$status" = 0 ] || cat "$WORLD/steps.log"
	result '.outputs.outcome == "promoted"'
	serves "$CANDIDATE" 100
	grep -q -- '-- bring it to its end: left out' "$WORLD/steps.log"
	grep -q "$CANDIDATE" "$GITHUB_STEP_SUMMARY"
	grep -q '^# ' "$GITHUB_STEP_SUMMARY"
}

@test "when the runner of a release is gone, the last job brings users back" {
	control PUT /traffic "{\"stable-1\": 80, \"$CANDIDATE\": 20}"
	production safety needs.release.outputs.outcome=
	[ "$status" = 0 ] || cat "$WORLD/steps.log"
	serves stable-1 100
	# Once more: nothing is wrong, nothing is done.
	local before
	before=$(writes | wc -l)
	production safety needs.release.outputs.outcome=rolled-back
	[ "$status" = 0 ]
	grep -q 'nothing to do' "$WORLD/steps.log"
	[ "$(writes | wc -l)" = "$before" ]
	# What somebody else did is left to them.
	production safety needs.release.outputs.outcome=stopped
	[ "$status" = 1 ]
	[ "$(writes | wc -l)" = "$before" ]
}

@test "a release that was killed is brought to its end by the step after it" {
	STEPS=$LONG quick
	export TIDEGATE_STATE=$RUNNER_TEMP/tidegate.db
	rollout_start
	until_step 20
	kill -KILL "$RUN_PID"
	wait "$RUN_PID" || true
	# That step as it stands in the workflow, on the journal that was left.
	python3 - "$contrib/github/production-release.yml" >"$WORLD/step" <<-'END'
		import sys, yaml
		for step in yaml.safe_load(open(sys.argv[1]))["jobs"]["release"]["steps"]:
		    if step.get("name") == "bring it to its end":
		        print(step["run"])
	END
	mkdir "$WORLD/bin"
	ln -s "$TIDEGATE_HERE" "$WORLD/bin/tidegate"
	PATH=$WORLD/bin:$PATH bash -e "$WORLD/step" 3>&- >"$WORLD/out" 2>&1 &
	PIDS+=($!)
	until_true 30 grep -q resumed "$WORLD/out"
	run "$TIDEGATE" abort --comment 'the job is over'
	[ "$status" = 0 ]
	until_true 30 serves stable-1 100
}
