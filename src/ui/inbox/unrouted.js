/**
 * Texts that reached nobody, as state, the newest first: pages and changes go
 * in.
 *
 *   const unrouted = new Unrouted();
 *   unrouted.load(await client.unrouted({ before: unrouted.before }));
 *   unrouted.apply(change);           // true: it was one and is new, or one was routed
 *   reasonOf(unrouted.records[0])     // why, in words
 */
export class Unrouted {
  /** @type {any[]} */
  records = [];
  /** Where the next older page begins; null at the end, undefined before the first page. */
  before = undefined;

  load({ records, before }) {
    const known = new Set(this.records.map(({ rev }) => rev));
    this.records.push(...records.filter(({ rev }) => !known.has(rev)));
    this.records.sort((a, b) => b.rev - a.rev);
    this.before = before;
  }

  apply(record) {
    if (record.kind === "thread" && record.event === "routed") {
      const open = this.records.filter(({ rev }) => rev !== record.unrouted);
      const changed = open.length < this.records.length;
      this.records = open;
      return changed;
    }
    if (record.kind !== "unrouted" || this.records.some(({ rev }) => rev === record.rev)) return false;
    this.records.unshift(record);
    return true;
  }

  /** "1 text reached nobody", "50+ texts reached nobody" */
  get sentence() {
    const { length } = this.records;
    if (length === 0) return "";
    return `${length}${this.before ? "+" : ""} ${length === 1 ? "text" : "texts"} reached nobody`;
  }
}

const REASONS = {
  shared_phone: () => "Several contacts share this phone.",
  no_tag: ({ candidates }) => candidates.length > 0
    ? "It does not begin with a tag, and more than one conversation can be meant."
    : "It does not begin with a tag, and no conversation was copied to this phone lately.",
  unknown_tag: () => "Its tag belongs to no conversation.",
  empty: () => "There is nothing behind its tag.",
  no_phone: () => "It does not come from a phone.",
};

export function reasonOf(record) {
  return REASONS[record.reason]?.(record) ?? "It could not be told whom it is for.";
}
