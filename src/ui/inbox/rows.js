import { saidBy } from "../thread/conversation.js";

/**
 * The staff's list of threads as state, without a page around it: pages of the
 * inbox and changes of the log go in, rows come out.
 *
 *   const inbox = new Inbox();
 *   inbox.load(await client.inbox({ filter: "new" }));
 *   const { thread, unsure } = inbox.apply(change) ?? {};
 *   if (unsure) inbox.refresh(await client.thread(thread));
 *   inbox.listed("new");
 *
 * A change tells nearly always what becomes of "new" and "waiting". Where it
 * does not (a read that stops half-way, a thread that is not loaded), the row
 * is `unsure` and the thread is to be asked for.
 *
 * @typedef {object} Row
 * @property {string} thread
 * @property {{id: string, name: string, phone: string | null, unknown?: boolean}} contact
 * @property {object | null} [last] newest message or note; undefined while it is not known
 * @property {number} active its rev
 * @property {boolean} new
 * @property {number} unread
 * @property {number | null} waiting_since
 * @property {boolean} failed the last text to the customer failed, or may have
 * @property {boolean} handoff the AI handed a call over that nobody has answered
 * @property {number} [failedAt] the seq of its message, if that was told
 * @property {number} seq the thread's last
 * @property {number} asOf the rev up to which this row is right
 */
export class Inbox {
  /** @type {Map<string, Row>} */
  rows = new Map();
  /** Where the next page begins; null at the end, undefined before the first page. */
  next = undefined;

  #early = [];
  /** Newest message or note of threads that are not in the list yet. */
  #strays = new Map();

  get loaded() {
    return this.next !== undefined;
  }

  /** Takes a page; what the list already knows better stays. */
  load({ threads, next, as_of }) {
    for (const row of threads) {
      if ((this.rows.get(row.thread)?.asOf ?? 0) <= as_of) this.rows.set(row.thread, { ...row, asOf: as_of });
    }
    const first = !this.loaded;
    this.next = next ?? null;
    if (!first) return [];
    return this.#early.splice(0).filter((record) => record.rev > as_of).map((record) => this.apply(record)).filter(Boolean);
  }

  /**
   * Takes a change.
   * @returns {{thread: string, unsure: boolean} | null} the row it concerns
   */
  apply(record) {
    if (!this.loaded) {
      this.#early.push(record);
      return null;
    }
    const row = this.rows.get(record.thread);
    if (!row) return this.#stray(record);
    if (record.rev <= row.asOf) return null;
    const unsure = this.#changes[record.kind]?.(row, record);
    if (record.seq) row.seq = record.seq;
    row.asOf = record.rev;
    return { thread: row.thread, unsure: unsure === true };
  }

  /**
   * Takes a thread's own snapshot.
   * @returns {boolean} false if the row has moved on since: ask again
   */
  refresh({ thread, contact, seq, unread, waiting_since, failed, handoff, as_of }) {
    const row = this.rows.get(thread);
    if (row && row.asOf > as_of) return false;
    const last = newest(this.#strays.get(thread), row?.last);
    this.#strays.delete(thread);
    this.rows.set(thread, {
      thread, contact, seq, unread, last, asOf: as_of, failed: failed > 0, failedAt: failed,
      new: unread > 0, handoff: handoff ?? false, waiting_since: waiting_since ?? null, active: last?.rev ?? 0,
    });
    return true;
  }

  /** The rows of a filter, the newest activity first. @returns {Row[]} */
  listed(filter) {
    return [...this.rows.values()].filter((row) => matches(row, filter)).sort((a, b) => (b.active ?? 0) - (a.active ?? 0));
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
      if (record.event === "contact") {
        row.contact = { id: record.contact, name: record.name, phone: record.phone, unknown: record.unknown };
      }
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
    if (saidBy(record) || record.kind === "note") this.#strays.set(record.thread, record);
    else if (!(record.kind === "delivery" && record.leg === "customer" && isLost(record.state))) return null;
    return { thread: record.thread, unsure: true };
  }
}

export function matches(row, filter) {
  if (row.closed) return false;
  if (filter === "handoff") return row.handoff;
  if (filter === "new") return row.new;
  if (filter === "waiting") return row.waiting_since !== null;
  if (filter === "failed") return row.failed;
  return true;
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
