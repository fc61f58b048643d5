// A verdict is shown by word, shape and colour together; a score by its place between the thresholds.

import { element, svg } from "./element.js";
import { dated, has, second, text } from "./language.js";
import { thresholdsOf } from "./thresholds.js";

export const VERDICTS = ["ok", "review", "defect", "rejected"];
export const PART = ["part_id", "lot", "line", "camera", "shift", "operator"];
const SHAPES = { ok: "✓", review: "?", defect: "✕", rejected: "⊘" };

export const shape = (verdict) => SHAPES[verdict] ?? "·";
const word = (verdict) => [element("span", { "aria-hidden": "true" }, shape(verdict)), text(`verdict.${verdict}`)];

export function badge(verdict) {
  return element("span", { class: `verdict ${verdict}` }, word(verdict));
}

export function large(verdict) {
  return element("p", { class: `word ${verdict}` }, word(verdict));
}

export function between(event) {
  const { ok_below: low, defect_from: high } = thresholdsOf(event) ?? {};
  return low === undefined ? null : text("score.between", { low: low.toFixed(2), high: high.toFixed(2) });
}

export function score(event) {
  const value = event.p_defect;
  if (value === undefined || value === null) return null;
  const { ok_below: low, defect_from: high } = thresholdsOf(event) ?? {};
  const zones = low === undefined ? [["track", 0, 1]] : [["ok", 0, low], ["review", low, high], ["defect", high, 1]];
  const said = between(event);
  const scale = svg("svg", { viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" },
    zones.map(([name, from, to]) => svg("rect", { class: name, x: 100 * from, y: 3, width: 100 * (to - from), height: 4 })),
    svg("line", { class: "needle", x1: 100 * value, x2: 100 * value, y1: 0, y2: 10 }));
  return element("p", { class: "score", role: "meter", title: said, "aria-label": text("score"), "aria-valuemin": "0", "aria-valuemax": "1",
    "aria-valuenow": String(value), "aria-valuetext": [value.toFixed(3), said].filter(Boolean).join(", ") }, scale, element("span", {}, value.toFixed(3)));
}

export function reasons(event) {
  const said = (event.reasons ?? []).map((code) => (has(`reason.${code}`) ? text(`reason.${code}`) : code));
  return said.length ? element("p", { class: "reasons" }, said.join(" ")) : null;
}

// The usual kinds of defect have a name in each language; others are shown as somebody wrote them.
export const KINDS = ["blow_hole", "shrinkage", "crack", "flash", "scratch", "broken_rim"];
export const kind = (name) => (KINDS.includes(name) ? text(`defect.${name}`) : name);

export function aboutOf(event) {
  return PART.filter((name) => event[name]).map((name) => `${text(`field.${name}`)} ${event[name]}`).join(" · ");
}

// In few words, for a list.
export function brief(event) {
  return [event.part_id || event.filename, event.line && `${text("field.line")} ${event.line}`].filter(Boolean).join(" · ");
}

export function about(event) {
  const said = aboutOf(event);
  return said ? element("p", { class: "about" }, said) : null;
}

export function when(event) {
  return dated(event.occurred_at);
}

// Of today the time alone.
export function clock(event) {
  const today = new Date(event.occurred_at).toDateString() === new Date().toDateString();
  return today ? second(event.occurred_at) : when(event);
}

export function problem(error) {
  return has(`error.${error.code}`) ? text(`error.${error.code}`) : `${error.message} (${error.code})`;
}

// What to show where something could not be fetched: why, and how to go on.
export function failed(error, again) {
  return element("div", { class: "empty", role: "alert" }, element("strong", {}, problem(error)),
    element("button", { type: "button", class: "button", onclick: again }, text("again")));
}
