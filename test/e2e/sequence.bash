# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034,SC2154
# What policies/full-rollback.yaml acts on: a real Alertmanager, Redis,
# PostgreSQL and HTTP service, strict fakes of what cannot run here, a kubectl
# that records and plays back. Servers are shared by a file's tests, the rest
# belongs to a lane; lanes work side by side.

# ---- the file's ----

# In setup_file; WORLD is the folder of the file.
sequence_open() {
	PG=$(dirname "$(find /usr/lib/postgresql -name initdb | head -n 1)")
	alertmanager_start
	service_start
	postgres_start
	export PG ALERTS SERVICE_URL PGHOST PGUSER
}

sequence_close() {
	kill "${PIDS[@]}"
	wait "${PIDS[@]}" || true
	as_postgres "$PG/pg_ctl" -D "$PGHOST" -m immediate stop >/dev/null
	rm -rf "$PGHOST"
}

alertmanager_start() {
	local log=$WORLD/alertmanager.log

	printf 'route: {receiver: none}\nreceivers: [{name: none}]\n' \
		>"$WORLD/alertmanager.yml"
	prometheus-alertmanager --config.file="$WORLD/alertmanager.yml" \
		--storage.path="$WORLD/alertmanager" \
		--web.listen-address=127.0.0.1:0 \
		--cluster.listen-address= >"$log" 2>&1 3>&- &
	PIDS+=($!)
	until_true 60 grep -q 'Listening on' "$log"
	ALERTS=http://$(sed -n 's/.*"Listening on" address=//p' "$log")
	until_true 60 curl -sf -o /dev/null "$ALERTS/-/ready"
}

# Healthy, and without the feature: /api/v1/beta is 404.
service_start() {
	mkdir -p "$WORLD/www/api/v1"
	echo '{"status": "healthy"}' >"$WORLD/www/api/v1/health"
	python3 -u -m http.server --bind 127.0.0.1 --directory "$WORLD/www" 0 \
		>"$WORLD/service.log" 2>&1 3>&- &
	PIDS+=($!)
	until_true 60 grep -q 'Serving HTTP' "$WORLD/service.log"
	SERVICE_URL=http://127.0.0.1:$(sed -n 's/.* port \([0-9]*\) .*/\1/p' \
		"$WORLD/service.log")
}

# It refuses to run as root.
as_postgres() {
	if [ "$(id -u)" = 0 ]; then
		(cd / && runuser -u postgres -- "$@")
	else
		"$@"
	fi
}

# A server that only has a socket, and logs every statement.
postgres_start() {
	PGHOST=$(as_postgres mktemp -d /tmp/pg.XXXXXX)
	as_postgres "$PG/initdb" -D "$PGHOST" -A trust -U tide -N >/dev/null
	as_postgres "$PG/pg_ctl" -D "$PGHOST" -w -l "$PGHOST/log" -o \
		"-k $PGHOST -c listen_addresses= -c fsync=off \
		-c log_statement=all" start >/dev/null 3>&-
	PGUSER=tide
}

# ---- a lane's ----

# lane_open NAME: WORLD is its folder, with a service, a Redis and fakes of its
# own, a database, and the programs that the policy names.
lane_open() {
	WORLD=$SHARED/lane-$1
	PIDS=()
	mkdir "$WORLD" "$WORLD/bin"
	sandbox_start --project acme --revision stable-1 --operation-delay 50ms
	redis_start
	fakes_start
	export PGDATABASE=lane_$1
	psql -qd postgres -c "CREATE DATABASE $PGDATABASE"
	lane_programs
	export PATH=$WORLD/bin:$PATH
	shared_environment
	export CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER=$FAKES/
	export CLOUDSDK_API_ENDPOINT_OVERRIDES_FIREBASEHOSTING=$FAKES/
	export ALERTMANAGER_URL=$FAKES/am API_URL=$FAKES
	export SLACK_WEBHOOK=$FAKES/services/T0/B0/XXXX
	sed -e 's/bake: [0-9a-z]*/bake: 1h/' -e 's/every: 3s/every: 100ms/' \
		"$POLICIES/full-rollback.yaml" >"$WORLD/policy.yaml"
}

