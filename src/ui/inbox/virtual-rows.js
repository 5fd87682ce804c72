/**
 * Rows of one height in a list that may be very long: only those near the view
 * are in the page.
 *
 *   const rows = new VirtualRows({ scroller, list, probe, make: () => row, show: (row, key) => …}, signal);
 *   rows.source = { count: () => 10_000, at: (index) => key, indexOf: (key) => index, rank: (key) => number };
 *   rows.render();                    // whenever something may have changed; in a frame
 *   rows.reveal(key);                 // scrolls there and returns its row
 *
 * `probe` is an element as high as a row. A row has an `element`, and a `button`
 * that takes the focus. While somebody scrolls or moves a pointer over it, the
 * order is held, so that nothing is taken from under their hand; and further down
 * what is in view stays where it is, whatever comes on top.
 *
 * @typedef {object} Source
 * @property {() => number} count
 * @property {(index: number) => string | undefined} at
 * @property {(key: string) => number} indexOf
 * @property {(key: string) => number | undefined} rank a row of which it changed has moved by itself
 *
 * @typedef {{element: HTMLElement, button: HTMLElement}} Row
 */

/** Rows beyond both edges of the view. */
const BEYOND = 6;
const SCROLL_HOLDS_MS = 200;
const POINTER_HOLDS_MS = 900;

export class VirtualRows {
  /** @type {Source} */
  source = { count: () => 0, at: () => undefined, indexOf: () => -1, rank: () => undefined };

  #scroller;
  #list;
  #probe;
  #make;
  #show;
  /** Those in the page: where they are, and the rank that put them there. @type {Map<string, {row: Row, top: number, rank?: number}>} */
  #rows = new Map();
  /** @type {Row[]} */
  #spare = [];
  #height = 0;
  #view = 0;
  /** The order, and the ranks, as they were when a hand came near. @type {{key: string, rank?: number}[] | null} */
  #held = null;
  #heldUntil = 0;
  #timer;
  #scrolledTo = 0;
  /** @type {string | null} */
  #tabStop = null;

