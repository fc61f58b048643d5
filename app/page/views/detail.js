// One inspection: picture, heatmap, decisions, the whole record; its address can be kept.

import * as api from "../api.js";
import { element, replace } from "../element.js";
import { text } from "../language.js";
import { about, badge, reasons, score, when } from "../verdict.js";

export async function load(place, id) {
  const { inspection: event, audits, picture } = await api.inspection(id);
  replace(place,
    element("h1", {}, text("detail.title"), " ", badge(event.verdict)),
    element("p", {}, [when(event), event.filename].filter(Boolean).join(" · ")),
    picture ? pictures(event) : element("p", {}, text("detail.no_picture")),
    score(event), reasons(event), about(event),
    audits.length && element("section", {}, element("h2", {}, text("detail.audits")), element("ul", {}, audits.map((audit) =>
      element("li", {}, [text(`label.${audit.true_label}`), audit.defect_type, audit.auditor, when(audit), audit.note].filter(Boolean).join(" · "))))),
    element("details", {}, element("summary", {}, text("detail.raw")), element("pre", {}, JSON.stringify(event, null, 2))));
}

export function show(place, { argument }) {
  load(place, argument).catch((error) => replace(place, element("p", { role: "alert" }, `${error.message} (${error.code})`)));
}

function pictures(event) {
  const heat = element("img", { src: api.heatmapOf(event.event_id), alt: text("detail.heatmap"), class: "heat" });
  heat.style.opacity = "0.5";
  const slider = element("input", { type: "range", min: "0", max: "100", value: "50", id: "heat", oninput: ({ target }) => {
    heat.style.opacity = String(target.value / 100);
  } });
  return element("figure", { class: "overlay" },
    element("div", {}, element("img", { src: api.imageOf(event.event_id), alt: event.filename ?? event.event_id }), heat),
    element("figcaption", {}, element("label", { for: "heat" }, text("detail.heatmap")), slider));
}
