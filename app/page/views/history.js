// History: search what was inspected.

import * as api from "../api.js";
import { element, replace } from "../element.js";
import { text } from "../language.js";
import { badge, when } from "../verdict.js";

const VERDICTS = ["", "ok", "review", "defect", "rejected"];

export function show(place) {
  const body = element("tbody");
  const more = element("button", { type: "button", hidden: true }, text("history.more"));
  const status = element("p", { role: "status" });
  const field = (name, label) => element("label", {}, label, element("input", { name, maxlength: "128" }));
  const form = element("form", { class: "fields", onsubmit: (event) => {
    event.preventDefault();
    replace(body);
    find();
  } },
  field("q", text("history.text")),
  element("label", {}, text("history.verdict"), element("select", { name: "verdict" },
    VERDICTS.map((verdict) => element("option", { value: verdict }, verdict ? text(`verdict.${verdict}`) : text("history.any"))))),
  field("line", text("field.line")), field("lot", text("field.lot")), field("shift", text("field.shift")),
  element("button", { class: "primary" }, text("history.search")));
  const heads = ["when", "history.verdict", "score", "field.part_id", "field.lot", "field.line", "file"];
  replace(place, element("h1", {}, text("history.title")), form, status,
    element("div", { class: "scroll" }, element("table", {}, element("thead", {}, element("tr", {}, heads.map((head) => element("th", { scope: "col" }, text(head))))), body)),
    more);

  async function find(cursor = "") {
    const filters = Object.fromEntries(new FormData(form));
    const { items, next } = await api.search({ ...filters, cursor, limit: 50 });
    body.append(...items.map(row));
    status.textContent = body.children.length ? "" : text("history.none");
    more.hidden = !next;
    more.onclick = () => find(next);
  }
  find();
}

function row(event) {
  const cells = [event.p_defect?.toFixed(3), event.part_id, event.lot, event.line, event.filename];
  return element("tr", {}, element("td", {}, element("a", { href: `#inspection/${event.event_id}` }, when(event))),
    element("td", {}, badge(event.verdict)), cells.map((cell) => element("td", {}, cell ?? "")));
}
