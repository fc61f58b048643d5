// Starts the page: language, live feed, alerts, and the view that the address names.

import { Alerts } from "./alerts.js";
import { replace } from "./element.js";
import { fill, language, preferred, text, use } from "./language.js";
import { Live } from "./live.js";
import { SignIn } from "./signin.js";
import * as detail from "./views/detail.js";
import * as history from "./views/history.js";
import * as inspect from "./views/inspect.js";
import * as live from "./views/live.js";
import * as review from "./views/review.js";
import * as today from "./views/today.js";

const VIEWS = { inspect, live, review, history, today, inspection: detail };
const find = (id) => document.getElementById(id);
const feed = new Live();
const alerts = new Alerts(find("alerts"), find("alerts-on"));
const signIn = new SignIn(find("sign-in"), find("who"));
let leave = () => {};

function route() {
  const [name, argument] = location.hash.slice(1).split("/");
  const view = VIEWS[name] ?? inspect;
  leave();
  feed.listeners.clear();
  feed.listeners.add((event) => alerts.take(event));
  for (const link of document.querySelectorAll("nav a")) {
    if (link.hash === `#${name || "inspect"}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  const place = find("view");
  replace(place);
  place.className = `view-${VIEWS[name] ? name : "inspect"}`;
  leave = view.show(place, { feed, argument: argument && decodeURIComponent(argument) }) ?? (() => {});
}

async function speak(chosen) {
  await use(chosen);
  document.documentElement.lang = language();
  find("language").value = language();
  fill(document);
  connection(feed.state);
  alerts.show();
  signIn.show();
}

async function begin() {
  route();
  feed.start();
  await alerts.start().catch(() => {});
}

function connection(state) {
  const place = find("connection");
  place.dataset.state = state;
  place.textContent = text(`connection.${state}`);
}

find("language").addEventListener("change", async (change) => {
  localStorage.setItem("casting.language", change.target.value);
  await speak(change.target.value);
  route();
});
addEventListener("hashchange", route);
feed.onstate = connection;
feed.ongone = () => signIn.start();
signIn.onchange = begin;

await speak(preferred(localStorage.getItem("casting.language"), navigator.languages));
if (await signIn.start()) await begin();
