// The HTTP contract as a page, from openapi.json: no assets from elsewhere, since plants are offline.

import { element, replace } from "./element.js";

const description = await (await fetch("/openapi.json")).json();

function resolve(schema = {}) {
  if (schema.$ref) return resolve(schema.$ref.split("/").slice(1).reduce((place, key) => place[key], description));
  return schema;
}

function type(schema) {
  const found = resolve(schema);
  if (found.anyOf) return found.anyOf.map(type).filter((name) => name !== "null").join(" | ");
  if (found.type === "array") return `${type(found.items)}[]`;
  return found.format ?? found.type ?? "object";
}

function fields(rows) {
  return element("table", {}, element("tbody", {}, rows.map(([name, where, schema, required]) =>
    element("tr", {}, element("th", { scope: "row" }, element("code", {}, name)), element("td", {}, where), element("td", {}, type(schema)), element("td", {}, required ? "required" : "")))));
}

function operation(path, method, { summary, description: text, parameters = [], requestBody }) {
  const rows = parameters.map(({ name, in: where, schema, required }) => [name, where, schema, required]);
  for (const [kind, { schema }] of Object.entries(requestBody?.content ?? {})) {
    const body = resolve(schema);
    const inside = Object.entries(body.properties ?? { body });
    rows.push(...inside.map(([name, property]) => [name, kind, property, body.required?.includes(name)]));
  }
  const name = `${method.toUpperCase()} ${path}`;
  return element("section", {}, element("h2", {}, element("code", {}, name), " ", summary ?? ""),
    text && element("p", {}, text.replaceAll("``", "")), rows.length ? element("div", { class: "scroll", role: "region", tabindex: "0", "aria-label": name }, fields(rows)) : null);
}

replace(document.getElementById("operations"), Object.entries(description.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, found]) => operation(path, method, found))));
