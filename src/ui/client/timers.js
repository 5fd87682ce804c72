/**
 * Named timers, so that whatever leaves can stop all of its own at once, and
 * the one formula for waiting before another try.
 *
 *   const timers = new Timers();
 *   timers.set("retry", jitter(attempt), () => open());
 *   timers.clear();              // all of them
 */
export class Timers {
  /** @type {Map<string, ReturnType<typeof setTimeout>>} */
  #running = new Map();

  /**
   * Starts the timer `name`; one that runs under that name is replaced.
   * @param {string} name
   * @param {number} ms
   * @param {() => void} then
   */
  set(name, ms, then) {
    this.clear(name);
    this.#running.set(name, setTimeout(() => {
      this.#running.delete(name);
      then();
    }, ms));
  }

  /** @param {string} name @returns {boolean} whether the timer `name` is still to come */
  has(name) {
    return this.#running.has(name);
  }

  /** Stops the timer `name`, or all of them. @param {string} [name] */
  clear(name) {
    const names = name === undefined ? [...this.#running.keys()] : [name];
    for (const each of names) {
      clearTimeout(this.#running.get(each));
      this.#running.delete(each);
    }
  }
}

const BASE_MS = 500;
const CAP_MS = 30_000;

/**
 * Full jitter: anything from nothing to the exponential bound, so that ten
 * thousand clients that were cut off together do not come back together.
 * @param {number} attempt how many tries have failed so far, from 0
 * @param {() => number} [random] a number from 0 up to 1
 * @returns {number} milliseconds
 */
export function jitter(attempt, random = Math.random) {
  return random() * Math.min(CAP_MS, BASE_MS * 2 ** Math.min(attempt, 16));
}
