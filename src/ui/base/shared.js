/**
 * One of a kind for all who use it on a page: the first one makes it, the last
 * one that leaves ends it.
 *
 *   const feeds = new Shared((feed) => feed.close());
 *   const { one, leave } = feeds.join(hub, () => new Feed(hub));
 *   leave();
 */

/** @template One */
export class Shared {
  /** @type {Map<unknown, {one: One, users: number}>} */
  #all = new Map();
  #end;

  /** @param {(one: One) => void} end */
  constructor(end) {
    this.#end = end;
  }

  /** @param {unknown} key @param {() => One} make @returns {{one: One, leave: () => void}} */
  join(key, make) {
    const shared = this.#all.get(key) ?? { one: make(), users: 0 };
    this.#all.set(key, shared);
    shared.users += 1;
    let left = false;
    const leave = () => {
      if (left) return;
      left = true;
      shared.users -= 1;
      // An element that is only moved leaves and comes back at once.
      setTimeout(() => {
        if (shared.users > 0 || this.#all.get(key) !== shared) return;
        this.#all.delete(key);
        this.#end(shared.one);
      }, 0);
    };
    return { one: shared.one, leave };
  }
}
