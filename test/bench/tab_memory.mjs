// SPDX-License-Identifier: Apache-2.0
// The memory of a tab in which 500 rollouts run for an hour, in less of one: each
// change is told by the stream, asked for, and put in place, as many times as in
// an hour with 10 changes a second. Prints what is left after garbage collection.
//
// usage: MODULES=…/node_modules node tab_memory.mjs BUILD [CHANGES]
//   BUILD    folder with test/replay/make_pages
//   CHANGES  36000
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { launch } from "../pages/checks.mjs";
import { serve } from "../pages/server.mjs";

const ROWS = 500, AT_ONCE = 20, PARTS = 10;
const changes = Number(process.argv[3] ?? 36000);
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "tidegate-tab."));

async function used(tab) {
	const cdp = await tab.context().newCDPSession(tab);

	await cdp.send("HeapProfiler.collectGarbage");
	const heap = (await cdp.send("Runtime.getHeapUsage")).usedSize;
	const dom = await cdp.send("Memory.getDOMCounters");

	await cdp.detach();
	return [heap, dom];
}

const row = (n) => `backend-20260101-000000-abcd-${n % ROWS}`;

// Some rows at once, and then what they are now is there.
async function change(tab, server, n) {
	const mark = `changed ${n}`;

	server.edit = (html) => html.replace(
		/<div class="says"><p>[^<]*/g, `<div class="says"><p>${mark}`);
	for (let i = 0; i < AT_ONCE; i++)
		server.send(row(n + i));
	await tab.waitForFunction(([ids, text]) => ids.every((id) =>
		document.getElementById(`r-${id}`).textContent.includes(text)),
	[Array.from({ length: AT_ONCE }, (_, i) => row(n + i)), mark]);
}

const pages = path.join(folder, "pages"), served = path.join(folder, "served");

fs.mkdirSync(pages);
execFileSync(path.join(process.argv[2], "test/replay/make_pages"),
	[pages, served]);
const server = await serve(served);
const browser = await launch();

server.hasStream = true;
try {
	const tab = await (await browser.newContext()).newPage();

	await tab.goto(server.url("many"));
	await tab.waitForFunction(() =>
		document.querySelector("#age").textContent === "live");
	server.only = true;
	for (let n = 0; n <= changes; n += AT_ONCE) {
		if (n % (changes / PARTS) === 0) {
			const [heap, dom] = await used(tab);

			console.log(`${n} changes: ${Math.round(heap / 1024)} KiB, ` +
				`${dom.nodes} nodes, ${dom.jsEventListeners} listeners`);
		}
		await change(tab, server, n);
		server.asked.length = 1;
	}
} finally {
	await browser.close();
	server.close();
	fs.rmSync(folder, { recursive: true });
}
