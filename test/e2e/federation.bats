#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154,SC2034
# A workflow's job without a key: the credential file that GitHub's action
# writes, tokens that end while the rollout goes on.

load world
load suite
load rollout
load shared

bats_require_minimum_version 1.5.0


setup() {
	shared_begin
	unset CLOUDSDK_AUTH_ACCESS_TOKEN
}

teardown() { shared_end; }

# google_start LIFE: of access tokens, in seconds. Sets GOOGLE, points at it.
google_start() {
	python3 "$BATS_TEST_DIRNAME/google.py" "$ADMIN" "$1" \
		>"$WORLD/google" 2>"$WORLD/google.err" 3>&- &
	PIDS+=($!)
	until_true 10 test -s "$WORLD/google"
	GOOGLE=$(cat "$WORLD/google")
	export CLOUDSDK_API_ENDPOINT_OVERRIDES_RUN=$GOOGLE/
	export CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS=$GOOGLE/
	export CLOUDSDK_AUTH_TOKEN_HOST=$GOOGLE/v1/token
	export GOOGLE_APPLICATION_CREDENTIALS=$WORLD/gha-creds.json
	credentials
}

# credentials [JQ]: the file, changed by it
credentials() {
	local pool=iam.googleapis.com/projects/123456789012/locations/global
	local provider=$pool/workloadIdentityPools/gh/providers/github

	jq -n --arg provider "$provider" --arg google "$GOOGLE" '{
		type: "external_account",
		audience: "//\($provider)",
		subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
		token_url: "https://sts.googleapis.com/v1/token",
		credential_source: {
			url: ("\($google)/oidc?api-version=2.0&audience="
				+ ("https://\($provider)" | @uri)),
			headers: {Authorization: "Bearer r3quest"},
			format: {type: "json",
				subject_token_field_name: "value"}},
		service_account_impersonation_url:
			("https://iamcredentials.googleapis.com/v1/projects/-/"
			+ "serviceAccounts/deploy@acme.iam.gserviceaccount.com"
			+ ":generateAccessToken")
		} | '"${1:-.}" >"$GOOGLE_APPLICATION_CREDENTIALS"
}

times() { # WORD
	curl -sf "$GOOGLE/log" |
		jq --arg word "$1" '[.[] | select(. == $word)] | length'
}

happened() { # WORD [TIMES]: so often at least
	[ "$(times "$1")" -ge "${2:-1}" ]
}

@test "tokens end in mid-rollout, and nobody notices" {
	google_start 6
	# A smoke test of a service that wants to know who calls comes first.
	STEPS=$GATE quick \
		'preflight:' \
		"  - name: smoke" \
		"    type: http" \
		"    url: $GOOGLE/private" \
		"    auth: {type: id-token, audience: https://shop.example.run.app}" \
		"    expect: {body: healthy}" \
		'hooks:' \
		'  step_passed:' \
		"  - name: tell" \
		"    type: webhook" \
		"    url: $GOOGLE/private" \
		"    auth: {type: id-token, audience: https://shop.example.run.app}"
	rollout_start
	until_run said '.event == "action" and .name == "tell" and .result == "ok"'
	until_true 20 happened access 2 # ahead of its end
	refute happened turned-away
	# Others live for long. All of them are withdrawn at once: one is refused,
	# and then another one is got.
	local n
	curl -sf -X POST -d 3600 "$GOOGLE/life"
	n=$(times access)
	until_true 20 happened access $((n + 1))
	curl -sf -X POST -d '' "$GOOGLE/revoke"
	until_true 20 happened turned-away
	until_true 20 happened access $((n + 2))
	"$TIDEGATE" approve --as bob
	rollout_ends 0
	serves "$CANDIDATE" 100
	happened subject $((n + 2)) # each was got anew
	refute grep -rqE 's3cr3t|r3quest' "$WORLD/run.json" "$WORLD/run.err" \
		"$TIDEGATE_STATE"
}

@test "an ID token that cannot be had is found before anything moves" {
	google_start 3600
	quick \
		'hooks:' \
		'  promoted:' \
		"  - name: tell" \
		"    type: webhook" \
		"    url: $GOOGLE/private" \
		'    auth: {type: id-token}'
	rollout_start
	rollout_ends 4
	finished '.reason | contains("promoted: action \"tell\"") and
		contains("getOpenIdToken")'
	[ -z "$(writes)" ]
}

@test "what is wrong on the way to a token is told with a remedy" {
	google_start 3600
	quick
	credentials '.credential_source.headers.Authorization = "Bearer old"'
	rollout_start
	rollout_ends 4
	grep -q "$WORLD/gha-creds.json.*getting the subject token from .*: HTTP 401" \
		"$WORLD/run.err" "$WORLD/run.json"
	credentials '.audience = "//iam.googleapis.com/other"'
	rollout_start
	rollout_ends 4
	grep -q "exchanging the subject token at .*invalid_request" \
		"$WORLD/run.err" "$WORLD/run.json"
	credentials '.token_url = "https://evil.example/v1/token"'
	rollout_start
	rollout_ends 4
	grep -q '\\*"token_url\\*" is \\*"https://evil.example/' \
		"$WORLD/run.err" "$WORLD/run.json"
	[ -z "$(writes)" ]
}

@test "people are told the whole reason, what to do included" {
	google_start 3600
	quick
	credentials '.credential_source.headers.Authorization = "Bearer old"
		| .audience = "//iam.googleapis.com/projects/123456789012/"
			+ ("x" * 300)'
	run -4 "$TIDEGATE" run backend --policy "$WORLD/policy.yaml"
	[[ $output == *"/oidc: HTTP 401"* ]]
	unset GOOGLE_APPLICATION_CREDENTIALS
	HOME=$WORLD NO_GCE_CHECK=true run -4 "$TIDEGATE" run backend \
		--policy "$WORLD/policy.yaml"
	[[ $output == *"or log in (gcloud auth application-default login)"* ]]
}
