/**
 * What this reader has received and read, on its way to the server: only the
 * highest of each, at most once a second, kept while the line is down.
 *
 *   const marks = new Marks((frame) => line.send(frame));
 *   marks.want("read", thread, 12);   // goes almost at once, or within a second
 *   marks.confirmed("read", thread, 12);
 *   marks.lost();                     // what is not confirmed goes again
 */
/** @import { ClientFrame } from "./wire.js" */
import { Timers } from "./timers.js";

const PACE_MS = 1_000;
/** What comes in one go, a page of rows or a screen that was read, is one frame. */
const GATHER_MS = 20;
/** Frames a second, over all threads: the server allows 20, and others want to pass. */
const ROOM = 8;

/**
 * @typedef {object} Mark
 * @property {"received" | "read"} type
 * @property {string | undefined} thread
 * @property {number} upTo what is to be said
 * @property {number} sent what was said on this line
 * @property {number} known what the log shows
 * @property {number} at when it was last said, ms
 */

export class Marks {
  /** What the log shows of each thread stays known, so that it is not said again. @type {Map<string, Mark>} */
  #all = new Map();
  /** Those of which there is something to say. @type {Set<Mark>} */
  #due = new Set();
  #timers = new Timers();
  #second = -Infinity;
  #spent = 0;
  #send;

  /** @param {(frame: ClientFrame) => boolean} send false while the line is down */
  constructor(send) {
    this.#send = send;
  }

  /**
   * @param {"received" | "read"} type
   * @param {string | undefined} thread
   * @param {number} upTo
   */
  want(type, thread, upTo) {
    const mark = this.#mark(type, thread);
    if (!(upTo > Math.max(mark.upTo, mark.known))) return;
    mark.upTo = upTo;
    this.#due.add(mark);
    if (!this.#timers.has("gather")) this.#timers.set("gather", GATHER_MS, () => this.flush());
  }

  /**
   * The log shows a mark this far: up to there, there is nothing left to say.
   * @param {"received" | "read"} type
   * @param {string | undefined} thread
   * @param {number} upTo
   */
  confirmed(type, thread, upTo) {
    const mark = this.#mark(type, thread);
    mark.known = Math.max(mark.known, upTo);
  }

  /** Says what is due. The line calls this when it is up again. */
  flush() {
    const now = Date.now();
    if (now - this.#second >= PACE_MS) [this.#second, this.#spent] = [now, 0];
    let next = Infinity;
    for (const mark of this.#due) {
      if (mark.upTo <= Math.max(mark.sent, mark.known)) {
        this.#due.delete(mark);
        continue;
      }
      const wait = (this.#spent < ROOM ? mark.at : this.#second) + PACE_MS - now;
      if (wait > 0) {
        next = Math.min(next, wait);
        continue;
      }
      if (!this.#send({ type: mark.type, thread: mark.thread, up_to: mark.upTo })) return;
      Object.assign(mark, { sent: mark.upTo, at: now });
      this.#spent += 1;
      this.#due.delete(mark);
    }
    if (next < Infinity) this.#timers.set("flush", next, () => this.flush());
  }

  /** The line went down: a frame that was under way may not have arrived. */
  lost() {
    this.#timers.clear();
    for (const mark of this.#all.values()) {
      mark.sent = 0;
      if (mark.upTo > mark.known) this.#due.add(mark);
    }
  }

  /** Another log: its numbers mean nothing any more. */
  forget() {
    this.#timers.clear();
    this.#all.clear();
    this.#due.clear();
  }

  /**
   * @param {"received" | "read"} type
   * @param {string | undefined} thread
   */
  #mark(type, thread) {
    const key = `${type} ${thread ?? ""}`;
    const mark = this.#all.get(key) ?? { type, thread, upTo: 0, sent: 0, known: 0, at: -Infinity };
    this.#all.set(key, mark);
    return mark;
  }
}
