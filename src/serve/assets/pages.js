// SPDX-License-Identifier: Apache-2.0
// What makes a page of the daemon follow what happens: it works without. What is
// shown is rendered by the server alone; changed parts are taken over node by
// node, as elements and texts, never as markup. See page_frame.h.

const html = document.documentElement;
const root = new URL(html.dataset.root, location.href);
const follows = html.dataset.follows;
const rollout = html.dataset.rollout;

const SILENT_MS = 35000; // without a sign of life the stream is given up
const POLL_MS = 5000; // then it is asked, until the stream is back
const STALE_MS = 15000; // older than that, nothing may be decided
const REFRESH_MS = { rollout: 15000, front: 60000 }; // its times go on
const BACK_OFF_MS = [1000, 30000];

// ---- how old it is ----

const age = document.getElementById("age");
const said = document.getElementById("said");
let fresh = performance.now(); // when what is shown was known to be so
let heard = 0; // the stream's last sign of life; 0: there is no stream
let failed = false; // the last request
let out = false; // signed out
let shown = "";

const isLive = () => heard && performance.now() - heard < SILENT_MS;

function seconds(ms) {
	const s = Math.max(0, Math.floor(ms / 1000));

	return s < 120 ? `${s} s` : `${Math.floor(s / 60)} min`;
}

function state() {
	const old = performance.now() - fresh;

	if (out)
		return ["out", "signed out"];
	if (isLive() && !failed)
		return ["live", "live"];
	if (failed || old > SILENT_MS)
		return ["offline", `offline, ${seconds(old)} old`];
	return ["delayed", `delayed ${seconds(old)}`];
}

const isStale = () => out ||
	!(isLive() && !failed) && performance.now() - fresh > STALE_MS;

// Only what changes is told to who listens; the clock is not.
function tellAge() {
	const [name, text] = state();

	if (age.textContent !== text)
		age.textContent = text;
	if (name !== shown) {
		html.classList.remove(`is-${shown}`);
		html.classList.add(`is-${name}`);
		if (shown)
			say(name === "out" ? "You are signed out." : text);
		shown = name;
	}
	for (const button of document.querySelectorAll(".decision button"))
		if (button.disabled !== isStale())
			button.disabled = isStale();
}

function say(text) {
	said.textContent = text;
}

// ---- times ----

const clock = new Intl.DateTimeFormat(undefined,
	{ hour: "2-digit", minute: "2-digit", timeZoneName: "short" });
const isElsewhere = new Date().getTimezoneOffset() !== 0;

// Beside UTC, where there is room: the style shows it.
function addLocalTimes(within) {
	if (!isElsewhere)
		return;
	for (const time of within.querySelectorAll("time"))
		time.title = time.dataset.local =
			clock.format(new Date(time.dateTime));
}

// ---- taking over what the server renders ----

const NAMES = new Set(("a article aside b br button circle code dd details div "
	+ "dl dt em fieldset figcaption figure form g h1 h2 h3 i input label legend li "
	+ "line main nav ol option p path pre progress rect section select small span "
	+ "strong summary svg table tbody td text textarea th thead time title tr "
	+ "tspan ul").split(" "));

const isAllowed = (name) => !/^(on|style$|src)/i.test(name);

// Nodes are made here; nothing of the other document comes in.
function copy(node) {
	if (node.nodeType === Node.TEXT_NODE)
		return document.createTextNode(node.data);
	if (node.nodeType !== Node.ELEMENT_NODE || !NAMES.has(node.localName))
		return document.createTextNode("");

	const made = document.createElementNS(node.namespaceURI, node.localName);

	copyAttributes(made, node);
	for (const child of node.childNodes)
		made.append(copy(child));
	return made;
}

// What people do to an element is theirs.
const KEPT = { DETAILS: ["open"], TEXTAREA: [], INPUT: ["value"],
	BUTTON: ["disabled", "class"], TIME: ["title", "data-local"] };

function copyAttributes(to, from) {
	const kept = KEPT[to.tagName] ?? [];

	for (const { name, value } of from.attributes)
		if (isAllowed(name) && !(to.isConnected && kept.includes(name) &&
			to.type !== "hidden") && to.getAttribute(name) !== value)
			to.setAttribute(name, value);
	for (const { name } of [...to.attributes])
		if (!from.hasAttribute(name) && !kept.includes(name))
			to.removeAttribute(name);
}

const isAlike = (a, b) => a.nodeType === b.nodeType &&
	a.nodeName === b.nodeName && (a.id ?? "") === (b.id ?? "");

