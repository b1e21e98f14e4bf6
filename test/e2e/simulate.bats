#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# simulate from outside: what is printed, exit statuses, the same bytes always.

bats_require_minimum_version 1.5.0

load world
load suite
load recordings

setup() {
	world_open
	unset PROMETHEUS_URL
	cd "$WORLD" || return
	policy >policy.yaml
	recording 900 0.001 >good.json
	recording 900 'if . < 200 then 0.001 else 0.02 end' >bad.json
}

teardown() {
	world_close
}

simulate() {
	"$WORKBENCH" simulate --policy policy.yaml "$@"
}

@test "a good recording is promoted, without any secret at hand" {
	run --separate-stderr simulate good.json
	[ "$status" = 0 ]
	[ -z "$stderr" ]
	[[ $output == *"outcome           promoted"* ]]
	[[ $output == *"exposure "* ]]
}

@test "a breach says which value, when it began and how long it took" {
	run simulate bad.json
	[ "$status" = 5 ]
	[[ $output == *"errors: 2 % > max 1 % (2 of the last 2 checks"* ||
		$output == *"errors: 2 % > max 1 % (2 of the last 3 checks"* ]]
	[[ $output == *"first bad sample  +3m20s (2026-01-01T00:03:20.000Z)"* ]]
	[[ $output == *", 2 checks"* ]]
}

@test "JSON lines are those of run, and the last one is finished" {
	run simulate --format json bad.json
	[ "$status" = 5 ]
	jq -se 'all(.[]; has("time") and has("rollout") and has("seq") and
			has("event") and has("phase") and has("percent")) and
		([.[].seq] == [range(1; length + 1)]) and
		(.[-1] | .event == "finished" and .outcome == "rolled-back" and
			.exit == 5 and .checks_to_revert == 2) and
		any(.[]; .event == "check" and .outcome == "breach" and
			.slo == "errors" and .value == 0.02 and .limit == 0.01)
		' <<<"$output"
}

@test "the load of a step is not made, and its time goes by" {
	recordings=$BATS_TEST_DIRNAME/../../policies/recordings
	sed 's|{percent: 10, bake: 8s}|{percent: 10, bake: 8s, load: {name: users, type: load, url: "{{candidate_url}}/", stages: [{for: 10s, users: 5}]}}|
		$a tag: next' "$recordings/policy.yaml" >load.yaml
	PROMETHEUS_URL=http://127.0.0.1:9 run "$WORKBENCH" simulate \
		--policy load.yaml --format json "$recordings/good.json"
	[ "$status" = 0 ]
	# 10 s of load, a window of 5 s, and the bake of 8 s.
	jq -se 'def at(f): first(.[] | select(f).time[:19] + "Z" | fromdate);
		any(.[]; .event == "action" and
			.detail[:13] == "not simulated") and
		at(.event == "step-passed") -
			at(.event == "step-started") >= 23' <<<"$output"
}

@test "values put over the policy change what it decides" {
	run simulate --set slos.errors.max=5% bad.json
	[ "$status" = 0 ]
	run simulate --set slos.eror.max=5% bad.json
	[ "$status" = 3 ]
	[[ $output == *"--set:1:6: error: no entry \"eror\""* ]]
}

@test "every key of a policy can be set" {
	local policies=$BATS_TEST_DIRNAME/../../policies
	run python3 "$BATS_TEST_DIRNAME/sets.py" "$TIDEGATE" \
		"$policies/canary-10-50-100.yaml" .
	[ "$status" = 0 ] && [ "${output% keys}" -gt 50 ]
	run python3 "$BATS_TEST_DIRNAME/sets.py" "$TIDEGATE" \
		"$policies/full-rollback.yaml" .
	[ "$status" = 0 ] && [ "${output% keys}" -gt 70 ]
}

@test "gates are approved, missed, or approved late" {
	local gate='steps.2.approval={approvers: [alice], timeout: 1m}'
	run simulate --set "$gate" good.json
	[ "$status" = 0 ]
	run simulate --set "$gate" --approve never good.json
	[ "$status" = 5 ]
	run simulate --set "$gate" --approve after=30s good.json
	[ "$status" = 0 ]
	run simulate --approve perhaps good.json
	[ "$status" = 2 ]
}

