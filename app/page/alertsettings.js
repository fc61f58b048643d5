// How this page tells of a defect: by the desktop, by a sound, of which line and shift.

import { element, replace, svg } from "./element.js";
import { text } from "./language.js";
import { ask, permission } from "./notification.js";
import { sound, sounding } from "./sound.js";
import { FIELDS, watch, watching } from "./watching.js";

export class AlertSettings {
  constructor(dialog, button) {
    this.dialog = dialog;
    this.button = button;
    button.addEventListener("click", () => this.#open());
  }

  show() {
    const told = permission();
    const key = told === "granted" ? "alerts.on" : told === "default" ? "alerts.turn_on" : sounding() ? "alerts.sound_on" : "alerts.here";
    this.button.dataset.told = told;
    this.button.title = text(key);
    this.button.setAttribute("aria-label", text(key)); // on small screens the bell stands alone
    replace(this.button, bell(), element("span", {}, text(key)));
    if (this.dialog.open) this.#draw();
  }

  async #open() {
    if (permission() === "default") await ask(); // one click is enough
    this.show();
    this.#draw();
    this.dialog.showModal();
  }

  #draw() {
    const said = { granted: "alerts.granted", denied: "alerts.denied", insecure: "alerts.insecure", default: "alerts.undecided" }[permission()];
    const heard = element("button", { type: "button", "aria-pressed": String(sounding()), onclick: () => {
      sound(!sounding());
      this.show();
    } }, text("live.sound"));
    const chosen = watching();
    const inputs = FIELDS.map((name) => element("input", { name, value: chosen[name] ?? "", maxlength: "128", placeholder: text("live.all"),
      onchange: () => watch(Object.fromEntries(inputs.map((input) => [input.name, input.value.trim()]))) }));
    replace(this.dialog, element("form", { method: "dialog" },
      element("h2", { id: "alert-settings-title" }, text("alerts.title")), element("p", { class: "quietly" }, text(said)),
      element("div", {}, heard), element("p", { class: "quietly" }, text("alerts.watch")),
      element("div", { class: "fields" }, inputs.map((input) => element("label", {}, text(`field.${input.name}`), input))),
      element("div", { class: "bar" }, element("button", { class: "primary" }, text("close")))));
  }
}

function bell() {
  return svg("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" }, svg("path", { d: "M6 16V11a6 6 0 0 1 12 0v5l1.500 2h-15zM10 20.500h4" }));
}
