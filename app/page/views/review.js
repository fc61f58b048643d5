// Review: one part after the other, by keyboard alone.

import * as api from "../api.js";
import { element, replace } from "../element.js";
import { text } from "../language.js";
import { overlay } from "../overlay.js";
import { about, badge, kind, KINDS, problem, reasons, score } from "../verdict.js";

const NAME = "casting.name";
const RENEW = 60_000; // ms; a part is held for two minutes
const KEYS = { KeyO: ["ok_front"], KeyD: ["def_front"], KeyU: ["unclear"] };
for (const [place, name] of KINDS.entries()) KEYS[`Digit${place + 1}`] = ["def_front", name];

export function show(place) {
  let held = null; // the part on the screen
  let last = null; // the part decided before it
  let sending = false;
  const name = element("input", { id: "auditor", maxlength: "128", autocomplete: "name", value: localStorage.getItem(NAME) ?? "" });
  const form = element("form", { class: "bar", onsubmit: (event) => {
    event.preventDefault();
    localStorage.setItem(NAME, name.value.trim());
    next();
  } }, element("label", { for: "auditor" }, text("review.name")), name, element("button", { class: "primary" }, text("review.start")));
  const notice = element("div", { class: "notice", role: "status" });
  const content = element("div", { class: "review" });
  replace(place, element("h1", {}, text("review.title")), form, notice, content);

  const auditor = () => localStorage.getItem(NAME);

  async function next() {
    if (!auditor()) return name.focus();
    held = await api.nextToReview(auditor());
    draw();
  }

  function draw() {
    replace(content, held ? part(held, { decide, skip }) : element("p", { role: "status" }, text("review.empty")));
    content.querySelector("[tabindex]")?.focus();
  }

  async function decide(label, type) {
    if (!held || sending) return;
    const value = (field) => content.querySelector(`[name=${field}]`).value.trim() || null;
    const decision = { true_label: label, auditor: auditor(), blind: held.blind, defect_type: type ?? value("defect_type"), note: value("note") };
    const { event_id: id } = held.inspection;
    await settle(async () => {
      await api.audit(id, decision);
      const { inspection } = await api.inspection(id);
      last = { inspection, decision };
      replace(notice, ...told(last, undo));
    });
  }

  async function skip() {
    if (!held || sending) return;
    await settle(() => api.release(held.inspection.event_id, auditor()));
  }

  // What the service can't take now stays on the screen; what somebody else holds is theirs.
  async function settle(send) {
    sending = true;
    try {
      await send();
      await next();
    } catch (error) {
      replace(notice, element("p", { role: "alert" }, problem(error)));
      if (!error.retryable) await next();
    } finally {
      sending = false;
    }
  }

  function undo() {
    if (!last || sending) return;
    // Its verdict has been seen by now.
    held = { inspection: last.inspection, blind: false, again: true };
    last = null;
    replace(notice, element("p", {}, text("review.again")));
    draw();
  }

  async function renew() {
    if (!held || held.again || sending || document.hidden) return;
    const now = await api.nextToReview(auditor());
    if (!sending && now?.inspection.event_id !== held?.inspection.event_id) {
      held = now;
      draw();
    }
  }

  const onkey = (event) => {
    if (["INPUT", "SELECT"].includes(event.target.tagName) || event.ctrlKey || event.metaKey) return;
    if (KEYS[event.code]) decide(...KEYS[event.code]);
    else if (event.code === "KeyS") skip();
    else if (event.code === "KeyZ") undo();
  };
  const timer = setInterval(() => renew().catch(() => {}), RENEW);
  addEventListener("keydown", onkey);
  if (name.value) next();
  return () => {
    clearInterval(timer);
    removeEventListener("keydown", onkey);
    if (held && !held.again) api.release(held.inspection.event_id, auditor()).catch(() => {});
  };
}

function part({ inspection: event, blind, waiting }, { decide, skip }) {
  const button = (key, decision) => element("button", { type: "button", class: key, onclick: decision }, text(`review.${key}`));
  return [
    waiting !== undefined && element("p", { role: "status" }, text("review.waiting", { count: waiting })),
    element("div", { tabindex: "0" }, blind
      ? element("img", { src: api.imageOf(event.event_id), alt: event.filename ?? event.event_id, class: "large" })
      : overlay(event, 0)),
    blind ? element("p", {}, text("review.blind")) : [badge(event.verdict), score(event), reasons(event)],
    about(event),
    element("div", { class: "choices" },
      button("ok", () => decide("ok_front")), button("defect", () => decide("def_front")),
      button("unclear", () => decide("unclear")), button("later", skip)),
    element("div", { class: "choices kinds" }, KINDS.map((name, place) =>
      element("button", { type: "button", onclick: () => decide("def_front", name) }, `${kind(name)} (${place + 1})`))),
    element("div", { class: "fields" },
      element("label", {}, text("review.defect_type"), element("input", { name: "defect_type", maxlength: "128" })),
      element("label", {}, text("review.note"), element("input", { name: "note", maxlength: "2000" }))),
  ];
}

// Now that it is decided, blind or not: what the machine had said.
function told({ inspection: event, decision }, undo) {
  const you = [text(`label.${decision.true_label}`), kind(decision.defect_type)].filter(Boolean).join(", ");
  const machine = event.prediction ? text(`label.${event.prediction}`) : text("review.machine_none");
  const differ = event.prediction && decision.true_label !== "unclear" && decision.true_label !== event.prediction;
  const file = element("a", { href: `#inspection/${event.event_id}` }, event.filename ?? text("review.unnamed"));
  const [before, after] = text("review.last", { file: "\n", you, machine }).split("\n");
  return [element("p", {}, before, file, after, differ && [" ", element("strong", {}, text("review.differ"))]),
    element("button", { type: "button", onclick: undo }, text("review.undo"))];
}
