// Today: counts, rates and waiting work of the last 24 hours.

import * as api from "../api.js";
import { element, replace } from "../element.js";
import { text } from "../language.js";

const NAMESPACE = "http://www.w3.org/2000/svg";
const STACK = ["ok", "review", "rejected", "defect"];

export function show(place) {
  const draw = async () => {
    const [figures, written] = await Promise.all([api.summary(), api.reports()]);
    const { ok = 0, review = 0, defect = 0, rejected = 0 } = figures.verdicts;
    const total = ok + review + defect + rejected;
    const { p50, p99 } = figures.latency_ms;
    replace(place, element("h1", {}, text("today.title")),
      element("dl", { class: "figures" },
        figure("today.count", total.toLocaleString()),
        figure("today.rate", percent(defect, total)),
        figure("today.review", percent(review, total)),
        figure("today.waiting", figures.waiting.toLocaleString()),
        figure("today.latency", p50 === null ? "–" : `${Math.round(p50)} / ${text("time_ms", { ms: Math.round(p99) })}`),
        figure("today.backlog", figures.backlog.toLocaleString())),
      element("h2", {}, text("today.by_hour")), chart(figures.cells), legend(),
      element("h2", {}, text("today.by_line")), lines(figures.cells),
      written.items.length && [element("h2", {}, text("today.reports")), element("ul", {}, written.items.map(({ date, url }) => element("li", {}, element("a", { href: url }, date))))]);
  };
  draw().catch(() => {});
  const timer = setInterval(() => draw().catch(() => {}), 10_000);
  return () => clearInterval(timer);
}

const percent = (part, whole) => (whole ? `${((100 * part) / whole).toFixed(1)} %` : "–");

function lines(cells) {
  const counts = new Map();
  for (const { line, verdict, count } of cells) {
    const row = counts.get(line ?? "") ?? { total: 0 };
    row.total += count;
    row[verdict] = (row[verdict] ?? 0) + count;
    counts.set(line ?? "", row);
  }
  const heads = ["field.line", "today.count", "today.rate", "today.review"];
  const rows = [...counts].sort(([one], [other]) => one.localeCompare(other)).map(([line, row]) =>
    [line || text("today.no_line"), row.total.toLocaleString(), percent(row.defect ?? 0, row.total), percent(row.review ?? 0, row.total)]);
  return element("div", { class: "scroll" }, element("table", {},
    element("thead", {}, element("tr", {}, heads.map((head) => element("th", { scope: "col" }, text(head))))),
    element("tbody", {}, rows.map((row) => element("tr", {}, row.map((cell) => element("td", {}, cell)))))));
}

function figure(key, value) {
  return element("div", {}, element("dt", {}, text(key)), element("dd", {}, value));
}

function legend() {
  return element("p", { class: "legend" }, STACK.map((verdict) => element("span", { class: `key ${verdict}` }, text(`verdict.${verdict}`))));
}

function chart(cells) {
  const hours = new Map();
  for (const { hour, verdict, count } of cells) {
    const stack = hours.get(hour) ?? {};
    stack[verdict] = (stack[verdict] ?? 0) + count;
    hours.set(hour, stack);
  }
  const end = new Date().setMinutes(0, 0, 0);
  const slots = Array.from({ length: 24 }, (_, at) => end - (23 - at) * 3_600_000);
  const stacks = slots.map((slot) => [...hours].find(([hour]) => Date.parse(hour) === slot)?.[1] ?? {});
  const top = Math.max(1, ...stacks.map((stack) => Object.values(stack).reduce((sum, count) => sum + count, 0)));
  const svg = document.createElementNS(NAMESPACE, "svg");
  svg.setAttribute("viewBox", "0 0 960 240");
  svg.setAttribute("role", "img");
  svg.setAttribute("class", "chart");
  svg.setAttribute("aria-label", text("today.by_hour"));
  stacks.forEach((stack, at) => {
    let y = 210;
    for (const verdict of STACK) {
      const height = (200 * (stack[verdict] ?? 0)) / top;
      if (height) svg.append(shape("rect", { class: verdict, x: at * 40 + 5, y: y - height, width: 30, height }));
      y -= height;
    }
    if (at % 3 === 0) {
      const label = shape("text", { x: at * 40 + 20, y: 230, "text-anchor": "middle" });
      label.textContent = new Date(slots[at]).toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" });
      svg.append(label);
    }
  });
  return svg;
}

function shape(name, attributes) {
  const made = document.createElementNS(NAMESPACE, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}
