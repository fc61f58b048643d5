// Review: one part after the other, by keyboard alone.

import * as api from "../api.js";
import { element, replace } from "../element.js";
import { text } from "../language.js";
import { about, badge, score } from "../verdict.js";

const NAME = "casting.name";
const KEYS = { KeyO: "ok_front", KeyD: "def_front", KeyU: "unclear", KeyS: "skip" };

export function show(place) {
  let held = null;
  const content = element("div", { class: "review" });
  const name = element("input", { id: "auditor", maxlength: "128", autocomplete: "name", value: localStorage.getItem(NAME) ?? "" });
  const form = element("form", { class: "bar", onsubmit: (event) => {
    event.preventDefault();
    localStorage.setItem(NAME, name.value.trim());
    next();
  } }, element("label", { for: "auditor" }, text("review.name")), name, element("button", { class: "primary" }, text("review.start")));
  replace(place, element("h1", {}, text("review.title")), form, content);

  async function next() {
    const auditor = localStorage.getItem(NAME);
    if (!auditor) return name.focus();
    held = await api.nextToReview(auditor);
    replace(content, held ? part() : element("p", { role: "status" }, text("review.empty")));
    content.querySelector("img")?.focus();
  }

  function part() {
    const { inspection: event, blind, waiting } = held;
    return [
      element("p", { role: "status" }, text("review.waiting", { count: waiting })),
      element("img", { src: api.imageOf(event.event_id), alt: event.filename ?? event.event_id, class: "large", tabindex: "0" }),
      blind ? element("p", {}, text("review.blind")) : [badge(event.verdict), score(event)],
      about(event),
      element("div", { class: "fields" },
        element("label", {}, text("review.defect_type"), element("input", { name: "defect_type", maxlength: "128" })),
        element("label", {}, text("review.note"), element("input", { name: "note", maxlength: "2000" }))),
      element("div", { class: "choices" }, Object.entries({ ok: "ok_front", defect: "def_front", unclear: "unclear", skip: "skip" })
        .map(([key, label]) => element("button", { type: "button", class: key, onclick: () => decide(label) }, text(`review.${key}`)))),
    ];
  }

  async function decide(label) {
    if (!held) return;
    const { inspection: event, blind } = held;
    const auditor = localStorage.getItem(NAME);
    const value = (field) => content.querySelector(`[name=${field}]`).value.trim() || null;
    const decision = { true_label: label, auditor, blind, defect_type: value("defect_type"), note: value("note") };
    held = null;
    if (label === "skip") await api.release(event.event_id, auditor);
    else await api.audit(event.event_id, decision);
    await next();
  }

  const onkey = (event) => {
    if (event.target.tagName !== "INPUT" && !event.ctrlKey && !event.metaKey && KEYS[event.code]) decide(KEYS[event.code]);
  };
  addEventListener("keydown", onkey);
  if (name.value) next();
  return () => {
    removeEventListener("keydown", onkey);
    if (held) api.release(held.inspection.event_id, localStorage.getItem(NAME)).catch(() => {});
  };
}
