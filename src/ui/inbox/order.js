/**
 * Keys in the order of their ranks, the highest first, kept so from change to
 * change: what moves is looked up by halving, and nothing is sorted again.
 *
 *   const order = new Order();
 *   order.put("t1", 12);              // or moves it
 *   order.at(0), order.indexOf("t1"), order.countFrom(10)
 */
export class Order {
  /** The lowest first: what becomes the newest goes to the end. @type {{key: string, rank: number}[]} */
  #entries = [];
  /** @type {Map<string, number>} */
  #ranks = new Map();

  /** @param {string} key @param {number} rank */
  put(key, rank) {
    if (this.#ranks.get(key) === rank) return;
    this.remove(key);
    this.#ranks.set(key, rank);
    this.#entries.splice(this.#place(key, rank), 0, { key, rank });
  }

  /** @param {string} key */
  remove(key) {
    const rank = this.#ranks.get(key);
    if (rank === undefined) return;
    this.#entries.splice(this.#place(key, rank), 1);
    this.#ranks.delete(key);
  }

  /** @param {number} index 0 is the highest @returns {string | undefined} */
  at(index) {
    return this.#entries[this.#entries.length - 1 - index]?.key;
  }

  /** @param {string} key @returns {number} -1 if it is not there */
  indexOf(key) {
    const rank = this.#ranks.get(key);
    return rank === undefined ? -1 : this.#entries.length - 1 - this.#place(key, rank);
  }

  /** How many have this rank or a higher one. @param {number} rank */
  countFrom(rank) {
    return this.#entries.length - this.#place("", rank);
  }

  /** Where it stands, or would stand. */
  #place(key, rank) {
    let [low, high] = [0, this.#entries.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      const entry = this.#entries[middle];
      if (entry.rank < rank || (entry.rank === rank && entry.key < key)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