// Makes `is` what `shall` is; elements that stay keep focus, text and scroll.
function change(is, shall) {
	if (is.nodeType === Node.TEXT_NODE) {
		if (is.data !== shall.data)
			is.data = shall.data;
		return;
	}
	if (is.nodeType !== Node.ELEMENT_NODE || is.isEqualNode(shall))
		return;
	copyAttributes(is, shall);
	if (is.tagName === "TEXTAREA" || is.tagName === "SELECT")
		return;

	const named = new Map([...is.children].filter((e) => e.id)
		.map((e) => [e.id, e]));
	let at = is.firstChild;

	for (const want of shall.childNodes) {
		const known = want.id && named.get(want.id);

		if (known && isAlike(known, want)) {
			if (known === at)
				at = at.nextSibling;
			else
				is.insertBefore(known, at);
			change(known, want);
		} else if (at && isAlike(at, want)) {
			const next = at.nextSibling;

			change(at, want);
			at = next;
		} else {
			is.insertBefore(copy(want), at);
		}
	}
	while (at) {
		const next = at.nextSibling;

		at.remove();
		at = next;
	}
}

// ---- asking ----

// An XMLHttpRequest gives a document in which nothing runs or is fetched.
function ask(url) {
	return new Promise((resolve) => {
		const request = new XMLHttpRequest();

		request.open("GET", url);
		request.responseType = "document";
		request.overrideMimeType("text/html; charset=utf-8");
		request.timeout = POLL_MS * 2;
		request.onloadend = () => resolve([request.status, request.response]);
		request.send();
	});
}

// What was asked for; NULL when it did not come.
async function fetchPage(url) {
	const asked = performance.now();
	const [status, page] = await ask(url);

	out = status === 401;
	failed = !out && (status !== 200 || !page);
	if (!failed && !out)
		fresh = asked;
	tellAge();
	if (out)
		offerLogin();
	return failed || out ? null : page;
}

function offerLogin() {
	if (document.getElementById("sign-in"))
		return;

	const p = document.createElement("p"), a = document.createElement("a");
	const login = new URL("login", root);

	login.searchParams.set("next",
		location.pathname.slice(root.pathname.length - 1));
	p.id = "sign-in";
	p.className = "bad";
	a.href = login.href;
	a.textContent = "Sign in again";
	p.append("You are signed out, and what you see is old. ", a, ".");
	document.getElementById("main").prepend(p);
}

function takeHead(page) {
	if (document.title !== page.title)
		document.title = page.title;

	const [is, shall] = [document, page].map((d) => d.getElementById("as-of"));

	if (is && shall)
		change(is, shall);
	addLocalTimes(is ?? document);
}

function takePage(page) {
	const before = document.getElementById("phase")?.textContent;

	takeHead(page);
	change(document.getElementById("main"), page.getElementById("main"));
	addLocalTimes(document);
	tellAge();

	const after = document.getElementById("phase")?.textContent;

	if (after && before && before !== after)
		say(`Now ${after}: ` +
			(document.querySelector("#now .reason")?.textContent ?? ""));
}

// ---- one request at a time, for all that has changed meanwhile ----

const changed = new Set(); // ids of rollouts
let wantsAll = false;
let asking = false;

const placeOf = (row) => row.closest("section").id;

// Rows that stay where they are; else all of it is asked for.
function takeRows(page, ids) {
	let moved = false;

	takeHead(page);
	for (const id of ids) {
		const is = document.getElementById(`r-${id}`);
		const shall = page.getElementById(`r-${id}`);

		if (is && shall && placeOf(is) === placeOf(shall)) {
			change(is, shall);
			addLocalTimes(is);
		} else if (is || shall) {
			moved = true;
		}
	}
	return moved;
}

async function catchUp() {
	if (asking)
		return;
	asking = true;
	while (wantsAll || changed.size) {
		const ids = wantsAll || follows === "rollout" ? [] : [...changed];
		const url = new URL(location.href);

		changed.clear();
		wantsAll = false;
		if (ids.length)
			url.searchParams.set("only", ids.slice(0, 50).join(","));
		for (const id of ids.slice(50))
			changed.add(id);

		const page = await fetchPage(url);

		if (!page)
			break;
		if (!ids.length)
			takePage(page);
		else if (takeRows(page, ids.slice(0, 50)))
			wantsAll = true;
	}
	asking = false;
}

function all() {
	wantsAll = true;
	catchUp();
}

function one(id) {
	if (follows === "rollout" && id !== rollout)
		return;
	changed.add(id);
	catchUp();
}

// ---- the stream: one for all tabs, of one that can be seen ----

