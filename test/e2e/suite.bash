# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034
# The one Prometheus of the whole run, in SUITE, a folder that all tests know.
# It starts when the first test needs it, and scrapes meter, which hands on what
# the sandboxes of tests count, each with a label of its own.

# In setup_suite, and for who runs several bats at once.
suite_open() { # FOLDER
	export SUITE=$1
	: >"$SUITE/pids"
}

suite_close() {
	local pid

	while read -r pid; do
		kill "$pid" || true
	done <"$SUITE/pids"
}

# suite_start sets PROMETHEUS and METER; the first to come starts them.
suite_start() {
	exec {SUITE_LOCK}>"$SUITE/lock"
	flock "$SUITE_LOCK"
	[ -s "$SUITE/prometheus" ] || suite_launch {SUITE_LOCK}>&- || return
	exec {SUITE_LOCK}>&-
	METER=$(<"$SUITE/meter")
	PROMETHEUS=$(<"$SUITE/prometheus")
}

suite_launch() {
	local log=$SUITE/prometheus.log folder url

	folder=$(dirname "${BASH_SOURCE[0]}")
	"$folder/meter" "$SUITE/meter" >"$SUITE/meter.log" 2>&1 </dev/null 3>&- &
	echo $! >>"$SUITE/pids"
	until_true 20 test -s "$SUITE/meter"
	url=$(<"$SUITE/meter")
	cat >"$SUITE/prometheus.yml" <<-END
		global: {scrape_interval: 500ms, evaluation_interval: 1s}
		scrape_configs:
		  - job_name: sandboxes
		    static_configs: [{targets: ["${url#http://}"]}]
	END
	prometheus --config.file="$SUITE/prometheus.yml" \
		--storage.tsdb.path="$SUITE/tsdb" \
		--web.listen-address=127.0.0.1:0 >"$log" 2>&1 </dev/null 3>&- &
	echo $! >>"$SUITE/pids"
	until_true 20 grep -q 'Listening on' "$log"
	url=http://$(sed -n 's/.*"Listening on" address=//p' "$log")
	until_true 20 curl -sf -o /dev/null "$url/-/ready"
	curl -sf -X PUT -d "$url" "$(<"$SUITE/meter")/prometheus"
	until_true 60 suite_scrapes "$url"
	echo "$url" >"$SUITE/prometheus"
}

suite_scrapes() { # URL: it does, some seconds after its start
	[[ $(curl -sf "$1/api/v1/query?query=up") == *'"1"]'* ]]
}

# metered NAME: the sandbox is scraped, as sandbox="NAME". PROMETHEUS is asked
# through a front that is this test's own: see metrics_stop.
metered() {
	suite_start
	METERED=$1
	curl -sf -X PUT -d "$METRICS" "$METER/targets/$METERED"
	PROMETHEUS=$METER/front/$METERED
}

# What asks waits, as for a server that hangs, until metrics_continue.
metrics_stop() {
	curl -sf -X PUT -d hold "$METER/hold/$METERED"
}

metrics_continue() {
	curl -sf -X PUT -d '' "$METER/hold/$METERED"
}
