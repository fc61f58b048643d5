// Sends many pictures, a few at a time; waits and tries again when the service is full or away. No DOM.

export class Queue {
  constructor({ send, changed, parallel = 4, tries = 8, sleep = (ms) => new Promise((done) => setTimeout(done, ms)) }) {
    Object.assign(this, { send, changed, parallel, tries, sleep });
    this.waiting = [];
    this.running = 0;
  }

  add(item) {
    item.state = "waiting";
    this.waiting.push(item);
    this.changed(item);
    this.#next();
  }

  // Nothing that still waits is sent; what is on its way is answered.
  clear() {
    this.waiting.length = 0;
  }

  #next() {
    while (this.running < this.parallel && this.waiting.length) {
      this.running += 1;
      this.#run(this.waiting.shift()).finally(() => {
        this.running -= 1;
        this.#next();
      });
    }
  }

  async #run(item) {
    item.state = "sending";
    this.changed(item);
    for (let attempt = 1; ; attempt += 1) {
      try {
        item.result = await this.send(item);
        item.state = "done";
        break;
      } catch (error) {
        if (!error.retryable || attempt >= this.tries) {
          item.error = error;
          item.state = "failed";
          break;
        }
        await this.sleep(Math.min(30, (error.wait || 1) * 1.6 ** (attempt - 1)) * 1000 * (0.7 + 0.6 * Math.random()));
      }
    }
    this.changed(item);
  }
}