// A browser opens six connections to a server, and a stream takes one for good.
const shared = `tidegate ${root.pathname}`;
const channel = new BroadcastChannel(shared);
let source = null;
let letGo = null; // gives the stream to the next tab
let waits = null; // until it is ours
let backOff = BACK_OFF_MS[0];

function hear() {
	const was = isLive();

	heard = performance.now();
	if (!was)
		tellAge();
}

// What the stream said, here or in the tab that has it.
function take(message) {
	if (message === "lost") {
		heard = 0;
		tellAge();
		all(); // says whether anybody is there at all
		return;
	}
	hear();
	if (message === "open")
		all(); // what happened before it was open
	else if (message.rollout)
		one(message.rollout);
}

function tellTabs(message) {
	channel.postMessage(message);
	take(message);
}

function hearTab({ data }) {
	if (data !== "hello") {
		if (!document.hidden)
			take(data);
	} else if (source?.readyState === EventSource.OPEN) {
		channel.postMessage("heartbeat");
	}
}

function connect() {
	source = new EventSource(new URL("api/v1/stream", root));
	source.onopen = () => {
		backOff = BACK_OFF_MS[0];
		tellTabs("open");
	};
	source.addEventListener("rollout", ({ data }) =>
		tellTabs({ rollout: JSON.parse(data).rollout }));
	source.addEventListener("reset", () => tellTabs("open"));
	source.addEventListener("heartbeat", () => tellTabs("heartbeat"));
	source.onerror = () => {
		tellTabs("lost");
		if (source?.readyState === EventSource.CLOSED)
			reconnect(); // it would never come back by itself
	};
}

function reconnect() {
	source?.close();
	source = null;
	setTimeout(() => {
		if (!source && waits)
			connect();
	}, backOff * (0.5 + Math.random()));
	backOff = Math.min(2 * backOff, BACK_OFF_MS[1]);
}

function follow() {
	if (waits || document.hidden || out)
		return;
	waits = new AbortController();
	channel.postMessage("hello");
	if (!navigator.locks) {
		connect();
		return;
	}
	navigator.locks.request(shared, { signal: waits.signal }, () =>
		new Promise((done) => {
			letGo = done;
			connect();
		})).catch(() => {}); // it was not waited for any more
}

function leave() {
	source?.close();
	source = null;
	heard = 0;
	waits?.abort();
	waits = null;
	letGo?.();
	letGo = null;
}

// ---- decisions ----

// What is asked on a page of its own is asked here, where a script is.
function decide(event) {
	const form = event.target.closest("form.decision");
	const button = event.submitter;

	if (!form || !button || form.elements.confirmed)
		return;

	const comment = form.elements.comment;

	if ("comment" in button.dataset && !comment.value.trim()) {
		event.preventDefault();
		hint(form, `Say why: ${button.value} needs a comment.`);
		comment.focus();
		return;
	}
	if ("grave" in button.dataset && button !== form.sure) {
		event.preventDefault();
		askAgain(form, button);
		return;
	}

	const confirmed = document.createElement("input");

	confirmed.type = "hidden";
	confirmed.name = "confirmed";
	confirmed.value = "yes";
	form.append(confirmed);
	// Nobody decides twice with one click too many.
	setTimeout(() => {
		for (const b of form.querySelectorAll("button"))
			b.disabled = true;
	});
}

function askAgain(form, button) {
	form.sure?.classList.remove("sure");
	form.sure = button;
	button.classList.add("sure");
	hint(form, `Press ${button.value} again, and it is done.`);
	setTimeout(() => {
		button.classList.remove("sure");
		if (form.sure === button)
			form.sure = null;
	}, 8000);
}

function hint(form, text) {
	let p = form.querySelector(".hint");

	if (!p) {
		p = document.createElement("p");
		p.className = "hint";
		p.setAttribute("role", "alert");
		form.append(p);
	}
	p.textContent = text;
}

// ---- it begins ----

addLocalTimes(document);
if (follows && age) {
	channel.onmessage = hearTab;
	document.addEventListener("submit", decide);
	document.addEventListener("visibilitychange", () => {
		if (document.hidden) {
			leave();
		} else {
			follow();
			all();
		}
	});
	addEventListener("pageshow", (event) => {
		if (event.persisted)
			all();
	});
	setInterval(tellAge, 1000);
	setInterval(() => {
		if (document.hidden || out)
			return;
		if (source && heard && !isLive())
			reconnect();
		if (!isLive())
			all();
	}, POLL_MS);
	setInterval(() => {
		if (!document.hidden && !out && isLive())
			all();
	}, REFRESH_MS[follows]);
	tellAge();
	follow();
}
