#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2153,SC2154
# Services that release themselves: a deploy of a labelled service is a rollout.

bats_require_minimum_version 1.5.0

load world
load rollout
load shared
load daemon

setup() {
	rollout_world
	mkdir "$WORLD/policies"
	TOKEN=$("$CONTROLLER" token create e2e --for alice --expires 1h \
		--may read,start,operate,approve)
	quick
	mv "$WORLD/policy.yaml" "$WORLD/policies/quick.yaml"
	api PATCH "$SERVICE?updateMask=labels" \
		-d '{"labels": {"tidegate-policy": "quick"}}' >/dev/null
}

teardown() {
	[ -n "${BATS_TEST_COMPLETED-}" ] || { tail -n 30 "$WORLD/serve.err"; echo "${REPLY_BODY-}"; } >&2
	world_close
}

# The daemon with a row of `watch`, ROW being more of it. Sets SERVER, SERVE_PID.
watching() {
	cat >"$WORLD/serve.yaml" <<-YAML
		version: 1
		listen: 127.0.0.1:0
		state: $TIDEGATE_STATE
		policies: $WORLD/policies
		people:
		  - {name: alice, keys: ["email:alice@example.com"]}
		access:
		  - {who: [alice], may: [read, start, operate, approve]}
		watch:
		  - {project: acme, regions: [us-central1], label: tidegate-policy,
		     every: 1s${ROW:+, $ROW}}
	YAML
	serve_by_config
}

deploy() { # REVISION [WHO]
	api POST "$ADMIN/sandbox/deploy" -d "{\"revision\": \"$1\",
		\"by\": \"${2:-alice@example.com}\"}" >/dev/null
}

HERE=services/acme/us-central1/backend

# is TEXT…: each is in what the API says of the service.
is() {
	local text

	ask GET "/api/v1/$HERE"
	for text; do
		[[ $REPLY_BODY == *"$text"* ]] || return
	done
}

watch_is() { # STATE
	is "\"state\":\"$1\""
}

rollouts() { # how many there were
	ask GET "/api/v1/$HERE"
	jq '.rollouts | length' <<<"$REPLY_BODY"
}

said() { # TEXT: how often, in the log
	grep -c "$1" "$WORLD/serve.err" || true
}

@test "a new revision of a labelled service is released by itself, and only once" {
	watching
	until_true 20 watch_is old # backend-2 was there before
	[ "$(rollouts)" = 0 ]
	deploy backend-3
	until_true 30 is '"candidate":"backend-3"' '"phase":"promoted"'
	serves backend-3 100
	until_true 20 watch_is idle
	[ "$(rollouts)" = 1 ]
	is '"starter":"alice"'
	[[ $(curl -sS -H "Authorization: Bearer $TOKEN" "$SERVER/$HERE") == \
		*"New revisions are released by the policy"*"quick"* ]]

	# Killed in the middle: another one goes on and starts nothing twice.
	deploy backend-4 ci@acme.iam.gserviceaccount.com
	until_true 20 is '"candidate":"backend-4"' '"starter":"watch"'
	kill -KILL "$SERVE_PID"
	wait "$SERVE_PID" || true
	serve_by_config
	until_true 60 serves backend-4 100
	until_true 20 watch_is idle
	[ "$(rollouts)" = 2 ]
	[ "$(said 'state=old')" = 1 ]
}

@test "what was rolled back is not released again, its policy's fault is told once" {
	SLO='max: 0, fail_after: 1, min_passes: 1' quick
	mv "$WORLD/policy.yaml" "$WORLD/policies/quick.yaml"
	watching
	until_true 20 watch_is old
	answers '{"value": 5}'
	deploy backend-3
	until_true 30 is '"phase":"rolled-back"'
	until_true 20 watch_is rejected
	serves backend-1 100
	[ "$(rollouts)" = 1 ]
	answers '{"value": 0}'

	# No such policy.
	api PATCH "$SERVICE?updateMask=labels" \
		-d '{"labels": {"tidegate-policy": "qiuck"}}' >/dev/null
	deploy backend-4
	until_true 20 watch_is problem
	is 'did you mean quick?'
	until_true 20 said_looks 3
	[ "$(said 'state=problem')" = 1 ]
	# Another region's.
	quick 'target: {region: europe-west1}'
	mv "$WORLD/policy.yaml" "$WORLD/policies/qiuck.yaml"
	kill -HUP "$SERVE_PID"
	until_true 20 is 'is for another target'
	# It is one at last.
	quick
	mv "$WORLD/policy.yaml" "$WORLD/policies/qiuck.yaml"
	kill -HUP "$SERVE_PID"
	until_true 30 serves backend-4 100
}

