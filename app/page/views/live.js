// Live: every inspection of every page and camera, newest first; full screen it is the wall above the line.

import * as api from "../api.js";
import { element, replace } from "../element.js";
import { text } from "../language.js";
import { about, badge, reasons, score, when } from "../verdict.js";

const SHOWN = 60;

export function show(place, { feed }) {
  const list = element("ol", { class: "grid" });
  const empty = element("p", {}, text("live.empty"));
  const wall = element("button", { type: "button", onclick: () => place.requestFullscreen?.() }, text("live.wall"));
  replace(place, element("div", { class: "bar" }, element("h1", {}, text("live.title")), wall), empty, list);
  const add = (event, first = true) => {
    if (event.kind !== "inspection") return;
    empty.remove();
    if (first) list.prepend(card(event));
    else list.append(card(event));
    while (list.children.length > SHOWN) list.lastChild.remove();
  };
  feed.listeners.add(add);
  api.search({ limit: 24 }).then(({ items }) => items.forEach((event) => add(event, false))).catch(() => {});
}

function card(event) {
  const picture = event.audit_probability === undefined ? null
    : element("img", { src: api.imageOf(event.event_id), alt: event.filename ?? "", loading: "lazy", width: "160", height: "160" });
  return element("li", { class: `card ${event.verdict}` }, element("a", { href: `#inspection/${event.event_id}` }, picture ?? text("detail.open")),
    element("p", { class: "name" }, event.filename ?? ""), badge(event.verdict), score(event), reasons(event), about(event),
    element("p", { class: "time" }, when(event)));
}
