// Looks at every page of a folder in a real Chromium, on a telephone, a tablet
// and a screen, light and dark, and on paper: nothing overflows or overlaps,
// nothing is fetched or run, axe finds nothing, texts of strangers are texts.
// Some are compared with golden screenshots. Prints TAP.
//
// usage: MODULES=…/node_modules [UPDATE=yes] node look.mjs OUT GOLDEN
import { createRequire } from "node:module";
import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

const [out, golden] = process.argv.slice(2);
const require = createRequire(path.join(process.env.MODULES, "x.js"));
const { chromium } = require("playwright-core");
const { PNG } = require("pngjs");
const pixelmatch = (await import(
	pathToFileURL(require.resolve("pixelmatch")))).default;
const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const WIDTHS = [390, 820, 1280];
const PAPER = 718; // pixels of A4 within its margins
const TABS = 2;
const SCALE = 0.5; // of golden screenshots
const TALL = 1700; // pixels of a page in them
const DIFFERENT = 0.01; // of their pixels may be: letters of another version

// Fonts do not depend on the machine.
const FONTS = `body, .chart text { font-family: "DejaVu Sans" !important }
	pre { font-family: "DejaVu Sans Mono" !important }`;

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
	waiting: ["awaiting-approval", "wait"],
};

// ---- what is looked at in the page; each returns what is wrong ----

function overflows() {
	const wrong = [], width = document.documentElement.clientWidth;

	if (document.documentElement.scrollWidth > width)
		wrong.push(`scrolls to ${document.documentElement.scrollWidth}`);
	for (const e of document.querySelectorAll("body *")) {
		const box = e.getBoundingClientRect();

		if (box.width && (box.right > width + 1 || box.left < -1))
			wrong.push(`${e.tagName}.${e.getAttribute("class")} from ` +
				`${box.left} to ${box.right}: ` +
				e.textContent.slice(0, 60));
	}
	return wrong.slice(0, 3);
}

function overlaps() {
	const wrong = [];

	for (const plot of document.querySelectorAll("svg.plot")) {
		const boxes = [...plot.querySelectorAll("text")]
			.map((e) => [e.textContent, e.getBoundingClientRect()])
			.filter(([, box]) => box.width);

		for (const [i, [a, p]] of boxes.entries())
			for (const [b, q] of boxes.slice(i + 1))
				if (p.left < q.right - 1 && q.left < p.right - 1 &&
					p.top < q.bottom - 4 && q.top < p.bottom - 4)
					wrong.push(`"${a}" covers "${b}"`);
	}
	// Tables and facts: no cell covers the next.
	for (const row of document.querySelectorAll("tr, .tiles")) {
		const boxes = [...row.children]
			.map((e) => e.getBoundingClientRect())
			.filter((box) => box.width && box.height);

		for (let i = 1; i < boxes.length; i++)
			if (boxes[i - 1].right > boxes[i].left + 1 &&
				boxes[i - 1].bottom > boxes[i].top + 1)
				wrong.push(`cells of "${row.textContent.slice(0, 60)}"`);
	}
	return wrong.slice(0, 3);
}

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

// ---- screenshots ----

const sameSize = (a, b) => a.width === b.width && a.height === b.height;

// What differs goes beside what was expected.
function compare(name, shot) {
	const file = path.join(golden, `${name}.png`);
	const actual = coarse(PNG.sync.read(shot));

	if (process.env.UPDATE) {
		fs.mkdirSync(golden, { recursive: true });
		fs.writeFileSync(file, small(actual));
		return [];
	}
	if (!fs.existsSync(file))
		return [`there is no ${file}: test/pages/run -u makes it`];

	const expected = PNG.sync.read(fs.readFileSync(file));
	const { width, height } = expected, diff = new PNG({ width, height });
	const n = sameSize(expected, actual)
		? pixelmatch(expected.data, actual.data, diff.data, width, height,
			{ threshold: 0.2 })
		: Infinity;

	if (n <= DIFFERENT * width * height)
		return [];

	const place = path.join(out, "differs");
	fs.mkdirSync(place, { recursive: true });
	fs.copyFileSync(file, path.join(place, `${name}.expected.png`));
	fs.writeFileSync(path.join(place, `${name}.actual.png`), shot);
	if (n !== Infinity)
		fs.writeFileSync(path.join(place, `${name}.diff.png`),
			PNG.sync.write(diff));
	return [n === Infinity
		? `${actual.width}x${actual.height} pixels, not ${width}x${height}; ` +
			`look at ${place}/${name}.*.png`
		: `${n} pixels of ${width * height} differ; look at ` +
			`${place}/${name}.*.png`];
}

// 16 levels are enough to see what is wrong, and are small.
function coarse(png) {
	for (let i = 0; i < png.data.length; i++)
		png.data[i] = Math.round(png.data[i] / 17) * 17;
	return png;
}

const small = (png) => PNG.sync.write(png,
	{ colorType: 2, deflateLevel: 9, filterType: -1 });

// ---- one page, in all ways ----

const contrastOnly = { runOnly: ["color-contrast"], resultTypes: ["violations"] };
const allRules = { resultTypes: ["violations"] };

async function findViolations(tab, options) {
	const { violations } = await tab.evaluate(
		(o) => window.axe.run(document, o), options);

	return violations.map((v) => `axe: ${v.id}: ${v.help}: ` +
		v.nodes[0].html.slice(0, 100));
}

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
	await tab.addStyleTag({ content: FONTS });
	await tab.evaluate(axe);
	for (const scheme of ["light", "dark"]) {
		await tab.emulateMedia({ media: "screen", colorScheme: scheme });
		for (const width of WIDTHS) {
			const where = `${width} ${scheme}`;

			await tab.setViewportSize({ width, height: 844 });
			if (scheme === "light") {
				say(where, await tab.evaluate(overflows));
				say(where, await tab.evaluate(overlaps));
			}
			// Rules about structure know no colours.
			if (scheme === "light" || width === WIDTHS[0])
				say(where, await findViolations(tab,
					scheme === "light" ? allRules : contrastOnly));
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
	const height = await tab.evaluate(
		() => document.documentElement.scrollHeight);
	const shot = await tab.screenshot({
		fullPage: true,
		clip: { x: 0, y: 0, width, height: Math.min(height, TALL) },
	});
	const label = `${name.replace("/", "-")}-${scheme === "print"
		? "" : `${width}-`}${scheme}`;

	say(`${width} ${scheme}`, compare(label, shot));
}

// ---- all pages ----

const pages = fs.readdirSync(path.join(out, "pages"), { recursive: true })
	.filter((f) => f.endsWith(".html"))
	// Those of a folder are like a simulation's.
	.filter((f) => !f.startsWith("folder/") || f === "folder/index.html")
	.map((f) => f.slice(0, -".html".length)).sort();

const browser = await chromium.launch({
	executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
	args: ["--no-sandbox", "--disable-gpu", "--font-render-hinting=none",
		"--disable-lcd-text", "--force-color-profile=srgb"],
});
let n = 0, failed = 0;
const left = [...pages];

console.log(`1..${pages.length + 1}`);
await Promise.all([...Array(TABS)].map(async () => {
	const context = await browser.newContext({ deviceScaleFactor: SCALE });
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