redis_start() {
	local try

	for try in 1 2 3 4 5; do
		REDIS_PORT=$((20000 + RANDOM % 10000))
		redis-server --port "$REDIS_PORT" --bind 127.0.0.1 --save '' \
			--dir "$WORLD" >"$WORLD/redis.log" 2>&1 3>&- &
		REDIS_PID=$!
		until_true 60 grep -qE 'Ready to accept|already in use|bind:' \
			"$WORLD/redis.log"
		grep -q 'Ready to accept' "$WORLD/redis.log" && break
	done
	PIDS+=("$REDIS_PID")
	export REDIS_URL=redis://127.0.0.1:$REDIS_PORT
}

redis() {
	redis-cli -p "$REDIS_PORT" "$@"
}

fakes_start() {
	python3 "$FAKES_PY" "$WORLD/fakes" "$ALERTS" "$SERVICE_URL" \
		>"$WORLD/fakes.log" 2>&1 3>&- &
	PIDS+=($!)
	until_true 60 test -s "$WORLD/fakes"
	FAKES=$(<"$WORLD/fakes")
}

fakes() { # reset|hold|state|log [JSON]
	curl -sf -H 'Content-Type: application/json' "$FAKES/control/$1" \
		-d "${2:-{\}}"
}

# Programs wait where a file hold-NAME lies, and are never heard of again.
lane_programs() {
	cat >"$WORLD/hold.sh" <<-SH
		export PGHOST=$PGHOST PGUSER=$PGUSER PGDATABASE=$PGDATABASE
		hold() {
			mv "$WORLD/hold-\$1" "$WORLD/held" 2>/dev/null || return 0
			echo \$\$ >"$WORLD/held"
			exec tail -f /dev/null
		}
	SH
	cat >"$WORLD/can-downgrade" <<-SH
		#!/bin/sh
		. "$WORLD/hold.sh"
		hold guard
		psql -v ON_ERROR_STOP=1 -qc "DO \\\$\\\$ BEGIN
			IF EXISTS (SELECT FROM cart WHERE note IS NOT NULL)
			THEN RAISE EXCEPTION 'notes would be lost'; END IF;
		END \\\$\\\$"
	SH
	cat >"$WORLD/bin/alembic" <<-SH
		#!/bin/sh
		. "$WORLD/hold.sh"
		[ "\$*" = 'downgrade -1' ] || exit 255
		hold command-before
		psql -v ON_ERROR_STOP=1 -q1c 'ALTER TABLE cart DROP COLUMN note;
			UPDATE version SET n = n - 1' || exit 1
		hold command-after
		echo 'Running downgrade 2 -> 1'
	SH
	kubectl_program
	chmod +x "$WORLD/can-downgrade" "$WORLD/bin/"*
}

# The cluster is three files: current revision, its template, its history.
kubectl_program() {
	cat >"$WORLD/bin/kubectl" <<-SH
		#!/bin/sh
		. "$WORLD/hold.sh"
		cd "$WORLD" || exit 1
		printf '%s\n' "\$1 \$2 \$3 \$4 \$5 \$6" >>kubectl.log
		[ "\$1 \$2" = '--namespace production' ] || exit 1
		shift 2
		case "\$*" in
		"get deployment/backend-worker -o jsonpath="*)
			hold kubectl-get
			cat revision; echo ' 10'; cat template ;;
		'get replicasets -o jsonpath='*) ;;
		'auth can-i '*) echo yes ;;
		'rollout undo deployment/backend-worker --to-revision='*)
			hold undo-before
			n=\${4#--to-revision=}
			grep -q "^\$n " history || {
				echo "error: unable to find specified revision \$n in history" >&2
				exit 1
			}
			sed -n "s/^\$n //p" history >template
			sed -i "/^\$n /d" history
			echo \$((\$(cat revision) + 1)) >revision
			echo "\$(cat revision) \$(cat template)" >>history
			echo undone >>effects
			hold undo-after
			echo 'deployment.apps/backend-worker rolled back' ;;
		'rollout status deployment/backend-worker --timeout='*s)
			hold kubectl-status
			echo 'deployment "backend-worker" successfully rolled out' ;;
		*) echo "error: unknown command \$*" >&2; exit 1 ;;
		esac
	SH
}

