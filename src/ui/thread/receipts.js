/**
 * What one side has told of the messages of the other: how far they came, and
 * who has read them. Marks only go forward, so the first that covers a message
 * gives it its time, and a later one is found by halving.
 *
 *   const receipts = new Receipts();
 *   receipts.expect(item);                  // a message, in order
 *   const touched = receipts.take(item);    // a receipt record, in order
 *   receipts.follow(older);                 // what an older page told stands before it
 */
export class Receipts {
  /** Items that wait for a receipt, by seq. */
  #messages = [];
  /** A read is a delivery too. */
  #delivered = new Mark();
  #read = new Mark();
  /** Everyone's own mark; reads are per person. @type {Map<string, Mark>} */
  #readers = new Map();

  /** @param {import("./conversation.js").Item} item */
  expect(item) {
    this.#messages.push(item);
  }

  /** How far the side, or one person of it, has read, as far as is loaded. */
  readBy(sub) {
    return (sub === undefined ? this.#read : this.#readers.get(sub))?.top ?? 0;
  }

  /** @returns {import("./conversation.js").Item[]} the messages of which it tells something */
  take({ number, record: { mark, up_to: upTo, at, by } }) {
    const touched = new Set();
    const told = { upTo, at, number, name: by?.name ?? "" };
    for (const item of this.#advance(this.#delivered, told)) {
      // Its SMS may have been there before.
      if (item.delivered_at !== null) continue;
      item.delivered_at = at;
      touched.add(item);
    }
    if (mark !== "read") return [...touched];
    for (const item of this.#advance(this.#read, told)) {
      item.read_at = at;
      touched.add(item);
    }
    const reader = by?.sub ?? by?.kind ?? "";
    const own = this.#readers.get(reader) ?? new Mark();
    this.#readers.set(reader, own);
    for (const item of this.#advance(own, told)) {
      item.readers.set(reader, { name: told.name, at });
      touched.add(item);
    }
    return [...touched];
  }

  /** @param {Receipts} older what was told before; messages of which it knows nothing yet learn it from here */
  follow(older) {
    for (const item of older.#messages) {
      const { seq } = item.record;
      item.delivered_at ??= this.#delivered.first(seq)?.at ?? null;
      item.read_at ??= this.#read.first(seq)?.at ?? null;
      for (const [reader, mark] of this.#readers) {
        const told = mark.first(seq);
        if (told && !item.readers.has(reader)) item.readers.set(reader, { name: told.name, at: told.at });
      }
    }
    this.#messages = older.#messages.concat(this.#messages);
    this.#delivered.follow(older.#delivered);
    this.#read.follow(older.#read);
    for (const [reader, mark] of older.#readers) {
      const own = this.#readers.get(reader);
      if (own) own.follow(mark);
      else this.#readers.set(reader, mark);
    }
  }

  /** Knows nothing any more of messages below the seq. */
  forget(seq) {
    const kept = this.#messages.findIndex(({ record }) => record.seq >= seq);
    this.#messages.splice(0, kept < 0 ? this.#messages.length : kept);
  }

  /** Moves the mark; the messages that it passes, the newest first. They stand in order, so it looks from the end. */
  #advance(mark, told) {
    const passed = [];
    const before = mark.top;
    if (told.upTo <= before) return passed;
    mark.push(told);
    for (let i = this.#messages.length - 1; i >= 0; i--) {
      const item = this.#messages[i];
      if (item.record.seq <= before) break;
      if (item.record.seq <= told.upTo) passed.push(item);
    }
    return passed;
  }
}

/** Where a mark stood, and when it came there. */
class Mark {
  /** @type {{upTo: number, at: number, number: number, name: string}[]} */
  #steps = [];

  get top() {
    return this.#steps.at(-1)?.upTo ?? 0;
  }

  push(step) {
    this.#steps.push(step);
  }

  /** The first that covers the seq. */
  first(seq) {
    let [low, high] = [0, this.#steps.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#steps[middle].upTo >= seq) high = middle;
      else low = middle + 1;
    }
    return this.#steps[low];
  }

  /** One of ours that did not move the mark, as it then stood, is no step. */
  follow(older) {
    const { top } = older;
    this.#steps = older.#steps.concat(this.#steps.filter(({ upTo }) => upTo > top));
  }
}
