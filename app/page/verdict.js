// A verdict is shown by word, shape and colour together; a score by its place between the thresholds.

import { element } from "./element.js";
import { has, text } from "./language.js";

const SHAPES = { ok: "✓", review: "?", defect: "✕", rejected: "⊘" };

export function badge(verdict) {
  return element("span", { class: `verdict ${verdict}` }, element("span", { class: "shape", "aria-hidden": "true" }, SHAPES[verdict] ?? "·"), text(`verdict.${verdict}`));
}

export function score(event) {
  const value = event.p_defect;
  if (value === undefined) return null;
  const { ok_below: low, defect_from: high } = event.thresholds ?? {};
  const meter = element("meter", { min: "0", max: "1", value: String(value), "aria-label": text("score") });
  const between = event.thresholds ? text("score.between", { low: low.toPrecision(2), high: high.toPrecision(2) }) : "";
  return element("p", { class: `score ${event.verdict ?? ""}`, title: between }, meter, element("span", {}, value.toFixed(3)));
}

export function reasons(event) {
  const said = (event.reasons ?? []).map((code) => (has(`reason.${code}`) ? text(`reason.${code}`) : code));
  return said.length ? element("p", { class: "reasons" }, said.join(" ")) : null;
}

// The usual kinds of defect have a name in each language; others are shown as somebody wrote them.
export const KINDS = ["blow_hole", "shrinkage", "crack", "flash", "scratch", "broken_rim"];
export const kind = (name) => (KINDS.includes(name) ? text(`defect.${name}`) : name);

export function about(event) {
  const known = ["part_id", "lot", "line", "camera", "shift", "operator"].filter((name) => event[name]);
  return known.length ? element("p", { class: "about" }, known.map((name) => `${text(`field.${name}`)} ${event[name]}`).join(" · ")) : null;
}

export function when(event) {
  return new Date(event.occurred_at).toLocaleString(document.documentElement.lang, { dateStyle: "short", timeStyle: "medium" });
}

export function problem(error) {
  return has(`error.${error.code}`) ? text(`error.${error.code}`) : `${error.message} (${error.code})`;
}