@test "a freeze at the time of the recording keeps its steps" {
	local start

	start=$(jq .start good.json)
	printf 'freeze: [{from: "%s", to: "%s", zone: UTC}]\n' \
		"$(date -u -d "@$start" '+%F %H:%M')" \
		"$(date -u -d "@$((start + 86400))" '+%F %H:%M')" >>policy.yaml
	run simulate good.json
	[ "$status" = 8 ]
	[[ $output == *"a freeze lasts until "* ]]
	[[ $output != *"step-started"* ]]
	sed -i 's/^freeze.*/freeze: [{from: "2001-01-01 00:00", to: "2001-01-02 00:00", zone: UTC}]/' policy.yaml
	run simulate good.json
	[ "$status" = 0 ]
}

@test "faults end as they would" {
	run simulate --fault drift@4m good.json
	[ "$status" = 7 ]
	run simulate --fault metrics-down@3m+20m good.json
	[ "$status" = 5 ]
	run simulate --fault crash@3m+1m --fault patch-503@1m+1m good.json
	[ "$status" = 0 ]
	[[ $output == *"crashed and taken up again"* ]]
	run simulate --fault earthquake@3m good.json
	[ "$status" = 2 ]
}

@test "a recording that ends early waits, one without a series is invalid" {
	recording 100 0.001 >short.json
	run simulate short.json
	[ "$status" = 8 ]
	jq '.series = {other: .series.errors}' good.json >lacks.json
	run simulate lacks.json
	[ "$status" = 3 ]
	[[ $output == *'no series "errors"'* ]]
	simulate - <good.json
}

@test "several recordings: a line each in order, and whether all is expected" {
	jq '.expect = "rolled-back"' bad.json >known.json
	run simulate good.json known.json good.json
	[ "$status" = 0 ]
	[[ ${lines[0]} == "ok "*good.json* && ${lines[1]} == "ok "*known.json* ]]
	[[ $output == *"3 as expected, 0 not, 0 broken"* ]]
	echo '{}' >broken.json
	run simulate good.json bad.json broken.json
	[ "$status" = 1 ]
	[[ ${lines[1]} == "unexpected "*bad.json*"expected promoted"* ]]
	[[ ${lines[2]} == "broken "*broken.json* ]]
	run simulate --format json good.json bad.json broken.json
	[ "$status" = 1 ]
	jq -se '[.[].met] == [true, false, null, 1] and
		.[-1].event == "finished"' <<<"$output"
}

