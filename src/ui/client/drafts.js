/**
 * What was begun and not sent yet, per person and thread, in the storage: it is
 * there again after a reload, and never shown to another person on the same
 * browser.
 *
 *   const drafts = new Drafts(localStorage);
 *   drafts.open("acme/customer/ana");
 *   drafts.keep(thread, { text: "Could you", internal: false, photos: ["p1"] });
 *   drafts.of(thread)                    // the same, or null
 *   drafts.keep(thread, EMPTY);          // forgets it
 */
const PREFIX = "crewline.draft/";
/** Per person; of more the oldest goes. */
const MOST = 100;

/**
 * @typedef {object} Draft
 * @property {string} text
 * @property {boolean} internal a note
 * @property {string[]} photos the ids of what is uploaded
 */

/** @type {Draft} */
export const EMPTY = Object.freeze({ text: "", internal: false, photos: [] });

export class Drafts {
  /** @type {string | null} */
  #person = null;
  #storage;

  /** @param {Storage | undefined} storage */
  constructor(storage) {
    this.#storage = storage;
  }

  /** From now on it is this person's. @param {string} person */
  open(person) {
    this.#person = person;
  }

  /** @param {string | undefined} thread left out by customers @returns {Draft | null} */
  of(thread) {
    if (this.#person === null) return null;
    try {
      const { text, internal, photos } = JSON.parse(this.#storage?.getItem(this.#place(thread)) ?? "");
      return { text: String(text), internal: internal === true, photos: photos.filter((/** @type {unknown} */ id) => typeof id === "string") };
    } catch {
      return null;
    }
  }

  /** @param {string | undefined} thread @param {Draft} draft */
  keep(thread, { text, internal, photos }) {
    if (this.#person === null || !this.#storage) return;
    const place = this.#place(thread);
    try {
      if (text === "" && !internal && photos.length === 0) return this.#storage.removeItem(place);
      if (this.#storage.getItem(place) === null) this.#makeRoom(this.#storage);
      this.#storage.setItem(place, JSON.stringify({ text, internal, photos, at: Date.now() }));
    } catch { /* no storage, or full: the draft then lives as long as the page */ }
  }

  /** @param {Storage} storage */
  #makeRoom(storage) {
    const mine = [];
    for (let i = 0; i < storage.length; i++) {
      const key = storage.key(i);
      if (key?.startsWith(`${PREFIX}${this.#person}/`)) mine.push({ key, at: writtenAt(storage.getItem(key)) });
    }
    mine.sort((a, b) => b.at - a.at);
    for (const { key } of mine.slice(MOST - 1)) storage.removeItem(key);
  }

  /** @param {string | undefined} thread */
  #place(thread) {
    return `${PREFIX}${this.#person}/${encodeURIComponent(thread ?? "")}`;
  }
}

/** When it was written, ms; 0 if it cannot be read. @param {string | null} stored */
function writtenAt(stored) {
  try {
    return Number(JSON.parse(stored ?? "").at) || 0;
  } catch {
    return 0;
  }
}
