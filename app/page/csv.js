// Results as CSV. No DOM.

const COLUMNS = ["filename", "verdict", "prediction", "p_defect", "reasons", "part_id", "lot", "line", "camera", "shift", "operator",
  "occurred_at", "event_id", "journal", "number", "model_version", "error"];

function cell(value) {
  let text = Array.isArray(value) ? value.join(" ") : String(value ?? "");
  if (/^[=+\-@\t\r]/.test(text) && Number.isNaN(Number(text))) text = `'${text}`; // a spreadsheet must not run it
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export function toCsv(rows) {
  return [COLUMNS.join(","), ...rows.map((row) => COLUMNS.map((name) => cell(row[name])).join(","))].join("\r\n") + "\r\n";
}
