/**
 * The staff's list of threads as state, without a page around it: pages of the
 * inbox and changes of the log go in, rows come out, in order, by filter.
 *
 *   const inbox = new Inbox();
 *   inbox.load(await client.inbox({ filter: "new" }), "new");
 *   const { thread, unsure } = inbox.apply(change) ?? {};
 *   if (unsure) inbox.refresh(await client.thread(thread));      // or inbox.merge(page) with it
 *   inbox.count("new"), inbox.at("new", 0), inbox.indexOf("new", thread)
 *
 * A change tells nearly always what becomes of "new" and "waiting". Where it
 * does not (a read that stops half-way, a thread that is not loaded), the row
 * is `unsure` and the thread is to be asked for. Each filter's list holds what
 * is newer than the last page that was loaded of it; nothing is missing there.
 *
 * @typedef {object} Row
 * @property {string} thread
 * @property {{id: string, name: string, phone: string | null, unknown?: boolean}} contact
 * @property {any} [last] newest message or note; undefined while it is not known
 * @property {number} active its rev
 * @property {boolean} new
 * @property {number} unread
 * @property {number | null} waiting_since
 * @property {boolean} failed the last text to the customer failed, or may have
 * @property {boolean} handoff the AI handed a call over that nobody has answered
 * @property {boolean} [closed] it goes on in another one
 * @property {number} [failedAt] the seq of its message, if that was told
 * @property {number} seq the thread's last
 * @property {number} asOf the rev up to which this row is right
 *
 * @typedef {"all" | "new" | "waiting" | "failed" | "handoff"} Filter
 * @typedef {{threads: any[], next: number | null, as_of: number}} Page
 */
import { saidBy } from "../thread/conversation.js";
import { Order } from "./order.js";

/** Changes of threads that are not in the list are kept: a page under way may be older than they are. */
const KEPT = 4_000;

export class Inbox {
  /** @type {Map<string, Row>} */
  rows = new Map();

  /** @type {Record<Filter, {order: Order, bottom: number}>} */
  #lists = { all: list(), new: list(), waiting: list(), failed: list(), handoff: list() };
  /** What was heard of threads that are not in the list, by thread. @type {Map<string, object[]>} */
  #strays = new Map();
  #kept = 0;
  /** @type {string | null} */
  #pinned = null;

  /** Whether there is anything to show of a filter. @param {Filter} [filter] */
  loaded(filter = "all") {
    return this.#bottom(filter) < Infinity;
  }

  /** Where the next page begins; null at the end, undefined before the first. @param {Filter} filter */
  next(filter) {
    return this.loaded(filter) ? this.#bottom(filter) || null : undefined;
  }

  /** @param {Filter} filter */
  count(filter) {
    return this.#lists[filter].order.countFrom(this.#bottom(filter));
  }

  /** The same without the pinned one, if it does not belong there. @param {Filter} filter */
  tally(filter) {
    const pinned = this.#pinned === null ? undefined : this.rows.get(this.#pinned);
    const guest = pinned !== undefined && this.indexOf(filter, pinned.thread) >= 0 && !matches(pinned, filter);
    return this.count(filter) - Number(guest);
  }

  /** @param {Filter} filter @param {number} index 0 is the newest activity @returns {string | undefined} */
  at(filter, index) {
    return this.#lists[filter].order.at(index);
  }

  /** @param {Filter} filter @param {string} thread @returns {number} -1 if it is not there */
  indexOf(filter, thread) {
    const index = this.#lists[filter].order.indexOf(thread);
    return index < this.count(filter) ? index : -1;
  }

  /** This one stays in every list, whatever becomes of it. @param {string | null} thread */
  set pinned(thread) {
    const before = this.#pinned;
    this.#pinned = thread;
    for (const each of [before, thread]) if (each && this.rows.has(each)) this.#place(each);
  }

  /**
   * Takes the next page of a filter.
   * @param {Page} page @param {Filter} [filter]
   * @returns {{thread: string, unsure: boolean}[]} what changes told that came before it
   */
  load(page, filter = "all") {
    this.#lists[filter].bottom = page.next ?? 0;
    return this.merge(page);
  }

