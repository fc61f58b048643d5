// Which line and shift this page watches: kept in this browser, obeyed by the alerts and the live view.

const KEY = "casting.watching";
export const FIELDS = ["line", "shift"];

export function watching() {
  return JSON.parse(localStorage.getItem(KEY) ?? "{}");
}

export function watch(chosen) {
  localStorage.setItem(KEY, JSON.stringify(chosen));
  dispatchEvent(new Event("casting:watching"));
}

export function watched(event) {
  const chosen = watching();
  return FIELDS.every((name) => !chosen[name] || event[name] === chosen[name]);
}
