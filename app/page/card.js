// One inspection in a grid: picture, verdict, score between the thresholds, reasons, part, time.

import * as api from "./api.js";
import { element } from "./element.js";
import { text } from "./language.js";
import { about, badge, clock, reasons, score, shape } from "./verdict.js";

// Pictures are kept of all but ok parts, and of a sample of these.
export const kept = (event) => event.audit_probability !== undefined && event.audit_probability !== null;

export function picture(event, source, ...over) {
  const where = { href: `#inspection/${event.event_id}`, "aria-label": `${text("detail.title")} ${event.filename ?? event.event_id}` };
  const none = () => element("a", { ...where, class: `picture none ${event.verdict}`, title: text("detail.no_picture") }, element("span", { "aria-hidden": "true" }, shape(event.verdict)));
  if (!source) return none();
  const image = element("img", { src: source, alt: "", loading: "lazy", width: "160", height: "160", onerror: () => link.replaceWith(none()) });
  const link = element("a", { ...where, class: "picture" }, image, over);
  return link;
}

export function card(event, shown = picture(event, kept(event) && api.imageOf(event.event_id)), note = clock(event)) {
  return element("li", { class: `card ${event.verdict}` }, shown, element("div", {},
    element("div", { class: "line" }, badge(event.verdict), element("span", { class: "time" }, note)),
    score(event), reasons(event), element("p", { class: "name" }, event.filename ?? ""), about(event)));
}
