/**
 * A search as state, without a page around it: what was asked last is what is
 * shown, however late other answers come.
 *
 *   const search = new Search((asked) => client.search(asked), () => render(search));
 *   search.look("leak");                 // sort "rank", or search.look("leak", "newest")
 *   search.more();                       // the next page, if there is one
 *   search.hits, search.state            // "idle" | "asking" | "shown" | "failed"
 *
 * @typedef {object} Hit
 * @property {object} record as the reader's view shows it
 * @property {{text: string, hit: boolean}[]} pieces the part of its text that was found
 * @property {{name: string, phone: string | null}} [contact] for the team
 */
export class Search {
  q = "";
  sort = "rank";
  state = "idle";
  /** @type {Hit[]} */
  hits = [];
  /** Why it failed, for people. */
  problem = "";

  #ask;
  #changed;
  #next = null;
  #turn = 0;

  /** @param {(asked: {q: string, sort: string, after?: string}) => Promise<{hits: Hit[], next: string | null}>} ask */
  constructor(ask, changed) {
    this.#ask = ask;
    this.#changed = changed;
  }

  get hasMore() {
    return this.#next !== null && this.state !== "asking";
  }

  /** Begins anew. Nothing to look for is no search. */
  look(q, sort = this.sort) {
    const asked = q.trim();
    if (asked === this.q && sort === this.sort && this.state !== "failed") return Promise.resolve();
    Object.assign(this, { q: asked, sort, hits: [] });
    this.#next = null;
    if (asked === "") {
      this.#turn += 1;
      this.#be("idle");
      return Promise.resolve();
    }
    return this.#load();
  }

  more() {
    return this.hasMore ? this.#load() : Promise.resolve();
  }

  async #load() {
    const turn = (this.#turn += 1);
    const after = this.#next ?? undefined;
    this.#be("asking");
    try {
      const { hits, next } = await this.#ask({ q: this.q, sort: this.sort, after });
      if (turn !== this.#turn) return;
      this.hits = this.hits.concat(hits);
      this.#next = next ?? null;
      this.#be("shown");
    } catch (/** @type {any} */ error) {
      if (turn !== this.#turn) return;
      this.problem = error.message;
      this.#be("failed");
    }
  }

  #be(state) {
    this.state = state;
    this.#changed();
  }
}

/** What is said of it to those who do not see the list. */
export function summary({ state, hits, hasMore, problem }) {
  if (state === "asking") return "Searching…";
  if (state === "failed") return `That could not be searched for: ${problem}`;
  if (state === "idle") return "";
  if (hits.length === 0) return "Nothing was found";
  if (hasMore) return `The first ${hits.length} that were found`;
  return hits.length === 1 ? "One was found" : `${hits.length} were found`;
}
