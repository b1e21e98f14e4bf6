// SPDX-License-Identifier: Apache-2.0
// People at a real daemon, in a real Chromium: two of them at one gate, one who
// may only look, tabs that follow, a page that is late, a daemon that dies and
// comes back, a browser without scripts. Prints TAP.
//
// usage: MODULES=…/node_modules node daemon.mjs BUILD
import { addAxe, allRules, findViolations, launch, openContext }
	from "./checks.mjs";
import { World, until } from "./world.mjs";

const HOSTILE = "\"><img src=x onerror=window.owned=1>'\n&lt;b>";
const world = new World(process.argv[2]);
const people = {}; // a browser's context for each
let n = 0, failed = 0, browser;

// ---- at the pages ----

async function visit(who, where) {
	const tab = await people[who].newPage();

	tab.on("console", (m) => /Content Security|TrustedHTML/.test(m.text()) &&
		wrong.push(`${who}: ${m.text()}`));
	tab.on("pageerror", (e) => wrong.push(`${who}: ${e}`));
	await tab.goto((where.startsWith("/") ? world.address : "") + where);
	return tab;
}

let wrong = [];

function expect(is, what) {
	if (!is)
		wrong.push(what);
}

const text = (tab, selector) => tab.locator(selector).first().innerText();
const phase = (tab) => tab.locator("#phase").textContent();
const reaches = (tab, name) => until(`${name} is shown`,
	async () => (await phase(tab)) === name);
const has = (tab, verb) => tab.locator(`button[value=${verb}]`).count();

const ask = (...args) => world.ask(...args);

async function journal(rollout) {
	const [, lines] = await ask("alice", "GET",
		`/api/v1/rollouts/${rollout}/events`);

	return lines.trim().split("\n").map((line) => JSON.parse(line));
}

const decisions = async (rollout) => (await journal(rollout))
	.filter((e) => e.event === "command")
	.map((e) => [e.who, e.verb, e.comment ?? ""]);

// Begins one and waits for its gate.
async function begin(candidate, policy = "e2e") {
	const [status, body] = await ask("alice", "POST", "/api/v1/rollouts",
		JSON.stringify({ policy, candidate, again: true }));

	if (status !== 201)
		throw new Error(body);
	const { rollout } = JSON.parse(body);

	await until("the gate", async () => JSON.parse((await ask("alice", "GET",
		`/api/v1/rollouts/${rollout}`))[1]).phase === "awaiting-approval");
	return rollout;
}

// ---- what is shown ----

// One approves, the other one's tab follows by itself; both rollouts' pages.
async function oneGate() {
	const rollout = await begin("backend-2");
	const alice = await visit("alice", `/rollouts/${rollout}`);
	const bob = await visit("bob", `/rollouts/${rollout}`);
	const front = await visit("bob", "/");

	expect(/^\(1\)/.test(await front.title()), "nothing waits in the title");
	expect(await text(front, "#needs-you .button") === "Decide",
		"bob is not asked");
	expect(await has(bob, "approve") && await has(alice, "approve"),
		"who may approve is not asked");
	await bob.locator("#comment").fill(HOSTILE);
	await bob.locator("button[value=approve]").click();
	await Promise.all([reaches(bob, "baking"), reaches(alice, "baking")]);
	await until("alice has no button any more",
		async () => !await has(alice, "approve"));
	await until("nothing waits for bob",
		async () => /^Rollouts/.test(await front.title()));
	expect(await alice.locator("td", { hasText: "onerror" }).count(),
		"the comment is not shown");
	expect(!await alice.evaluate(() => window.owned), "a comment was run");
	await addAxe(alice);
	for (const what of await findViolations(alice, allRules))
		wrong.push(what);
	expect(JSON.stringify(await decisions(rollout)) ===
		JSON.stringify([["bob", "approve",
			HOSTILE]]),
	`the journal has ${JSON.stringify(await decisions(rollout))}`);
	return rollout;
}

async function pausesAndGoesOn(rollout) {
	const bob = await visit("bob", `/rollouts/${rollout}`);

	await bob.locator("#comment").fill("lunch");
	await bob.locator("button[value=pause]").click();
	await reaches(bob, "paused");
	expect((await text(bob, "#now")).includes("lunch"), "not why it paused");
	await bob.locator("button[value=continue]").click();
	await until("it goes on", async () => (await phase(bob)) !== "paused");
}

