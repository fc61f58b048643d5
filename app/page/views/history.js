// History: search what was inspected. The address holds what was asked for, so that it can be kept and sent.

import * as api from "../api.js";
import { element, replace } from "../element.js";
import { text } from "../language.js";
import { badge, when } from "../verdict.js";

const VERDICTS = ["", "ok", "review", "defect", "rejected"];
const PART = ["line", "lot", "shift", "camera", "operator", "model_version"];
const TIMES = ["from", "to"];
const SCORES = ["min_p", "max_p"];

export function show(place, { argument }) {
  const asked = Object.fromEntries(new URLSearchParams(argument ?? ""));
  const body = element("tbody");
  const more = element("button", { type: "button", hidden: true }, text("history.more"));
  const status = element("p", { role: "status" });
  const csv = element("a", { class: "button", download: "inspections.csv" }, text("history.csv"));
  const form = fields(asked, () => find());
  const heads = ["when", "history.verdict", "score", "field.part_id", "field.lot", "field.line", "file"];
  replace(place, element("h1", {}, text("history.title")), form,
    element("div", { class: "bar" }, status, csv),
    element("div", { class: "scroll" }, element("table", {}, element("thead", {}, element("tr", {}, heads.map((head) => element("th", { scope: "col" }, text(head))))), body)),
    more);

  async function find(cursor = "") {
    const filters = chosen(form);
    const { items, next, took_ms: ms } = await api.search({ ...filters, ...instants(filters), cursor, limit: 50 });
    if (!cursor) replace(body);
    body.append(...items.map(row));
    status.textContent = body.children.length ? text("history.found", { count: body.children.length, ms }) : text("history.none");
    csv.href = api.csvOf({ ...filters, ...instants(filters) });
    more.hidden = !next;
    more.onclick = () => find(next);
    const query = new URLSearchParams(filters).toString();
    history.replaceState(null, "", query ? `#history/${encodeURIComponent(query)}` : "#history");
  }
  find();
}

function fields(asked, find) {
  const field = (name, label, more = {}) => element("label", {}, label, element("input", { name, maxlength: "128", value: asked[name] ?? "", ...more }));
  const verdict = element("select", { name: "verdict" }, VERDICTS.map((one) =>
    element("option", { value: one, selected: one === (asked.verdict ?? "") }, one ? text(`verdict.${one}`) : text("history.any"))));
  return element("form", { class: "fields", onsubmit: (event) => { event.preventDefault(); find(); } },
    field("q", text("history.text")),
    element("label", {}, text("history.verdict"), verdict),
    PART.map((name) => field(name, text(`field.${name}`))),
    TIMES.map((name) => field(name, text(`history.${name}`), { type: "datetime-local" })),
    SCORES.map((name) => field(name, text(`history.${name}`), { type: "number", min: "0", max: "1", step: "any" })),
    element("button", { class: "primary" }, text("history.search")));
}

function chosen(form) {
  return Object.fromEntries([...new FormData(form)].filter(([, value]) => value !== ""));
}

// The service wants a zone; what people type is their own time.
function instants(filters) {
  return Object.fromEntries(TIMES.filter((name) => filters[name]).map((name) => [name, new Date(filters[name]).toISOString()]));
}

function row(event) {
  const cells = [event.p_defect?.toFixed(3), event.part_id, event.lot, event.line, event.filename];
  return element("tr", {}, element("td", {}, element("a", { href: `#inspection/${event.event_id}` }, when(event))),
    element("td", {}, badge(event.verdict)), cells.map((cell) => element("td", {}, cell ?? "")));
}
