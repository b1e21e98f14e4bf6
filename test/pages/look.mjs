// SPDX-License-Identifier: Apache-2.0
// Looks at every page of a folder in a real Chromium, on a telephone, a tablet
// and a screen, light and dark, and on paper: nothing overflows or overlaps,
// nothing is fetched or run, axe finds nothing, texts of strangers are texts.
// Some are compared with golden screenshots. Prints TAP.
//
// usage: MODULES=…/node_modules [UPDATE=yes] node look.mjs OUT GOLDEN
import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { PAPER, WIDTHS, addAxe, allRules, compare, contrastOnly, findViolations,
	launch, noContrast, openContext, overflows, overlaps, picture, useFonts } from "./checks.mjs";

const [out, golden] = process.argv.slice(2);

const TABS = 2;
const SCALE = 0.5; // of golden screenshots

// Which pages have a golden screenshot, and how they are looked at.
const GOLDEN = [
	["rolled-back", 1280, "light"],
	["rolled-back", 390, "light"],
	["promoted", 820, "light"],
	["rolled-back-by-evidence", 820, "dark"],
	["refused", 390, "dark"],
	["folder/index", 820, "light"],
	["waiting", PAPER, "print"],
];

// What axe looks for, and where: rules about structure know no colours, colours no
// width, and a page is laid out in two ways, for less than 640 pixels and for more.
const RULES = {
	"390 light": allRules,
	"1280 light": noContrast,
	"820 dark": contrastOnly,
};

// What the page's first line says, and its colour.
const OUTCOMES = {
	promoted: ["promoted", "good"],
	"promoted-by-evidence": ["promoted", "good"],
	"rolled-back": ["rolled-back", "bad"],
	"rolled-back-by-evidence": ["rolled-back", "bad"],
	aborted: ["rolled-back", "bad"],
	expired: ["rolled-back", "bad"],
	"rollback-failed": ["rollback-failed", "bad"],
	refused: ["refused", "wait"],
	stopped: ["stopped", "wait"],
	"stepped-back": ["baking", "wait"],
	"held-without-control": ["held", "wait"],
	"held-by-stable": ["held", "wait"],
	waiting: ["awaiting-approval", "wait"],
};

// ---- what is looked at in the page; each returns what is wrong ----

function charts() {
	const wrong = [];

	for (const figure of document.querySelectorAll("figure.chart")) {
		const title = figure.querySelector("b").textContent;
		const values = [...figure.querySelectorAll("text[x='-8']")]
			.map((e) => e.textContent);

		if (!figure.querySelector("path.value, rect.gap"))
			wrong.push(`the chart of ${title} is empty`);
		if (values.length < 3 || !values.some((v) => /^0( |$)/.test(v)))
			wrong.push(`the axis of ${title} has ${values}`);
	}
	return wrong;
}

function isHarmless() {
	const wrong = [], marks = document.querySelectorAll(
		"script, img, iframe, object, link, base, form, audio, video");

	if (marks.length)
		wrong.push(`a ${marks[0].tagName}`);
	for (const e of document.querySelectorAll("*"))
		for (const { name } of e.attributes)
			if (name.startsWith("on") || name === "src")
				wrong.push(`${e.tagName} has ${name}`);
	for (const e of document.querySelectorAll("a"))
		if (!/^\.\/[^/:]+\.html$/.test(e.getAttribute("href")))
			wrong.push(`a link to ${e.getAttribute("href")}`);
	return wrong;
}

function isReadable() {
	const first = document.querySelector("main > :first-child");
	const wrong = [];

	if (!first.matches(".banner") || !first.querySelector("h1"))
		wrong.push("the outcome is not what comes first");
	if (document.querySelectorAll("h1").length !== 1)
		wrong.push("there is not one heading");
	for (const e of document.querySelectorAll("details"))
		if (e.open)
			wrong.push("the journal is not folded");
	return wrong;
}

function onPaper() {
	const wrong = [], page = getComputedStyle(document.body);

	if (page.backgroundColor !== "rgb(255, 255, 255)")
		wrong.push(`paper is ${page.backgroundColor}`);
	for (const e of document.querySelectorAll("details table"))
		if (!e.checkVisibility({ contentVisibilityAuto: true }) ||
			!e.getBoundingClientRect().height)
			wrong.push("the journal is not printed");
	return wrong;
}

// ---- one page, in all ways ----

