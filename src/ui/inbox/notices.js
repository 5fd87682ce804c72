/**
 * What is worth telling somebody who does not look, as state: changes go in,
 * and come out as one notice a thread, until it is read.
 *
 *   const notices = new Notices();
 *   notices.apply(change);            // true: there is something to tell
 *   notices.take()                    // [{thread, record}], or more than MANY: [{threads}]
 *   notices.read(thread);             // true: what was told is to be taken back
 */
import { saidBy } from "../thread/conversation.js";

/** Above this they are told of together. */
export const MANY = 4;

export class Notices {
  /** Not told of yet, by thread. @type {Map<string, object>} */
  #waiting = new Map();
  /** Told of, and not read. @type {Set<string>} */
  #told = new Set();

  apply(record) {
    if (record.kind === "receipt" && record.side === "team" && record.mark === "read") this.#waiting.delete(record.thread);
    if (saidBy(record) !== "customer" || record.copied_from) return false;
    this.#waiting.set(record.thread, record);
    return true;
  }

  /** @returns {({thread: string, record: object} | {threads: number})[]} */
  take() {
    const found = [...this.#waiting].map(([thread, record]) => ({ thread, record }));
    this.#waiting.clear();
    for (const { thread } of found) this.#told.add(thread);
    return found.length > 0 && this.#told.size > MANY ? [{ threads: this.#told.size }] : found;
  }

  /** Somebody looks: nothing is left to tell. */
  forget() {
    this.#waiting.clear();
    this.#told.clear();
  }

  /** @param {string} thread */
  read(thread) {
    this.#waiting.delete(thread);
    return this.#told.delete(thread);
  }
}
