// The open alerts above every view: one bar, and the list behind it.

import { element, replace } from "./element.js";
import { dated, number, text } from "./language.js";
import { known } from "./person.js";
import { brief, clock, problem } from "./verdict.js";

const LISTED = 100;
const MOST = 500; // the service names so many

export class AlertBar {
  constructor(place, alerts) {
    this.place = place;
    this.alerts = alerts;
    this.listed = false;
    this.drawn = "";
  }

  // Drawn only when something changed: who is on one of its buttons stays there.
  show(anew = false) {
    const shown = this.alerts().shown;
    const now = [this.listed, this.failed, ...shown.map((event) => event.event_id)].join();
    if (now === this.drawn && !anew) return;
    this.drawn = now;
    const focused = this.place.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    if (!shown.length) this.listed = false;
    replace(this.place, shown.length > 0 && this.#bar(shown), this.failed && element("p", { class: "problem", role: "alert" }, this.failed), this.listed && this.#list(shown));
    if (focused) this.place.querySelector(`[data-key="${focused}"]`)?.focus();
  }

  #bar(shown) {
    const [newest] = shown;
    const one = shown.length === 1;
    return element("div", { class: "alert-bar" },
      element("div", {}, element("strong", {}, `✕ ${one ? text("alerts.defect") : text("alerts.many", { count: `${number(shown.length)}${shown.length < MOST ? "" : "+"}` })}`),
        element("span", {}, !one && `${text("alerts.newest")} `, described(newest))),
      element("a", { href: `#inspection/${newest.event_id}`, class: "button", "data-key": "show" }, text("alerts.show")),
      !one && element("button", { type: "button", "aria-expanded": String(this.listed), "data-key": "list", onclick: () => this.#toggle() }, text(this.listed ? "alerts.hide" : "alerts.list")),
      element("button", { type: "button", class: "acknowledge", "data-key": "all", onclick: () => this.#acknowledge(shown.map(({ event_id: id }) => id)) },
        text(one ? "alerts.acknowledge" : "alerts.acknowledge_all")));
  }

  #list(shown) {
    return element("ol", { class: "alert-list" }, shown.slice(0, LISTED).map((event) => element("li", {},
      element("a", { href: `#inspection/${event.event_id}` }, described(event)),
      element("button", { type: "button", "data-key": event.event_id, onclick: () => this.#acknowledge([event.event_id]) }, text("alerts.acknowledge")))));
  }

  #toggle() {
    this.listed = !this.listed;
    this.show();
  }

  async #acknowledge(ids) {
    const by = await known();
    if (!by) return;
    this.failed = null;
    await this.alerts().acknowledge(ids, by).catch((error) => { this.failed = problem(error); });
    this.show();
  }
}

export function described(event) {
  return [clock(event), brief(event), event.part_id && event.filename].filter(Boolean).join(" · ");
}

export function acknowledgedBy({ by, at }) {
  return text("alerts.by", { by, at: dated(at) });
}
