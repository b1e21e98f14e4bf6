// SPDX-License-Identifier: Apache-2.0
// Looks at the daemon's pages in a real Chromium, as a server would give them,
// with its policy of what may be fetched and run: at three widths, light, dark
// and on paper; nothing overflows or overlaps, nothing is refused by the policy,
// axe finds nothing, texts of strangers are texts. Then what their script does
// when the world changes, the stream falls silent, or nobody is there. Prints TAP.
//
// usage: MODULES=…/node_modules [UPDATE=yes] node served.mjs OUT GOLDEN
import fs from "node:fs";
import path from "node:path";
import { PAPER, PATIENCE_MS, WIDTHS, addAxe, allRules, compare, contrastOnly,
	findViolations, launch, openContext, overflows, overlaps, picture } from "./checks.mjs";
import { serve } from "./server.mjs";

const [out, golden] = process.argv.slice(2);
const folder = path.join(out, "served");
const SCALE = 0.5;
const LOOK_MS = 100;
// All that there is of colours.
const DARK = ["index", "rollouts/waiting", "services/acme/us-central1/backend"];

const GOLDEN = [
	["index", 1280, "light"],
	["index", 390, "dark"],
	["rollouts/waiting", 820, "light"],
	["rollouts/waiting/decide", 390, "light"],
];

let n = 0, failed = 0;

function tell(name, wrong) {
	console.log(`${wrong.length ? "not ok" : "ok"} ${++n} - ${name}`);
	for (const what of wrong)
		console.log(`# ${String(what).replaceAll("\n", " ")}`);
	failed += wrong.length > 0;
}

// ---- how a page looks ----

