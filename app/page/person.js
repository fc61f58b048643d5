// Who is at this page: what somebody said once and this browser keeps, or else the key's name (a key may be shared).

import { element, replace } from "./element.js";
import { text } from "./language.js";

const KEY = "casting.name";
let signedIn = "";

export function signed(name) {
  signedIn = name ?? "";
}

export const person = () => localStorage.getItem(KEY) || signedIn;

// Who signs in or out is somebody else than who was here before.
export function forget() {
  localStorage.removeItem(KEY);
}

export function call(name) {
  localStorage.setItem(KEY, name.trim());
  dispatchEvent(new Event("casting:name"));
}

// Ask for the name where nobody has said it; null when they won't.
export function known(again = false) {
  if (person() && !again) return Promise.resolve(person());
  const dialog = document.getElementById("name");
  const input = element("input", { id: "person", maxlength: "128", autocomplete: "name", required: true, value: person() });
  const form = element("form", { method: "dialog", onsubmit: () => call(input.value) },
    element("h2", { id: "name-title" }, text("name.title")), element("p", { class: "quietly" }, text("name.why")),
    element("label", { for: "person" }, text("review.name")), input,
    element("div", { class: "bar" }, element("button", { type: "button", onclick: () => dialog.close() }, text("name.cancel")),
      element("button", { class: "primary", value: "said" }, text("name.save"))));
  replace(dialog, form);
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((done) => dialog.addEventListener("close", () => done(dialog.returnValue === "said" ? person() : null), { once: true }));
}
