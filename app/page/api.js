// The service's HTTP contract, nothing of the page.

export class Failure extends Error {
  constructor(code, message, retryable, status, wait = 1) {
    super(message);
    Object.assign(this, { code, retryable, status, wait });
  }
}

async function call(path, options = {}) {
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    throw new Failure("offline", "", true, 0, 2);
  }
  if (answer.ok) return answer.status === 204 ? null : answer.json();
  const body = await answer.json().catch(() => ({}));
  if (answer.status === 401 && path !== "/session") dispatchEvent(new Event("casting:no-key"));
  const { code = "unknown", message = answer.statusText, retryable = answer.status >= 500 } = body.error ?? {};
  throw new Failure(code, message, retryable, answer.status, Number(answer.headers.get("Retry-After")) || 1);
}

const json = (body) => ({ method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
const query = (values) => new URLSearchParams(Object.entries(values).filter(([, value]) => value !== "" && value != null));

export function predict(file, part, key) {
  const form = new FormData();
  form.append("file", file, file.name || "picture");
  form.append("origin", "page");
  for (const [name, value] of Object.entries(part)) if (value) form.append(name, value);
  return call("/predict", { method: "POST", body: form, headers: { "Idempotency-Key": key } });
}

export const session = () => call("/session");
export const signIn = (key) => call("/session", json({ key }));
export const signOut = () => call("/session", { method: "DELETE" });
export const samples = () => call("/samples");
export const alerts = () => call("/alerts");
export const acknowledged = () => call("/alerts/acknowledged");
export const acknowledge = (ids, by) => call("/alerts/ack", json({ event_ids: ids, by }));
export const model = () => call("/model");
export const search = (filters) => call(`/inspections?${query(filters)}`);
export const csvOf = (filters) => `/inspections?${query({ ...filters, format: "csv" })}`;
export const inspection = (id) => call(`/inspections/${encodeURIComponent(id)}`);
export const audit = (id, decision) => call(`/inspections/${encodeURIComponent(id)}/audit`, json(decision));
export const nextToReview = (auditor) => call(`/review?${query({ auditor })}`);
export const skip = (id, auditor) => call(`/review/${encodeURIComponent(id)}/release?${query({ auditor })}`, { method: "POST" });
export const giveBack = (id, auditor) => call(`/review/${encodeURIComponent(id)}/release?${query({ auditor, skipped: false })}`, { method: "POST", keepalive: true });
export const summary = () => call("/summary");
export const reports = () => call("/reports");
export const imageOf = (id) => `/inspections/${encodeURIComponent(id)}/image`;
export const heatmapOf = (id) => `/inspections/${encodeURIComponent(id)}/heatmap`;
