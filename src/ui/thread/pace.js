/**
 * Many small changes, one update of the page: at the next frame, or, while
 * nobody sees the page, within a second.
 *
 *   const pace = new Pace(() => update());
 *   pace.soon();                       // as often as there is something
 *   pace.now();                        // what is due is done
 *   pace.stop();
 */
const HIDDEN_MS = 1_000;

export class Pace {
  #update;
  #frame = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {() => void} update */
  constructor(update) {
    this.#update = update;
  }

  soon() {
    if (this.#frame || this.#timer) return;
    if (document.visibilityState === "visible") this.#frame = requestAnimationFrame(() => this.now());
    // Frames may end before this one came.
    this.#timer = setTimeout(() => this.now(), HIDDEN_MS);
  }

  now() {
    this.stop();
    this.#update();
  }

  stop() {
    cancelAnimationFrame(this.#frame);
    clearTimeout(this.#timer);
    this.#frame = 0;
    this.#timer = undefined;
  }
}
