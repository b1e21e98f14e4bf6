// SPDX-License-Identifier: Apache-2.0
// What the tests of pages share: the browser, and what is looked at in any page.
import { createRequire } from "node:module";
import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

const require = createRequire(path.join(process.env.MODULES, "x.js"));
const { chromium } = require("playwright-core");
const { PNG } = require("pngjs");
const pixelmatch = (await import(
	pathToFileURL(require.resolve("pixelmatch")))).default;
const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

export const WIDTHS = [390, 820, 1280];
const TALL = 1700; // pixels of a page in its picture
export const PAPER = 718; // pixels of A4 within its margins
const DIFFERENT = 0.01; // of a screenshot may be: letters of another version

// Fonts do not depend on the machine.
const FONTS = `body, .chart text { font-family: "DejaVu Sans" !important }
	pre { font-family: "DejaVu Sans Mono" !important }`;

// Nobody looks at its windows: without them it takes half the time.
export const launch = () => chromium.launch({
	executablePath: process.env.CHROMIUM ||
		"/usr/bin/chromium-headless-shell",
	args: ["--no-sandbox", "--disable-gpu", "--font-render-hinting=none",
		"--disable-lcd-text", "--force-color-profile=srgb",
		// A process for each tab costs more than what it shows.
		"--process-per-site"],
});

// For what must happen, on a machine however busy.
export const PATIENCE_MS = 120000;

export async function openContext(browser, options) {
	const context = await browser.newContext(options);

	context.setDefaultTimeout(PATIENCE_MS);
	return context;
}

export const useFonts = (tab) => tab.addStyleTag({ content: FONTS });
export const addAxe = (tab) => tab.evaluate(axe);

// ---- what is looked at in the page; each returns what is wrong ----

export function overflows() {
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

export function overlaps() {
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

// ---- screenshots ----

const sameSize = (a, b) => a.width === b.width && a.height === b.height;

// What is not in the window is painted, too: a busy browser gives out pictures in
// which it is not yet. Later looks shall find the page as it was.
const showAll = () => {
	window.shownForPicture = [...document.querySelectorAll("*")].filter(
		(e) => getComputedStyle(e).contentVisibility === "auto");
	for (const e of window.shownForPicture)
		e.style.contentVisibility = "visible";
};
const showAsEver = () => {
	for (const e of window.shownForPicture)
		e.style.contentVisibility = "";
};

// The page from its top, as soon as two pictures of it are alike: a busy browser
// gives out what it has painted so far.
export async function picture(tab, width) {
	const height = await tab.evaluate(
		() => document.documentElement.scrollHeight);
	const take = () => tab.screenshot({
		fullPage: true,
		clip: { x: 0, y: 0, width, height: Math.min(height, TALL) },
	});

	await tab.evaluate(showAll);
	let before = await take(), shot = await take();

	for (let i = 0; i < 20 && !shot.equals(before); i++)
		[before, shot] = [shot, await take()];
	await tab.evaluate(showAsEver);
	return shot;
}

// What differs goes beside what was expected.
export function compare(out, golden, name, shot) {
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

// ---- accessibility ----

export const contrastOnly = { runOnly: ["color-contrast"], resultTypes: ["violations"] };
export const allRules = { resultTypes: ["violations"] };
export const noContrast = { rules: { "color-contrast": { enabled: false } },
	resultTypes: ["violations"] };

export async function findViolations(tab, options) {
	const { violations } = await tab.evaluate(
		(o) => window.axe.run(document, o), options);

	return violations.map((v) => `axe: ${v.id}: ${v.help}: ` +
		v.nodes[0].html.slice(0, 100));
}