# The sandbox has been asked so often since it was asked first.
said_looks() {
	local n

	n=$(api GET "$ADMIN/sandbox/log?method=GET" | grep -o 'services?' | wc -l)
	: "${LOOKS:=$n}"
	[ "$n" -ge $((LOOKS + $1)) ]
}

@test "the newest waits for the rollout that runs, what waited before is skipped" {
	STEPS=$LONG quick
	mv "$WORLD/policy.yaml" "$WORLD/policies/quick.yaml"
	watching
	until_true 20 watch_is old
	deploy backend-3
	until_true 30 serves backend-3 20
	deploy backend-4
	until_true 20 is '"state":"waiting"' '"waiting":"backend-4"'
	deploy backend-5
	until_true 20 is '"waiting":"backend-5"' '"skipped":"backend-4"'
	quick
	mv "$WORLD/policy.yaml" "$WORLD/policies/quick.yaml"
	kill -HUP "$SERVE_PID"
	"$TIDEGATE" abort "$(jq -r '.rollouts[0].rollout' <<<"$REPLY_BODY")"
	until_true 30 serves backend-5 100
	until_true 20 watch_is idle
	[ "$(rollouts)" = 2 ]
}

@test "a newer one replaces what the watch began, once that is taken back" {
	local first

	STEPS=$LONG quick
	mv "$WORLD/policy.yaml" "$WORLD/policies/quick.yaml"
	ROW='newer: replace' watching
	until_true 20 watch_is old
	deploy backend-3
	until_true 30 serves backend-3 20
	quick
	mv "$WORLD/policy.yaml" "$WORLD/policies/quick.yaml"
	kill -HUP "$SERVE_PID"
	deploy backend-4
	until_true 40 serves backend-4 100
	until_true 20 watch_is idle
	first=$(jq -c '.rollouts[1]' <<<"$REPLY_BODY")
	[[ $first == *'"phase":"rolled-back"'* ]]
	[[ $first == *'aborted by watch: backend-4 replaces it'* ]]
	# The second began when the first had ended.
	jq -e '.rollouts[0].started >= .rollouts[1].ended' <<<"$REPLY_BODY"
}

@test "a deploy that LATEST has released is said once, and pinned when that is wanted" {
	api PATCH "$SERVICE?updateMask=traffic" -d '{"traffic": [
		{"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST",
			"percent": 100, "tag": "live"}]}' >/dev/null
	until_true 20 serves backend-2 100
	watching
	until_true 20 watch_is latest
	until_true 20 said_looks 3
	[ "$(said 'state=latest')" = 1 ]
	kill -TERM "$SERVE_PID"
	wait "$SERVE_PID"

	ROW='pin: true' watching
	until_true 20 pinned backend-2
	until_true 20 watch_is idle
	deploy backend-3
	until_true 30 is '"candidate":"backend-3"' '"phase":"promoted"'
	serves backend-3 100
}

pinned() { # REVISION: it has everything by its name, and the tag of LATEST
	api GET "$SERVICE" | jq -e --arg r "$1" '.traffic == [{
		type: "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION", revision: $r,
		percent: 100, tag: "live"}]' >/dev/null
}

# A freeze of some hours around now, as YAML.
freeze() {
	printf '[{from: "%s", to: "%s", zone: UTC}]' \
		"$(date -u -d '-2 hours' '+%F %H:%M')" \
		"$(date -u -d '+2 hours' '+%F %H:%M')"
}

decide() { # VERB COMMENT: of the rollout ID, as it is seen
	REPLY_STATUS=$(curl -sS --max-time 30 -o "$WORLD/reply" \
		-w '%{http_code}' -H "Authorization: Bearer $TOKEN" \
		-H 'Content-Type: application/json' \
		"$SERVER/api/v1/rollouts/$ID/decisions" -d "{\"verb\": \"$1\",
		\"step\": 0, \"candidate\": \"backend-2\", \"comment\": \"$2\"}")
}

