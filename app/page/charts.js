// Plain SVG charts over the hours of a day.

import { total } from "./counts.js";
import { svg } from "./element.js";
import { minute, number, text } from "./language.js";

const WIDTH = 640;
const HEIGHT = 230;
const LEFT = 56;
const FLOOR = 200;
const CEILING = 14;

// The next round number above, so that the axis can be read: 1, 2, 5, 10, 20 …
function round(most) {
  const power = 10 ** Math.floor(Math.log10(most));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= most);
}

function frame(label, top, said, hours, bars) {
  const step = (WIDTH - LEFT) / hours.length;
  const level = (share) => FLOOR - (FLOOR - CEILING) * share;
  return svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", class: "chart", "aria-label": label },
    [0, 0.5, 1].map((share) => [svg("line", { x1: LEFT, x2: WIDTH, y1: level(share), y2: level(share) }),
      svg("text", { x: LEFT - 8, y: level(share) + 4, "text-anchor": "end" }, said(top * share))]),
    hours.map((instant, at) => at % 4 === 1 && svg("text", { x: LEFT + (at + 0.5) * step, y: FLOOR + 22, "text-anchor": "middle" }, minute(instant))),
    hours.map((instant, at) => bars(at, { x: LEFT + at * step + step * 0.14, width: step * 0.72 }, level, instant)));
}

// Counts by verdict, one on the other.
export function stacked(stacks, hours, order) {
  const top = round(Math.max(2, ...stacks.map(total)));
  return frame(text("today.by_hour"), top, (value) => number(value), hours, (at, place, level, instant) => {
    let below = 0;
    return order.map((verdict) => {
      const count = stacks[at][verdict] ?? 0;
      if (!count) return null;
      below += count;
      const y = level(below / top);
      return svg("rect", { class: verdict, ...place, y, height: level((below - count) / top) - y }, svg("title", {}, `${minute(instant)} · ${text(`verdict.${verdict}`)} ${number(count)}`));
    });
  });
}

export const share = (stack) => (total(stack) ? (stack.defect ?? 0) / total(stack) : 0);
const percent = (value) => `${Number((100 * value).toPrecision(2))} %`;

// The share of defects.
export function rates(stacks, hours) {
  const top = round(Math.max(0.01, ...stacks.map(share)));
  return frame(text("today.rate_by_hour"), top, percent, hours, (at, place, level, instant) => {
    if (!total(stacks[at])) return null;
    const y = Math.min(level(share(stacks[at]) / top), FLOOR - 1.5); // an hour without defects is not an hour without parts
    return svg("rect", { class: "rate", ...place, y, height: FLOOR - y }, svg("title", {}, `${minute(instant)} · ${percent(share(stacks[at]))} (${number(stacks[at].defect ?? 0)} / ${number(total(stacks[at]))})`));
  });
}

// The same, small, for one line; ``top`` is the same for all lines, so that they can be compared.
export function spark(stacks, hours, top) {
  const highest = text("today.highest", { rate: percent(Math.max(...stacks.map(share))) });
  return svg("svg", { viewBox: "0 0 192 32", class: "spark", role: "img", "aria-label": highest }, svg("line", { x1: 0, x2: 192, y1: 31.5, y2: 31.5 }),
    hours.map((instant, at) => {
      if (!total(stacks[at])) return null;
      const height = Math.max(1, (30 * share(stacks[at])) / top);
      return svg("rect", { x: at * 8 + 1, width: 6, y: 31 - height, height }, svg("title", {}, `${minute(instant)} · ${percent(share(stacks[at]))}`));
    }));
}
