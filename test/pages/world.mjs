// SPDX-License-Identifier: Apache-2.0
// A daemon over a sandbox, for a browser: both are programs of the build, in a
// folder of their own, and gone when it is closed.
import { execFile, spawn } from "node:child_process";
import crypto from "node:crypto";
import fs from "node:fs";
import http from "node:http";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";

import { PATIENCE_MS } from "./checks.mjs";

const LOOK_MS = 100;
const NGINX = "/usr/sbin/nginx";

const POLICY = `version: 1
name: '<b onclick=alert(1)>e2e</b> "&'
target: {project: acme, region: us-central1, service: backend}
metrics: {url: "\${PROMETHEUS_URL}", timeout: 900ms}
steps:
  - {percent: 20, bake: 1s}
  - {percent: 50, bake: 1s, approval: {approvers: [alice, bob], timeout: 1h,
       self_approval: true}}
  - {percent: 100, bake: 1h}
settle: 0s
slos:
  - {name: errors, query: 'x{revision="{{candidate}}"}', max: 1, window: 5s,
     interval: 3s, min_passes: 1}
`;

// Who starts it does not let it through.
const STRICT = POLICY.replace(/,\s+self_approval: true/, "");

export async function until(what, is) {
	for (const end = Date.now() + PATIENCE_MS; Date.now() < end;) {
		const answer = await is();

		if (answer)
			return answer;
		await new Promise((f) => setTimeout(f, LOOK_MS));
	}
	throw new Error(`not in ${PATIENCE_MS} ms: ${what}`);
}

const freePort = () => new Promise((f) => {
	const server = net.createServer().listen(0, "127.0.0.1", () => {
		const { port } = server.address();

		server.close(() => f(port));
	});
});

// Lets in whom the browser's header x-person names.
class Issuer {
	async open() {
		const { privateKey, publicKey } = crypto.generateKeyPairSync("rsa",
			{ modulusLength: 2048 });

		this.key = privateKey;
		this.jwk = { ...publicKey.export({ format: "jwk" }), kid: "1",
			alg: "RS256", use: "sig" };
		this.nonces = {};
		this.server = http.createServer((q, r) => this.answer(q, r));
		await new Promise((f) => this.server.listen(0, "127.0.0.1", f));
		this.address = `http://127.0.0.1:${this.server.address().port}`;
	}

	close() {
		this.server.close();
		this.server.closeAllConnections();
	}

	token(code) {
		const now = Math.floor(Date.now() / 1000);
		const parts = [{ alg: "RS256", kid: "1", typ: "JWT" }, {
			iss: this.address, sub: code.split(" ")[0], aud: "pages",
			iat: now, exp: now + 600, nonce: this.nonces[code],
		}].map((part) => Buffer.from(JSON.stringify(part))
			.toString("base64url")).join(".");

		return `${parts}.${crypto.sign("sha256", Buffer.from(parts), this.key)
			.toString("base64url")}`;
	}

	async answer(request, response) {
		const url = new URL(request.url, this.address);
		const json = (value) => response
			.setHeader("content-type", "application/json")
			.end(JSON.stringify(value));

		if (url.pathname === "/.well-known/openid-configuration") {
			json({ issuer: this.address,
				jwks_uri: `${this.address}/keys`,
				authorization_endpoint: `${this.address}/authorize`,
				token_endpoint: `${this.address}/token` });
		} else if (url.pathname === "/keys") {
			json({ keys: [this.jwk] });
		} else if (url.pathname === "/authorize") {
			const to = new URL(url.searchParams.get("redirect_uri"));
			const code = `${request.headers["x-person"]} ` +
				crypto.randomUUID();

			this.nonces[code] = url.searchParams.get("nonce");
			to.searchParams.set("code", code);
			to.searchParams.set("state", url.searchParams.get("state"));
			response.writeHead(302, { location: to.href }).end();
		} else if (url.pathname === "/token") {
			let body = "";

			for await (const bytes of request)
				body += bytes;
			json({ token_type: "Bearer", access_token: "none",
				id_token: this.token(
					new URLSearchParams(body).get("code")) });
		} else {
			response.writeHead(404).end();
		}
	}
}

export class World {
	constructor(build) {
		this.tidegate = path.resolve(build, "tidegate");
		this.folder = fs.mkdtempSync(path.join(os.tmpdir(), "tidegate-served."));
		this.children = [];
	}

	file(name) {
		return path.join(this.folder, name);
	}

	// Until it has said its first line, which is JSON.
	async start(name, args) {
		const out = this.file(`${name}.out`);
		const child = spawn(this.tidegate, args, {
			cwd: this.folder,
			env: this.env,
			stdio: ["ignore", fs.openSync(out, "w"),
				fs.openSync(this.file(`${name}.err`), "a")],
		});

		this.children.push(child);
		const text = await until(`${name} begins`, () => {
			if (child.exitCode !== null)
				throw new Error(fs.readFileSync(
					this.file(`${name}.err`), "utf8"));
			const said = fs.readFileSync(out, "utf8");

			return said.includes("\n") && said;
		});

		return [child, JSON.parse(text.split("\n")[0])];
	}