@test "a freeze stops starts and steps, and a person overrules it with a reason" {
	quick "freeze: $(freeze)"
	mv "$WORLD/policy.yaml" "$WORLD/policies/frozen.yaml"
	ROW="freeze: $(freeze)" watching
	until_true 20 watch_is old
	deploy backend-3
	until_true 20 watch_is frozen
	[ "$(rollouts)" = 0 ]

	# Started by hand: it waits, says until when, and is overruled.
	ID=$(curl -sS -H "Authorization: Bearer $TOKEN" "$SERVER/api/v1/rollouts" \
		-H 'Content-Type: application/json' -d '{"policy": "frozen",
		"service": "projects/acme/locations/us-central1/services/backend",
		"candidate": "backend-2"}' | jq -r .rollout)
	until_true 20 shows 'The freeze ends at'
	serves backend-1 100
	[[ $SHOWN == *'"verb":"continue","allowed":true,"comment_needed":true'* ]]
	decide continue ''
	[ "$REPLY_STATUS" = 400 ]
	grep -q comment-needed "$WORLD/reply"
	decide continue 'it repairs the checkout'
	[ "$REPLY_STATUS" = 202 ]
	until_true 30 serves backend-2 100
	ask GET "/api/v1/rollouts/$ID/events"
	[[ $REPLY_BODY == *'the freeze is overruled by alice: it repairs the checkout'* ]]
}

shows() { # TEXT: what is said of ID, in SHOWN
	ask GET "/api/v1/rollouts/$ID"
	SHOWN=$(jq -c . <<<"$REPLY_BODY")
	[[ $SHOWN == *"$1"* ]]
}

# What contrib/cloudrun has for Cloud Run itself.
HOSTING=$BATS_TEST_DIRNAME/../../contrib/cloudrun

@test "on Cloud Run it starts as its paper says, never releases itself, and ends in time" {
	local port began

	"$BATS_TEST_DIRNAME/bin/metadata-server" acme 123456789012 us-central1 \
		>"$WORLD/metadata" 3>&- &
	PIDS+=($!)
	until_true 10 [ -s "$WORLD/metadata" ]
	sed -e "s,/state/tidegate.db,$TIDEGATE_STATE," -e "s,/etc/tidegate/policies,$WORLD/policies," \
		"$HOSTING/serve.yaml" >"$WORLD/serve.yaml"
	export K_SERVICE=backend PORT=0
	GCE_METADATA_HOST=$(<"$WORLD/metadata")
	export GCE_METADATA_HOST
	"$WORKBENCH" check --config "$WORLD/serve.yaml"
	serve_by_config
	port=${SERVER##*:}
	[ "$(curl -sS "http://127.0.0.1:$port/readyz")" = ok ]
	[ "$(curl -sS "http://127.0.0.1:$port/healthz")" = ok ]
	curl -sS -H "Authorization: Bearer $TOKEN" \
		"http://127.0.0.1:$port/api/v1/rollouts" \
		-H 'Content-Type: application/json' -d '{"policy": "quick",
		"service": "projects/acme/locations/us-central1/services/backend"}' |
		grep 'never releases itself'
	serves backend-1 100
	began=$SECONDS
	kill -TERM "$SERVE_PID"
	wait "$SERVE_PID"
	[ $((SECONDS - began)) -lt 10 ]
}

@test "the service of contrib/cloudrun is always there, with its CPU and one instance" {
	python3 - "$HOSTING/service.yaml" <<-'PYTHON'
		import sys, yaml
		service = yaml.safe_load(open(sys.argv[1], encoding="utf-8"))
		template = service["spec"]["template"]
		notes, spec = template["metadata"]["annotations"], template["spec"]
		[container] = spec["containers"]
		assert notes["run.googleapis.com/cpu-throttling"] == "false"
		assert notes["autoscaling.knative.dev/minScale"] == "1"
		assert notes["autoscaling.knative.dev/maxScale"] == "1"
		assert container["startupProbe"]["httpGet"]["path"] == "/readyz"
		assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"
		assert {m["name"] for m in container["volumeMounts"]} == \
		    {v["name"] for v in spec["volumes"]}
		for volume in spec["volumes"]:  # no bucket and no share
		    assert set(volume) <= {"name", "secret", "emptyDir"}, volume
		for variable in container["env"]:
		    assert not any(word in variable["name"].lower()
		                   for word in ("secret", "token", "password"))
	PYTHON
}
