// SPDX-License-Identifier: Apache-2.0
// Grafana's dashboards against the types that Grafana publishes of them: each
// is compiled as what it says it is. A name that the types do not know is an
// error, too, so that a misspelt option is found. Prints TAP.
//
// usage: MODULES=…/node_modules node boards.mjs FOLDER
import { createRequire } from "node:module";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

const ts = createRequire(`${process.env.MODULES}/`)("typescript");
const folder = process.argv[2];
const PANELS = { // what a kind of panel is asked for, and where that is told
	gauge: "GaugePanelCfg",
	stat: "StatPanelCfg",
	"state-timeline": "StateTimelinePanelCfg",
	table: "TablePanelCfg",
	timeseries: "TimeSeriesPanelCfg",
};
// JSON has the text of an enumeration's member in its place. What a panel does
// not ask for has a default. What Grafana's plugin for Prometheus keeps beside
// the common fields is in no package.
const TYPES = `
import type * as grafana from "@grafana/schema";
${Object.values(PANELS).map((name) => `import type { Options as ${name} } from
	"@grafana/schema/dist/esm/raw/composable/${name.replace("PanelCfg", "")
		.toLowerCase()}/panelcfg/x/${name}_types.gen";`).join("\n")}
type Json<T> = T extends string ? \`\${T}\`
	: T extends number | boolean | null | undefined ? T
	: T extends (infer U)[] ? Json<U>[]
	: T extends object ? { [K in keyof T]: Json<T[K]> } : T;
type Asked<T> = T extends (infer U)[] ? Asked<U>[]
	: T extends object ? { [K in keyof T]?: Asked<T[K]> } : T;
type Board = Omit<Json<grafana.Dashboard>, "annotations" | "templating"> & {
	annotations: { list: (Json<grafana.AnnotationQuery> & { expr: string,
		step: string, titleFormat: string, textFormat: string,
		tagKeys: string, useValueForTime: boolean })[] };
	templating: { list: (Json<grafana.VariableModel> & {
		definition?: string })[] };
};
`;
const PROBE = "probe.ts";
const options = {
	strict: true, noEmit: true, skipLibCheck: true, types: [],
	lib: ["lib.esnext.d.ts"],
	target: ts.ScriptTarget.ESNext, module: ts.ModuleKind.NodeNext,
	moduleResolution: ts.ModuleResolutionKind.NodeNext,
};
const host = ts.createCompilerHost(options);
const kept = new Map(); // parsed once, for all boards
const { getSourceFile, fileExists, readFile } = host;
const probe = join(process.env.MODULES, "..", PROBE);
let text = "", before;

host.getSourceFile = (name, ...rest) => {
	if (name === probe)
		return ts.createSourceFile(name, text, ts.ScriptTarget.ESNext, true);
	if (!kept.has(name))
		kept.set(name, getSourceFile.call(host, name, ...rest));
	return kept.get(name);
};
host.fileExists = (name) => name === probe || fileExists.call(host, name);
host.readFile = (name) => name === probe ? text : readFile.call(host, name);

// What is wrong with it by the types; empty: nothing.
function look(board) {
	const json = (value) => JSON.stringify(value, null, 1);

	text = `${TYPES}const board: Board = ${json(board)};\n` +
		board.panels.map((panel) => `const panel_${panel.id}: Asked<Json<${
			PANELS[panel.type]}>> = ${json(panel.options)};\n`).join("");
	before = ts.createProgram([probe], options, host, before);
	return ts.getPreEmitDiagnostics(before).map((d) => {
		const line = d.file?.getLineAndCharacterOfPosition(d.start).line;

		return `${d.file?.fileName === probe
			? text.split("\n")[line].trim() : d.file?.fileName}: ${
			ts.flattenDiagnosticMessageText(d.messageText, " ")}`;
	});
}

const names = readdirSync(folder).filter((name) => name.endsWith(".json"));
const read = (name) => JSON.parse(readFileSync(join(folder, name)));
let n = 0, failed = 0;

function tell(wrong, name) {
	console.log(`${wrong.length ? "not " : ""}ok ${++n} - ${name}`);
	wrong.forEach((line) => console.log(`# ${line}`));
	failed += wrong.length !== 0;
}

for (const name of names)
	tell(look(read(name)), `${name} agrees with Grafana's types`);

// The types would find something.
const spoilt = read(names[0]);
spoilt.panels[0].fieldConfig.defaults.thresholds.mode = "sometimes";
spoilt.panels[0].options.misspelt = true;
spoilt.templating.list[0].type = "sauce";
tell(look(spoilt).length === 3 ? [] : look(spoilt),
	"what is misspelt in a dashboard is found");
console.log(`1..${n}`);
process.exit(failed ? 1 : 0);