// Ours alone is run, forms and links lead to the daemon alone.
function isHarmless() {
	const wrong = [], scripts = document.querySelectorAll("script");

	if (scripts.length !== 1 || scripts[0].textContent ||
		!/^(\.\.?\/)+assets\/pages-[0-9a-f]{16}\.js$/
			.test(scripts[0].getAttribute("src")))
		wrong.push("not our script alone");
	for (const e of document.querySelectorAll(
		"img, iframe, object, base, audio, video, style"))
		wrong.push(`a ${e.tagName}`);
	for (const e of document.querySelectorAll("*"))
		for (const { name } of e.attributes)
			if (name.startsWith("on") || name === "style")
				wrong.push(`${e.tagName} has ${name}`);
	for (const e of document.querySelectorAll("[href], [action]")) {
		const to = e.getAttribute("href") ?? e.getAttribute("action");

		if (!/^((\.\.?\/)+[\w/.%~-]*)?(\?[\w.%~=&-]+)?(#[\w-]+)?$/.test(to))
			wrong.push(`a link to ${to}`);
	}
	for (const e of document.querySelectorAll("form[method=post]"))
		if (!e.elements.form_token)
			wrong.push("a form that any site could post");
	return wrong;
}

function isReadable() {
	const wrong = [];
	const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);

	if (document.querySelectorAll("h1").length !== 1)
		wrong.push("there is not one heading");
	if (!document.title.endsWith(" – tidegate"))
		wrong.push(`its title is ${document.title}`);
	if (new Set(ids).size !== ids.length)
		wrong.push("two have the same id");
	return wrong;
}

async function lookAt(tab, server, name) {
	const wrong = new Set(), errors = [];
	const say = (where, list) => {
		for (const what of list)
			wrong.add(`${where}: ${what}`);
	};
	const onConsole = (m) => m.type() === "error" && errors.push(m.text());

	tab.on("console", onConsole);
	await tab.setViewportSize({ width: WIDTHS[0], height: 844 });
	await tab.emulateMedia({ media: "screen", colorScheme: "light" });
	await tab.goto(server.url(name));
	say("the page", await tab.evaluate(isHarmless));
	say("the page", await tab.evaluate(isReadable));
	await addAxe(tab);
	for (const [scheme, widths] of [["light", WIDTHS],
		["dark", DARK.includes(name) ? [390] : []]]) {
		await tab.emulateMedia({ media: "screen", colorScheme: scheme });
		for (const width of widths) {
			const where = `${width} ${scheme}`;

			await tab.setViewportSize({ width, height: 844 });
			if (scheme === "light") {
				say(where, await tab.evaluate(overflows));
				say(where, await tab.evaluate(overlaps));
			}
			if (width === WIDTHS[0])
				say(where, await findViolations(tab,
					scheme === "light" ? allRules : contrastOnly));
			await shoot(tab, name, width, scheme, say);
		}
	}
	await tab.setViewportSize({ width: PAPER, height: 1000 });
	await tab.emulateMedia({ media: "print", colorScheme: "dark" });
	say("print", await tab.evaluate(overflows));
	if (await tab.evaluate(() => window.owned))
		say("the page", ["a script was run"]);
	tab.off("console", onConsole);
	say("the page", errors);
	return [...wrong];
}

async function shoot(tab, name, width, scheme, say) {
	if (!GOLDEN.some((g) => g[0] === name && g[1] === width && g[2] === scheme))
		return;
	say(`${width} ${scheme}`, compare(out, golden,
		`served-${name.replaceAll("/", "-")}-${width}-${scheme}`, await picture(tab, width)));
}

// ---- what the script does ----

const text = (tab, selector) => tab.locator(selector).innerText();

async function until(what, is) {
	for (const end = Date.now() + PATIENCE_MS; Date.now() < end;) {
		if (await is())
			return [];
		await new Promise((f) => setTimeout(f, LOOK_MS));
	}
	return [`not in ${PATIENCE_MS} ms: ${what}`];
}

// A clock that stands still but for what it is moved on.
async function openTab(browser, server, name) {
	const context = await openContext(browser,
		{ deviceScaleFactor: SCALE, timezoneId: "Asia/Tokyo" });
	const tab = await context.newPage();

	tab.errors = [];
	tab.on("console", (m) => m.type() === "error" &&
		!/Failed to load resource/.test(m.text()) &&
		tab.errors.push(m.text()));
	tab.on("pageerror", (e) => tab.errors.push(String(e)));
	await tab.clock.install();
	await tab.goto(server.url(name));
	return tab;
}

const says = (tab, what) => until(`it says ${what}`,
	async () => (await text(tab, "#age")) === what);

const changeRow = (from, to) => (html) => html.replaceAll(from, to);

// A row is changed where it stands, and the focus stays on its link.
async function rowsChange(browser, server) {
	const tab = await openTab(browser, server, "index");
	const wrong = await says(tab, "live");
	const row = await tab.locator("#running .row").first().getAttribute("id");
	const place = `#${row} .says p >> nth=0`;

	await until("it caught up", () => server.asked.length >= 1);
	await tab.locator(`#${row} a`).first().focus();
	await tab.evaluate((id) => {
		window.kept = document.getElementById(id);
	}, row);
	server.asked.length = 0;
	server.edit = (html) => html.replace(
		new RegExp(`(id="${row}".*?<div class="says"><p>)[^<]*`, "s"),
		"$1It has <b>moved</b> on.");
	server.send(row.slice(2));
	wrong.push(...await until("the row changes",
		async () => (await text(tab, place)) === "It has moved on."));
	if (!await tab.evaluate((id) => window.kept.isConnected &&
		window.kept.contains(document.activeElement), row))
		wrong.push("the row was replaced, or the focus went away");
	if (server.asked.some((url) => !url.includes(`only=${row.slice(2)}`)))
		wrong.push(`all was asked for: ${server.asked}`);
	server.edit = null;
	await tab.context().close();
	return [...wrong, ...tab.errors];
}

// What is typed stays; a decision of old data cannot be sent.
async function agesAreTold(browser, server) {
	const tab = await openTab(browser, server, "rollouts/waiting");
	const button = tab.locator(".decision button[value=approve]");
	const wrong = await says(tab, "live");

	if (!/^09:05/.test(await tab.locator("#as-of time")
		.getAttribute("data-local")))
		wrong.push("the time is not told as it is here");
	await tab.locator("#comment").fill("half a sent");
	// Silent, but somebody answers: asked for every 5 s.
	await tab.clock.runFor(36000);
	wrong.push(...await until("it is delayed",
		async () => /^delayed \d s$/.test(await text(tab, "#age"))));
	if (await button.isDisabled())
		wrong.push("a fresh page may not decide");
	// Nobody answers at all.
	server.isAway = true;
	server.cut();
	await tab.clock.runFor(20000);
	wrong.push(...await until("it is offline", async () =>
		/^offline, \d+ s old$/.test(await text(tab, "#age")) &&
		await button.isDisabled()));
	if (await tab.locator("#said").innerText() === "")
		wrong.push("who listens is not told");
	// And is back.
	server.isAway = false;
	await tab.clock.runFor(60000);
	wrong.push(...await says(tab, "live"));
	wrong.push(...await until("it may decide again",
		async () => await button.isEnabled()));
	if (await tab.locator("#comment").inputValue() !== "half a sent")
		wrong.push("what was typed is gone");
	await tab.context().close();
	return [...wrong, ...tab.errors];
}

async function signsOut(browser, server) {
	const tab = await openTab(browser, server, "rollouts/waiting");
	const wrong = await says(tab, "live");

	server.status = 401;
	server.send(await tab.evaluate(
		() => document.documentElement.dataset.rollout));
	wrong.push(...await says(tab, "signed out"));
	wrong.push(...await until("it leads to the login", async () =>
		(await tab.locator("#sign-in a").getAttribute("href"))
			.endsWith("/login?next=%2Frollouts%2Fwaiting")));
	if (!await tab.locator(".decision button").first().isDisabled())
		wrong.push("who is signed out may decide");
	server.status = 200;
	await tab.context().close();
	return [...wrong, ...tab.errors];
}

// Approval is one click, abort two, and neither goes without its comment.
async function decides(browser, server) {
	const tab = await openTab(browser, server, "rollouts/waiting");
	const wrong = await says(tab, "live");
	const abort = tab.locator("button[value=abort]");

	await abort.click();
	if (!/needs a comment/.test(await text(tab, ".hint")))
		wrong.push("abort went without a comment");
	await tab.locator("#comment").fill("customers call");
	await abort.click();
	if (!/again/.test(await text(tab, ".hint")) || server.posted.length)
		wrong.push("abort went with one click");
	await abort.click();
	wrong.push(...await until("abort is sent",
		() => server.posted.length === 1));
	const fields = new URLSearchParams(server.posted[0]);

	for (const [key, value] of Object.entries({ verb: "abort", step: "2",
		comment: "customers call", confirmed: "yes",
		form_token: "form-token", candidate: "shop-2" }))
		if (fields.get(key) !== value)
			wrong.push(`${key} is ${fields.get(key)}`);
	server.posted.length = 0;
	await tab.context().close();
	return [...wrong, ...tab.errors];
}

// A browser has few connections to a server.
async function sharesStream(browser, server) {
	const context = await openContext(browser);
	const tabs = [], wrong = [];

	for (let i = 0; i < 3; i++) {
		const tab = await context.newPage();

		// Pages of a browser without a screen are all visible.
		await tab.addInitScript(() => {
			window.hide = (hidden) => {
				Object.defineProperty(document, "hidden",
					{ value: hidden, configurable: true });
				document.dispatchEvent(new Event("visibilitychange"));
			};
		});
		await tab.goto(server.url("index"));
		tabs.push(tab);
	}
	for (const tab of tabs)
		wrong.push(...await says(tab, "live"));
	if (server.streams.size !== 1)
		wrong.push(`${server.streams.size} streams`);
	// The first one has it: the next one takes it over.
	const [was] = server.streams;

	await tabs[0].evaluate(() => window.hide(true));
	wrong.push(...await until("another tab has a stream", () =>
		server.streams.size === 1 && !server.streams.has(was)));
	server.asked.length = 0;
	server.send(await tabs[2].evaluate(() =>
		document.querySelector(".row").id.slice(2)));
	wrong.push(...await until("each of the others asks",
		() => server.asked.filter((u) => u.includes("only=")).length === 2));
	for (const tab of tabs.slice(1))
		await tab.evaluate(() => window.hide(true));
	wrong.push(...await until("no stream is left",
		() => server.streams.size === 0));
	await context.close();
	return wrong;
}

// ---- many rollouts ----

const FIRST_PAINT_MS = 300, ROW_MS = 50;

// No test fails on time but by a lot: what is told is to be read.
async function many(browser, server) {
	const context = await openContext(browser);
	const tab = await context.newPage();
	const row = "backend-20260101-000000-abcd-499";

	await tab.goto(server.url("many"));
	const painted = () => tab.evaluate(() => performance
		.getEntriesByName("first-contentful-paint")[0]?.startTime);
	const wrong = await until("it is painted", painted);
	const paint = await painted();

	wrong.push(...await says(tab, "live"));

	await until("it caught up", () => server.asked.length >= 1);
	server.edit = (html) => html.replace(
		new RegExp(`(id="r-${row}".*?<div class="says"><p>)[^<]*`, "s"),
		"$1changed");
	await tab.evaluate((id) => {
		const p = document.querySelector(`#r-${id} .says p`);

		new MutationObserver(() => {
			window.changed = performance.now();
		}).observe(p, { characterData: true, childList: true, subtree: true });
	}, row);
	const sent = await tab.evaluate(() => performance.now());

	server.only = true;
	server.send(row);
	wrong.push(...await until("the row changes",
		() => tab.evaluate(() => window.changed)));
	const took = await tab.evaluate(() => window.changed) - sent;

	console.log(`# first paint ${Math.round(paint)} ms, ` +
		`a row ${Math.round(took)} ms`);
	if (paint > 20 * FIRST_PAINT_MS || took > 20 * ROW_MS)
		wrong.push(`first paint after ${paint} ms, a row after ${took} ms`);
	server.edit = null;
	server.only = false;
	await context.close();
	return wrong;
}

// ---- all of it ----

const pages = fs.readdirSync(folder, { recursive: true })
	.filter((f) => f.endsWith(".html") && f !== "many.html")
	.map((f) => f.slice(0, -".html".length)).sort();
const behaviours = [
	["a row is changed where it stands", rowsChange],
	["a page says how old it is, and decides nothing then", agesAreTold],
	["a session that ends leads to the login", signsOut],
	["abort asks twice and wants a comment", decides],
	["tabs share one stream", sharesStream],
	["500 rollouts are painted and changed at once", many],
];
const server = await serve(folder);
const browser = await launch();
const context = await openContext(browser, { deviceScaleFactor: SCALE });
const tab = await context.newPage();

console.log(`1..${pages.length + behaviours.length + 1}`);
server.hasStream = false;
for (const name of pages)
	tell(`served page ${JSON.stringify(name)} on telephone, tablet, screen, ` +
		"paper, light and dark",
	await lookAt(tab, server, name).catch((e) => [e]));
await context.close();
server.hasStream = true;
for (const [name, run] of behaviours) {
	server.reset();
	tell(name, await run(browser, server).catch((e) => [e]));
}
await browser.close();
server.close();

const missing = GOLDEN.map((g) => g[0]).filter((g) => !pages.includes(g));

tell(`every page that is known was made${missing.map((m) => `, not ${m}`)}`,
	missing);
process.exit(failed ? 1 : 0);
