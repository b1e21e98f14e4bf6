/* SPDX-License-Identifier: Apache-2.0 */
/* The schema of the state file; see store_schema.h. Text only. */
#include "store/store_schema.h"

/*
 * A policy is kept once per content. The journal's key is (rollout, seq) and
 * its rows lie in that order. A lease's row stays when it is dropped, so that
 * its fencing token only grows.
 */
static const char version_1[] =
	"CREATE TABLE policy ("
	" digest TEXT PRIMARY KEY,"
	" source TEXT NOT NULL) WITHOUT ROWID;"

	"CREATE TABLE rollout ("
	" no INTEGER PRIMARY KEY,"
	" id TEXT NOT NULL UNIQUE,"
	" service TEXT NOT NULL,"
	" candidate TEXT NOT NULL,"
	" stable TEXT NOT NULL,"
	" policy_name TEXT NOT NULL,"
	" policy_path TEXT NOT NULL,"
	" policy_digest TEXT NOT NULL REFERENCES policy,"
	" options TEXT NOT NULL,"
	" starter TEXT NOT NULL,"
	" started_ms INTEGER NOT NULL,"
	" ended_ms INTEGER NOT NULL DEFAULT 0,"
	" phase TEXT NOT NULL,"
	" reason TEXT NOT NULL DEFAULT '',"
	" last_seq INTEGER NOT NULL DEFAULT 0);"
	"CREATE INDEX rollout_unfinished ON rollout (service)"
	" WHERE ended_ms = 0;"
	"CREATE INDEX rollout_candidate ON rollout (service, candidate);"

	"CREATE TABLE event ("
	" rollout INTEGER NOT NULL REFERENCES rollout,"
	" seq INTEGER NOT NULL CHECK (seq > 0),"
	" time_ms INTEGER NOT NULL,"
	" is_note INTEGER NOT NULL,"
	" name TEXT NOT NULL,"
	" phase TEXT NOT NULL,"
	" percent INTEGER NOT NULL,"
	" data TEXT NOT NULL,"
	" PRIMARY KEY (rollout, seq)) WITHOUT ROWID;"

	"CREATE TABLE lease ("
	" service TEXT PRIMARY KEY,"
	" rollout TEXT NOT NULL,"
	" host TEXT NOT NULL,"
	" boot TEXT NOT NULL,"
	" pid_space TEXT NOT NULL,"
	" pid INTEGER NOT NULL,"
	" pid_start INTEGER NOT NULL,"
	" fence INTEGER NOT NULL,"
	" expires_ms INTEGER NOT NULL) WITHOUT ROWID;"

	"CREATE TABLE command ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" rollout TEXT NOT NULL REFERENCES rollout (id),"
	" verb TEXT NOT NULL,"
	" who TEXT NOT NULL,"
	" comment TEXT NOT NULL,"
	" step INTEGER NOT NULL,"
	" time_ms INTEGER NOT NULL,"
	" state INTEGER NOT NULL DEFAULT 0,"
	" answer TEXT NOT NULL DEFAULT '');"
	"CREATE INDEX command_waiting ON command (rollout) WHERE state = 0;"

	"PRAGMA application_id = 1415858036;"
	"PRAGMA user_version = 1;";

