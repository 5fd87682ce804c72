/**
 * Who of the team looks at which thread: told while it is on screen, and heard
 * of colleagues.
 *
 *   const viewers = new Viewers(client, () => setText(line, viewers.sentence(thread)), { signal });
 *   viewers.look(thread);             // null: at none
 */

import { listed } from "../base/people.js";

/** It is repeated, and holds until two repeats are missing. */
const REPEAT_MS = 10_000;
const HOLDS_MS = 25_000;

export class Viewers {
  #client;
  #changed;
  #thread = null;
  /** By sub. */
  #looking = new Map();

  constructor(client, changed, options = {}) {
    this.#client = client;
    this.#changed = changed;
    client.addEventListener("viewing", ({ detail: { thread, who } }) => this.#heard(who, thread), options);
    client.addEventListener("presence", ({ detail: { offline = [] } }) => offline.forEach((who) => this.#heard(who, null)), options);
    client.addEventListener("caught-up", () => this.#tell(), options);
    document.addEventListener("visibilitychange", () => this.#thread && this.#tell(), options);
    const repeat = setInterval(() => this.#thread && document.visibilityState === "visible" && this.#tell(), REPEAT_MS);
    options.signal?.addEventListener("abort", () => {
      clearInterval(repeat);
      for (const { timer } of this.#looking.values()) clearTimeout(timer);
    });
  }

  look(thread) {
    const before = this.#thread;
    this.#thread = thread;
    if (before !== thread) this.#tell();
  }

  /** "Kim is looking" */
  sentence(thread) {
    const names = [...this.#looking.values()].filter((one) => one.thread === thread).map(({ name }) => name);
    if (names.length === 0) return "";
    return `${listed(names)} ${names.length === 1 ? "is" : "are"} looking`;
  }

  #tell() {
    this.#client.viewing(document.visibilityState === "visible" ? this.#thread : null);
  }

  #heard({ sub, name }, thread) {
    if (!sub || sub === this.#client.you?.sub) return;
    clearTimeout(this.#looking.get(sub)?.timer);
    this.#looking.delete(sub);
    if (thread) this.#looking.set(sub, { name, thread, timer: setTimeout(() => this.#heard({ sub, name }, null), HOLDS_MS) });
    this.#changed();
  }
}
