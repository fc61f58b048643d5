// Defect alerts: stay until somebody acknowledges them, survive reload, grouped when many come.

import * as api from "./api.js";
import { element, replace } from "./element.js";
import { text } from "./language.js";
import { beep } from "./sound.js";
import { about, when } from "./verdict.js";
import { watched } from "./watching.js";

const GROUP_MS = 800;
const AGAIN_MS = 15_000; // others acknowledge, too
const SHOWN = 2;

export class Alerts {
  constructor(place, button) {
    this.place = place;
    this.button = button;
    this.open = new Map();
    this.fresh = 0;
    button.addEventListener("click", () => this.#ask());
    addEventListener("casting:watching", () => this.show());
  }

  async start() {
    clearTimeout(this.again);
    this.again = setTimeout(() => this.start().catch(() => {}), AGAIN_MS);
    const known = [...this.open.keys()]; // what arrives while the service answers may be missing in its answer
    const open = new Map((await api.alerts()).items.map((event) => [event.event_id, event]));
    for (const id of known) if (!open.has(id)) this.open.delete(id);
    for (const [id, event] of open) this.open.set(id, event);
    this.show();
  }

  take(event) {
    if (event.kind !== "inspection" || event.verdict !== "defect" || this.open.has(event.event_id)) return;
    this.open.set(event.event_id, event);
    if (!watched(event)) return;
    this.fresh += 1;
    this.last = event;
    this.timer ??= setTimeout(() => this.#notify(), GROUP_MS);
    this.show();
  }

  #notify() {
    const count = this.fresh;
    this.fresh = 0;
    this.timer = null;
    beep();
    if (!("Notification" in window) || Notification.permission !== "granted") return;
    const title = count === 1 ? text("alerts.defect") : text("alerts.many", { count });
    const lines = [this.last.line, this.last.part_id, this.last.filename].filter(Boolean).join(" · ");
    const notification = new Notification(title, { body: lines, tag: "casting-defect", renotify: true, icon: "/page/icon.svg" });
    const { event_id: id } = this.last;
    notification.onclick = () => {
      window.focus();
      location.hash = `inspection/${id}`;
    };
  }

  async #ask() {
    if ("Notification" in window) await Notification.requestPermission();
    this.show();
  }

  show() {
    const permission = "Notification" in window ? Notification.permission : "denied";
    this.button.hidden = permission === "granted";
    this.button.disabled = permission === "denied";
    this.button.textContent = text(permission === "denied" ? "alerts.denied" : "alerts.turn_on");
    const newest = [...this.open.values()].filter(watched).reverse();
    replace(this.place,
      newest.length > SHOWN && element("p", { class: "alert-count" }, `✕ ${text("alerts.many", { count: newest.length })}`,
        element("button", { type: "button", onclick: () => this.#acknowledge(...newest.map((event) => event.event_id)) }, text("alerts.acknowledge_all"))),
      newest.slice(0, SHOWN).map((event) => this.#card(event)));
    document.title = newest.length ? `(${newest.length}) ${text("title")}` : text("title");
  }

  #card(event) {
    return element("article", { class: "alert" },
      element("strong", {}, `✕ ${text("alerts.defect")}`),
      element("span", {}, [when(event), event.filename].filter(Boolean).join(" · ")),
      about(event),
      element("a", { href: `#inspection/${event.event_id}` }, text("alerts.show")),
      element("button", { type: "button", onclick: () => this.#acknowledge(event.event_id) }, text("alerts.acknowledge")));
  }

  async #acknowledge(...ids) {
    for (const id of ids) {
      await api.acknowledge(id, localStorage.getItem("casting.name") || "page");
      this.open.delete(id);
    }
    this.show();
  }
}
