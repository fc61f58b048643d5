// Live: every inspection of every page and camera, newest first.

import { acknowledgedBy } from "../alertbar.js";
import * as api from "../api.js";
import { card } from "../card.js";
import { element, replace } from "../element.js";
import { text } from "../language.js";
import { Newest } from "../newest.js";
import { sound, sounding } from "../sound.js";
import { failed } from "../verdict.js";
import { FIELDS, watch, watching } from "../watching.js";

const SHOWN = 60;

export function show(place, { feed }) {
  const list = element("ol", { class: "grid", "aria-label": text("live.title") });
  const message = element("div");
  const cards = new Map();
  const newest = new Newest(SHOWN, () => {
    for (const [id, drawn] of cards) if (!newest.events.has(id)) { drawn.remove(); cards.delete(id); }
    newest.list.forEach((event, at) => {
      if (!cards.has(event.event_id)) cards.set(event.event_id, card(event));
      const drawn = cards.get(event.event_id);
      if (list.children[at] !== drawn) list.insertBefore(drawn, list.children[at] ?? null);
    });
    replace(message, !cards.size && empty());
  });
  const refill = () => newest.fill().catch((error) => replace(message, failed(error, refill)));
  replace(place, element("div", { class: "bar head" }, element("h1", {}, text("live.title")), filter(refill),
    element("span", { class: "push" }), soundSwitch(), element("a", { href: "#wall", class: "button" }, text("live.wall"))),
  message, list, acknowledged());
  feed.listeners.add((event) => newest.take(event));
  refill();
}

function empty() {
  const somewhere = Object.values(watching()).some(Boolean);
  return element("div", { class: "empty" }, element("strong", {}, text("live.empty")), text(somewhere ? "live.empty_watching" : "live.empty_why"),
    !somewhere && element("div", {}, element("a", { href: "#inspect", class: "button primary" }, text("inspect.title"))));
}

function filter(refill) {
  const chosen = watching();
  const inputs = FIELDS.map((name) => element("input", { name, value: chosen[name] ?? "", maxlength: "128", placeholder: text("live.all") }));
  const change = () => {
    watch(Object.fromEntries(inputs.map((input) => [input.name, input.value.trim()])));
    refill();
  };
  return element("form", { class: "bar watching", onchange: change, onsubmit: (event) => { event.preventDefault(); change(); } },
    inputs.map((input) => element("label", {}, text(`field.${input.name}`), input)));
}

function soundSwitch() {
  const button = element("button", { type: "button", onclick: () => { sound(!sounding()); say(); } }, text("live.sound"));
  const say = () => button.setAttribute("aria-pressed", String(sounding()));
  say();
  return button;
}

// Who has seen to which defect: asked for only when somebody wants to know.
function acknowledged() {
  const rows = element("ul");
  const fill = async () => {
    if (!block.open) return;
    const { items } = await api.acknowledged();
    replace(rows, items.length ? items.map(({ inspection, ...seen }) => element("li", {},
      element("a", { href: `#inspection/${inspection.event_id}` }, inspection.filename || inspection.event_id), " ", acknowledgedBy(seen))) : element("li", {}, text("alerts.none")));
  };
  const block = element("details", { class: "seen", ontoggle: () => fill().catch((error) => replace(rows, failed(error, fill))) }, element("summary", {}, text("alerts.acknowledged")), rows);
  return block;
}
