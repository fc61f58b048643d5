// The kept picture of an inspection; over it, as strong as wanted, where the model looked.

import * as api from "./api.js";
import { element } from "./element.js";
import { text } from "./language.js";

export function overlay(event, strength = 60) {
  const heat = element("img", { src: api.heatmapOf(event.event_id), alt: text("detail.heatmap"), class: "heat", onerror: () => figure.replaceWith(gone()) });
  const laid = (percent) => { heat.style.opacity = String(percent / 100); };
  const slider = element("input", { type: "range", min: "0", max: "100", value: String(strength), id: "heat", oninput: ({ target }) => laid(target.value) });
  laid(strength);
  const figure = element("figure", { class: "overlay" },
    element("div", { class: "frame" }, element("img", { src: api.imageOf(event.event_id), alt: event.filename ?? event.event_id }), heat),
    element("figcaption", {}, element("label", { for: "heat" }, text("detail.heatmap")), slider));
  return figure;
}

export const gone = () => element("p", { class: "empty" }, text("detail.no_picture"));
