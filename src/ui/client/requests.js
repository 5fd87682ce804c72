/**
 * What a client asks over HTTP: pages of the inbox, search, photos, what staff
 * put right by hand. A part of CrewlineClient, see client.js.
 */
/**
 * @import { Fetch } from "./api.js"
 * @import { Typed } from "./events.js"
 * @import { BusinessLine, Hits, InboxPage, Thread, UnroutedPage, Uploaded } from "./wire.js"
 */
import { Api } from "./api.js";

export class Requests extends /** @type {new () => Typed & EventTarget} */ (EventTarget) {
  #api;

  /**
   * @param {{ http?: string, fetch?: Fetch }} where
   * @param {(refused?: string | null) => Promise<string | null>} token
   */
  constructor(where, token) {
    super();
    this.#api = new Api(where, token);
  }

  /** Staff: a page of the inbox. @param {{filter?: string, after?: unknown}} [range] @returns {Promise<InboxPage>} */
  inbox(range = {}) {
    return this.#api.get("/v1/inbox", range);
  }

  /** Staff: contacts by a part of their name or phone. @param {string} q @returns {Promise<{contacts: {thread: string, contact: object}[]}>} */
  contacts(q) {
    return this.#api.get("/v1/contacts", { q });
  }

  /** Staff: a conversation with somebody new. @param {{name: string, phone?: string}} contact @returns {Promise<{contact: string, thread: string}>} */
  newContact(contact) {
    return this.#api.post("/v1/contacts", contact);
  }

  /** What was said, found by its words. @param {{q: string, sort?: string, after?: string}} asked @returns {Promise<Hits>} */
  search(asked) {
    return this.#api.get("/v1/search", asked);
  }

  /** Staff: the org's number and its business phones. @returns {Promise<BusinessLine>} */
  line() {
    return this.#api.get("/v1/line");
  }

  /** Staff: a page of the texts that reached nobody, the newest first. @param {{before?: number}} [range] @returns {Promise<UnroutedPage>} */
  unrouted(range = {}) {
    return this.#api.get("/v1/unrouted", range);
  }

  /**
   * Staff: texts that failed, or may have, are sent once more.
   * @param {string} thread
   * @param {string[]} attempts as their delivery records name them
   */
  async resend(thread, attempts) {
    for (const attempt of attempts) await this.#api.post(`/v1/threads/${encodeURIComponent(thread)}/resend`, { attempt });
  }

  /**
   * A photo for a message to name.
   * @param {File} file
   * @param {{progress?: (done: number) => void, signal?: AbortSignal}} [options] `done` is 0 to 1
   * @returns {Promise<Uploaded>}
   */
  upload(file, options) {
    return this.#api.upload("/v1/photos", file, options);
  }

  /**
   * A photo, or a file (in `full` alone).
   * @param {string} id
   * @param {"thumb" | "sms" | "full"} size
   * @returns {Promise<Blob>}
   */
  photo(id, size) {
    return this.#api.blob(`/v1/photos/${encodeURIComponent(id)}`, { size });
  }

  /**
   * Staff: the thread of an unknown number is this contact's; it is copied there, for good.
   * @param {string} thread
   * @param {string} contact
   * @param {{seen?: number}} [view] the last seq that was in view
   * @returns {Promise<{thread: string, copies: number}>}
   */
  attach(thread, contact, { seen } = {}) {
    return this.#api.post(`/v1/threads/${encodeURIComponent(thread)}/attach`, { contact, seen, confirm: true });
  }

  /**
   * Staff: the text of this rev, which reached nobody, belongs to this thread.
   * @param {number} rev
   * @param {string} thread
   * @returns {Promise<{thread: string, routed: boolean, seq: number}>}
   */
  route(rev, thread) {
    return this.#api.post(`/v1/unrouted/${rev}/route`, { thread });
  }

  /** A thread's counters and marks, and whether texts go to the customer's phone. @param {string} thread @returns {Promise<Thread>} */
  thread(thread) {
    return this.#api.get(`/v1/threads/${encodeURIComponent(thread)}`);
  }
}
