// The live feed: resumes where it was after a lost connection or a reload, so nothing is missed.

const KEY = "casting.position";
const SILENT_MS = 40_000; // the service gives a sign of life every 15 s: after that the line is dead, whatever the browser believes
const KINDS = ["inspection", "audit"];

export class Live {
  constructor(opened = (url) => new EventSource(url), storage = sessionStorage) {
    this.storage = storage;
    this.opened = opened;
    this.listeners = new Set();
    this.state = "lost";
    this.onstate = () => {};
    this.ongone = () => {};
  }

  start() {
    clearTimeout(this.timer);
    this.source?.close();
    const last = this.storage.getItem(KEY);
    const source = this.opened(last === null ? "/events" : `/events?after=${last}`);
    this.source = source;
    source.onopen = () => {
      this.#heard();
      this.#become("open");
    };
    source.onerror = () => {
      this.#become("lost");
      if (source.readyState !== 2) return;
      this.ongone(); // the browser gave up, perhaps because the session ended: start anew
      this.#later(3000);
    };
    source.addEventListener("alive", () => this.#heard());
    for (const kind of [...KINDS, "acknowledged"]) {
      source.addEventListener(kind, (message) => {
        this.#heard();
        if (KINDS.includes(kind)) this.storage.setItem(KEY, message.lastEventId);
        const event = { kind, ...JSON.parse(message.data) };
        for (const listener of this.listeners) listener(event);
      });
    }
    this.#heard();
  }

  #heard() {
    this.#later(SILENT_MS);
    if (this.state === "lost" && this.source.readyState === 1) this.#become("open");
  }

  #later(milliseconds) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.#become("lost");
      this.start();
    }, milliseconds);
  }

  #become(state) {
    if (state === this.state) return;
    this.state = state;
    this.onstate(state);
  }
}
