/**
 * One thread as state, without a page around it: pages and changes go in, what
 * is to be shown comes out, oldest first, with the times of its receipts.
 *
 *   const conversation = new Conversation("customer");
 *   conversation.merge(page);            // newest page first, then older ones
 *   const { added, touched } = conversation.apply(change);
 *   conversation.before;                 // null: the start has been reached
 *
 * Records are known by their number in the reader's view, never by their id:
 * copies have none. Receipts and deliveries come after what they are about, so
 * whoever has a message and all that follows knows how it fared, too.
 *
 * @typedef {object} Item
 * @property {number} number in the reader's view
 * @property {object} record
 * @property {number | null} delivered_at to the other side, in its page or by SMS, ms
 * @property {number | null} read_at by the other side, ms
 * @property {Map<string, {name: string, at: number}>} readers who of the other side, and when
 * @property {Texts} texts what became of the texts that carry it on
 */
import { Texts } from "./texts.js";

export class Conversation {
  /** @type {Item[]} every record that was loaded, oldest first */
  items = [];
  /** Where the next older page begins; null at the start, undefined before the first page. */
  before = undefined;
  /** The number up to which the first page spoke; what came later came as changes. */
  asOf = null;
  /** The thread's highest seq that is known. */
  lastSeq = 0;

  #role;
  #early = [];
  #receipts = { customer: new Receipts(), team: new Receipts() };
  /** Messages by seq: what deliveries are of. */
  #messages = new Map();

  /** @param {"customer" | "staff"} role whose view the records come from */
  constructor(role) {
    this.#role = role;
  }

  /** Whether the first page is here. */
  get loaded() {
    return this.asOf !== null;
  }

  /**
   * Takes a page: the newest one first, then each older one.
   * @returns {Item[]} what it adds, oldest first
   */
  merge({ records, before, as_of }) {
    const known = new Set(this.items.map((item) => item.number));
    const added = records.map((record) => this.#item(record)).filter((item) => !known.has(item.number));
    this.items = [...added, ...this.items].sort((a, b) => a.number - b.number);
    this.before = before;
    this.#replay();
    if (!this.loaded) {
      this.asOf = as_of;
      for (const record of this.#early.splice(0)) added.push(...this.apply(record).added);
    }
    return added.sort((a, b) => a.number - b.number);
  }

  /**
   * Takes a change of this thread. One that the first page already held alters
   * nothing; one that comes before the first page waits for it.
   * @returns {{added: Item[], touched: Item[]}} the new item, and those of which it tells something
   */
  apply(record) {
    if (!this.loaded) {
      this.#early.push(record);
      return { added: [], touched: [] };
    }
    const item = this.#item(record);
    if (item.number <= this.asOf || item.number <= (this.items.at(-1)?.number ?? 0)) return { added: [], touched: [] };
    this.items.push(item);
    return { added: [item], touched: this.#step(item) };
  }

  /**
   * The last seq of a message from the other side of `side`.
   * @param {"customer" | "team"} side
   */
  lastFor(side) {
    const last = this.items.findLast(({ record }) => saidBy(record) === otherSide(side));
    return last?.record.seq ?? 0;
  }

  /** How far `side`, or one person of it, has read, as far as the loaded receipts tell. */
  readBy(side, sub) {
    return this.#receipts[side].readBy(sub);
  }

  #item(record) {
    const number = this.#role === "customer" ? record.seq : record.rev;
    return { number, record, ...unheard(record) };
  }

  #replay() {
    this.#receipts = { customer: new Receipts(), team: new Receipts() };
    for (const item of this.items) {
      Object.assign(item, unheard(item.record));
      this.#step(item);
    }
  }

  #step(item) {
    const { record } = item;
    this.lastSeq = Math.max(this.lastSeq, record.seq ?? 0);
    return this.#steps[record.kind]?.(item) ?? [];
  }

  #steps = {
    message: (item) => {
      this.#messages.set(item.record.seq, item);
      this.#receipts[otherSide(sideOf(item.record.from))].expect(item);
    },

    handoff: (item) => {
      if (!saidBy(item.record)) return;
      this.#messages.set(item.record.seq, item);
      this.#receipts.team.expect(item);
    },

    receipt: ({ record }) => this.#receipts[record.side]?.take(record),

    /** Of a message that is not loaded it is taken when that is. */
    delivery: ({ record }) => {
      const item = this.#messages.get(record.of);
      if (!item) return [];
      const { leg, state } = item.texts.take(record);
      if (leg === "customer" && state === "delivered") item.delivered_at ??= record.at;
      return [item];
    },

    /** A part of an MMS was fetched; the same holds. */
    media: ({ record }) => {
      const item = this.#messages.get(record.of);
      if (!item) return [];
      item.media[record.index] = record;
      return [item];
    },
  };
}

/** What is known of a record of which nothing was heard yet. */
function unheard(record) {
  return { delivered_at: null, read_at: null, readers: new Map(), texts: new Texts(record), media: [] };
}

/** What one side has said about the messages of the other. */
class Receipts {
  #messages = [];
  #delivered = 0;
  #read = 0;
  /** Everyone's own mark; reads are per person. */
  #readers = new Map();

  expect(item) {
    this.#messages.push(item);
  }

  readBy(sub) {
    return sub === undefined ? this.#read : this.#readers.get(sub) ?? 0;
  }

  /** The first that covers a message gives it its time: a read is a delivery too. */
  take({ mark, up_to, at, by }) {
    const touched = new Set();
    for (const item of this.#between(this.#delivered, up_to)) {
      // Its SMS may have been there before.
      if (item.delivered_at !== null) continue;
      item.delivered_at = at;
      touched.add(item);
    }
    this.#delivered = Math.max(this.#delivered, up_to);
    if (mark !== "read") return [...touched];

    for (const item of this.#between(this.#read, up_to)) {
      item.read_at = at;
      touched.add(item);
    }
    this.#read = Math.max(this.#read, up_to);

    const reader = by?.sub ?? by?.kind ?? "";
    for (const item of this.#between(this.#readers.get(reader) ?? 0, up_to)) {
      item.readers.set(reader, { name: by?.name ?? "", at });
      touched.add(item);
    }
    this.#readers.set(reader, Math.max(this.#readers.get(reader) ?? 0, up_to));
    return [...touched];
  }

  /** Messages with `after` < seq ≤ `upTo`; they stand in order, so it looks from the end. */
  #between(after, upTo) {
    const found = [];
    for (let i = this.#messages.length - 1; i >= 0; i--) {
      const item = this.#messages[i];
      if (item.record.seq <= after) break;
      if (item.record.seq <= upTo) found.push(item);
    }
    return found;
  }
}

/** The customer is one side; staff, the AI receptionist and the system are the other. */
export function sideOf(from) {
  return from.kind === "customer" ? "customer" : "team";
}

/**
 * Which side said it, if it is something said: a hand-off counts as the
 * customer's, its first record for all.
 */
export function saidBy({ kind, from, index }) {
  if (kind === "message") return sideOf(from);
  return kind === "handoff" && index === 0 ? "customer" : null;
}

function otherSide(side) {
  return side === "customer" ? "team" : "customer";
}