  /**
   * @param {{scroller: HTMLElement, list: HTMLElement, probe: HTMLElement, make: () => Row, show: (row: Row, key: string) => void}} parts
   * @param {AbortSignal} signal
   */
  constructor({ scroller, list, probe, make, show }, signal) {
    [this.#scroller, this.#list, this.#probe, this.#make, this.#show] = [scroller, list, probe, make, show];
    const listen = (type, heard) => scroller.addEventListener(type, heard, { signal, passive: true });
    listen("scroll", () => this.#scrolled());
    listen("pointermove", ({ pointerType }) => pointerType === "mouse" && this.#hold(POINTER_HOLDS_MS));
    listen("pointerdown", () => this.#hold(POINTER_HOLDS_MS));
    list.addEventListener("focusin", () => this.render(), { signal });
    const sizes = new ResizeObserver(() => this.#measure());
    sizes.observe(scroller);
    sizes.observe(probe);
    signal.addEventListener("abort", () => {
      sizes.disconnect();
      clearTimeout(this.#timer);
      this.clear();
    });
  }

  clear() {
    this.#held = null;
    this.#rows.clear();
    this.#spare = [];
    this.#list.replaceChildren();
    this.#list.style.height = "0";
  }

  /** What was held is let go, since the list is another one. */
  release() {
    this.#held = null;
    this.#heldUntil = 0;
  }

  /** Pixels below the view that have rows. */
  get below() {
    return this.source.count() * this.#height - this.#scroller.scrollTop - this.#view;
  }

  get view() {
    return this.#view;
  }

  /** The key of the row that has the focus. @returns {string | null} */
  get focused() {
    const active = /** @type {ShadowRoot | Document} */ (this.#list.getRootNode()).activeElement;
    for (const [key, { row }] of this.#rows) if (row.button === active) return key;
    return null;
  }

  /** @param {string} key @returns {Row | undefined} */
  row(key) {
    return this.#rows.get(key)?.row;
  }

  /** @param {string} key @returns {Row | undefined} */
  reveal(key) {
    const index = this.#indexOf(key);
    if (index < 0) return undefined;
    const [top, bottom] = [index * this.#height, (index + 1) * this.#height];
    if (top < this.#scroller.scrollTop) this.#scroller.scrollTop = top;
    else if (bottom > this.#scroller.scrollTop + this.#view) this.#scroller.scrollTop = bottom - this.#view;
    this.#scrolledTo = this.#scroller.scrollTop;
    this.#tabStop = key;
    this.render();
    return this.row(key);
  }

  /** `step` rows from this one, or the first. @param {string | null} key @param {number} step */
  beside(key, step) {
    const index = key === null ? -1 : this.#indexOf(key);
    if (index < 0) return this.#at(0);
    return this.#at(Math.min(Math.max(index + step, 0), this.#count() - 1));
  }

  render() {
    if (this.#height === 0 || this.#view === 0) return;
    const [count, focused] = [this.#count(), this.focused];
    if (!this.#held) this.#keepInView();
    this.#list.style.height = `${count * this.#height}px`;

    const first = Math.max(0, Math.floor(this.#scroller.scrollTop / this.#height) - BEYOND);
    const last = Math.min(count, Math.ceil((this.#scroller.scrollTop + this.#view) / this.#height) + BEYOND);
    const keys = [];
    for (let index = first; index < last; index++) keys.push(this.#at(index));
    const wanted = new Set(keys);
    // The one with the focus stays in the page, or the focus would be lost.
    const away = focused !== null && !wanted.has(focused) && this.#indexOf(focused) >= 0 ? focused : null;
    if (away !== null) (this.#indexOf(away) < first ? keys.unshift(away) : keys.push(away));
    this.#takeOut(new Set(keys));

    const stop = wanted.has(this.#tabStop) || away === this.#tabStop ? this.#tabStop : keys[0];
    let next = this.#list.firstElementChild;
    keys.forEach((key, place) => {
      const index = key === away ? this.#indexOf(key) : first + place - (keys[0] === away ? 1 : 0);
      let placed = this.#rows.get(key);
      if (!placed) this.#rows.set(key, (placed = { row: this.#spare.pop() ?? this.#make(), top: -1, rank: undefined }));
      const { row } = placed;
      // While the order is held, what moves has not moved yet.
      if (!this.#held || placed.top < 0) placed.rank = this.#held?.[index]?.rank ?? this.source.rank(key);
      this.#show(row, key);
      this.#put(placed, index, count);
      row.button.tabIndex = key === (focused ?? stop) ? 0 : -1;
      if (row.element === next) next = next.nextElementSibling;
      else move(this.#list, row, next);
    });
    if (focused !== null) this.#tabStop = focused;
  }

  #put(placed, index, count) {
    const { element } = placed.row;
    const top = index * this.#height;
    if (placed.top !== top) element.style.transform = `translateY(${top}px)`;
    placed.top = top;
    if (element.ariaPosInSet !== `${index + 1}`) element.ariaPosInSet = `${index + 1}`;
    if (element.ariaSetSize !== `${count}`) element.ariaSetSize = `${count}`;
  }

  #takeOut(keep) {
    for (const [key, { row }] of this.#rows) {
      if (keep.has(key)) continue;
      this.#rows.delete(key);
      row.element.remove();
      if (this.#spare.length < 2 * BEYOND) this.#spare.push(row);
    }
  }

  /** Further down, the first row in view that has not moved by itself keeps its place on the screen. */
  #keepInView() {
    const top = this.#scroller.scrollTop;
    if (top < this.#height / 2) return;
    for (const [key, placed] of [...this.#rows].sort(([, a], [, b]) => a.top - b.top)) {
      if (placed.top + this.#height <= top || placed.rank !== this.source.rank(key)) continue;
      const index = this.source.indexOf(key);
      if (index < 0) continue;
      const moved = index * this.#height - placed.top;
      if (moved === 0) return;
      // The list must be long enough to be scrolled there.
      this.#list.style.height = `${this.source.count() * this.#height}px`;
      this.#scroller.scrollTop = this.#scrolledTo = top + moved;
      return;
    }
  }

  #scrolled() {
    const to = this.#scroller.scrollTop;
    // What this class does itself is nobody's hand.
    if (Math.abs(to - this.#scrolledTo) > 1) this.#hold(SCROLL_HOLDS_MS);
    this.#scrolledTo = to;
    this.render();
  }

  #hold(ms) {
    const until = performance.now() + ms;
    if (until <= this.#heldUntil) return;
    this.#heldUntil = until;
    this.#held ??= Array.from({ length: this.source.count() }, (_, index) => {
      const key = /** @type {string} */ (this.source.at(index));
      return { key, rank: this.source.rank(key) };
    });
    this.#timer ??= setTimeout(() => this.#maybeLetGo(), ms);
  }

  #maybeLetGo() {
    this.#timer = undefined;
    const left = this.#heldUntil - performance.now();
    if (left > 0) this.#timer = setTimeout(() => this.#maybeLetGo(), left);
    else {
      this.#held = null;
      this.render();
    }
  }

  #count() {
    return this.#held?.length ?? this.source.count();
  }

  #at(index) {
    return this.#held ? this.#held[index]?.key : this.source.at(index);
  }

  #indexOf(key) {
    return this.#held ? this.#held.findIndex((one) => one.key === key) : this.source.indexOf(key);
  }

  #measure() {
    const height = this.#probe.getBoundingClientRect().height;
    const first = this.#height > 0 ? this.#scroller.scrollTop / this.#height : 0;
    const other = height !== this.#height && height > 0;
    [this.#height, this.#view] = [height, this.#scroller.clientHeight];
    if (other) {
      this.#list.style.height = `${this.#count() * height}px`;
      this.#scroller.scrollTop = this.#scrolledTo = first * height;
    }
    this.render();
    this.#scroller.dispatchEvent(new Event("measured"));
  }
}

/** Without taking the focus from it, where the browser can. */
function move(list, { element, button }, before) {
  if (element.parentNode !== list) return list.insertBefore(element, before);
  if (list.moveBefore) return list.moveBefore(element, before);
  const focused = list.getRootNode().activeElement === button;
  list.insertBefore(element, before);
  if (focused) button.focus();
}