  /**
   * Takes the rows of any page; what the list already knows better stays.
   * @param {Page} page
   */
  merge({ threads, as_of }) {
    const told = [];
    for (const row of threads) {
      if ((this.rows.get(row.thread)?.asOf ?? 0) > as_of) continue;
      this.#set({ ...row, asOf: as_of });
      told.push(...this.#replay(row.thread));
    }
    return told;
  }

  /**
   * Takes a change.
   * @returns {{thread: string, unsure: boolean} | null} the row it concerns
   */
  apply(record) {
    const row = this.rows.get(record.thread);
    if (!row) return this.#stray(record);
    if (record.rev <= row.asOf) return null;
    const unsure = this.#changes[record.kind]?.(row, record);
    if (record.seq) row.seq = record.seq;
    row.asOf = record.rev;
    this.#place(row.thread);
    return { thread: row.thread, unsure: unsure === true };
  }

  /**
   * Takes a thread's own snapshot.
   * @returns {boolean} false if the row has moved on since: ask again
   */
  refresh({ thread, contact, seq, unread, waiting_since, failed, handoff, attached_to, as_of }) {
    const row = this.rows.get(thread);
    if (row && row.asOf > as_of) return false;
    const said = this.#strays.get(thread)?.findLast((record) => isWord(record));
    const last = newest(said, row?.last) ?? (seq === 0 ? null : undefined);
    this.#set({
      thread, contact, seq, unread, last, asOf: as_of, failed: failed > 0, failedAt: failed, closed: Boolean(attached_to),
      new: unread > 0, handoff: handoff ?? false, waiting_since: waiting_since ?? null, active: last?.rev ?? row?.active ?? 0,
    });
    this.#replay(thread);
    return true;
  }

  /** Down to this rev nothing is missing; 0 is the end. */
  #bottom(filter) {
    return Math.min(this.#lists[filter].bottom, this.#lists.all.bottom);
  }

  #set(row) {
    this.rows.set(row.thread, row);
    this.#place(row.thread);
  }

  /** Into the lists it belongs to, and out of all others. */
  #place(thread) {
    const row = this.rows.get(thread);
    if (!row) return;
    for (const [filter, { order }] of Object.entries(this.#lists)) {
      if (matches(row, /** @type {Filter} */ (filter)) || thread === this.#pinned) order.put(thread, row.active ?? 0);
      else order.remove(thread);
    }
  }

  /** What was heard of a thread before it was in the list. */
  #replay(thread) {
    const strays = this.#strays.get(thread) ?? [];
    this.#strays.delete(thread);
    this.#kept -= strays.length;
    return strays.map((record) => this.apply(record)).filter(Boolean);
  }

  #changes = {
    message: (row, record) => {
      const before = customersLast(row);
      Object.assign(row, { last: record, active: record.rev });
      // Whether a copy waits, and since when, is for the server to say.
      if (record.copied_from) return true;
      if (record.from.kind === "customer") {
        row.unread += 1;
        row.new = true;
        row.waiting_since ??= record.at;
      } else if (record.from.kind === "staff") {
        return this.#answered(row, record.seen ?? Infinity, before);
      }
    },

    handoff: (row, record) => {
      if (record.index > 0) return;
      Object.assign(row, { last: record, active: record.rev });
      if (record.copied_from) return true;
      row.unread += 1;
      row.new = row.handoff = true;
      row.waiting_since ??= record.at;
    },

    note: (row, record) => {
      Object.assign(row, { last: record, active: record.rev });
    },

    receipt: (row, { side, mark, up_to, seq }) => {
      // Without a seq it did not move the team's mark.
      if (side !== "team" || mark !== "read" || !seq || row.unread === 0) return;
      if (up_to < customersLast(row)) return true;
      Object.assign(row, { unread: 0, new: false });
    },

    delivery: (row, { leg, state, of }) => {
      if (leg !== "customer") return;
      if (isLost(state)) Object.assign(row, { failed: true, failedAt: Math.max(of, row.failedAt ?? 0) });
      // An older one that got through says nothing of the one that failed.
      else if ((state === "sent" || state === "delivered") && of >= (row.failedAt ?? 0)) Object.assign(row, { failed: false, failedAt: 0 });
    },

    thread: (row, record) => {
      if (record.event === "handled") return this.#answered(row, record.seen ?? Infinity, customersLast(row));
      // It goes on in another one, and is listed no more.
      if (record.event === "attached") Object.assign(row, { active: 0, new: false, unread: 0, waiting_since: null, failed: false, handoff: false, closed: true });
      if (record.event === "contact") row.contact = { id: record.contact, name: record.name, phone: record.phone, unknown: record.unknown };
    },
  };

  /** An answer counts up to what its writer had seen. */
  #answered(row, seen, customersLastSeq) {
    if (row.waiting_since === null) return;
    if (seen < customersLastSeq) return true;
    row.handoff = false;
    row.waiting_since = null;
  }

  #stray(record) {
    if (!record.thread) return null;
    const strays = this.#strays.get(record.thread) ?? [];
    strays.push(record);
    this.#strays.set(record.thread, strays);
    this.#kept += 1;
    for (const [thread, { length }] of this.#strays) {
      if (this.#kept <= KEPT) break;
      this.#strays.delete(thread);
      this.#kept -= length;
    }
    const failed = record.kind === "delivery" && record.leg === "customer" && isLost(record.state);
    return this.#anyLoaded && (isWord(record) || failed) ? { thread: record.thread, unsure: true } : null;
  }

  get #anyLoaded() {
    return Object.values(this.#lists).some(({ bottom }) => bottom < Infinity);
  }
}

/** @param {Row} row @param {Filter} filter */
function matches(row, filter) {
  if (row.closed) return false;
  if (filter === "handoff") return row.handoff;
  if (filter === "new") return row.new;
  if (filter === "waiting") return row.waiting_since !== null;
  if (filter === "failed") return row.failed;
  return true;
}

function list() {
  return { order: new Order(), bottom: Infinity };
}

/** What a row shows as the last: something said, or noted. */
function isWord(record) {
  return saidBy(record) !== null || record.kind === "note";
}

/** A text that failed, or may have. */
function isLost(state) {
  return state === "failed" || state === "unknown";
}

/** At most this is the seq of the customer's last message; exactly, if that is the last of all. */
function customersLast({ last, seq }) {
  return last && saidBy(last) === "customer" ? last.seq : seq;
}

function newest(a, b) {
  return (a?.rev ?? 0) > (b?.rev ?? 0) ? a : b;
}
