// Today: counts, rates and waiting work of the last 24 hours.

import * as api from "../api.js";
import { byHour, byLine, hoursUntil, total } from "../counts.js";
import { rates, share, spark, stacked } from "../charts.js";
import { element, replace } from "../element.js";
import { number, text } from "../language.js";
import { failed, shape } from "../verdict.js";

const STACK = ["ok", "review", "rejected", "defect"];
const AGAIN_MS = 10_000;

export function show(place) {
  const content = element("div");
  replace(place, element("div", { class: "bar head" }, element("h1", {}, text("today.title"))), content);
  const draw = async () => {
    const [figures, written] = await Promise.all([api.summary(), api.reports()]);
    const shown = page(figures, written.items);
    if (content.contains(document.activeElement)) return; // somebody is on a link in it
    replace(content, shown);
  };
  const begin = () => draw().catch((error) => replace(content, failed(error, begin)));
  begin();
  const timer = setInterval(() => draw().catch(() => {}), AGAIN_MS);
  return () => clearInterval(timer);
}

const percent = (part, whole) => (whole ? `${((100 * part) / whole).toFixed(1)} %` : "–");

function page(figures, reports) {
  const counts = figures.verdicts;
  const all = total(counts);
  const { p50, p99 } = figures.latency_ms;
  const hours = hoursUntil(Date.now());
  const stacks = byHour(figures.cells, hours);
  return [
    element("dl", { class: "figures" },
      figure("today.count", number(all)),
      figure("today.rate", percent(counts.defect ?? 0, all), text("today.of", { count: number(counts.defect ?? 0) })),
      figure("today.review", percent(counts.review ?? 0, all), text("today.of", { count: number(counts.review ?? 0) })),
      figure("today.waiting", element("a", { href: "#review" }, number(figures.waiting)), text("today.waiting_go")),
      figure("today.latency", p50 === null ? "–" : text("time_ms", { ms: Math.round(p50) }), p99 === null ? null : text("today.slowest", { ms: Math.round(p99) })),
      figure("today.backlog", number(figures.backlog), text(figures.backlog ? "today.backlog_some" : "today.backlog_none"))),
    all ? element("div", { class: "charts" },
      element("section", { class: "panel" }, element("h2", {}, text("today.by_hour")), stacked(stacks, hours, STACK), legend()),
      element("section", { class: "panel" }, element("h2", {}, text("today.rate_by_hour")), rates(stacks, hours))) : null,
    all ? element("section", { class: "panel" }, element("h2", {}, text("today.by_line")), lines(figures.cells, hours))
      : element("div", { class: "charts" }, element("div", { class: "empty" }, element("strong", {}, text("today.empty")), text("live.empty_why"))),
    element("section", { class: "panel reports charts" }, element("div", {}, element("h2", {}, text("today.reports")),
      reports.length ? element("ul", {}, reports.map(({ date, url }) => element("li", {}, element("a", { href: url }, date)))) : element("p", { class: "quietly" }, text("today.no_report")))),
  ];
}

function lines(cells, hours) {
  const heads = ["field.line", "today.count", "today.rate", "today.review", "today.rate_by_hour"];
  const sums = byLine(cells).map(([line, counts, own]) => [line, counts, byHour(own, hours)]);
  const top = Math.max(0.01, ...sums.flatMap(([, , stacks]) => stacks.map(share)));
  const rows = sums.map(([line, counts, stacks]) => [line || text("today.no_line"), number(total(counts)), percent(counts.defect ?? 0, total(counts)), percent(counts.review ?? 0, total(counts)), spark(stacks, hours, top)]);
  return element("div", { class: "scroll", role: "region", tabindex: "0", "aria-label": text("today.by_line") }, element("table", {},
    element("thead", {}, element("tr", {}, heads.map((head) => element("th", { scope: "col" }, text(head))))),
    element("tbody", {}, rows.map((row) => element("tr", {}, row.map((cell) => element("td", {}, cell)))))));
}

function figure(key, value, note) {
  return element("div", {}, element("dt", {}, text(key)), element("dd", {}, value, note && element("small", {}, note)));
}

function legend() {
  return element("p", { class: "legend" }, STACK.map((verdict) => element("span", { class: `key ${verdict}` }, element("span", { "aria-hidden": "true" }, `■ ${shape(verdict)} `), text(`verdict.${verdict}`))));
}
