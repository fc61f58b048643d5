// Live: every inspection of every page and camera, newest first; full screen it is the wall above the line.

import * as api from "../api.js";
import { element, replace } from "../element.js";
import { text } from "../language.js";
import { sound, sounding } from "../sound.js";
import { about, badge, reasons, score, when } from "../verdict.js";
import { FIELDS, watch, watched, watching } from "../watching.js";

const SHOWN = 60;

export function show(place, { feed }) {
  const list = element("ol", { class: "grid" });
  const empty = element("p", {}, text("live.empty"));
  const wall = element("button", { type: "button", onclick: () => place.requestFullscreen?.() }, text("live.wall"));
  replace(place, element("div", { class: "bar" }, element("h1", {}, text("live.title")), wall, soundSwitch(), filter(refill)),
    acknowledged(), empty, list);
  const add = (event, first = true) => {
    if (event.kind !== "inspection" || !watched(event)) return;
    empty.hidden = true;
    if (first) list.prepend(card(event));
    else list.append(card(event));
    while (list.children.length > SHOWN) list.lastChild.remove();
  };
  async function refill() {
    const { items } = await api.search({ limit: 24, ...watching() });
    replace(list);
    empty.hidden = items.length > 0;
    for (const event of items) add(event, false);
  }
  feed.listeners.add(add);
  refill().catch(() => {});
}

function filter(refill) {
  const chosen = watching();
  const inputs = FIELDS.map((name) => element("input", { name, value: chosen[name] ?? "", maxlength: "128", placeholder: text("live.all") }));
  const change = () => {
    watch(Object.fromEntries(inputs.map((input) => [input.name, input.value.trim()])));
    refill().catch(() => {});
  };
  return element("form", { class: "bar watching", onchange: change, onsubmit: (event) => { event.preventDefault(); change(); } },
    inputs.map((input) => element("label", {}, text(`field.${input.name}`), input)));
}

function soundSwitch() {
  const button = element("button", { type: "button", onclick: () => { sound(!sounding()); say(); } });
  const say = () => {
    button.textContent = text("live.sound");
    button.setAttribute("aria-pressed", String(sounding()));
  };
  say();
  return button;
}

// Who has seen to which defect: asked for only when somebody wants to know.
function acknowledged() {
  const rows = element("ul");
  const fill = async () => {
    if (!block.open) return;
    const { items } = await api.acknowledged();
    replace(rows, items.length ? items.map(({ inspection, by, at }) => element("li", {},
      element("a", { href: `#inspection/${inspection.event_id}` }, inspection.filename || inspection.event_id), " ",
      text("alerts.by", { by, at: when({ occurred_at: at }) }))) : element("li", {}, text("alerts.none")));
  };
  const block = element("details", { ontoggle: () => fill().catch(() => {}) }, element("summary", {}, text("alerts.acknowledged")), rows);
  return block;
}

function card(event) {
  const picture = event.audit_probability === undefined ? null
    : element("img", { src: api.imageOf(event.event_id), alt: event.filename ?? "", loading: "lazy", width: "160", height: "160" });
  return element("li", { class: `card ${event.verdict}` }, element("a", { href: `#inspection/${event.event_id}` }, picture ?? text("detail.open")),
    element("p", { class: "name" }, event.filename ?? ""), badge(event.verdict), score(event), reasons(event), about(event),
    element("p", { class: "time" }, when(event)));
}
