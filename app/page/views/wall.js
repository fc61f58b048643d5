// The wall: one screen above the line, legible from across the hall. What just came, what came before, how the day goes.

import * as api from "../api.js";
import { kept } from "../card.js";
import { element, replace } from "../element.js";
import { minute, number, text } from "../language.js";
import { Newest } from "../newest.js";
import { aboutOf, badge, brief, clock, large, reasons, score, shape } from "../verdict.js";
import { watching } from "../watching.js";

const BEFORE = 9;
const FIGURES_MS = 10_000;

export function show(place, { feed }) {
  const now = element("div");
  const recent = element("ol", { class: "recent", "aria-label": text("live.title") });
  const figures = element("dl", { class: "figures" });
  const time = element("span", { class: "clock" });
  const line = element("span", { class: "connection" });
  const chosen = Object.entries(watching()).filter(([, value]) => value).map(([name, value]) => `${text(`field.${name}`)} ${value}`).join(" · ");
  const newest = new Newest(BEFORE + 1, () => {
    const [event, ...before] = newest.list;
    replace(now, event ? shown(event) : element("p", { class: "empty" }, element("strong", {}, text("live.empty")), text("live.empty_why")));
    replace(recent, before.map((one) => element("li", { class: one.verdict }, badge(one.verdict), element("span", { class: "part" }, brief(one)), element("time", {}, clock(one)))));
  });
  replace(place,
    element("div", { class: "wall-head" }, element("h1", {}, chosen || text("wall.all")), line, time,
      element("button", { type: "button", onclick: () => document.documentElement.requestFullscreen?.() }, text("wall.full")),
      element("a", { href: "#live", class: "button", onclick: () => document.fullscreenElement && document.exitFullscreen() }, text("wall.leave"))),
    element("div", { class: "wall-body" }, now, recent), figures);
  const count = async () => {
    const { verdicts } = await api.summary();
    const total = Object.values(verdicts).reduce((sum, some) => sum + some, 0);
    const figure = (key, value) => element("div", {}, element("dt", {}, text(key)), element("dd", {}, value));
    replace(figures, figure("today.count", number(total)), ["ok", "defect", "review", "rejected"].map((verdict) => figure(`verdict.${verdict}`, number(verdicts[verdict] ?? 0))),
      figure("today.rate", total ? `${((100 * (verdicts.defect ?? 0)) / total).toFixed(1)} %` : "–"));
  };
  const tick = () => {
    time.textContent = minute(Date.now());
    line.dataset.state = feed.state;
    line.textContent = text(`connection.${feed.state}`);
  };
  feed.listeners.add((event) => newest.take(event));
  const again = () => newest.fill().catch(() => setTimeout(() => place.contains(now) && again(), 5000)); // nobody stands at the wall to press a button
  again();
  count().catch(() => {});
  tick();
  const timers = [setInterval(tick, 1000), setInterval(() => count().catch(() => {}), FIGURES_MS)];
  return () => timers.forEach(clearInterval);
}

function shown(event) {
  const none = () => element("div", { class: `picture none ${event.verdict}` }, element("span", { "aria-hidden": "true" }, shape(event.verdict)));
  const frame = kept(event) ? element("div", { class: "picture" }, element("img", { src: api.imageOf(event.event_id), alt: event.filename ?? "", onerror: () => frame.replaceWith(none()) })) : none();
  return element("section", { class: `now ${event.verdict}` }, frame,
    element("div", { class: "said" }, large(event.verdict), score(event), reasons(event), element("p", {}, aboutOf(event) || event.filename), element("p", { class: "quietly" }, clock(event))));
}
