#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154,SC2034
# A rollout that nobody can scrape: a real Pushgateway has its metrics while it
# runs, and a receiver of OTLP its trace.

load world
load shared

setup() {
	shared_begin
	# Both sides; the second keeps what it is sent.
	prometheus-pushgateway --web.listen-address=127.0.0.1:0 \
		>"$WORLD/gateway.log" 2>&1 3>&- &
	PIDS+=($!)
	python3 - "$WORLD" >"$WORLD/receiver.log" 2>&1 3>&- <<-'END' &
		import http.server, sys
		class Receiver(http.server.BaseHTTPRequestHandler):
		    def do_POST(self):
		        body = self.rfile.read(int(self.headers['Content-Length']))
		        with open(sys.argv[1] + '/trace.json', 'wb') as file:
		            file.write(body)
		        with open(sys.argv[1] + '/trace.head', 'w') as file:
		            file.write(self.path + ' ' + str(self.headers))
		        self.send_response(200)
		        self.end_headers()
		        self.wfile.write(b'{}')
		server = http.server.HTTPServer(('127.0.0.1', 0), Receiver)
		with open(sys.argv[1] + '/receiver', 'w') as file:
		    file.write('http://127.0.0.1:%d' % server.server_port)
		server.serve_forever()
	END
	PIDS+=($!)
	until_true 20 grep -q 'address=127' "$WORLD/gateway.log"
	until_true 20 test -s "$WORLD/receiver"
	GATEWAY=http://$(grep -o '127.0.0.1:[0-9]*' "$WORLD/gateway.log" | tail -n 1)
	RECEIVER=$(<"$WORLD/receiver")
}

teardown() {
	shared_end
}

# begins [OPTION…]: a rollout waits at its gate, in the background
begins() {
	STEPS=$GATE quick
	"$TIDEGATE" run backend --policy "$WORLD/policy.yaml" --format json "$@" \
		>"$WORLD/run.json" 2>"$WORLD/run.err" 3>&- &
	RUN_PID=$!
	PIDS+=("$RUN_PID")
	until_true 30 grep -q '"to":"awaiting-approval"' "$WORLD/run.json"
}

pushed() { # PATTERN
	curl -s "$GATEWAY/metrics" | grep -qE "$1"
}