@test "a hundred recordings come in their order" {
	local i
	for i in $(seq -w 100); do
		ln -s good.json "r$i.json"
	done
	run simulate r*.json
	[ "$status" = 0 ]
	for i in $(seq -w 100); do
		[[ ${lines[10#$i - 1]} == "ok "*"r$i.json"* ]]
	done
}

@test "a folder stands for the recordings in it, on any number of cores" {
	local i cores
	mkdir r
	for i in $(seq -w 1 60); do
		ln good.json "r/r$i.json"
		ln bad.json "r/x$i.json"
	done
	echo hello >r/notes.txt
	run simulate r
	[ "$status" = 1 ]
	echo "$output" >all
	[ "$(grep -c '^ok .*r/r..\.json: promoted' all)" = 60 ]
	[ "$(grep -c '^unexpected .*r/x..\.json: rolled-back' all)" = 60 ]
	[ "$(head -n 120 all | grep -o '[rx]..\.json' |
		LC_ALL=C sort -c && echo sorted)" = sorted ]
	[[ $output == *"60 as expected, 60 not, 0 broken"* ]]
	grep -q '^rolled-back *60 *14s *14s *2.0 ' all
	for cores in 0 0-1; do
		taskset -c "$cores" "$WORKBENCH" simulate --policy policy.yaml \
			r >again || [ $? = 1 ]
		cmp all again
	done
	mkdir empty
	run simulate empty
	[ "$status" = 2 ]
	[[ $output == *"no recording (*.json) in empty"* ]]
	# Each has its page, and an index leads to all of them.
	mkdir s && cp good.json s/index.json && cp bad.json "s/a b&.json"
	run simulate --html pages r s
	[ "$status" = 1 ]
	[ "$(find pages -name '*.html' | wc -l)" = \
		$((1 + $(find r s -name '*.json' | wc -l))) ]
	[ "$(grep -c '<a href="./[a-z0-9%-]*.html">' pages/index.html)" = \
		$(($(find pages -name '*.html' | wc -l) - 1)) ]
	grep -q 'href="./a%20b%26.html">s/a b&amp;.json<' pages/index.html
	grep -q ': rolled-back</h1>' 'pages/a b&.html'
	grep -q ': promoted</h1>' pages/index-2.html
	echo >file
	run simulate --html file r
	[ "$status" = 2 ]
	[[ $output == *"--html file is no folder"* ]]
}

@test "a page stands alone and shows the check that decided" {
	jq '.context.candidate = "<script>alert(1)</script>"' bad.json >odd.json
	run simulate --html page.html odd.json
	[ "$status" = 5 ]
	local page
	page=$(<page.html)
	[[ $page == "<!doctype html>"*"</html>" ]]
	[[ $page == *"default-src 'none'"* && $page == *prefers-color-scheme* ]]
	[[ $page != *"<script"* && $page != *http://* && $page != *https://* ]]
	# One ring, around a breach, at the moment of the revert.
	[ "$(grep -o 'class="ring"' page.html | wc -l)" = 1 ]
	local ring
	ring=$(grep -o '<circle class="ring" cx="[0-9.]*%" cy="[0-9.]*"' page.html)
	[[ $page == *"<circle class=\"bad\"${ring#*ring\"} "* ]]
	[[ $page == *">reverting</td><td data-head=\"because\">errors: 2 % &gt; max 1 %"* ]]
	# A symlink stays one.
	mkdir pages
	mv page.html pages/newest.html
	ln -s pages/newest.html page.html
	run simulate --html page.html good.json
	[ "$status" = 0 ]
	[ -L page.html ]
	grep -q ': promoted</h1>' pages/newest.html
	run simulate --html nowhere/page.html good.json
	[ "$status" = 1 ]
}

@test "a page to standard output is there alone, and many go nowhere" {
	local way
	simulate --html page.html good.json
	run --separate-stderr simulate --html - good.json
	[ "$status" = 0 ]
	[ "$output" = "$(<page.html)" ]
	[[ $stderr == *promoted* ]]
	run --separate-stderr simulate --compare policy.yaml --html - good.json
	[ "$status" = 0 ]
	[[ $output == "<!doctype html>"*"</html>" ]]
	run --separate-stderr simulate --sweep slos.errors.max=2.05%..3.05%:2 \
		--html - good.json
	[[ $output == "<!doctype html>"*"</html>" ]]
	for way in "good.json bad.json" "--format json good.json" \
		"--compare policy.yaml good.json bad.json"; do
		# shellcheck disable=SC2086
		run --separate-stderr simulate --html - $way
		[ "$status" = 2 ]
		[ -z "$output" ]
		[[ $stderr == *'--html -'* ]]
	done
	run "$WORKBENCH" gameday s --policy policy.yaml --bad x -o -
	[ "$status" = 2 ]
	run "$TIDEGATE" sandbox --prometheus-config -
	[ "$status" = 2 ]
	[ ! -e - ] && [ ! -e -.md ] && [ ! -e -.html ]
}

@test "the recordings that come along end as they expect" {
	local folder=$BATS_TEST_DIRNAME/../../policies/recordings
	run "$WORKBENCH" simulate --policy "$folder/policy.yaml" "$folder"/*.json
	[ "$status" = 0 ]
	[[ $output == *"8 as expected, 0 not, 0 broken"* ]]
	# A policy that is blind for errors is found out by some of them.
	run "$WORKBENCH" simulate --policy "$folder/policy.yaml" \
		--set slos.errors-vs-stable.max_increase=90% "$folder"/*.json
	[ "$status" = 1 ]
	[[ $output == *"unexpected  "*slow-leak.json* ]]
}

@test "evidence is compared with thresholds, and its values are swept" {
	local folder=$BATS_TEST_DIRNAME/../../policies/recordings/evidence
	export PROMETHEUS_URL=http://127.0.0.1:1
	run "$WORKBENCH" simulate --format json --policy "$folder/policy.yaml" \
		--compare "$folder/thresholds.yaml" "$folder"
	[ "$status" = 1 ]
	# What both revisions suffer is no reason to take one back.
	jq -se '[.[].policies | map(.outcome)] == [["promoted", "promoted"],
		["promoted", "rolled-back"], ["rolled-back", "rolled-back"]]' \
		<<<"$output"
	run "$WORKBENCH" simulate --policy "$folder/policy.yaml" \
		--html page.html "$folder/ten-times-the-errors.json"
	[ "$status" = 5 ]
	[[ $output == *"errors: candidate 1."*", 11 times as many; "* ]]
	grep -q 'against [3-9].[0-9] of 3.0, for 0.0 of 3.0' page.html
	run "$WORKBENCH" simulate --policy "$folder/policy.yaml" \
		--sweep evidence.alpha=1%..20%:2 --sweep evidence.harm=5..10:2 \
		"$folder"
	[ "$status" = 0 ]
	[ "$(grep -cE '^[12]0*% +(5|10) +2 ' <<<"$output")" = 4 ]
	run "$WORKBENCH" simulate --format json --policy "$folder/policy.yaml" \
		--sweep evidence.alpha=1%..20%:3 "$folder"
	[ "$status" = 0 ]
	# A weaker promise decides no later.
	jq -se 'map(.values[0].value) == ["1%", "10.5%", "20%"] and
		all(.[]; .recordings == 3 and .promoted == 2 and
			.rolled_back == 1 and .false_reverts == 0) and
		(map(.time_to_revert_s_median) | . == (sort | reverse) and
			.[0] > .[2])' <<<"$output"
}

@test "a sweep of a limit counts false reverts and what was missed" {
	jq '.expect = "rolled-back"' bad.json >expected.json
	run simulate --format json --sweep slos.errors.max=0.05%..2.05%:3 \
		good.json expected.json
	[ "$status" = 0 ]
	jq -se 'map([.values[0].value, .false_reverts, .missed, .as_expected])
		== [["0.05%", 1, 0, 1], ["1.05%", 0, 0, 2], ["2.05%", 0, 1, 1]]' \
		<<<"$output"
}

@test "a sweep says who decides each recording, and which values suit all" {
	recording 900 'if . < 200 or . > 250 then 0.001 else 0.02 end' \
		>shortly.json
	jq '.expect = "rolled-back"' bad.json >expected.json
	run simulate --sweep slos.errors.max=0.05%..3.05%:4 --html page.html \
		good.json expected.json
	[ "$status" = 0 ]
	grep -qE '^good.json +rolled back by errors: 0.05% to 0.09%; promoted: above 0.09%$' <<<"$output"
	grep -qE '^expected.json +rolled back by errors: 0.05% to 1.99%; promoted: above 1.99%$' <<<"$output"
	[[ $output == *'all end as expected with slos.errors.max: 0.1% to 1.99%' ]]
	grep -q 'All 2 recordings end as expected with: 0.1% to 1.99%.' page.html
	grep -q 'rolled back by errors: 0.05% to 1.99%; promoted: above 1.99%' \
		page.html
	# Drawn, with the region shaded: from 1.7 % to 64.7 % of the width.
	grep -q 'aria-label="How recordings end over slos.errors.max"' page.html
	grep -q '<rect class="band" x="1.67%" y="[0-9]*" width="63.00%"' page.html
	grep -q '<title>1.05%: 1</title>' page.html
	run simulate --sweep slos.errors.max=2.05%..3.05%:2 good.json expected.json
	[ "$status" = 1 ]
	[[ $output == *': none of these values' ]]
	simulate --sweep slos.errors.max=2.05%..3.05%:2 --html page.html \
		expected.json || true
	! grep -q 'class="band"' page.html || return 1
	run simulate --format json --sweep slos.errors.max=0.05%..3.05%:2 bad.json
	jq -se 'map(.ends[0] | [.end, .slo]) ==
		[["rolled back", "errors"], ["promoted", null]] and
		map(.ends[0].turns_after) == [null, "1.99%"]' <<<"$output"
	# Downwards, and of a key that takes whole numbers.
	run simulate --sweep slos.errors.max=3%..1%:2 expected.json
	[[ $output == *'promoted: 3% to 2%; rolled back by errors: below 2%'* ]]
	[[ $output == *'slos.errors.max: 1.99% to 1%' ]]
	run --separate-stderr simulate \
		--sweep slos.errors.fail_after.breaches=1..11:2 \
		--set slos.errors.fail_after.of=11 shortly.json
	[ -z "$stderr" ]
	[[ $output == *'rolled back by errors: 1 to 6; promoted: above 6'* ]]
}

@test "a sweep of several keys says which combinations suit all" {
	local sweeps=(--sweep slos.errors.max=0.05%..3.05%:4
		--sweep slos.errors.fail_after.breaches=1..3:2)
	jq '.expect = "rolled-back"' bad.json >expected.json
	run simulate "${sweeps[@]}" --html page.html good.json expected.json
	[ "$status" = 0 ]
	# The page has the same grid: of two recordings one, or both.
	grep -q 'All 2 recordings end as expected with 2 of 8 combinations.' \
		page.html
	grep -qF '<th scope="row">0.05%</th><td style="--short:50%">1</td><td style="--short:50%">1</td>' page.html
	grep -qF '<th scope="row">1.05%</th><td class="all">2</td><td class="all">2</td>' page.html
	grep -qF 'promoted: 6 of 8' page.html
	grep -qE '^good.json +rolled back by errors: 2 of 8; promoted: 6 of 8$' <<<"$output"
	grep -qE '^slos.errors.max \\ slos.errors.fail_after.breaches +1 +3$' <<<"$output"
	grep -qE '^0.05% +1 not +1 not$' <<<"$output"
	grep -qE '^1.05% +all +all$' <<<"$output"
	[[ $output == *'all end as expected with 2 of 8 combinations' ]]
	# Many values lie down; of three keys, those that suit are listed.
	run simulate --sweep slos.errors.fail_after.breaches=1..3:2 \
		--sweep slos.errors.max=0.05%..3.05%:16 good.json expected.json
	grep -qE '^slos.errors.max \\ slos.errors.fail_after.breaches +1 +3$' <<<"$output"
	grep -qE '^0.05% +1 not +1 not$' <<<"$output"
	grep -qE '^0.25% +all +all$' <<<"$output"
	run simulate "${sweeps[@]}" --sweep hold_timeout=5m..10m:2 \
		--html page.html good.json expected.json
	# Of three keys there is a table alone.
	! grep -q 'class="heat' page.html || return 1
	[ "$(grep -c '<tr class="good">' page.html)" = 4 ]
	[[ $output == *$'with 4 of 16 combinations:\n  slos.errors.max=1.05% slos.errors.fail_after.breaches=1 hold_timeout=5m\n'* ]]
	run simulate --sweep slos.errors.max=0.1%..1.5%:15 "${sweeps[@]:2}" \
		--sweep hold_timeout=5m..10m:2 expected.json
	[[ $output == *'with 60 of 60 combinations:'*$'\n  and 40 more' ]]
	[ "$(grep -c '^  slos.errors.max=' <<<"$output")" = 20 ]
	run simulate --sweep slos.errors.max=2.5%..3%:2 \
		--sweep hold_timeout=5m..10m:2 expected.json
	[ "$status" = 1 ]
	[[ $output == *'with none of these combinations' ]]
}

@test "a sweep says why, where no SLO decided" {
	local folder=$BATS_TEST_DIRNAME/../../policies/recordings
	export PROMETHEUS_URL=http://127.0.0.1:1

	run "$WORKBENCH" simulate --policy "$folder/policy.yaml" \
		--sweep hold_timeout=10s..70s:3 "$folder/low-traffic.json"
	[ "$status" = 0 ]
	[[ $output == *'rolled back (nobody resolved the hold: bake is over; '*'): 10s to 62s; waiting (the recording ends before the decision): above 62s'* ]]
	run "$WORKBENCH" simulate --policy "$folder/policy.yaml" --format json \
		--sweep hold_timeout=10s..70s:2 "$folder/low-traffic.json"
	jq -se 'map(.ends[0]) |
		(.[0].reason | startswith("nobody resolved the hold")) and
		(.[0] | has("slo") | not) and
		.[1].reason == "the recording ends before the decision" and
		.[1].turns_after == "62s"' <<<"$output"
}

@test "a sweep that is none says what to write" {
	local wish
	while IFS='|' read -r wish said; do
		run simulate --sweep "$wish" good.json
		[ "$status" = 2 ]
		[[ $output == *"$said"*"evidence.alpha=1%..10%:5"* ]] || {
			echo "$wish: $output"
			return 1
		}
	done <<-'END'
		slos.errors.max|it has no key
		=1..2:3|it has no key
		slos.errors.max=1%|it has no range
		slos.errors.max=1%..x:3|no number
		slos.errors.max=1%..2:3|different units
		slos.errors.max=1%..2%:1|2 to 100
		slos.errors.max=1%..2%:3x|2 to 100
	END
	run simulate --sweep slos.errors.maxx=1%..2%:2 good.json
	[ "$status" = 3 ]
	[[ $output == *"maxx"* ]]
}

@test "two policies are compared, and a policy with itself changed" {
	run simulate --compare policy.yaml good.json bad.json
	[ "$status" = 0 ]
	[[ $output == *"they decide alike"* ]]
	run simulate --compare policy.yaml --set slos.errors.max=5% bad.json
	[ "$status" = 1 ]
	[[ $output == *"they part here:"* && $output == *"+3m"*"reverting 50 %"* ]]
	run simulate --compare policy.yaml --set slos.errors.max=5% \
		--format json good.json bad.json
	[ "$status" = 1 ]
	jq -se '[.[].alike] == [true, false] and ([.[1].policies[].outcome] ==
		["promoted", "rolled-back"])' <<<"$output"
	# As pages: both courses, and where they part.
	run simulate --compare policy.yaml --set slos.errors.max=5% \
		--html page.html bad.json
	[ "$status" = 1 ]
	grep -q '<h1>.*: the policies part</h1>' page.html
	[ "$(grep -c '<h2>.*: promoted</h2>' page.html)" = 1 ]
	[ "$(grep -c '<h2>.*: rolled-back</h2>' page.html)" = 1 ]
	run simulate --compare policy.yaml --set slos.errors.max=5% \
		--html pages good.json bad.json
	[ "$status" = 1 ]
	grep -q 'decide alike</h1>' pages/good.html
	grep -q 'policies part</h1>' pages/bad.html
	grep -q '<a href="./bad.html">bad.json</a>' pages/index.html
}

@test "a query that has changed since the recording is said" {
	jq '.series.errors.query = "something(else)"' good.json >other.json
	run --separate-stderr simulate other.json
	[ "$status" = 0 ]
	[[ $stderr == *'"errors" was recorded with another query'* ]]
}

@test "the same inputs give the same bytes, whatever the zone and language" {
	simulate bad.json >first || true
	simulate --format json bad.json >first.json || true
	local zone
	for zone in Asia/Kolkata America/New_York UTC; do
		TZ=$zone LC_ALL=de_DE.UTF-8 simulate bad.json >again || true
		cmp first again
		TZ=$zone LC_ALL=tr_TR.UTF-8 simulate --format json bad.json \
			>again || true
		cmp first.json again
	done
}

@test "what README shows is what is printed" {
	local top=$BATS_TEST_DIRNAME/../.. arguments n=0 line
	cd "$top" || return
	while read -r arguments; do
		# shellcheck disable=SC2086
		"$TIDEGATE" $arguments >"$WORLD/printed" || [ $? = 5 ]
		while IFS= read -r line; do
			grep -qxF -- "$line" "$WORLD/printed" || {
				echo "README has: $line"
				return 1
			}
			n=$((n + 1))
		done < <(awk -v command="$ tidegate $arguments" '
			/^```/ { shown = 0 }
			shown && $0 != "…"
			$0 == command { shown = 1 }' README.md)
	done < <(sed -n 's/^\$ tidegate \(simulate --policy policies.*\)/\1/p' README.md)
	[ "$n" -gt 15 ]
}

@test "the options that README suggests go with README's policy" {
	local options
	awk '/^```/ { shown = 0 } /^version: 1/ { shown = !done; done = 1 }
		shown' "$BATS_TEST_DIRNAME/../../README.md" >policy.yaml
	recording 6000 0.1 | jq -c '.series |= {"latency-p95": (.errors |
		del(.query))}' >slow.json
	simulate slow.json
	mapfile -t options < <(sed -n '/^What if?/s/`[^`]*$//p' \
		"$BATS_TEST_DIRNAME/../../README.md" |
		grep -o -- '--[a-z]* [^`]*' | tr ' ' '\n')
	[ "${#options[@]}" = 8 ]
	simulate "${options[@]}" slow.json
}
