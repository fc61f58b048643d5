// The open alerts: which defects nobody has acknowledged yet. Survives reload, hears of others' hands. No DOM.

const GROUP_MS = 800;
const AGAIN_MS = 15_000; // in case a word about an acknowledgement went astray
const OLD_MS = 60_000; // what a page that comes back hears of may be acknowledged long since

export class Alerts {
  constructor({ service, watched, changed, raised }) {
    Object.assign(this, { service, watched, changed, raised });
    this.open = new Map();
    this.fresh = [];
  }

  // Newest first, only what this page watches.
  get shown() {
    return [...this.open.values()].filter(this.watched).reverse();
  }

  async sync() {
    clearTimeout(this.again);
    this.again = setTimeout(() => this.sync().catch(() => {}), AGAIN_MS);
    const known = [...this.open.keys()]; // what arrives while the service answers may be missing in its answer
    const open = new Map((await this.service.alerts()).items.map((event) => [event.event_id, event]));
    for (const id of known) if (!open.has(id)) this.open.delete(id);
    for (const [id, event] of open) this.open.set(id, event);
    this.changed();
  }

  take(event) {
    if (event.kind === "acknowledged") return this.#gone(event.event_ids);
    if (event.kind !== "inspection" || event.verdict !== "defect" || this.open.has(event.event_id)) return;
    this.open.set(event.event_id, event);
    if (!this.watched(event)) return;
    this.fresh.push(event);
    this.timer ??= setTimeout(() => this.#tell(), GROUP_MS); // many at once are one notification
    this.changed();
  }

  async acknowledge(ids, by) {
    await this.service.acknowledge(ids, by);
    this.#gone(ids);
  }

  #gone(ids) {
    for (const id of ids) this.open.delete(id);
    this.changed();
  }

  async #tell() {
    this.timer = null;
    const fresh = this.fresh.splice(0);
    if (Date.now() - Date.parse(fresh[0].occurred_at) > OLD_MS) await this.sync().catch(() => {});
    const told = fresh.filter(({ event_id: id }) => this.open.has(id));
    if (told.length) this.raised(told);
  }
}
