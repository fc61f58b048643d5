// Starts the page: language, live feed, alerts, and the view that the address names.

import { AlertBar, described } from "./alertbar.js";
import { Alerts } from "./alerts.js";
import { AlertSettings } from "./alertsettings.js";
import * as api from "./api.js";
import { replace } from "./element.js";
import { fill, language, preferred, text, use } from "./language.js";
import { Live } from "./live.js";
import { notify } from "./notification.js";
import { SignIn } from "./signin.js";
import { beep } from "./sound.js";
import * as thresholds from "./thresholds.js";
import * as detail from "./views/detail.js";
import * as history from "./views/history.js";
import * as inspect from "./views/inspect.js";
import * as live from "./views/live.js";
import * as review from "./views/review.js";
import * as today from "./views/today.js";
import * as wall from "./views/wall.js";
import { watched } from "./watching.js";

const VIEWS = { inspect, live, wall, review, history, today, inspection: detail };
const BELONGS = { wall: "live", inspection: "history" }; // views without a place of their own in the menu
const find = (id) => document.getElementById(id);
const feed = new Live();
const bar = new AlertBar(find("alerts"), () => alerts);
const settings = new AlertSettings(find("alert-settings"), find("alerts-on"));
const signIn = new SignIn(find("sign-in"), find("who"));
const alerts = new Alerts({ service: api, watched, changed: showAlerts, raised: tell });
let leave = () => {};

function place() {
  const [name, argument] = location.hash.slice(1).split("/");
  return VIEWS[name] ? [name, decoded(argument)] : ["inspect"];
}

function decoded(argument) {
  try {
    return argument && decodeURIComponent(argument);
  } catch {
    return argument; // an address cut short still opens its view
  }
}

function route() {
  const [name, argument] = place();
  leave();
  feed.listeners.clear();
  feed.listeners.add((event) => alerts.take(event));
  for (const link of document.querySelectorAll("nav a")) {
    if (link.hash === `#${BELONGS[name] ?? name}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  const view = find("view");
  replace(view);
  document.body.classList.toggle("wall", name === "wall");
  entitle();
  leave = VIEWS[name].show(view, { feed, alerts, argument }) ?? (() => {});
}

function entitle() {
  const [name] = place();
  const open = alerts.shown.length;
  document.title = `${open ? `(${open}) ` : ""}${name === "inspection" ? text("detail.title") : text(`nav.${name}`)} · ${text("title")}`;
}

function showAlerts() {
  bar.show();
  entitle();
}

function tell(events) {
  const last = events.at(-1);
  const title = events.length === 1 ? text("alerts.defect") : text("alerts.many", { count: events.length });
  find("announced").textContent = `${title}: ${described(last)}`;
  beep();
  notify(title, described(last), () => { location.hash = `inspection/${last.event_id}`; });
}

async function speak(chosen) {
  await use(chosen);
  document.documentElement.lang = language();
  find("language").value = language();
  fill(document);
  connection(feed.state);
  bar.show(true);
  settings.show();
  signIn.show();
}

async function begin() {
  await thresholds.ask().catch(() => {}); // scores are shown without their bounds until a verdict names them
  route();
  const sees = signIn.caller?.role !== "camera"; // a camera's key inspects and sees nothing else
  find("connection").hidden = !sees;
  if (!sees) return;
  feed.start();
  await alerts.sync().catch(() => {});
}

function connection(state) {
  const sign = find("connection");
  sign.dataset.state = state;
  sign.textContent = text(`connection.${state}`);
  sign.title = sign.textContent;
}

find("language").addEventListener("change", async (change) => {
  localStorage.setItem("casting.language", change.target.value);
  await speak(change.target.value);
  route();
});
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault(); // the address names the view
  find("view").focus();
});
addEventListener("hashchange", () => {
  route();
  if (!find("view").contains(document.activeElement)) find("view").focus({ preventScroll: true });
  scrollTo(0, 0);
});
addEventListener("casting:watching", showAlerts);
feed.onstate = (state) => {
  connection(state);
  if (state === "open") alerts.sync().catch(() => {}); // others may have acknowledged meanwhile
};
feed.ongone = () => signIn.start();
signIn.onchange = begin;

await speak(preferred(localStorage.getItem("casting.language"), navigator.languages));
if (await signIn.start()) await begin();