/* Who may come in to the daemon: see store_identity.h. */
static const char version_2[] = "CREATE TABLE api_token ("
				" id TEXT PRIMARY KEY,"
				" hash TEXT NOT NULL,"
				" name TEXT NOT NULL,"
				" person TEXT NOT NULL,"
				" rights TEXT NOT NULL,"
				" created_by TEXT NOT NULL,"
				" created_ms INTEGER NOT NULL,"
				" expires_ms INTEGER NOT NULL,"
				" used_ms INTEGER NOT NULL,"
				" revoked_ms INTEGER NOT NULL) WITHOUT ROWID;"

				"CREATE TABLE session ("
				" hash TEXT PRIMARY KEY,"
				" data TEXT NOT NULL,"
				" created_ms INTEGER NOT NULL,"
				" used_ms INTEGER NOT NULL,"
				" expires_ms INTEGER NOT NULL) WITHOUT ROWID;"

				"CREATE TABLE used_proof ("
				" what TEXT PRIMARY KEY,"
				" until_ms INTEGER NOT NULL) WITHOUT ROWID;"

				"CREATE TABLE own_key ("
				" name TEXT PRIMARY KEY,"
				" value TEXT NOT NULL) WITHOUT ROWID;"

				"CREATE TABLE once ("
				" key TEXT PRIMARY KEY,"
				" digest TEXT NOT NULL,"
				" time_ms INTEGER NOT NULL,"
				" command_id INTEGER NOT NULL,"
				" status INTEGER NOT NULL,"
				" answer TEXT NOT NULL) WITHOUT ROWID;"
				"CREATE INDEX once_time ON once (time_ms);"

				"PRAGMA user_version = 2;";

/* When rollbacks were drilled: see store_drill.h. */
static const char version_3[] = "CREATE TABLE drill ("
				" service TEXT PRIMARY KEY,"
				" who TEXT NOT NULL,"
				" time_ms INTEGER NOT NULL) WITHOUT ROWID;"

				"PRAGMA user_version = 3;";

/* What the daemon's watch has seen: see store_watch.h. */
static const char version_4[] = "CREATE TABLE watch ("
				" service TEXT PRIMARY KEY,"
				" since_ms INTEGER NOT NULL,"
				" waiting TEXT NOT NULL DEFAULT '',"
				" skipped TEXT NOT NULL DEFAULT '',"
				" skipped_for TEXT NOT NULL DEFAULT '',"
				" skipped_ms INTEGER NOT NULL DEFAULT 0,"
				" claimed TEXT NOT NULL DEFAULT '',"
				" claimed_ms INTEGER NOT NULL DEFAULT 0)"
				" WITHOUT ROWID;"

				"PRAGMA user_version = 4;";

/* What the daemon has posted elsewhere: see store_notice.h. */
static const char version_5[] = "CREATE TABLE notice ("
				" rollout TEXT NOT NULL,"
				" place TEXT NOT NULL,"
				" mark TEXT NOT NULL,"
				" message TEXT NOT NULL,"
				" begun_ms INTEGER NOT NULL,"
				" over INTEGER NOT NULL,"
				" PRIMARY KEY (rollout, place)) WITHOUT ROWID;"
				"CREATE INDEX notice_open ON notice (begun_ms)"
				" WHERE over = 0;"

				"PRAGMA user_version = 5;";

/* In place of once: also what came of a request, and whose work it is. Six columns
 * more would have the whole schema read six times. */
static const char version_6[] =
	"CREATE TABLE request ("
	" key TEXT PRIMARY KEY,"
	" digest TEXT NOT NULL,"
	" time_ms INTEGER NOT NULL,"
	" command_id INTEGER NOT NULL,"
	" rollout TEXT NOT NULL DEFAULT '',"
	" status INTEGER NOT NULL,"
	" answer TEXT NOT NULL,"
	" host TEXT NOT NULL DEFAULT '',"
	" boot TEXT NOT NULL DEFAULT '',"
	" pid_space TEXT NOT NULL DEFAULT '',"
	" pid INTEGER NOT NULL DEFAULT 0,"
	" pid_start INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;"
	"INSERT INTO request (key, digest, time_ms, command_id, status, answer)"
	" SELECT key, digest, time_ms, command_id, status, answer FROM once;"
	"DROP TABLE once;"
	"CREATE INDEX request_time ON request (time_ms);"

	"PRAGMA user_version = 6;";

const char *const store_migrations[STORE_VERSION] = {
	version_1,
	version_2,
	version_3,
	version_4,
	version_5,
	version_6,
};