// Killed and started again: the tabs say so, and then what is.
async function comesBack(rollout) {
	const alice = await visit("alice", `/rollouts/${rollout}`);
	const front = await visit("alice", "/");

	await world.kill();
	for (const tab of [alice, front])
		await until("a tab says that it is offline", async () =>
			(await text(tab, "#age")).startsWith("offline"));
	await until("buttons are off", () => alice.locator("button[value=abort]")
		.isDisabled());
	await world.serve();
	await Promise.all([alice, front].map((tab) => until("it is live again",
		async () => (await text(tab, "#age")) === "live")));
	await until("buttons are on", () => alice.locator("button[value=abort]")
		.isEnabled());
	expect(await front.locator(`[id="r-${rollout}"]`).count() === 1,
		"not one row");
	const seqs = (await journal(rollout)).map((e) => e.seq);

	expect(seqs.every((seq, i) => seq === i + 1), `entries ${seqs}`);
}

async function aborts(rollout) {
	const alice = await visit("alice", `/rollouts/${rollout}`);
	const abort = alice.locator("button[value=abort]");

	await alice.locator("#comment").fill("customers call");
	await abort.click();
	await abort.click();
	await reaches(alice, "rolled-back");
	expect((await decisions(rollout)).at(-1).join() ===
		"alice,abort,customers call", "abort is not in the journal");
	expect(await text(alice, "#now .reason"), "no reason");
}

// Without a script: asked on a page of its own. Another tab's form is late then.
async function withoutScript() {
	const rollout = await begin("backend-3");
	const plain = await openContext(browser, { javaScriptEnabled: false,
		extraHTTPHeaders: { "x-person": "alice" } });
	const tab = await plain.newPage(), late = await plain.newPage();

	await tab.goto(`${world.address}/rollouts/${rollout}`);
	await late.goto(`${world.address}/rollouts/${rollout}`);
	await tab.locator("button[value=approve]").click();
	expect(/lets step 2 of 3/.test(await text(tab, ".decide")),
		"not what it will do");
	await tab.locator("#comment").fill("by hand");
	await tab.locator("button[value=approve]").click();
	await tab.waitForURL(`**/rollouts/${rollout}`);
	// No reload: a busy browser may send the form once more.
	await until("it goes on", async () => {
		await tab.goto(`${world.address}/rollouts/${rollout}`);
		return (await phase(tab)) === "baking" &&
			(await text(tab, ".steps .current")).startsWith("100");
	});
	await late.locator("button[value=reject]").click();
	expect(await text(late, "h1") === "It has moved on" ||
		/no gate|not taken/i.test(await text(late, "main")),
	`who is late is told ${await text(late, "main")}`);
	await plain.close();
	return rollout;
}

// Who may only look sees why, and what is posted all the same is refused.
async function onlyLooks(rollout) {
	const eve = await visit("eve", `/rollouts/${rollout}`);

	expect(await eve.locator(".decision button").count() === 0,
		"eve may decide");
	expect(await eve.locator(".not-now li").count() === 5,
		"eve is not told why");
	const [status, body] = await ask("eve", "POST",
		`/rollouts/${rollout}/decide`,
		"verb=abort&step=3&candidate=backend-3&comment=x&confirmed=yes");

	expect(status === 403, `eve's abort: ${status}`);
	expect(body.includes("<h1>"), "no page");
	expect(!(await decisions(rollout)).some(([who]) => who === "eve"),
		"eve decided");
}

// More tabs than a browser has connections.
async function sevenTabs(rollout) {
	const tabs = [];

	for (let i = 0; i < 7; i++)
		tabs.push(await visit("bob", i % 2 ? "/" : `/rollouts/${rollout}`));
	for (const tab of tabs)
		await until("it is live",
			async () => (await text(tab, "#age")) === "live");
	await tabs[0].reload();
}

// A session that ends in another tab: it is told, and leads back to the page.
async function signsOut(rollout) {
	const page = await visit("bob", `/rollouts/${rollout}`);
	const me = await visit("bob", "/me");

	await page.locator("#comment").fill("half a sent");
	await me.getByRole("button", { name: "Sign out" }).click();
	await until("it is signed out",
		async () => (await text(page, "#age")) === "signed out");
	expect(await page.locator(".decision button").first().isDisabled(),
		"who is signed out may decide");
	expect(await page.locator("#comment").inputValue() === "half a sent",
		"what was typed is gone");
	await page.locator("#sign-in a").click();
	await reaches(page, "baking");
	expect(page.url().endsWith(`/rollouts/${rollout}`),
		`led to ${page.url()}`);
}

