// History: search what was inspected. The address holds what was asked for, so that it can be kept and sent.

import * as api from "../api.js";
import { element, replace } from "../element.js";
import { number, text } from "../language.js";
import { badge, failed, VERDICTS, when } from "../verdict.js";

const TIMES = ["from", "to"];
const MORE = ["lot", "shift", "camera", "operator", "part_id", "model_version"];
const SCORES = ["min_p", "max_p"];
const HEADS = ["when", "history.verdict", "score", "field.part_id", "field.lot", "field.line", "field.shift", "file"];

export function show(place, { argument }) {
  const asked = Object.fromEntries(new URLSearchParams(argument ?? ""));
  const body = element("tbody");
  const more = element("button", { type: "button", hidden: true, class: "more" }, text("history.more"));
  const status = element("p", { role: "status", class: "quietly" });
  const csv = element("a", { class: "button push", download: "inspections.csv" }, text("history.csv"));
  const message = element("div");
  const table = element("div", { class: "panel rows scroll", tabindex: "0", role: "region", "aria-label": text("history.title") }, element("table", {},
    element("thead", {}, element("tr", {}, HEADS.map((head) => element("th", { scope: "col" }, text(head))))), body));
  const form = fields(asked, () => find());
  replace(place, element("div", { class: "bar head" }, element("h1", {}, text("history.title"))), form,
    element("div", { class: "bar found" }, status, csv), message, table, more);
  let latest = 0;

  async function find(cursor = "") {
    const asking = (latest += 1);
    const filters = chosen(form);
    const wanted = { ...filters, ...instants(filters) };
    try {
      const { items, next, took_ms: ms } = await api.search({ ...wanted, cursor, limit: 50 });
      if (asking !== latest) return; // something else was asked meanwhile
      if (!cursor) replace(body);
      body.append(...items.map(row));
      const count = body.children.length;
      status.textContent = count ? text(next ? "history.found" : "history.found_all", { count: number(count), ms }) : "";
      replace(message, !count && element("div", { class: "empty" }, element("strong", {}, text("history.none")), text(Object.keys(filters).length ? "history.none_why" : "live.empty_why")));
      table.hidden = !count;
      csv.hidden = !count;
      csv.href = api.csvOf(wanted);
      more.hidden = !next;
      more.onclick = () => find(next);
    } catch (error) {
      replace(message, failed(error, () => find(cursor)));
    }
    const query = new URLSearchParams(filters).toString();
    history.replaceState(null, "", query ? `#history/${encodeURIComponent(query)}` : "#history");
  }
  find();
}

function fields(asked, find) {
  const field = (name, label, more = {}) => element("label", {}, label, element("input", { name, maxlength: "128", value: asked[name] ?? "", ...more }));
  const verdict = element("select", { name: "verdict" }, ["", ...VERDICTS].map((one) =>
    element("option", { value: one, selected: one === (asked.verdict ?? "") }, one ? text(`verdict.${one}`) : text("history.any"))));
  const form = element("form", { class: "panel filters", onsubmit: (event) => { event.preventDefault(); find(); } },
    element("div", { class: "fields" }, field("q", text("history.text"), { type: "search", placeholder: text("history.text_as") }),
      element("label", {}, text("history.verdict"), verdict), field("line", text("field.line")),
      TIMES.map((name) => field(name, text(`history.${name}`), { type: "datetime-local" }))),
    element("details", { open: [...MORE, ...SCORES].some((name) => asked[name]) }, element("summary", {}, text("history.filters")),
      element("div", { class: "fields" }, MORE.map((name) => field(name, text(`field.${name}`))),
        SCORES.map((name) => field(name, text(`history.${name}`), { type: "number", min: "0", max: "1", step: "any" })))),
    element("div", { class: "bar" }, element("button", { class: "primary" }, text("history.search")),
      element("button", { type: "button", onclick: () => {
        for (const input of form.querySelectorAll("input, select")) input.value = "";
        find();
      } }, text("history.reset"))));
  verdict.addEventListener("change", () => find());
  return form;
}

function chosen(form) {
  return Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, value.trim()]).filter(([, value]) => value !== ""));
}

// The service wants a zone; what people type is their own time.
function instants(filters) {
  return Object.fromEntries(TIMES.filter((name) => filters[name]).map((name) => [name, new Date(filters[name]).toISOString()]));
}

function row(event) {
  const cells = [event.p_defect?.toFixed(3), event.part_id, event.lot, event.line, event.shift, event.filename];
  return element("tr", {}, element("td", {}, element("a", { href: `#inspection/${event.event_id}` }, when(event))),
    element("td", {}, badge(event.verdict)), cells.map((cell) => element("td", {}, cell ?? "")));
}