# ---- a trial's ----

# trial_begin CANDIDATE: everything as it is before a release.
trial_begin() {
	CANDIDATE=$1
	export TIDEGATE_STATE=$WORLD/$1.db
	rm -f "$WORLD"/*held "$WORLD"/hold-* "$WORLD"/incident-* \
		"$WORLD"/effects "$WORLD"/kubectl.log
	touch "$WORLD/effects"
	control PUT /traffic '{"stable-1": 100}'
	control POST /deploy "{\"revision\": \"$CANDIDATE\"}"
	until_true 10 serves stable-1 100
	fakes reset '{"secrets": {"acme/feature-beta": ["on"]},
		"sites": {"my-project": ["one"]}}' >/dev/null
	redis FLUSHALL >/dev/null
	redis MSET beta:1 a beta:2 b other 1 betamax 2 >/dev/null
	psql -q -c 'DROP TABLE IF EXISTS version, cart' \
		-c 'CREATE TABLE version (n int)' \
		-c 'INSERT INTO version VALUES (2)' \
		-c 'CREATE TABLE cart (id int, price int, note text)' 2>/dev/null
	echo '7 {"image":"worker:1"}' >"$WORLD/history"
	echo 7 >"$WORLD/revision"
	echo '{"image":"worker:1"}' >"$WORLD/template"
}

# The release brings a new site and worker, after preflight has looked.
trial_deploys() {
	fakes deploy '{"site": "my-project", "version": "two"}' >/dev/null
	echo '8 {"image":"worker:2"}' >>"$WORLD/history"
	echo 8 >"$WORLD/revision"
	echo '{"image":"worker:2"}' >"$WORLD/template"
}

trial_run() {
	rollout_start --project acme
	until_run has '"event":"step-started"'
	trial_deploys
}

silences() { # STATE: how many of this rollout are in it
	curl -sf "$ALERTS/api/v2/silences" |
		jq --arg state "$1" --arg by "tidegate $(rollout_id)" \
			'[.[] | select(.status.state == $state and
				.createdBy == $by)] | length'
}

is_held() {
	[ -s "$WORLD/held" ] || [ -e "$WORLD/fakes.held" ]
}

# effects: what came of it, in one line
effects() {
	local held

	held=$(fakes state)
	echo "silences=$(silences active)+$(silences expired)" \
		"secret=$(jq -r '.secrets["acme/feature-beta"] |
			join(",")' <<<"$held")" \
		"undone=$(wc -l <"$WORLD/effects")" \
		"template=$(jq -r .image "$WORLD/template")" \
		"site=$(jq -r '.sites["my-project"] | join(",")' <<<"$held")" \
		"keys=$(redis KEYS '*' | sort | paste -sd,)" \
		"schema=$(psql -Atc 'SELECT n FROM version')" \
		"messages=$(jq '.messages | length' <<<"$held")" \
		"reports=$(find "$WORLD" -name 'incident-*.md' | wc -l)"
}

# What comes of a sequence that ended well; the arguments are what differs.
effects_wanted() { # [NAME=VALUE…]
	local pair name text="silences=0+1 secret=on,off undone=1 \
template=worker:1 site=one,two,one keys=betamax,other schema=1 \
messages=1 reports=1"

	# shellcheck disable=SC2001
	for pair; do
		name=${pair%%=*}
		text=$(sed "s/$name=[^ ]*/$pair/" <<<"$text")
	done
	echo "$text"
}
