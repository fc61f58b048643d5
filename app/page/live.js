// The live feed: resumes where it was after a lost connection or a reload, so nothing is missed.

const KEY = "casting.position";

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
    this.source = this.opened(last === null ? "/events" : `/events?after=${last}`);
    this.source.onopen = () => this.#become("open");
    this.source.onerror = () => {
      this.#become("lost");
      if (this.source.readyState !== 2) return;
      this.ongone(); // the browser gave up, perhaps because the session ended: start anew
      this.timer = setTimeout(() => this.start(), 3000);
    };
    for (const kind of ["inspection", "audit"]) {
      this.source.addEventListener(kind, (message) => {
        this.storage.setItem(KEY, message.lastEventId);
        const event = JSON.parse(message.data);
        for (const listener of this.listeners) listener(event);
      });
    }
  }

  #become(state) {
    this.state = state;
    this.onstate(state);
  }
}
