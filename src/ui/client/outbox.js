/**
 * Messages on their way out, kept until the server has them. Each lies in the
 * storage under its own key, so that two tabs of one person never overwrite
 * each other; both may send the same one, since its id makes it one message.
 *
 *   const outbox = new Outbox(localStorage);
 *   outbox.open("acme/customer/ana");          // and finds what a reload left
 *   const { id } = outbox.add({ text: "Hello" });
 *   for (const entry of outbox.take(Date.now())) line.send(outbox.frame(entry));
 *   outbox.acknowledged(id, 7, cursor);
 *
 * A message is `queued`, then `sending`, then `sent` until it shows up in the
 * log; or `refused` or `stale`, and then a person decides. Within a thread one
 * goes after the other, so that a retry never changes their order. One that can
 * still be taken back is `held` first; the next one of its thread lets it go.
 */
/** @import { ClientFrame, Entry, Problem } from "./wire.js" */
import { jitter } from "./timers.js";

const PREFIX = "crewline.outbox/";
const LIMIT = 500;
/** At once, over all threads: well under the server's `in_flight`. */
const IN_FLIGHT = 8;
/** The server answers within 5 s; past this the answer is lost. */
const ANSWER_MS = 15_000;
/** No longer is anything held back, also when the clock was put back meanwhile. */
const MOST_HELD_MS = 60_000;

/**
 * @typedef {object} Outgoing
 * @property {string} id
 * @property {string} [thread] left out by customers
 * @property {string} text
 * @property {boolean} internal
 * @property {number} [seen]
 * @property {string[]} [photos]
 * @property {number} at when it was written, ms
 * @property {"held" | "queued" | "sending" | "sent" | "refused" | "stale"} state
 * @property {number} [until] it is held back till then, ms
 * @property {string} [code] why it was refused
 * @property {string} [message] the same, for people
 * @property {Entry[]} [records] what came in between, if `stale`
 * @property {number} due when it may be sent again, ms; 0 at once
 * @property {number} attempts how many tries were refused for now
 */

export class Outbox {
  /** @type {Outgoing[]} */
  entries = [];
  /** @type {string | null} */
  #key = null;
  #storage;
  #random;

  /**
   * @param {Storage | undefined} storage
   * @param {() => number} [random]
   */
  constructor(storage, random = Math.random) {
    this.#storage = storage;
    this.#random = random;
  }