async function isOutcome(tab, name) {
	if (!OUTCOMES[name])
		return [];

	const [outcome, tone] = OUTCOMES[name];
	const said = await tab.locator(`.banner.${tone} h1`).allTextContents();

	return said.length === 1 && said[0].endsWith(`: ${outcome}`) ? []
		: [`does not say ${outcome} in the colour of ${tone}`];
}

async function lookAt(tab, name) {
	const wrong = new Set(), errors = [];
	const say = (where, list) => {
		for (const what of list)
			wrong.add(`${where}: ${what}`);
	};
	const onRequest = (r) => r.url().startsWith("file:") &&
		r.isNavigationRequest() || errors.push(`asks for ${r.url()}`);
	const onConsole = (m) => m.type() === "error" && errors.push(m.text());

	tab.on("request", onRequest);
	tab.on("console", onConsole);
	await tab.setViewportSize({ width: WIDTHS[0], height: 844 });
	await tab.emulateMedia({ media: "screen", colorScheme: "light" });
	await tab.goto(pathToFileURL(path.join(out, "pages", `${name}.html`)).href);
	say("the page", await tab.evaluate(isHarmless));
	say("the page", await tab.evaluate(isReadable));
	say("charts", await tab.evaluate(charts));
	say("the page", await isOutcome(tab, name));
	if (name === "refused" && await tab.locator("svg").count())
		say("the page", ["has a chart of nothing"]);
	await useFonts(tab);
	await addAxe(tab);
	for (const scheme of ["light", "dark"]) {
		await tab.emulateMedia({ media: "screen", colorScheme: scheme });
		for (const width of WIDTHS) {
			const where = `${width} ${scheme}`, rules = RULES[where];

			await tab.setViewportSize({ width, height: 844 });
			if (scheme === "light") {
				say(where, await tab.evaluate(overflows));
				say(where, await tab.evaluate(overlaps));
			}
			if (rules)
				say(where, await findViolations(tab, rules));
			await shoot(tab, name, width, scheme, say);
		}
	}
	await tab.setViewportSize({ width: PAPER, height: 1000 });
	await tab.emulateMedia({ media: "print", colorScheme: "dark" });
	say("print", await tab.evaluate(overflows));
	say("print", await tab.evaluate(overlaps));
	say("print", await tab.evaluate(onPaper));
	await shoot(tab, name, PAPER, "print", say);
	if (await tab.evaluate(() => window.owned))
		say("the page", ["a script was run"]);
	tab.off("request", onRequest);
	tab.off("console", onConsole);
	say("the page", errors);
	return [...wrong];
}

async function shoot(tab, name, width, scheme, say) {
	if (!GOLDEN.some((g) => g[0] === name && g[1] === width && g[2] === scheme))
		return;
	const label = `${name.replace("/", "-")}-${scheme === "print"
		? "" : `${width}-`}${scheme}`;

	say(`${width} ${scheme}`, compare(out, golden, label, await picture(tab, width)));
}

// ---- all pages ----

const pages = fs.readdirSync(path.join(out, "pages"), { recursive: true })
	.filter((f) => f.endsWith(".html"))
	// Those of a folder are like a simulation's.
	.filter((f) => !f.startsWith("folder/") || f === "folder/index.html")
	.map((f) => f.slice(0, -".html".length)).sort();

const browser = await launch();
let n = 0, failed = 0;
const left = [...pages];

console.log(`1..${pages.length + 1}`);
await Promise.all([...Array(TABS)].map(async () => {
	const context = await openContext(browser, { deviceScaleFactor: SCALE });
	const tab = await context.newPage();

	for (let name; (name = left.shift());) {
		const wrong = await lookAt(tab, name).catch((e) => [String(e)]);

		console.log(`${wrong.length ? "not ok" : "ok"} ${++n} - ` +
			`page ${JSON.stringify(name)} on telephone, tablet, screen, ` +
			"paper, light and dark");
		for (const what of wrong)
			console.log(`# ${what.replaceAll("\n", " ")}`);
		failed += wrong.length > 0;
	}
}));
await browser.close();

const missing = [...GOLDEN.map((g) => g[0]), ...Object.keys(OUTCOMES)]
	.filter((name) => !pages.includes(name));

console.log(`${missing.length ? "not ok" : "ok"} ${++n} - ` +
	`every page that is known was made${missing.map((m) => `, not ${m}`)}`);
process.exit(failed || missing.length ? 1 : 0);
