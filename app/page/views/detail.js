// One inspection: picture, heatmap, decisions, the whole record; its address can be kept.

import * as api from "../api.js";
import { element, replace } from "../element.js";
import { text } from "../language.js";
import { overlay } from "../overlay.js";
import { about, badge, kind, problem, reasons, score, when } from "../verdict.js";

export async function load(place, id) {
  const { inspection: event, audits, picture } = await api.inspection(id);
  replace(place,
    element("h1", {}, text("detail.title"), " ", badge(event.verdict)),
    element("p", {}, [when(event), event.filename].filter(Boolean).join(" · ")),
    picture ? overlay(event) : element("p", {}, text("detail.no_picture")),
    score(event), reasons(event), about(event),
    audits.length && element("section", {}, element("h2", {}, text("detail.audits")), element("ul", {}, audits.map((audit) =>
      element("li", {}, [text(`label.${audit.true_label}`), kind(audit.defect_type), audit.auditor, when(audit), audit.note].filter(Boolean).join(" · "))))),
    element("details", {}, element("summary", {}, text("detail.raw")), element("pre", {}, JSON.stringify(event, null, 2))));
}

export function show(place, { argument }) {
  load(place, argument).catch((error) => replace(place, element("p", { role: "alert" }, problem(error))));
}
