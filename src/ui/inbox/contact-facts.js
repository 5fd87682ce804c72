/**
 * What a conversation's records tell of its contact, beside what is said: pages
 * go in, newest first.
 *
 *   const facts = new ContactFacts();
 *   facts.take(await client.history(thread, { before: facts.before, limit: 200 }));
 *   facts.consents       // [{texts: "off", phone, at, word}], the newest first
 *   facts.link           // {text, href}: where the newest marker leads, or null
 *   facts.before         // null: the start has been reached
 */
export class ContactFacts {
  /** @type {import("../client/wire.js").Entry[]} */
  consents = [];
  /** @type {{text: string, href: string} | null} */
  link = null;
  /** @type {number | null | undefined} */
  before = undefined;

  #taken = new Set();

  /** @param {{records: any[], before: number | null}} page */
  take({ records, before }) {
    this.before = before;
    for (const record of [...records].sort((a, b) => b.rev - a.rev)) this.#take(record);
  }

  /** @returns {boolean} whether it told something */
  apply(record) {
    if (record.kind !== "consent" && !(record.kind === "marker" && record.link)) return false;
    if (record.kind === "marker") this.link = null;
    this.#take(record);
    return true;
  }

  #take(record) {
    if (this.#taken.has(record.rev)) return;
    this.#taken.add(record.rev);
    if (record.kind === "consent") this.consents = [...this.consents, record].sort((a, b) => b.rev - a.rev);
    if (record.kind === "marker" && isAddress(record.link)) this.link ??= { text: record.text, href: record.link };
  }
}

/** Nothing else is followed, whatever the log says. */
function isAddress(link) {
  return typeof link === "string" && /^https?:\/\//i.test(link);
}