// Behind a proxy that has it under a path, and holds answers back or not.
async function behindProxy(rollout) {
	if (!world.hasProxy())
		return;
	for (const buffering of ["on", "off"]) {
		const at = await world.proxy(buffering);
		const context = await openContext(browser, { extraHTTPHeaders:
			{ authorization: `Bearer ${world.tokens.alice}` } });
		const tab = await context.newPage();

		await tab.goto(`${at}/rollouts/${rollout}`);
		expect(await tab.evaluate(() => getComputedStyle(
			document.querySelector(".top")).display) === "flex",
		"no style");
		await until("it is live",
			async () => (await text(tab, "#age")) === "live");
		if (buffering === "off") {
			await tab.locator("#comment").fill("enough");
			await tab.locator("button[value=abort]").click();
			await tab.locator("button[value=abort]").click();
			await reaches(tab, "rolled-back");
		}
		expect(tab.url().startsWith(`${at}/rollouts/${rollout}`),
			`led to ${tab.url()}`);
		await tab.locator(".brand").click();
		expect(tab.url() === `${at}/`, `the front page is ${tab.url()}`);
		await tab.locator(`[id="r-${rollout}"] a`).first().click();
		await tab.locator("#now .about a").click();
		expect(/backend/.test(await text(tab, "h1")), "no service");
		await context.close();
	}
}

// Alice has started it with a token, and logs in as herself: still her own.
async function notHerOwn() {
	const rollout = await begin("backend-2", "strict");
	const alice = await visit("alice", `/rollouts/${rollout}`);
	const bob = await visit("bob", `/rollouts/${rollout}`);
	const why = await text(alice, ".not-now");

	expect(!await has(alice, "approve"), "alice may approve her own");
	expect(/approve[^]*start/.test(why), `alice is told ${why}`);
	const status = await alice.evaluate(async (where) => (await fetch(where, {
		method: "POST",
		body: new URLSearchParams({ verb: "approve", step: "2",
			candidate: "backend-2", confirmed: "yes",
			form_token: document.querySelector("[name=form_token]").value }),
	})).status, `${world.address}/rollouts/${rollout}/decide`);

	expect(status === 409, `her approval was answered by ${status}`);
	await bob.locator("#comment").fill("wrong branch");
	await bob.locator("button[value=reject]").click();
	await bob.locator("button[value=reject]").click();
	await Promise.all([bob, alice].map((tab) => reaches(tab, "rolled-back")));
	expect(JSON.stringify(await decisions(rollout)) ===
		JSON.stringify([["bob", "reject", "wrong branch"]]),
	`the journal has ${JSON.stringify(await decisions(rollout))}`);
}

// ---- all of it ----

// What is open, for whoever asks why it failed.
const seen = () => Promise.all(browser.contexts()
	.flatMap((context) => context.pages())
	.map(async (tab) => `${tab.url()} shows ${await tab.locator("body")
		.innerText({ timeout: 1000 }).catch(String)}`));

async function tell(name, run) {
	let result;

	wrong = [];
	try {
		result = await run();
	} catch (error) {
		wrong.push(error, ...await seen());
	}
	for (const context of Object.values(people))
		for (const tab of context.pages())
			await tab.close();
	console.log(`${wrong.length ? "not ok" : "ok"} ${++n} - ${name}`);
	for (const what of wrong)
		console.log(`# ${String(what).replaceAll("\n", " ")}`);
	failed += wrong.length > 0;
	return result;
}

console.log("1..10");
try {
	await world.open();
	browser = await launch();
	for (const who of ["alice", "bob", "eve"])
		people[who] = await openContext(browser,
			{ extraHTTPHeaders: { "x-person": who } });
	const first = await tell("two people at one gate", oneGate);

	await tell("a pause has a name and a reason", () => pausesAndGoesOn(first));
	await tell("a daemon dies and comes back", () => comesBack(first));
	await tell("abort wants a comment and two clicks", () => aborts(first));
	const second = await tell("without a script, and too late", withoutScript);

	await tell("who may only look is told why", () => onlyLooks(second));
	await tell("seven tabs at a time", () => sevenTabs(second));
	await tell("a session ends while a page is open", () => signsOut(second));
	await tell("behind a proxy, under a path", () => behindProxy(second));
	await tell("one's own, whatever the login; a reject", notHerOwn);
} finally {
	await browser?.close();
	await world.close();
}
process.exit(failed ? 1 : 0);
