// Korean and English: one table each, the browser's choice first, switchable, remembered.

const LANGUAGES = ["ko", "en"];
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
