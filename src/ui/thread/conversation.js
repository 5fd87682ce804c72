/**
 * One thread as state, without a page around it: pages and changes go in, what
 * is to be shown comes out, oldest first, with the times of its receipts. What
 * is loaded is one stretch without a hole; it grows at both ends.
 *
 *   const conversation = new Conversation("customer");
 *   conversation.merge(page);            // the first page, then older ones
 *   conversation.extend(page);           // newer ones, while `after` is not null
 *   const { added, touched } = conversation.apply(change);
 *   conversation.before;                 // null: the start has been reached
 *   conversation.after;                  // null: it goes to the newest, and changes are added
 *
 * Records are known by their number in the reader's view, never by their id:
 * copies have none. Receipts and deliveries come after what they are about, so
 * whoever has a message and all that follows knows how it fared, too; of a
 * stretch that does not reach the newest that may not be known yet.
 *
 * @typedef {object} Item
 * @property {number} number in the reader's view
 * @property {any} record
 * @property {number | null} delivered_at to the other side, in its page or by SMS, ms
 * @property {number | null} read_at by the other side, ms
 * @property {Map<string, {name: string, at: number}>} readers who of the other side, and when
 * @property {Texts} texts what became of the texts that carry it on
 * @property {any[]} media the parts of an MMS that were fetched, by index
 * @property {Item[]} parts of a hand-off: the later records of its transcript
 * @property {Item | null} whole of such a record: the hand-off's first one, once that is loaded
 */
import { Receipts } from "./receipts.js";
import { Texts } from "./texts.js";

export class Conversation {
  /** @type {Item[]} every record that was loaded, oldest first */
  items = [];
  /** Where the next older page begins; null at the start, undefined before the first page. @type {number | null | undefined} */
  before = undefined;
  /** Where the next newer page begins; null at the newest. @type {number | null} */
  after = null;
  /** The number up to which the newest page spoke; what came later came as changes. @type {number | null} */
  asOf = null;
  /** The thread's highest seq that is known. */
  lastSeq = 0;

  /** Changes that came before the page that they follow. */
  #early = [];
  /** Whether a page is asked for that such changes may follow. */
  #waits = true;
  #receipts = { customer: new Receipts(), team: new Receipts() };
  /** Messages by seq: what deliveries are of. @type {Map<number, Item>} */
  #messages = new Map();
  /** What is told of messages that are not loaded, by seq, in order. @type {Map<number, Item[]>} */
  #orphans = new Map();
  /** Of the last message by side: seq. */
  #last = { customer: 0, team: 0 };

  /** @param {"customer" | "staff"} role whose view the records come from */
  constructor(role) {
    this.role = role;
  }

  /** Whether the first page is here. */
  get loaded() {
    return this.asOf !== null;
  }