	async open() {
		this.env = { ...process.env };
		fs.mkdirSync(this.file("policies"));
		fs.writeFileSync(this.file("policies/e2e.yaml"), POLICY);
		fs.writeFileSync(this.file("policies/strict.yaml"), STRICT);
		const [, sandbox] = await this.start("sandbox", ["sandbox",
			"--project", "acme", "--revision", "backend-1:latency=1ms",
			"--revision", "backend-2:latency=1ms",
			"--revision", "backend-3:latency=1ms",
			"--traffic", "backend-1=100", "--operation-delay", "100ms"]);

		Object.assign(this.env, {
			CLOUDSDK_API_ENDPOINT_OVERRIDES_RUN: `${sandbox.admin}/`,
			CLOUDSDK_AUTH_ACCESS_TOKEN: "e2e-token",
			PROMETHEUS_URL: `${sandbox.admin}/prometheus`,
			TIDEGATE_STATE: this.file("state.db"),
			TIDEGATE_USER: "alice",
		});
		this.issuer = new Issuer();
		await this.issuer.open();
		this.port = await freePort();
		this.address = `http://127.0.0.1:${this.port}`;
		this.tokens = {};
		for (const who of ["alice", "bob", "eve"])
			this.tokens[who] = JSON.parse(await this.tool("token", "create",
				`pages-${who}`, "--for", who, "--expires", "1h",
				"--may", "read,start,operate,approve",
				"--format", "json")).token;
		fs.writeFileSync(this.file("secret"), "pages-secret-0123456789");
		fs.writeFileSync(this.file("serve.yaml"), this.config());
		await this.serve();
	}

	async serve() {
		[this.daemon] = await this.start("serve", ["serve", "--config",
			this.file("serve.yaml"), "--format", "json"]);
	}

	// Who may do what, and how they come in.
	config() {
		return `version: 1
listen: 127.0.0.1:${this.port}
public_url: ${this.address}
state: state.db
policies: policies
identity:
  - {type: token}
  - {type: oidc, issuer: "${this.issuer.address}", client_id: pages,
     client_secret_file: secret}
people:
  - {name: alice, keys: ["oidc:${this.issuer.address}|alice"]}
  - {name: bob, keys: ["oidc:${this.issuer.address}|bob"]}
  - {name: eve, keys: ["oidc:${this.issuer.address}|eve"]}
access:
  - {who: [alice, bob], may: [read, start, operate, approve]}
  - {who: [eve], may: [read]}
`;
	}

	// Asks with a token of ours, as a program would.
	async ask(who, method, where, body) {
		const answer = await fetch(this.address + where, {
			method, body, redirect: "manual",
			headers: { authorization: `Bearer ${this.tokens[who]}`,
				"content-type": body?.startsWith("{")
					? "application/json"
					: "application/x-www-form-urlencoded" },
		});

		return [answer.status, await answer.text()];
	}

	kill() {
		const gone = new Promise((f) => this.daemon.once("exit", f));

		this.daemon.kill("SIGKILL");
		return gone;
	}

	// Debian's packages of a server are not everywhere.
	hasProxy() {
		const is = fs.existsSync(NGINX);

		if (!is)
			console.log("# there is no nginx: contrib/install-deps");
		return is;
	}

	// Before the daemon, which stands under /ops/ there. Its address.
	async proxy(buffering) {
		const port = await freePort();
		const folder = this.file(`nginx-${buffering}`);

		fs.mkdirSync(folder);
		fs.writeFileSync(path.join(folder, "nginx.conf"), `daemon off;
			pid ${folder}/pid; error_log ${folder}/log;
			events {}
			http {
				access_log off;
				client_body_temp_path ${folder}; proxy_temp_path ${folder};
				fastcgi_temp_path ${folder}; uwsgi_temp_path ${folder};
				scgi_temp_path ${folder};
				server {
					listen 127.0.0.1:${port};
					location /ops/ {
						proxy_pass ${this.address}/;
						proxy_http_version 1.1;
						proxy_buffering ${buffering};
					}
				}
			}`);
		this.children.push(spawn(NGINX,
			["-p", folder, "-c", "nginx.conf", "-e", "log"],
			{ stdio: "ignore" }));
		await until("nginx answers", () => new Promise((f) => {
			const socket = net.connect(port, "127.0.0.1");

			socket.on("connect", () => {
				socket.destroy();
				f(true);
			});
			socket.on("error", () => f(false));
		}));
		return `http://127.0.0.1:${port}/ops`;
	}

	async tool(...args) {
		const { stdout } = await promisify(execFile)(this.tidegate, args,
			{ env: this.env });

		return stdout;
	}

	async close() {
		for (const child of this.children.reverse())
			if (child.exitCode === null && child.signalCode === null) {
				const gone = new Promise((f) => child.once("exit", f));

				// Only a nginx that may takes its workers along.
				child.kill(child.spawnfile.endsWith("nginx") ? "SIGTERM"
					: "SIGKILL");
				await gone;
			}
		this.issuer?.close();
		fs.rmSync(this.folder, { recursive: true, force: true });
	}
}
