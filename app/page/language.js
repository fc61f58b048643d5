// Korean and English: one table each, the browser's choice first, switchable, remembered.

const LANGUAGES = ["ko", "en"];
const LOCALES = { ko: "ko-KR", en: "en-GB" }; // how dates are written: unambiguous, 24 hours
let table = {};
let current = "en";

export function preferred(remembered, browser) {
  if (LANGUAGES.includes(remembered)) return remembered;
  return browser.some((tag) => tag.toLowerCase().startsWith("ko")) ? "ko" : "en";
}

export async function use(language) {
  const answer = await fetch(`/page/locales/${language}.json`);
  table = await answer.json();
  current = language;
}

export const language = () => current;
export const number = (value) => value.toLocaleString(LOCALES[current]);

const DAY = { dateStyle: "medium" };
const MINUTE = { hourCycle: "h23", hour: "2-digit", minute: "2-digit" };
const SECOND = { ...MINUTE, second: "2-digit" };
const written = (options) => (instant) => new Date(instant).toLocaleString(LOCALES[current], options);

export const minute = written(MINUTE);
export const second = written(SECOND);
export const dated = (instant) => `${written(DAY)(instant)} ${second(instant)}`;

export function text(key, values = {}) {
  const found = table[key] ?? key;
  return found.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

export function has(key) {
  return key in table;
}

export function fill(root) {
  for (const element of root.querySelectorAll("[data-text]")) element.textContent = text(element.dataset.text);
  for (const element of root.querySelectorAll("[data-label]")) element.setAttribute("aria-label", text(element.dataset.label));
}
