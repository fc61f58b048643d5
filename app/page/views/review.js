// Review: one part after the other, by keyboard alone.

import * as api from "../api.js";
import { element, replace } from "../element.js";
import { number, text } from "../language.js";
import { gone, overlay } from "../overlay.js";
import { call, known, person } from "../person.js";
import { about, badge, between, failed, kind, KINDS, problem, reasons, score } from "../verdict.js";

const RENEW = 60_000; // ms; a part is held for two minutes
const KEYS = { KeyO: ["ok_front"], KeyD: ["def_front"], KeyU: ["unclear"] };
for (const [place, name] of KINDS.entries()) KEYS[`Digit${place + 1}`] = ["def_front", name];

export function show(place) {
  let held = null; // the part on the screen
  let last = null; // the part decided before it
  let sending = false;
  let me = ""; // who holds it
  const notice = element("div", { class: "notice", role: "status" });
  const content = element("div");
  const who = element("span", { class: "quietly" });
  const change = element("button", { type: "button", class: "quiet", onclick: () => known(true) }, text("review.rename"));
  replace(place, element("div", { class: "bar head" }, element("h1", {}, text("review.title")), who, change, notice), content);

  function start() {
    me = person();
    who.textContent = me && text("review.as", { name: me });
    change.hidden = !me;
    if (me) next().catch(trouble);
    else replace(content, introduction());
  }

  async function renamed() {
    if (person() === me) return;
    await leave();
    last = null;
    replace(notice);
    start();
  }

  const trouble = (error) => replace(content, failed(error, start));

  async function next() {
    held = await api.nextToReview(me);
    draw();
  }

  function draw() {
    replace(content, held ? part(held, { decide, skip }) : element("div", { class: "empty", role: "status" },
      element("strong", {}, text("review.empty")), text("review.empty_why"), element("div", {}, element("button", { type: "button", class: "button", onclick: start }, text("review.look_again")))));
    content.querySelector(".looked")?.focus({ preventScroll: true });
  }

  async function decide(label, type) {
    if (!held || sending) return;
    const value = (field) => content.querySelector(`[name=${field}]`).value.trim() || null;
    const decision = { true_label: label, auditor: me, blind: held.blind, defect_type: label === "def_front" ? type ?? value("defect_type") : null, note: value("note") };
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
    await settle(() => api.skip(held.inspection.event_id, me));
  }

  // What the service can't take now stays on the screen; what somebody else holds is theirs.
  async function settle(send) {
    sending = true;
    try {
      await send();
      await next();
    } catch (error) {
      replace(notice, element("p", { class: "problem", role: "alert" }, problem(error)));
      if (!error.retryable) await next().catch(trouble);
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
    const now = await api.nextToReview(me);
    if (!sending && now?.inspection.event_id !== held?.inspection.event_id) {
      held = now;
      draw();
    }
  }

  const onkey = (event) => {
    if (document.querySelector("dialog[open]") || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    if (["INPUT", "SELECT"].includes(event.target.tagName)) {
      if (event.key === "Escape") content.querySelector(".looked")?.focus();
      return;
    }
    const note = content.querySelector("[name=note]");
    if (KEYS[event.code]) decide(...KEYS[event.code]);
    else if (event.code === "KeyS") skip();
    else if (event.code === "KeyZ") undo();
    else if (event.code === "KeyN" && note) {
      event.preventDefault();
      note.focus();
    }
  };
  const timer = setInterval(() => renew().catch(() => {}), RENEW);
  const leave = async () => {
    const before = held;
    held = null;
    if (before && !before.again) await api.giveBack(before.inspection.event_id, me).catch(() => {});
  };
  addEventListener("keydown", onkey);
  addEventListener("pagehide", leave);
  addEventListener("casting:name", renamed);
  start();
  return () => {
    clearInterval(timer);
    removeEventListener("keydown", onkey);
    removeEventListener("pagehide", leave);
    removeEventListener("casting:name", renamed);
    leave();
  };
}

function introduction() {
  const name = element("input", { id: "auditor", maxlength: "128", autocomplete: "name", required: true });
  return element("form", { class: "panel bar", onsubmit: (event) => {
    event.preventDefault();
    if (name.value.trim()) call(name.value);
  } }, element("label", { for: "auditor" }, text("review.name")), name, element("button", { class: "primary" }, text("review.start")),
  element("p", { class: "quietly" }, text("review.why")));
}

function part({ inspection: event, blind, waiting }, { decide, skip }) {
  const button = (name, key, decision) => element("button", { type: "button", class: name, onclick: decision, "aria-keyshortcuts": key }, text(`review.${name}`), element("kbd", { "aria-hidden": "true" }, key));
  return element("div", { class: "settle" },
    element("div", { tabindex: "0", class: "looked", role: "group", "aria-label": text("review.part") }, blind
      ? element("img", { src: api.imageOf(event.event_id), alt: event.filename ?? event.event_id, class: "large", onerror: ({ target }) => target.replaceWith(gone()) })
      : overlay(event, 0)),
    element("aside", { class: "panel" },
      waiting !== undefined && element("p", { role: "status", class: "waiting" }, text("review.waiting", { count: number(waiting) })),
      blind ? element("p", { class: "blind" }, text("review.blind")) : [element("div", { class: "bar" }, badge(event.verdict), score(event)), element("p", { class: "quietly" }, between(event)), reasons(event)],
      about(event),
      element("div", { class: "choices" },
        button("ok", "O", () => decide("ok_front")), button("defect", "D", () => decide("def_front")),
        button("unclear", "U", () => decide("unclear")), button("later", "S", skip)),
      element("fieldset", {}, element("legend", {}, text("review.kinds")), element("div", { class: "choices kinds" }, KINDS.map((name, place) =>
        element("button", { type: "button", onclick: () => decide("def_front", name), "aria-keyshortcuts": String(place + 1) }, kind(name), element("kbd", { "aria-hidden": "true" }, String(place + 1)))))),
      element("div", { class: "fields" },
        element("label", {}, text("review.defect_type"), element("input", { name: "defect_type", maxlength: "128" })),
        element("label", {}, text("review.note"), element("input", { name: "note", maxlength: "2000", "aria-keyshortcuts": "N" }))),
      element("p", { class: "quietly keys" }, text("review.keys"))));
}

// Now that it is decided, blind or not: what the model had said.
function told({ inspection: event, decision }, undo) {
  const you = [text(`label.${decision.true_label}`), kind(decision.defect_type)].filter(Boolean).join(", ");
  const machine = event.prediction ? text(`label.${event.prediction}`) : text("review.machine_none");
  const differ = event.prediction && decision.true_label !== "unclear" && decision.true_label !== event.prediction;
  const file = element("a", { href: `#inspection/${event.event_id}` }, event.filename ?? text("review.unnamed"));
  const [before, after] = text("review.last", { file: "\n", you, machine }).split("\n");
  return [element("p", {}, before, file, after, differ && [" ", element("strong", {}, text("review.differ"))]),
    element("button", { type: "button", onclick: undo, "aria-keyshortcuts": "Z" }, text("review.undo"), element("kbd", { "aria-hidden": "true" }, "Z"))];
}
