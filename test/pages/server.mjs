// SPDX-License-Identifier: Apache-2.0
// A server for pages that were made before: with the daemon's headers, and a
// stream whose events, silences and ends a test decides.
import fs from "node:fs";
import http from "node:http";
import path from "node:path";

const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; " +
	"img-src 'self'; connect-src 'self'; form-action 'self'; " +
	"base-uri 'none'; frame-ancestors 'none'; " +
	"require-trusted-types-for 'script'; trusted-types 'none'";
const TYPES = { ".css": "text/css", ".js": "text/javascript",
	".svg": "image/svg+xml" };
// Fonts do not depend on the machine.
const FONTS = `body, .chart text { font-family: "DejaVu Sans" !important }
	pre, textarea { font-family: "DejaVu Sans Mono" !important }`;

class Pages {
	constructor(folder) {
		this.folder = folder;
		this.streams = new Set();
		this.reset();
	}

	reset() {
		this.edit = null; // of what is sent
		this.status = 200; // of pages
		this.isAway = false; // breaks connections off
		this.only = false; // gives the rows that are asked for
		this.asked = []; // by the script
		this.posted = [];
		this.cut();
	}

	url(name) {
		return `${this.origin}/${name === "index" ? "" : name}`;
	}

	// A rollout has changed.
	send(rollout) {
		const data = { rollout };

		for (const stream of this.streams)
			stream.write(`event: rollout\ndata: ${JSON.stringify(data)}\n\n`);
	}

	cut() {
		for (const stream of this.streams)
			stream.destroy();
	}

	stream(response) {
		if (!this.hasStream) {
			response.writeHead(204).end();
			return;
		}
		response.writeHead(200, { "content-type": "text/event-stream",
			"cache-control": "no-store" });
		response.write("retry: 2000\nevent: heartbeat\ndata: {}\n\n");
		this.streams.add(response);
		response.on("close", () => this.streams.delete(response));
	}

	page(url, file) {
		let html = fs.readFileSync(file, "utf8");

		if (this.edit && this.asked.length)
			html = this.edit(html);
		if (this.only && url.searchParams.has("only"))
			html = html.replace(/<li class="row.*?<\/li>\n/gs, (row) =>
				(url.searchParams.get("only") ?? "").split(",").some(
					(id) => row.includes(`"r-${id}"`)) ? row : "");
		return html;
	}

	answer(request, response) {
		const url = new URL(request.url, this.origin);
		const at = url.pathname === "/" ? "/index" : url.pathname;
		const type = TYPES[path.extname(at)];
		const file = path.join(this.folder, at) + (type ? "" : ".html");

		if (this.isAway) {
			request.socket.destroy();
			return;
		}
		if (request.method === "POST") {
			let body = "";

			request.on("data", (bytes) => (body += bytes));
			request.on("end", () => {
				this.posted.push(body);
				response.writeHead(204).end();
			});
			return;
		}
		response.setHeader("content-security-policy", POLICY);
		response.setHeader("x-content-type-options", "nosniff");
		response.setHeader("referrer-policy", "same-origin");
		if (at === "/api/v1/stream") {
			this.stream(response);
			return;
		}
		if (request.headers["sec-fetch-dest"] === "empty")
			this.asked.push(request.url);
		if (!fs.existsSync(file) || !type && this.status !== 200) {
			response.writeHead(this.status === 200 ? 404 : this.status).end();
			return;
		}
		response.setHeader("content-type", type ?? "text/html; charset=utf-8");
		response.end(type ? fs.readFileSync(file, "utf8") +
			(type === "text/css" ? FONTS : "") : this.page(url, file));
	}

	close() {
		this.cut();
		this.server.close();
		this.server.closeAllConnections();
	}
}

export async function serve(folder) {
	const pages = new Pages(folder);

	pages.server = http.createServer((q, r) => pages.answer(q, r));
	await new Promise((f) => pages.server.listen(0, "127.0.0.1", f));
	pages.origin = `http://127.0.0.1:${pages.server.address().port}`;
	return pages;
}