  /** Takes up the person's queue; what another person left stays theirs. @param {string} key */
  open(key) {
    if (key === this.#key) return;
    const unowned = this.#key === null ? this.entries : [];
    this.#key = key;
    this.entries = [...this.#stored(), ...unowned].sort((a, b) => a.at - b.at);
    for (const entry of unowned) this.#store(entry);
  }

  /**
   * @param {{thread?: string, text: string, internal?: boolean, seen?: number, photos?: string[], hold?: number}} message
   * @returns {Outgoing}
   */
  add({ thread, text, internal = false, seen, photos, hold = 0 }) {
    if (this.entries.length >= LIMIT) throw new Error(`more than ${LIMIT} messages wait to be sent`);
    const at = Math.max(Date.now(), (this.entries.at(-1)?.at ?? 0) + 1);
    this.letGo(thread);
    /** @type {Outgoing} */
    const entry = { id: uuid(), thread, text, internal, seen, photos, at, ...FRESH };
    if (hold > 0) Object.assign(entry, { state: "held", until: Date.now() + Math.min(hold, MOST_HELD_MS) });
    this.entries.push(entry);
    this.#store(entry);
    return entry;
  }

  /** Queues what was held back long enough. @param {number} now ms @returns {number} when there will be more, in ms; Infinity if never */
  ripen(now) {
    let next = Infinity;
    for (const entry of this.entries) {
      if (entry.state !== "held") continue;
      if ((entry.until ?? 0) > now && (entry.until ?? 0) <= now + MOST_HELD_MS) next = Math.min(next, entry.until ?? 0);
      else this.#queue(entry);
    }
    return next;
  }

  /**
   * Queues what is held back, of these threads or (without any) of all.
   * @param {(string | undefined)[]} threads
   * @returns {boolean} whether something was
   */
  letGo(...threads) {
    const held = this.entries.filter(({ state, thread }) => state === "held" && (threads.length === 0 || threads.includes(thread)));
    for (const entry of held) this.#queue(entry);
    return held.length > 0;
  }

  /** @param {string} id @returns {Outgoing | null} null if it is not held back any more */
  takeBack(id) {
    const entry = this.find(id);
    return entry?.state === "held" && this.remove(id) ? entry : null;
  }

  /** Marks what may go now as `sending` and returns it, oldest first. @param {number} now ms */
  take(now) {
    const taken = [];
    let room = IN_FLIGHT - this.entries.filter((entry) => entry.state === "sending").length;
    for (const entry of this.#first()) {
      if (entry.due > now) continue;
      if (entry.state === "queued" && room-- <= 0) continue;
      Object.assign(entry, { state: "sending", due: now + ANSWER_MS });
      taken.push(entry);
    }
    return taken;
  }

  /** @param {number} now ms @returns {number} when `take` is worth calling again, in ms; Infinity if not by time */
  nextDue(now) {
    return Math.min(Infinity, ...this.#first().map((entry) => entry.due).filter((due) => due > now));
  }

  /** @param {Outgoing} entry @returns {ClientFrame} */
  frame({ id, thread, text, internal, seen, photos }) {
    return { type: "send", id, thread, text, internal: internal || undefined, seen, photos };
  }

  /** @param {string | undefined} id */
  find(id) {
    return this.entries.find((entry) => entry.id === id);
  }

  /**
   * The server has it. It stays to be shown until its record comes; if that
   * is already behind the cursor, it will not come again.
   * @param {string} id
   * @param {number} number of its record in the own view
   * @param {number} cursor
   */
  acknowledged(id, number, cursor) {
    const entry = this.find(id);
    if (!entry) return false;
    if (number <= cursor) return this.remove(id);
    this.#unstore(entry);
    entry.state = "sent";
    return true;
  }

  /** @param {string | undefined} id @param {Omit<Problem, "id">} error */
  refused(id, error) {
    const entry = this.find(id);
    if (!entry || entry.state === "sent") return false;
    if (error.retry) {
      const due = Date.now() + jitter(++entry.attempts, this.#random);
      Object.assign(entry, { state: "queued", due });
      return true;
    }
    const { code, message, records } = error;
    Object.assign(entry, { state: code === "stale" ? "stale" : "refused", code, message, records });
    this.#store(entry);
    return true;
  }

  /**
   * Sends it again; with a new id only if the old one belongs to another
   * message. One that was stale has now been seen with what came in between, and with what is in view.
   * @param {string} id
   * @param {number} [seen] the last seq that is in view
   */
  retry(id, seen = 0) {
    const entry = this.find(id);
    if (!entry || (entry.state !== "refused" && entry.state !== "stale")) return false;
    this.#unstore(entry);
    if (entry.code === "id_reused") entry.id = uuid();
    if (entry.state === "stale") entry.seen = Math.max(entry.seen ?? 0, seen, ...(entry.records ?? []).map((record) => record.seq ?? 0));
    Object.assign(entry, FRESH, { code: undefined, message: undefined, records: undefined });
    this.#store(entry);
    return true;
  }

  /** @param {string} id */
  remove(id) {
    const entry = this.find(id);
    if (!entry) return false;
    this.#unstore(entry);
    this.entries = this.entries.filter((other) => other !== entry);
    return true;
  }

  /** The line went down: what had no answer goes again, with the same id. */
  lost() {
    for (const entry of this.entries) if (entry.state === "sending") Object.assign(entry, { state: "queued", due: 0 });
  }

  /** Another log: the records of what was sent will not come. */
  forgetSent() {
    this.entries = this.entries.filter((entry) => entry.state !== "sent");
  }

  /** Another tab of the same person saw this one through, or dropped it. @param {string} key */
  removedElsewhere(key) {
    const entry = this.entries.find((e) => this.#place(e) === key && e.state !== "sent");
    if (!entry) return false;
    this.entries = this.entries.filter((other) => other !== entry);
    return true;
  }

  /** @param {Outgoing} entry */
  #queue(entry) {
    entry.state = "queued";
    this.#store(entry);
  }

  /** The first message of each thread that has no outcome yet. @returns {Outgoing[]} */
  #first() {
    const first = new Map();
    for (const entry of this.entries) {
      const lane = entry.thread ?? "";
      if ((entry.state === "queued" || entry.state === "sending") && !first.has(lane)) first.set(lane, entry);
    }
    return [...first.values()];
  }

  /** @param {Outgoing} entry */
  #place({ id }) {
    return `${PREFIX}${this.#key}/${id}`;
  }

  /** @returns {Outgoing[]} */
  #stored() {
    /** @type {Outgoing[]} */
    const found = [];
    if (!this.#storage) return found;
    try {
      for (let i = 0; i < this.#storage.length; i++) {
        const key = this.#storage.key(i);
        if (key?.startsWith(`${PREFIX}${this.#key}/`)) found.push(JSON.parse(this.#storage.getItem(key) ?? ""));
      }
    } catch { /* forbidden: the queue then lives as long as the page */ }
    return found.map((entry) => ({ ...entry, ...FRESH, state: LASTING.includes(entry.state) ? entry.state : "queued" }));
  }

  /** @param {Outgoing} entry */
  #store(entry) {
    if (this.#key === null) return;
    const { due, attempts, ...kept } = entry;
    try {
      this.#storage?.setItem(this.#place(entry), JSON.stringify(kept));
    } catch { /* full or forbidden: as above */ }
  }

  /** @param {Outgoing} entry */
  #unstore(entry) {
    try {
      this.#storage?.removeItem(this.#place(entry));
    } catch { /* as above */ }
  }
}

/** What a reload does not change. */
const LASTING = ["held", "refused", "stale"];

const FRESH = Object.freeze({ state: /** @type {const} */ ("queued"), due: 0, attempts: 0 });

/** `crypto.randomUUID` where there is one: browsers keep it from pages without TLS. */
export function uuid() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const hex = Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`;
}
