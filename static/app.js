// relcontrol: theme, copy, typed names, keyboard, live parts, times, figures. No eval, no inline styles.
"use strict";
const root = document.documentElement;
const dark = matchMedia("(prefers-color-scheme: dark)");
const $ = (id) => document.getElementById(id);
const every = (selector, act, within = document) => within.querySelectorAll(selector).forEach(act);

// Blocked cookies make localStorage throw; the theme is then only not remembered.
const memory = {
  get: (key) => { try { return localStorage.getItem(key); } catch { return null; } },
  set: (key, value) => { try { localStorage.setItem(key, value); } catch { /* see above */ } },
};

// ---- Theme: the system's until a person chooses
function showTheme() { root.dataset.bsTheme = memory.get("theme") || (dark.matches ? "dark" : "light"); }
showTheme();
dark.addEventListener("change", () => { showTheme(); drawFigures(); });

function toggleTheme() {
  memory.set("theme", root.dataset.bsTheme === "dark" ? "light" : "dark");
  root.dataset.bsTheme = root.dataset.bsTheme === "dark" ? "light" : "dark";
  drawFigures();
}

// ---- Announcements: one live region; the same words twice are said twice
function say(text) {
  $("live").textContent = "";
  requestAnimationFrame(() => { $("live").textContent = text; });
}

async function copy(button) {
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    say("Copied");
  } catch {
    say("The browser does not let this page copy. Select the text and copy it by hand.");
  }
}

// ---- Typed names: the button wakes when the name is typed exactly; the server asks for the same
function checkTyped(box) {
  const same = box.value.trim() === box.dataset.mustEqual;
  $(box.dataset.enables).disabled = !same;
  $("typed-ok").hidden = !same;
  box.classList.toggle("is-valid", same);
}

// ---- Times: refreshed by the server's clock, in the words of relcontrol/web/words.py
let skew = 0;
const now = () => Date.now() + skew;

function relative(at) {
  const seconds = Math.floor((now() - at) / 1000), far = Math.abs(seconds);
  const words = far < 60 ? `${far} s` : far < 3600 ? `${Math.floor(far / 60)} min` : far < 172800 ? `${Math.floor(far / 3600)} h` : `${Math.floor(far / 86400)} d`;
  return seconds < 0 ? `in ${words}` : `${words} ago`;
}

function refreshTimes() {
  every("time[data-relative]", (time) => {
    const words = relative(Date.parse(time.dateTime));
    if (time.textContent !== words) time.textContent = words;
  });
}

// ---- Figures: the server names colours as "var(--ink)"; a probe element resolves light-dark()
function colours() {
  const probe = document.body.appendChild(document.createElement("i")), known = {};
  const read = (name) => {
    probe.style.color = name;
    return (known[name] ??= getComputedStyle(probe).color);
  };
  return { read, done: () => probe.remove() };
}

function resolved(value, read) {
  if (typeof value === "string") return value.startsWith("var(--") ? read(value) : value;
  if (Array.isArray(value)) return value.map((item) => resolved(item, read));
  if (value && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, resolved(item, read)]));
  return value;
}

function themed(layout, read) {
  const axis = { zeroline: false, fixedrange: true, gridcolor: read("var(--line)"), linecolor: read("var(--line-2)"), tickcolor: read("var(--line-2)"), tickfont: { color: read("var(--ink-2)"), size: 12 } };
  const axes = Object.fromEntries(Object.keys({ xaxis: 0, yaxis: 0, ...layout }).filter((key) => /^[xy]axis\d*$/.test(key)).map((key) => [key, { ...axis, ...layout[key] }]));
  return {
    showlegend: false, dragmode: false, autotypenumbers: "strict", margin: { l: 56, r: 24, t: 16, b: 44 }, font: { family: '"Inter Variable", system-ui, sans-serif', size: 12, color: read("var(--ink)") },
    hoverlabel: { bgcolor: read("var(--surface)"), bordercolor: read("var(--line-2)"), font: { color: read("var(--ink)"), size: 12 } }, ...layout, ...axes,
  };
}

const isNarrow = (box) => box.clientWidth < 560;

function drawFigure(box, read) {
  const all = JSON.parse($(box.dataset.figure).textContent);
  box.narrow = isNarrow(box);
  const figure = resolved(all.narrow && box.narrow ? all.narrow : all, read);
  Plotly.react(box, figure.data, themed(figure.layout, read), { displayModeBar: false, responsive: true, scrollZoom: false });
}

function drawFigures() {
  if (!window.Plotly) return;
  const { read, done } = colours();
  every("[data-figure]", (box) => drawFigure(box, read));
  done();
}

// ---- Live parts: no question from a hidden tab or a paused part; focus and open details outlive a swap
const focusable = "a[href], button, input, select, textarea, summary, [tabindex]";
const paused = new Set();
let kept = null;

