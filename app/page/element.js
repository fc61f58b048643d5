// Builds DOM without markup strings: what a stranger wrote can only ever be text.

const NAMESPACE = "http://www.w3.org/2000/svg";
const shown = (children) => children.flat(3).filter((child) => child !== null && child !== undefined && child !== false);

export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (key in made && typeof value !== "string") made[key] = value;
    else made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...shown(children));
  return made;
}

export function svg(name, attributes = {}, ...children) {
  const made = document.createElementNS(NAMESPACE, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...shown(children));
  return made;
}

export function replace(parent, ...children) {
  parent.replaceChildren(...shown(children));
}
