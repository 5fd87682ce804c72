/**
 * What this reader has received and read, on its way to the server: only the
 * highest of each, at most once a second, kept while the line is down.
 *
 *   const marks = new Marks((frame) => line.send(frame));
 *   marks.want("read", thread, 12);   // goes at once or within a second
 *   marks.confirmed("read", thread, 12);
 *   marks.lost();                     // what is not confirmed goes again
 */
import { Timers } from "./timers.js";

const PACE_MS = 1_000;
/** Frames a second, over all threads: the server allows 20, and others want to pass. */
const ROOM = 8;

export class Marks {
  #wanted = new Map();
  #timers = new Timers();
  #second = -Infinity;
  #spent = 0;
  #send;

  /** @param {(frame: object) => boolean} send false while the line is down */
  constructor(send) {
    this.#send = send;
  }

  /**
   * @param {"received" | "read"} type
   * @param {string | undefined} thread
   * @param {number} upTo
   */
  want(type, thread, upTo) {
    const key = `${type} ${thread ?? ""}`;
    const mark = this.#wanted.get(key) ?? { type, thread, upTo: 0, sent: 0, at: -Infinity };
    if (!(upTo > mark.upTo)) return;
    mark.upTo = upTo;
    this.#wanted.set(key, mark);
    this.flush();
  }

  /** The log shows a mark this far: there is nothing left to say about it. */
  confirmed(type, thread, upTo) {
    const key = `${type} ${thread ?? ""}`;
    if (this.#wanted.get(key)?.upTo <= upTo) this.#wanted.delete(key);
  }

  /** Says what is due. The line calls this when it is up again. */
  flush() {
    const now = Date.now();
    if (now - this.#second >= PACE_MS) [this.#second, this.#spent] = [now, 0];
    let next = Infinity;
    for (const mark of this.#wanted.values()) {
      if (mark.upTo <= mark.sent) continue;
      const wait = (this.#spent < ROOM ? mark.at : this.#second) + PACE_MS - now;
      if (wait > 0) {
        next = Math.min(next, wait);
        continue;
      }
      if (!this.#send({ type: mark.type, thread: mark.thread, up_to: mark.upTo })) return;
      Object.assign(mark, { sent: mark.upTo, at: now });
      this.#spent += 1;
    }
    if (next < Infinity) this.#timers.set("flush", next, () => this.flush());
  }

  /** The line went down: a frame that was under way may not have arrived. */
  lost() {
    this.#timers.clear();
    for (const mark of this.#wanted.values()) mark.sent = 0;
  }

  /** Another log: its numbers mean nothing any more. */
  forget() {
    this.#timers.clear();
    this.#wanted.clear();
  }
}
