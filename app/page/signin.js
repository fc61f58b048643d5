// Who is signed in: asks for a key where the service wants one, again when the session ends, and never keeps the key.

import * as api from "./api.js";
import { element, replace } from "./element.js";
import { text } from "./language.js";
import { forget, known, person, signed } from "./person.js";
import { problem as told } from "./verdict.js";

export class SignIn {
  constructor(dialog, place) {
    this.dialog = dialog;
    this.place = place;
    this.caller = null;
    this.onchange = () => {};
    this.dialog.addEventListener("cancel", (event) => event.preventDefault()); // without a key there is nothing behind it
    addEventListener("casting:no-key", () => this.#ask());
    addEventListener("casting:name", () => this.show());
  }

  // Ask the service who this is; true when the page may go on.
  async start() {
    try {
      this.caller = await api.session();
    } catch (error) {
      if (error.status === 401) this.#ask();
      return error.status !== 401;
    }
    this.show();
    return true;
  }

  show() {
    const { name, role } = this.caller ?? {};
    signed(name);
    replace(this.place, name ? [
      element("span", {}, text("session.who", { name, role: text(`role.${role}`) })),
      element("button", { type: "button", class: "quiet", onclick: () => this.#leave() }, text("session.sign_out")),
    ] : element("button", { type: "button", class: "quiet", onclick: () => known(true) }, person() || text("name.none")));
    if (this.dialog.open) this.#form();
  }

  #ask() {
    if (this.dialog.open) return;
    this.caller = null;
    this.show();
    this.#form();
    this.dialog.showModal();
  }

  #form() {
    const problem = element("p", { role: "alert" });
    const key = element("input", { id: "key", type: "password", autocomplete: "current-password", required: true });
    const send = async (submit) => {
      submit.preventDefault();
      try {
        this.caller = await api.signIn(key.value);
      } catch (error) {
        problem.textContent = error.code === "bad_key" ? text("session.bad_key") : error.code === "offline" ? text("session.away") : told(error);
        key.select();
        return;
      }
      forget();
      this.dialog.close();
      this.show();
      this.onchange();
    };
    replace(this.dialog, element("form", { onsubmit: send },
      element("h2", { id: "sign-in-title" }, text("session.title")),
      element("p", {}, text("session.how")),
      element("label", { for: "key" }, text("session.key")), key, problem,
      element("button", { type: "submit", class: "primary" }, text("session.sign_in"))));
  }

  async #leave() {
    await api.signOut();
    forget();
    location.reload(); // nothing that was shown may stay
  }
}
