// One inspection: picture, heatmap, what happened to it, the whole record; its address can be kept.

import { acknowledgedBy } from "../alertbar.js";
import * as api from "../api.js";
import { element, replace } from "../element.js";
import { text } from "../language.js";
import { gone, overlay } from "../overlay.js";
import { badge, between, failed, kind, PART, reasons, score, when } from "../verdict.js";

export function show(place, { argument, feed }) {
  const load = async () => {
    const found = await api.inspection(argument);
    draw(place, found);
  };
  const begin = () => load().catch((error) => replace(place, failed(error, begin)));
  begin();
  feed.listeners.add((event) => {
    const touched = event.kind === "audit" ? event.inspection_id === argument : event.kind === "acknowledged" && event.event_ids.includes(argument);
    if (touched) load().catch(() => {});
  });
}

function draw(place, { inspection: event, audits, picture, acknowledged }) {
  replace(place,
    element("div", { class: "bar head" }, element("h1", {}, event.filename || text("detail.title")), badge(event.verdict), element("span", { class: "push" }),
      picture && element("a", { class: "button", href: api.imageOf(event.event_id), download: event.filename || event.event_id }, text("detail.download")), copyButton()),
    element("div", { class: "detail" },
      picture ? overlay(event) : gone(),
      element("div", { class: "side" },
        element("section", { class: "panel side" }, score(event), element("p", { class: "quietly" }, between(event)), reasons(event), facts(event)),
        element("section", { class: "panel" }, element("h2", {}, text("detail.trail")), trail(event, audits, acknowledged)),
        element("details", { class: "panel" }, element("summary", {}, text("detail.raw")), element("pre", { tabindex: "0" }, JSON.stringify({ inspection: event, audits }, null, 2))))));
}

function facts(event) {
  const rows = [[text("when"), when(event)], ...PART.map((name) => [text(`field.${name}`), event[name]]), [text("detail.prediction"), event.prediction && text(`label.${event.prediction}`)],
    [text("field.model_version"), event.model_version], [text("detail.size"), event.image_width && `${event.image_width} × ${event.image_height}`],
    [text("detail.latency"), event.latency_ms && text("time_ms", { ms: Math.round(event.latency_ms) })], [text("detail.origin"), text(`origin.${event.origin}`)],
    [text("detail.number"), event.number && `${event.number} (${event.journal})`], ["SHA-256", event.image_sha256]];
  return element("dl", { class: "facts" }, rows.filter(([, value]) => value).map(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]));
}

function trail(event, audits, acknowledged) {
  const differs = (audit) => event.prediction && audit.true_label !== "unclear" && audit.true_label !== event.prediction;
  return element("ol", { class: "trail" },
    element("li", {}, element("strong", {}, text("detail.inspected")), when(event)),
    acknowledged && element("li", {}, element("strong", {}, text("detail.acknowledged")), acknowledgedBy(acknowledged)),
    audits.map((audit) => element("li", {}, element("strong", {}, [text(`label.${audit.true_label}`), kind(audit.defect_type)].filter(Boolean).join(", ")),
      [audit.auditor, when(audit), audit.blind && text("detail.blind"), audit.note].filter(Boolean).join(" · "), differs(audit) && element("span", { class: "differs" }, ` ${text("detail.differs")}`))),
    !audits.length && element("li", {}, text("detail.undecided")));
}

function copyButton() {
  const button = element("button", { type: "button", onclick: async () => {
    await navigator.clipboard?.writeText(location.href).catch(() => {});
    button.textContent = text("detail.copied");
  } }, text("detail.copy"));
  return navigator.clipboard ? button : null;
}
