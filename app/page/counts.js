// The summary's cells (hour, line, verdict, count) as sums by hour and by line. No DOM.

const HOUR = 3_600_000;

export const total = (counts) => Object.values(counts).reduce((sum, count) => sum + count, 0);

// The 24 hours that end with the one of ``now``, as instants.
export function hoursUntil(now) {
  const end = Math.floor(now / HOUR) * HOUR;
  return Array.from({ length: 24 }, (_, at) => end - (23 - at) * HOUR);
}

export function byHour(cells, hours) {
  const stacks = new Map(hours.map((hour) => [hour, {}]));
  for (const { hour, verdict, count } of cells) {
    const stack = stacks.get(Date.parse(hour));
    if (stack) stack[verdict] = (stack[verdict] ?? 0) + count;
  }
  return [...stacks.values()];
}

// [line, counts by verdict, its cells], by name; last, as "", where no line was named.
export function byLine(cells) {
  const lines = new Map();
  for (const cell of cells) {
    const line = cell.line ?? "";
    if (!lines.has(line)) lines.set(line, [line, {}, []]);
    const [, counts, own] = lines.get(line);
    counts[cell.verdict] = (counts[cell.verdict] ?? 0) + cell.count;
    own.push(cell);
  }
  return [...lines.values()].sort(([one], [other]) => !one - !other || one.localeCompare(other, undefined, { numeric: true }));
}
