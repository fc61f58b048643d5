// Inspect: drop, paste, choose or photograph; every picture is sent at once and shown as it is answered.

import * as api from "../api.js";
import { Camera } from "../camera.js";
import { card, kept, picture } from "../card.js";
import { toCsv } from "../csv.js";
import { dropped, isPicture } from "../dropped.js";
import { element, replace, svg } from "../element.js";
import { number, text } from "../language.js";
import { Queue } from "../queue.js";
import { learn } from "../thresholds.js";
import { PART, problem, shape, VERDICTS } from "../verdict.js";

const KEPT = "casting.part";
const items = []; // kept while the page is open, also when another view is looked at
let redraw = () => {};
const queue = new Queue({ send, changed: (item) => items.includes(item) && redraw(item) });

async function send(item) {
  const event = await api.predict(item.file, item.part, item.key);
  learn(event);
  return event;
}

export function show(place) {
  const part = JSON.parse(localStorage.getItem(KEPT) ?? "{}");
  const grid = element("ol", { class: "grid", "aria-label": text("inspect.results") });
  const results = element("div", { class: "results", hidden: true });
  const camera = new Camera((file) => take([file], part));
  replace(place, element("div", { class: "bar head" }, element("h1", {}, text("inspect.title"))),
    element("div", { class: "start" }, dropping(part, camera), partForm(part)), results, grid);
  const board = new Board(results, grid);
  redraw = (item) => board.draw(item);
  for (const item of items) redraw(item);

  const onpaste = (event) => take([...event.clipboardData.files], part);
  const over = (event) => {
    event.preventDefault(); // the whole page takes pictures: one let fall beside the frame must not replace it
    document.body.classList.toggle("dropping", event.type === "dragover");
  };
  const ondrop = async (event) => {
    over(event);
    take(await dropped(event.dataTransfer), part);
  };
  const heard = { paste: onpaste, dragover: over, dragleave: over, drop: ondrop };
  for (const [name, listener] of Object.entries(heard)) addEventListener(name, listener);
  return () => {
    for (const [name, listener] of Object.entries(heard)) removeEventListener(name, listener);
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

function dropping(part, camera) {
  const choose = (id, more, wanted) => element("input", { type: "file", id, class: "visually-hidden", ...more, onchange: ({ target }) => {
    take([...target.files].filter(wanted), part);
    target.value = "";
  } });
  const samples = element("p", { class: "samples quietly" });
  offerSamples(samples, part);
  return element("div", { class: "drop" },
    svg("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" }, svg("path", { d: "M12 15V4M8 8l4-4 4 4M4 15v4a1 1 0 0 0 1 1h14a1 1 0 0 0 1-1v-4" })),
    element("p", { class: "said" }, text("inspect.drop")),
    element("div", { class: "bar" },
      choose("files", { multiple: true, accept: "image/*" }, () => true), element("label", { for: "files", class: "button primary" }, text("inspect.choose")),
      choose("folder", { webkitdirectory: true }, isPicture), element("label", { for: "folder", class: "button" }, text("inspect.folder")),
      camera.button),
    camera.place, samples);
}

function partForm(part) {
  return element("section", { class: "panel" }, element("h2", {}, text("inspect.part")), element("p", { class: "quietly" }, text("inspect.part_why")),
    element("div", { class: "fields part" }, PART.map((name) => element("label", {}, text(`field.${name}`),
      element("input", { name, maxlength: "128", value: part[name] ?? "", oninput: ({ target }) => {
        part[name] = target.value.trim();
        localStorage.setItem(KEPT, JSON.stringify(part));
      } })))));
}

async function offerSamples(place, part) {
  const offered = await api.samples().catch(() => []);
  if (offered.length) replace(place, text("inspect.samples"), offered.map(({ name, url }) => element("button", { type: "button", class: "sample", onclick: async () => {
    const blob = await (await fetch(url)).blob();
    take([new File([blob], `${name}.png`, { type: blob.type })], part);
  } }, element("img", { src: url, alt: name, width: "48", height: "48" }))));
}

// What was sent and what came of it: counts, tools, and a card for each picture.
class Board {
  constructor(place, grid) {
    this.grid = grid;
    this.place = place;
    this.cards = new Map();
    this.only = null;
    this.progress = element("progress", { max: "1", value: "0", "aria-label": text("inspect.results") });
    this.count = element("p", { role: "status" });
    this.chips = new Map([...VERDICTS, "failed"].map((name) => [name, this.#chip(name)]));
    this.retry = element("button", { type: "button", class: "small", onclick: () => items.filter(({ state }) => state === "failed").forEach((item) => queue.add(item)) }, text("inspect.retry_all"));
    const heat = element("input", { type: "range", id: "grid-heat", min: "0", max: "100", value: "0", oninput: ({ target }) => {
      grid.classList.toggle("heated", target.value > 0);
      grid.style.setProperty("--heat", String(target.value / 100));
    } });
    replace(place, this.progress, element("div", { class: "bar" }, this.count, element("div", { class: "chips" }, [...this.chips.values()]), this.retry, element("span", { class: "push" }),
      element("span", { class: "heating" }, element("label", { for: "grid-heat" }, text("detail.heatmap")), heat),
      element("button", { type: "button", class: "small", onclick: download }, text("inspect.csv")),
      element("button", { type: "button", class: "small", onclick: () => this.#clear() }, text("inspect.clear"))));
  }

  draw(item) {
    const drawn = cardOf(item);
    if (this.cards.has(item)) this.cards.get(item).replaceWith(drawn);
    else this.grid.prepend(drawn);
    this.cards.set(item, drawn);
    this.#filter(item);
    this.soon ??= requestAnimationFrame(() => this.#sum()); // once a frame, however many are answered
  }

  #sum() {
    this.soon = null;
    const counts = {};
    for (const item of items) counts[group(item)] = (counts[group(item)] ?? 0) + 1;
    const done = items.length - (counts.waiting ?? 0);
    Object.assign(this.progress, { max: items.length || 1, value: done, hidden: done === items.length });
    this.count.textContent = text("inspect.progress", { done: number(done), total: number(items.length) });
    this.place.hidden = !items.length;
    this.retry.hidden = !counts.failed;
    for (const [name, chip] of this.chips) {
      chip.hidden = !counts[name] && this.only !== name;
      chip.setAttribute("aria-pressed", String(this.only === name));
      chip.lastChild.textContent = number(counts[name] ?? 0);
    }
  }

  #chip(name) {
    return element("button", { type: "button", hidden: true, onclick: () => this.#show(name) }, element("span", { "aria-hidden": "true" }, name === "failed" ? "!" : shape(name)),
      text(name === "failed" ? "inspect.failed" : `verdict.${name}`), element("b", {}, "0"));
  }

  #show(name) {
    this.only = this.only === name ? null : name;
    for (const item of items) this.#filter(item);
    this.#sum();
  }

  #filter(item) {
    this.cards.get(item).hidden = this.only !== null && group(item) !== this.only;
  }

  #clear() {
    queue.clear();
    for (const item of items.splice(0)) URL.revokeObjectURL(item.url);
    this.cards.clear();
    this.only = null;
    replace(this.grid);
    this.#sum();
  }
}

const group = (item) => (item.state === "done" ? item.result.verdict : item.state === "failed" ? "failed" : "waiting");

function cardOf(item) {
  if (item.state === "done") {
    const event = item.result;
    return card(event, picture(event, item.url, kept(event) && element("img", { src: api.heatmapOf(event.event_id), alt: "", loading: "lazy", class: "heat", width: "160", height: "160" })),
      text("time_ms", { ms: Math.round(event.latency_ms) }));
  }
  const shown = element("span", { class: "picture" }, element("img", { src: item.url, alt: "", loading: "lazy", width: "160", height: "160", onerror: () => {
    shown.classList.add("none");
    shown.textContent = "!";
  } }));
  const name = element("p", { class: "name" }, item.file.name);
  if (item.state === "failed") {
    return element("li", { class: "card failed" }, shown, element("div", {}, name, element("p", { class: "problem", role: "alert" }, problem(item.error)),
      element("button", { type: "button", onclick: () => queue.add(item) }, text("inspect.retry"))));
  }
  return element("li", { class: `card waiting ${item.state}`, "aria-busy": "true" }, shown, element("div", {}, name, element("p", { class: "time" }, text(`inspect.${item.state}`))));
}

function download() {
  const rows = items.map((item) => item.result ?? { filename: item.file.name, ...item.part, error: item.error?.code ?? item.state });
  const url = URL.createObjectURL(new Blob(["\ufeff", toCsv(rows)], { type: "text/csv" }));
  element("a", { href: url, download: "inspections.csv" }).click();
  URL.revokeObjectURL(url);
}