function remember(part) {
  const places = [...part.querySelectorAll(focusable)], place = places.indexOf(document.activeElement);
  kept = { id: document.activeElement?.id, place: part === document.activeElement ? -1 : place, open: [...part.querySelectorAll("details[id]")].map((d) => [d.id, d.open]), said: part.dataset.announce };
}

function restore(part) {
  if (!kept) return;
  kept.open.forEach(([id, open]) => { if ($(id)) $(id).open = open; });
  if (kept.place >= 0) (kept.id && part.querySelector(`#${CSS.escape(kept.id)}`) || part.querySelector("[data-focus]") || part.querySelectorAll(focusable)[kept.place] || $("main")).focus({ preventScroll: true });
  if (part.dataset.announce && part.dataset.announce !== kept.said) say(part.dataset.announce);
  kept = null;
}

function showPause(part) {
  const button = part.querySelector("[data-pause]");
  if (!button) return;
  button.setAttribute("aria-pressed", paused.has(part.id));
  button.querySelector("span").textContent = paused.has(part.id) ? "Paused: go on" : "Pause";
}

function answered(part, ok) {
  const bar = part.querySelector(".live-bar");
  if (!bar) return;
  bar.querySelector(".lost").hidden = ok;
  if (ok) bar.querySelector("time").dateTime = new Date(now()).toISOString();
}

const isPoll = (event) => event.target.hasAttribute?.("data-poll");
document.addEventListener("htmx:beforeRequest", (event) => { if (isPoll(event) && (document.hidden || paused.has(event.target.id))) event.preventDefault(); });
document.addEventListener("htmx:beforeSwap", (event) => { if (event.detail.shouldSwap) remember(event.detail.target); });
document.addEventListener("htmx:afterRequest", (event) => { if (isPoll(event)) answered(event.target, event.detail.successful); });
document.addEventListener("htmx:afterSettle", (event) => { ready(event.target); restore(event.target); });
document.addEventListener("visibilitychange", () => { if (!document.hidden && window.htmx) every("[data-poll]", (part) => htmx.trigger(part, "poll-now")); });

// ---- Pointer and keyboard
document.addEventListener("click", (event) => {
  const at = (selector) => event.target.closest(selector);
  if (at("[data-copy]")) copy(at("[data-copy]"));
  if (at("[data-theme-toggle]")) toggleTheme();
  if (at("[data-open-dialog]")) $(at("[data-open-dialog]").dataset.openDialog).showModal();
  if (at("[data-pause]")) {
    const part = at("[data-poll]");
    paused[paused.has(part.id) ? "delete" : "add"](part.id);
    showPause(part);
    if (!paused.has(part.id)) htmx.trigger(part, "poll-now");
  }
});
document.addEventListener("input", (event) => { if (event.target.dataset.mustEqual) checkTyped(event.target); });

function step(by) {
  const rows = [...document.querySelectorAll("[data-rows] > *")].filter((row) => row.querySelector("a[href], button"));
  const here = rows.findIndex((row) => row.contains(document.activeElement));
  const next = rows[Math.min(rows.length - 1, Math.max(0, here < 0 ? 0 : here + by))];
  next?.querySelector("a[href], button").focus();
}

let going = 0;
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input:not([type=number]), textarea, select, dialog, [contenteditable]")) return;
  const chord = Date.now() - going < 1500 && document.querySelector(`[data-go="${CSS.escape(event.key)}"]`);
  going = 0;
  if (chord) { event.preventDefault(); chord.click(); }
  else if (event.key === "g") going = Date.now();
  else if (event.key === "j" || event.key === "k") step(event.key === "j" ? 1 : -1);
  else if (event.key === "?") $("keyboard")?.showModal();
  else if (event.key === "/" && $("q")) { event.preventDefault(); $("q").focus(); }
  else if (!event.repeat && document.querySelector(`[data-key="${CSS.escape(event.key)}"]`)) { event.preventDefault(); document.querySelector(`[data-key="${CSS.escape(event.key)}"]`).click(); }
});

function ready(part) {
  every("[data-must-equal]", checkTyped, part);
  if (part.matches?.("[data-poll]")) showPause(part);
  if (part.querySelector?.("[data-figure]")) drawFigures();
}

document.addEventListener("DOMContentLoaded", async () => {
  if (document.body.dataset.now) skew = Date.parse(document.body.dataset.now) - Date.now();
  ready(document);
  if (performance.getEntriesByType("navigation")[0]?.responseStatus === 422) document.querySelector("main form [aria-invalid=true]")?.focus();
  every("main [data-announce]:not([data-poll])", (part) => say(part.dataset.announce));
  setInterval(() => { if (!document.hidden) refreshTimes(); }, 1000);
  await document.fonts.ready;
  drawFigures();
  addEventListener("resize", () => { if ([...document.querySelectorAll("[data-figure]")].some((box) => box.narrow !== isNarrow(box))) drawFigures(); });
});