@test "a Pushgateway knows a rollout while it runs, and its trace is sent at the end" {
	local more='authorization=Basic%20dXNlcjpwYXNz ,x-bad=a%0d%0ax-worse: 1'

	begins
	TRACEPARENT=00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01 \
		OTEL_EXPORTER_OTLP_HEADERS="x-team=payments, $more" \
		"$WORKBENCH" export --push-metrics "$GATEWAY" --otlp "$RECEIVER" \
		>"$WORLD/export.out" 2>&1 3>&- &
	EXPORT_PID=$!
	PIDS+=("$EXPORT_PID")
	until_true 30 pushed "^tidegate_rollout_info\{.*candidate=\"$CANDIDATE\".*\} 1$"
	pushed '^tidegate_rollout_phase\{.*phase="awaiting-approval".*\} 1$'
	pushed '^tidegate_candidate_traffic_ratio\{.*job="tidegate".*\} 0.2$'
	TIDEGATE_USER=bob tide approve
	[ "$status" = 0 ]
	wait "$RUN_PID"
	wait "$EXPORT_PID"
	[ ! -s "$WORLD/export.out" ]
	refute pushed '^tidegate_rollout'
	grep -q '^/v1/traces ' "$WORLD/trace.head"
	grep -qi '^x-team: payments' "$WORLD/trace.head"
	grep -qi '^authorization: Basic dXNlcjpwYXNz' "$WORLD/trace.head"
	refute grep -qi 'x-bad\|x-worse' "$WORLD/trace.head"
	jq -e --arg c "$CANDIDATE" '.resourceSpans[0].scopeSpans[0].spans |
		(map(.traceId) | unique) == ["0af7651916cd43dd8448eb211c80319c"] and
		(.[0] | .name == "rollout" and .kind == 2 and
		 .parentSpanId == "b7ad6b7169203331" and .status.code == 1 and
		 ([.attributes[] | {(.key): .value.stringValue}] | add |
		  .["cicd.pipeline.result"] == "success" and
		  .["tidegate.candidate"] == $c)) and
		(.[0].spanId as $root | all(.[1:][]; .parentSpanId == $root)) and
		(map(.name) | contains(["baking", "awaiting-approval"])) and
		(all(.[]; (.startTimeUnixNano | test("^[0-9]{19}$")) and
		 .startTimeUnixNano <= .endTimeUnixNano)) and
		([.[].events? // [] | .[].name] | index("check") != null)' "$WORLD/trace.json"
}

@test "run starts it by itself, and it ends with the rollout" {
	begins --push-metrics "$GATEWAY" --otlp "$RECEIVER"
	until_true 30 pushed '^tidegate_rollout_phase\{.*phase="awaiting-approval".*\} 1$'
	tide abort --comment enough
	[ "$status" = 0 ]
	status=0
	wait "$RUN_PID" || status=$?
	[ "$status" = 6 ]
	refute pushed '^tidegate_rollout'
	jq -e '.resourceSpans[0].scopeSpans[0].spans[0].attributes[] |
		select(.key == "cicd.pipeline.result") |
		.value.stringValue == "cancellation"' "$WORLD/trace.json"
}

@test "a URL that cannot be sent to is refused before anything begins" {
	local option url

	STEPS=$GATE quick
	for option in --push-metrics --otlp; do
		for url in nonsense ftp://127.0.0.1/ http://192.0.2.1/ ''; do
			run "$TIDEGATE" run backend --policy "$WORLD/policy.yaml" \
				"$option" "$url"
			[ "$status" = 2 ]
			[[ $output == *"$option \"$url\": "* ]]
		done
	done
	[ ! -e "$TIDEGATE_STATE" ]
}

@test "who receives may be away or slow: the rollout does not wait, and it is said" {
	begins
	run "$WORKBENCH" export --push-metrics http://example.com:9091
	[ "$status" = 2 ]
	[[ $output == *'write https://'* ]]
	"$WORKBENCH" export --push-metrics http://127.0.0.1:1 \
		>"$WORLD/export.out" 2>&1 3>&- &
	EXPORT_PID=$!
	PIDS+=("$EXPORT_PID")
	until_true 30 grep -q 'export: pushing metrics: ' "$WORLD/export.out"
	TIDEGATE_USER=bob tide approve
	wait "$RUN_PID"
	status=0
	wait "$EXPORT_PID" || status=$?
	[ "$status" = 1 ]
	[ "$(grep -c '' "$WORLD/export.out")" = 1 ]
}

# hang: takes connections, and never answers
hang() {
	python3 - "$WORLD" >/dev/null 2>&1 3>&- <<-'END' &
		import socket, sys
		server = socket.create_server(('127.0.0.1', 0), backlog=64)
		with open(sys.argv[1] + '/hang', 'w') as file:
		    file.write('http://127.0.0.1:%d' % server.getsockname()[1])
		kept = []
		while True:
		    kept.append(server.accept())
	END
	PIDS+=($!)
	until_true 20 test -s "$WORLD/hang"
	HANG=$(<"$WORLD/hang")
}

# What it waits for them at its end is bounded (exporter.h): five seconds; a busy
# machine may need more, and one that waits for them would never end.
@test "who receives may hang: the rollout ends, and its end is told before" {
	hang
	begins --push-metrics "$HANG" --otlp "$HANG"
	TIDEGATE_USER=bob tide approve
	[ "$status" = 0 ]
	until_true 30 has_ended
	until_true 10 is_gone "$RUN_PID"
	wait "$RUN_PID"
}

has_ended() {
	grep -q '"outcome":"promoted"' "$WORLD/run.json"
}

@test "what was never reached is in the exit status, whatever else was" {
	begins
	"$WORKBENCH" export --push-metrics http://127.0.0.1:1 --otlp "$RECEIVER" \
		>"$WORLD/export.out" 2>&1 3>&- &
	EXPORT_PID=$!
	PIDS+=("$EXPORT_PID")
	until_true 30 grep -q 'export: pushing metrics: ' "$WORLD/export.out"
	TIDEGATE_USER=bob tide approve
	wait "$RUN_PID"
	status=0
	wait "$EXPORT_PID" || status=$?
	[ -s "$WORLD/trace.json" ]
	[ "$status" = 1 ]
}
