// Inspect: drop, paste, choose or photograph; every picture is sent at once and shown as it is answered.

import * as api from "../api.js";
import { Camera } from "../camera.js";
import { toCsv } from "../csv.js";
import { element, replace } from "../element.js";
import { text } from "../language.js";
import { Queue } from "../queue.js";
import { about, badge, problem, reasons, score } from "../verdict.js";

const FIELDS = ["part_id", "lot", "line", "camera", "shift", "operator"];
const PART = "casting.part";
const items = []; // kept while the page is open, also when another view is looked at
let redraw = () => {};
const queue = new Queue({ send: (item) => api.predict(item.file, item.part, item.key), changed: (item) => redraw(item) });

export function show(place) {
  const part = JSON.parse(localStorage.getItem(PART) ?? "{}");
  const input = element("input", { type: "file", id: "files", multiple: true, accept: "image/*", class: "visually-hidden", onchange: (event) => {
    take([...event.target.files], part);
    event.target.value = "";
  } });
  const folder = element("input", { type: "file", id: "folder", webkitdirectory: true, class: "visually-hidden", onchange: (event) => {
    take([...event.target.files].filter((file) => file.type.startsWith("image/")), part);
    event.target.value = "";
  } });
  const progress = element("progress", { max: "1", value: "0", hidden: true });
  const count = element("p", { role: "status" });
  const grid = element("ol", { class: "grid", "aria-label": text("inspect.results") });
  const heat = element("input", { type: "range", id: "grid-heat", min: "0", max: "100", value: "0", oninput: ({ target }) => {
    grid.classList.toggle("heated", target.value > 0);
    grid.style.setProperty("--heat", String(target.value / 100));
  } });
  const tools = element("div", { class: "tools", hidden: true },
    element("label", { for: "grid-heat" }, text("detail.heatmap")), heat,
    element("button", { type: "button", onclick: download }, text("inspect.csv")),
    element("button", { type: "button", onclick: () => clear(grid) }, text("inspect.clear")));
  const camera = new Camera((file) => take([file], part));
  const drop = element("div", { class: "drop" }, input,
    element("p", {}, text("inspect.drop")),
    element("label", { for: "files", class: "button primary" }, text("inspect.choose")),
    folder, element("label", { for: "folder", class: "button" }, text("inspect.folder")),
    camera.button, camera.place);
  const samples = element("p", { class: "samples" });
  replace(place,
    element("h1", {}, text("inspect.title")), drop, samples, partForm(part), count, progress, tools, grid);
  offerSamples(samples, part);
  wire(drop, part);
  const onpaste = (event) => take([...event.clipboardData.files], part);
  addEventListener("paste", onpaste);

  const cards = new Map();
  redraw = (item) => {
    const card = draw(item, part);
    if (cards.has(item)) cards.get(item).replaceWith(card);
    else grid.prepend(card);
    cards.set(item, card);
    const done = items.filter(({ state }) => state === "done" || state === "failed").length;
    Object.assign(progress, { max: items.length || 1, value: done, hidden: done === items.length });
    count.textContent = items.length ? text("inspect.progress", { done, total: items.length }) : "";
    tools.hidden = !items.length;
  };
  for (const item of items) redraw(item);
  return () => {
    removeEventListener("paste", onpaste);
    camera.off();
    redraw = () => {};
  };
}

function take(files, part) {
  for (const file of files) {
    const item = { file, part: { ...part }, key: crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`, url: URL.createObjectURL(file) };
    items.push(item);
    queue.add(item);
  }
}

function draw(item) {
  const picture = element("img", { src: item.url, alt: item.file.name, loading: "lazy", width: "160", height: "160" });
  const name = element("p", { class: "name" }, item.file.name);
  if (item.state === "done") {
    const event = item.result;
    return element("li", { class: `card ${event.verdict}` }, element("a", { href: `#inspection/${event.event_id}`, class: "overlay" }, picture, heatOf(event)),
      name, badge(event.verdict), score(event), reasons(event), about(event),
      element("p", { class: "time" }, text("time_ms", { ms: Math.round(event.latency_ms) })));
  }
  if (item.state === "failed") {
    return element("li", { class: "card failed" }, picture, name,
      element("p", { role: "alert" }, problem(item.error)),
      element("button", { type: "button", onclick: () => queue.add(item) }, text("inspect.retry")));
  }
  return element("li", { class: "card waiting", "aria-busy": "true" }, picture, name,
    element("p", {}, text(item.state === "sending" ? "inspect.sending" : "inspect.waiting")));
}

// Pictures that were not kept have no heatmap; the others' load when they are shown and wanted.
function heatOf(event) {
  return event.audit_probability === undefined ? null
    : element("img", { src: api.heatmapOf(event.event_id), alt: "", loading: "lazy", class: "heat", width: "160", height: "160" });
}

function partForm(part) {
  return element("details", { class: "part", open: Object.values(part).some(Boolean) },
    element("summary", {}, text("inspect.part")),
    element("div", { class: "fields" }, FIELDS.map((name) => element("label", {}, text(`field.${name}`),
      element("input", { name, maxlength: "128", value: part[name] ?? "", oninput: (event) => {
        part[name] = event.target.value.trim();
        localStorage.setItem(PART, JSON.stringify(part));
      } })))));
}

async function offerSamples(place, part) {
  const offered = await api.samples().catch(() => []);
  replace(place, text("inspect.samples"), offered.map(({ name, url }) => element("button", { type: "button", class: "sample", onclick: async () => {
    const blob = await (await fetch(url)).blob();
    take([new File([blob], `${name}.png`, { type: blob.type })], part);
  } }, element("img", { src: url, alt: name, width: "56", height: "56" }))));
}

function wire(drop, part) {
  drop.addEventListener("dragover", (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
  drop.addEventListener("dragleave", () => drop.classList.remove("over"));
  drop.addEventListener("drop", async (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    take(await dropped(event.dataTransfer), part);
  });
}

async function dropped(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.some((entry) => entry.isDirectory)) return [...transfer.files];
  return (await Promise.all(entries.map(files))).flat().filter((file) => file.type.startsWith("image/"));
}

async function files(entry) {
  if (entry.isFile) return [await new Promise((done, failed) => entry.file(done, failed))];
  const reader = entry.createReader();
  const found = [];
  for (;;) { // a reader gives at most 100 entries a call
    const some = await new Promise((done, failed) => reader.readEntries(done, failed));
    if (!some.length) return (await Promise.all(found.map(files))).flat();
    found.push(...some);
  }
}

function download() {
  const rows = items.map((item) => item.result ?? { filename: item.file.name, error: item.error?.code ?? item.state });
  const url = URL.createObjectURL(new Blob(["\ufeff", toCsv(rows)], { type: "text/csv" }));
  element("a", { href: url, download: "inspections.csv" }).click();
  URL.revokeObjectURL(url);
}

function clear(grid) {
  for (const item of items.splice(0)) URL.revokeObjectURL(item.url);
  replace(grid);
  show(grid.parentElement);
}
