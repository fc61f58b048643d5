// The newest inspections that this page watches: what the service knows, and what the feed brings meanwhile. No DOM.

import * as api from "./api.js";
import { watched, watching } from "./watching.js";

export class Newest {
  constructor(most, changed) {
    this.most = most;
    this.changed = changed;
    this.events = new Map();
  }

  take(event) {
    if (event.kind !== "inspection" || !watched(event) || this.events.has(event.event_id)) return;
    this.#keep([event]);
    this.soon ??= setTimeout(() => { // a busy line is drawn ten times a second, not for each part
      this.soon = null;
      this.changed();
    }, 100);
  }

  // Anew, when another line is watched: what the feed brought while the service answered stays.
  async fill() {
    this.events.clear();
    const { items } = await api.search({ ...watching(), limit: this.most });
    this.#keep(items);
    this.changed();
  }

  #keep(events) {
    for (const event of events) this.events.set(event.event_id, event);
    const newest = [...this.events.values()].sort((one, other) => (one.occurred_at < other.occurred_at ? 1 : -1)).slice(0, this.most);
    this.events = new Map(newest.map((event) => [event.event_id, event]));
  }

  get list() {
    return [...this.events.values()];
  }
}