  /**
   * Takes a page: the first one, then each older one.
   * @returns {Item[]} what it adds, oldest first
   */
  merge({ records, before, after = null, as_of }) {
    if (!this.loaded) {
      this.before = before;
      return this.extend({ records, after, as_of });
    }
    const oldest = this.items[0]?.number ?? Infinity;
    const older = this.#items(records).filter(({ number }) => number < oldest);
    const later = this.#receipts;
    this.#receipts = { customer: new Receipts(), team: new Receipts() };
    for (const item of older) this.#step(item);
    for (const side of ["customer", "team"]) later[side].follow(this.#receipts[side]);
    this.#receipts = later;
    for (const item of older) this.#adopt(item);
    this.items = older.concat(this.items);
    this.before = before;
    return older;
  }

  /**
   * Takes the page after what is loaded; when it is the newest, also the
   * changes that came meanwhile.
   * @returns {Item[]} what it adds, oldest first
   */
  extend({ records, after = null, as_of }) {
    const added = [];
    for (const item of this.#items(records)) {
      if (item.number <= (this.items.at(-1)?.number ?? 0)) continue;
      this.#push(item);
      added.push(item);
    }
    this.after = after;
    this.asOf = as_of;
    this.#waits = false;
    if (after === null) for (const record of this.#early.splice(0)) added.push(...this.apply(record).added);
    return added;
  }

  /** A page after what is loaded is asked for, and will hold all that has come so far. */
  extending() {
    this.#early = [];
    this.#waits = true;
  }

  /**
   * Takes a change of this thread. One that a page already held alters
   * nothing; one that comes before the page that it follows waits for it.
   * @returns {{added: Item[], touched: Item[]}} the new item, and those of which it tells something
   */
  apply(record) {
    if (!this.loaded || this.after !== null) {
      if (this.#waits) this.#early.push(record);
      return { added: [], touched: [] };
    }
    const item = this.#item(record);
    if (item.number <= (this.asOf ?? 0) || item.number <= (this.items.at(-1)?.number ?? 0)) return { added: [], touched: [] };
    return { added: [item], touched: this.#push(item) };
  }

  /** Whether a record of this number would be among those that are loaded. */
  holds(number) {
    const reaches = this.after === null || number <= (this.items.at(-1)?.number ?? 0);
    return reaches && (this.before === null || number >= this.items[0]?.number);
  }

  /** The item of a number, or the last one before it. @returns {Item | undefined} */
  find(number) {
    return this.items.findLast((item) => item.number <= number);
  }

  /** Keeps the newest `count` records; the others can be loaded again. @returns {number} how many went */
  keep(count) {
    const gone = this.items.splice(0, Math.max(0, this.items.length - count));
    if (gone.length === 0) return 0;
    this.before = this.items[0].number;
    for (const { record } of gone) this.#messages.delete(record.seq);
    this.#disown();
    const seq = this.items.find(({ record }) => record.seq)?.record.seq ?? Infinity;
    for (const side of Object.values(this.#receipts)) side.forget(seq);
    return gone.length;
  }

  /**
   * The last seq of a message from the other side of `side`.
   * @param {"customer" | "team"} side
   */
  lastFor(side) {
    return this.#last[otherSide(side)];
  }

  /** The last seq of a message from `side` itself. @param {"customer" | "team"} side */
  lastOf(side) {
    return this.#last[side];
  }

  /** How far `side`, or one person of it, has read, as far as the loaded receipts tell. */
  readBy(side, sub) {
    return this.#receipts[side].readBy(sub);
  }

  #items(records) {
    return records.map((record) => this.#item(record)).sort((a, b) => a.number - b.number);
  }

  /** Nothing was heard of it yet. @returns {Item} */
  #item(record) {
    const number = this.role === "customer" ? record.seq : record.rev;
    return { number, record, delivered_at: null, read_at: null, readers: new Map(), texts: new Texts(record), media: [], parts: [], whole: null };
  }

  #push(item) {
    this.items.push(item);
    return this.#step(item);
  }

  #step(item) {
    const { record } = item;
    this.lastSeq = Math.max(this.lastSeq, record.seq ?? 0);
    const side = saidBy(record);
    if (side) {
      this.#messages.set(record.seq, item);
      this.#last[side] = Math.max(this.#last[side], record.seq);
      this.#receipts[otherSide(side)].expect(item);
      return [];
    }
    if (record.kind === "receipt") return this.#receipts[record.side]?.take(item) ?? [];
    if (!TELLS[record.kind] || record.of === undefined) return [];
    const about = this.#messages.get(record.of);
    if (about) TELLS[record.kind](about, item);
    else this.#orphans.set(record.of, [...this.#orphans.get(record.of) ?? [], item]);
    return about ? [about] : [];
  }

  /** What was told of messages that are not loaded any more waits for them; what told it and went, too, comes again itself. */
  #disown() {
    this.#orphans.clear();
    for (const item of this.items) {
      const { kind, of } = item.record;
      if (!TELLS[kind] || of === undefined || this.#messages.has(of)) continue;
      item.whole = null;
      this.#orphans.set(of, [...this.#orphans.get(of) ?? [], item]);
    }
  }

  /** A message of an older page hears what later records had told of it. */
  #adopt(item) {
    const told = saidBy(item.record) && this.#orphans.get(item.record.seq);
    if (!told) return;
    this.#orphans.delete(item.record.seq);
    // Pages came newest first.
    for (const one of told.sort((a, b) => a.number - b.number)) TELLS[one.record.kind](item, one);
  }
}

/** What a record tells of the message that it is `of`. */
const TELLS = {
  delivery: (item, { record }) => {
    const { leg, state } = item.texts.take(record);
    if (leg === "customer" && state === "delivered") item.delivered_at = Math.min(item.delivered_at ?? Infinity, record.at);
  },

  /** A part of an MMS was fetched. */
  media: (item, { record }) => { item.media[record.index] = record; },

  handoff: (item, part) => {
    part.whole = item;
    item.parts.push(part);
  },
};

/** The customer is one side; staff, the AI receptionist and the system are the other. */
export function sideOf(from) {
  return from.kind === "customer" ? "customer" : "team";
}

/**
 * Which side said it, if it is something said: a hand-off counts as the
 * customer's, its first record for all.
 * @returns {"customer" | "team" | null}
 */
export function saidBy({ kind, from, index }) {
  if (kind === "message") return sideOf(from);
  return kind === "handoff" && index === 0 ? "customer" : null;
}

function otherSide(side) {
  return side === "customer" ? "team" : "customer";
}
