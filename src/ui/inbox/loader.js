/**
 * What the list asks the hub for: pages of a filter, one after the other, and
 * threads of which a change did not tell all. What was asked before an `Inbox`
 * was given up is of no use any more.
 *
 *   const loader = new Loader(client, inbox, (rows) => draw());
 *   loader.load("waiting");           // the next page, unless one is under way
 *   loader.ask(thread, rev);          // it is not sure, or not in the list though something was said at `rev`
 *   loader.goOn();                    // what failed is tried again
 *   loader.problem                    // why it failed, for people, or ""
 *   loader.stop();
 */

/** Threads that come into the list in a burst are asked for together. */
const GATHER_MS = 150;

export class Loader {
  problem = "";

  #client;
  #inbox;
  #arrived;
  /** Filters whose page is under way. */
  #loading = new Set();
  /** Filters whose page failed. */
  #failed = new Set();
  /** Threads that are not in the list, and the rev of what was said there. @type {Map<string, number>} */
  #missing = new Map();
  /** Threads to ask for one by one. @type {Set<string>} */
  #unsure = new Set();
  #asking = false;
  #timer;
  #stopped = false;

  /** @param {(rows: import("./rows.js").Row[]) => void} arrived */
  constructor(client, inbox, arrived) {
    [this.#client, this.#inbox, this.#arrived] = [client, inbox, arrived];
  }

  stop() {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  /** @param {import("./rows.js").Filter} filter */
  async load(filter) {
    const after = this.#inbox.next(filter);
    if (this.#loading.has(filter) || this.#failed.has(filter) || after === null) return;
    this.#loading.add(filter);
    try {
      const page = await this.#client.inbox({ filter, after });
      if (this.#stopped) return;
      this.problem = "";
      this.#loading.delete(filter);
      this.#take(page, this.#inbox.load(page, filter));
    } catch (/** @type {any} */ error) {
      if (this.#stopped) return;
      this.#loading.delete(filter);
      this.#failed.add(filter);
      this.problem = error.code ? error.message : "The hub could not be reached.";
      this.#arrived([]);
    }
  }

  goOn() {
    const again = [...this.#failed];
    this.#failed.clear();
    this.problem = "";
    if (again.length > 0) for (const filter of again) this.load(filter);
    else if (!this.#inbox.loaded()) this.#arrived([]);
    if (this.#missing.size + this.#unsure.size > 0) this.#ask();
  }

  /** @param {string} thread @param {number} [rev] */
  ask(thread, rev) {
    if (rev !== undefined && !this.#inbox.rows.has(thread)) this.#missing.set(thread, rev);
    else this.#unsure.add(thread);
    if (!this.#asking) this.#timer ??= setTimeout(() => this.#ask(), this.#missing.size > 0 ? GATHER_MS : 0);
  }

  async #ask() {
    this.#timer = undefined;
    if (this.#asking || this.#stopped) return;
    this.#asking = true;
    try {
      await this.#askForMissing();
      // One at a time: a long absence may leave many threads to ask for.
      for (const thread of this.#unsure) {
        this.#unsure.delete(thread);
        await this.#askFor(thread);
        if (this.#stopped) return;
      }
      this.#asking = false;
      if (this.#missing.size > 0) this.ask(.../** @type {[string, number]} */ ([...this.#missing][0]));
    } catch {
      // They are asked for again when the line is next up.
      this.#asking = false;
    }
  }

  async #askFor(thread) {
    let snapshot;
    try {
      snapshot = await this.#client.thread(thread);
    } catch (/** @type {any} */ error) {
      // What is not there, or not for us, will not be there the next time either.
      if (error.code === "not_found" || error.code === "forbidden") return;
      this.#unsure.add(thread);
      throw error;
    }
    if (this.#stopped) return;
    if (this.#inbox.refresh(snapshot)) this.#arrived([this.#inbox.rows.get(thread)]);
    else this.#unsure.add(thread);
  }

  /** Whoever has just written stands on top, so one page brings many of them. */
  async #askForMissing() {
    let after;
    const lowest = Math.min(...this.#missing.values());
    const asked = [...this.#missing.keys()];
    while (this.#missing.size > 0 && (after === undefined || after >= lowest)) {
      const page = await this.#client.inbox({ filter: "all", after });
      if (this.#stopped) return;
      this.#take(page, this.#inbox.merge(page));
      for (const { thread } of page.threads) this.#missing.delete(thread);
      if (page.next === null) break;
      after = page.next;
    }
    for (const thread of asked) if (this.#missing.delete(thread)) this.#unsure.add(thread);
  }

  #take(page, told) {
    for (const { thread, unsure } of told) if (unsure) this.ask(thread);
    this.#arrived(page.threads.map(({ thread }) => this.#inbox.rows.get(thread)));
  }
}
