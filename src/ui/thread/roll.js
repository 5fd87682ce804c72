/**
 * A conversation as it is scrolled: its rows in blocks, of which only those
 * near the view are unfolded. What is in view stays where it is, whatever
 * comes, goes or grows around it; at the end the view follows the end.
 *
 *   const roll = new Roll(scroller, content, rows, () => scrolled());
 *   roll.prepend(items); roll.append(items); roll.patch(item); roll.patchAll();
 *   roll.toEnd(); roll.show(number, "center");
 *   roll.atEnd, roll.above              // pixels of it over the view
 *   roll.stop();
 *
 * @typedef {object} Rows what makes the rows
 * @property {(item: Item) => HTMLElement} build
 * @property {(row: HTMLElement, item: Item) => void} patch
 * @property {(row: HTMLElement) => void} release it is let go
 * @property {(item: Item, day: boolean) => HTMLElement[]} over what stands over its row; a day's heading, too
 */
import { Block } from "./block.js";

/** @typedef {import("./conversation.js").Item} Item */

/** Rows of a block. */
const SIZE = 20;
/** This near to the view blocks are unfolded; twice as far they are folded. In pixels. */
const NEAR = 700;
/** This near to the end the view stays at the end. */
const AT_END = 48;
/** Of a row, before any was measured. */
const ROW_HEIGHT = 44;

export class Roll {
  atEnd = true;
  /** Whether its end is the newest, and new rows are followed. */
  follows = true;

  /** @type {Block[]} */
  #blocks = [];
  /** @type {Set<Block>} */
  #open = new Set();
  #scroller;
  #content;
  #rows;
  #scrolled;
  #sized;
  /** What stands at the top of the view, how far below it, and how far it was scrolled then. @type {{element: HTMLElement, offset: number, at: number} | null} */
  #anchor = null;
  /** How far it was scrolled when that was last looked at. */
  #scrolledTo = 0;
  #rowHeight = ROW_HEIGHT;
  #frame = 0;

  /** @param {HTMLElement} scroller @param {HTMLElement} content of it: the blocks @param {Rows} rows @param {() => void} scrolled or sized otherwise */
  constructor(scroller, content, rows, scrolled) {
    this.#scroller = scroller;
    this.#content = content;
    this.#rows = rows;
    this.#scrolled = scrolled;
    scroller.addEventListener("scroll", this.#onScroll, { passive: true });
    this.#sized = new ResizeObserver(() => this.#settle());
    for (const part of [scroller, ...scroller.children]) this.#sized.observe(part);
  }

  stop() {
    cancelAnimationFrame(this.#frame);
    this.#scroller.removeEventListener("scroll", this.#onScroll);
    this.#sized.disconnect();
    this.clear();
  }

  clear() {
    for (const block of this.#open) this.#release(block);
    this.#blocks = [];
    this.#open.clear();
    this.#content.replaceChildren();
    this.#anchor = null;
    this.atEnd = true;
  }

  /** Pixels of the conversation over the view. */
  get above() {
    return this.#scroller.scrollTop;
  }

  /** Pixels of it under the view. */
  get below() {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    return scrollHeight - scrollTop - clientHeight;
  }

  get last() {
    return this.#blocks.at(-1)?.items.at(-1);
  }

  /** @param {Item[]} items older ones, oldest first */
  prepend(items) {
    if (items.length === 0) return;
    const old = this.#blocks[0];
    const blocks = this.#cut(items);
    this.#content.prepend(...blocks.map(({ element }) => element));
    this.#blocks.unshift(...blocks);
    if (old) this.#regroup(old, 0, 1);
    this.arrange();
  }

  /** @param {Item[]} items newer ones, oldest first */
  append(items) {
    if (items.length === 0) return;
    const rest = [...items];
    const tail = this.#blocks.at(-1);
    if (tail) {
      const joint = tail.items.length - 1;
      while (rest.length > 0 && tail.items.length < SIZE) tail.push(this.#rows, rest.shift(), tail.items.at(-1));
      tail.guess(this.#rowHeight);
      const blocks = this.#cut(rest);
      this.#content.append(...blocks.map(({ element }) => element));
      this.#blocks.push(...blocks);
      this.#regroup(tail, joint, tail.items.length);
    } else {
      this.#blocks = this.#cut(rest);
      this.#content.append(...this.#blocks.map(({ element }) => element));
    }
    if (this.atEnd && this.follows) this.toEnd();
    else this.arrange();
  }

  /** @param {Item} item something is told of it */
  patch(item) {
    const row = this.row(item.number);
    if (row) this.#rows.patch(row, item);
  }

  /** Something may have been told of every one. */
  patchAll() {
    for (const { items } of this.#open) for (const item of items) this.patch(item);
  }

  /** @param {Item} item it has no row of its own any more */
  remove(item) {
    const block = this.#blockOf(item.number);
    const index = block?.items.indexOf(item) ?? -1;
    if (!block || index < 0) return;
    block.remove(this.#rows, item);
    if (block.items.length > 0) return this.#regroup(block, index - 1, index + 1);
    const place = this.#blocks.indexOf(block);
    this.#blocks.splice(place, 1);
    this.#open.delete(block);
    block.element.remove();
    if (this.#blocks[place]) this.#regroup(this.#blocks[place], 0, 1);
  }

  /** Lets go what is before the number. */
  forgetBefore(number) {
    while (this.#blocks.length > 1 && this.#blocks[1].items[0].number <= number) {
      const [block] = this.#blocks.splice(0, 1);
      this.#release(block);
      this.#open.delete(block);
      block.element.remove();
    }
    const first = this.#blocks[0];
    for (const item of first?.items.filter((one) => one.number < number) ?? []) this.remove(item);
  }

  /** What stands over the row is to be looked at again. */
  regroup(number) {
    const block = this.#blockOf(number);
    const index = block?.items.findIndex((item) => item.number === number) ?? -1;
    if (block && index >= 0) this.#regroup(block, index, index + 1);
  }

  /** The row of a number, if it is unfolded. */
  row(number) {
    return this.#blockOf(number)?.rows?.get(number);
  }

  /** Unfolds the row of a number and brings it into view. @param {"start" | "center"} place @returns {HTMLElement | undefined} */
  show(number, place) {
    const block = this.#blockOf(number);
    if (!block) return undefined;
    this.#unfold(block);
    const row = block.rows?.get(number);
    if (!row) return undefined;
    this.atEnd = false;
    const { height } = row.getBoundingClientRect();
    const room = this.#scroller.clientHeight;
    const offset = place === "start" ? Math.min(72, room / 4) : Math.max(8, (room - height) / 2);
    this.#anchor = { element: row, offset, at: this.#scroller.scrollTop };
    this.arrange();
    return row;
  }

  toEnd() {
    this.atEnd = true;
    this.#anchor = null;
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
    this.arrange();
  }

  /** Unfolds what is near the view and folds what is far from it. @returns {boolean} whether there are more rows now */
  arrange() {
    const room = this.#scroller.clientHeight;
    // Another pane is shown instead.
    if (room === 0) return false;
    this.#keep();
    const top = this.#scroller.scrollTop - this.#content.offsetTop;
    const far = [...this.#open].filter(({ element }) =>
      element.offsetTop - this.#content.offsetTop > top + room + 2 * NEAR || element.offsetTop - this.#content.offsetTop + element.offsetHeight < top - 2 * NEAR);
    const near = [];
    for (let i = this.#at(top - NEAR); i < this.#blocks.length; i++) {
      if (this.#blocks[i].element.offsetTop - this.#content.offsetTop > top + room + NEAR) break;
      if (!this.#blocks[i].rows) near.push(this.#blocks[i]);
    }
    for (const block of far) if (block.fold(this.#rows)) this.#open.delete(block);
    for (const block of near) this.#unfold(block);
    if (near.length > 0) this.#keep();
    return near.length > 0;
  }

  #cut(items) {
    const blocks = [];
    // The oldest may be a short one, so that those to come are whole.
    for (let end = items.length; end > 0; end -= SIZE) blocks.unshift(new Block(items.slice(Math.max(0, end - SIZE), end), this.#rowHeight));
    return blocks;
  }

  #unfold(block) {
    if (block.rows) return;
    const index = this.#blocks.indexOf(block);
    block.unfold(this.#rows, this.#before(index), this.#after(index));
    this.#open.add(block);
  }

  #release(block) {
    for (const row of block.rows?.values() ?? []) this.#rows.release(row);
  }

  #regroup(block, from, to) {
    const index = this.#blocks.indexOf(block);
    for (let i = Math.max(0, from); i < Math.min(to, block.items.length); i++) {
      block.regroup(this.#rows, block.items[i], block.items[i - 1] ?? this.#before(index), block.items[i + 1] ?? this.#after(index));
    }
  }

  #before(index) {
    return this.#blocks[index - 1]?.items.at(-1);
  }

  #after(index) {
    return this.#blocks[index + 1]?.items[0];
  }

  /** The last block that begins at or before the number. */
  #blockOf(number) {
    const next = halve(this.#blocks.length, (i) => this.#blocks[i].items[0].number > number);
    return this.#blocks[next - 1];
  }

  /** The index of the first block that ends under so many pixels of the content. */
  #at(pixels) {
    const base = this.#content.offsetTop;
    return halve(this.#blocks.length, (i) => {
      const { offsetTop, offsetHeight } = this.#blocks[i].element;
      return offsetTop - base + offsetHeight > pixels;
    });
  }

  get #top() {
    return this.#scroller.getBoundingClientRect().top;
  }

  #onScroll = () => {
    const { scrollTop } = this.#scroller;
    // It may have grown in the same frame. Only who goes up leaves the end.
    this.atEnd = this.below < AT_END || (this.atEnd && this.follows && scrollTop >= this.#scrolledTo);
    this.#scrolledTo = scrollTop;
    this.#drop();
    // A row holds better than the block in which it was folded, whose heading may go.
    if (this.arrange()) this.#drop();
    this.#scrolled();
  };

  /** Drops the anchor at the first row that is in view. */
  #drop() {
    const top = this.#top;
    const block = this.#blocks[this.#at(this.#scroller.scrollTop - this.#content.offsetTop)];
    // Not a heading: it goes when there is more of its day.
    const rows = [...block?.rows?.values() ?? []];
    const element = /** @type {HTMLElement} */ (rows.find((row) => row.getBoundingClientRect().bottom > top) ?? block?.element);
    this.#anchor = element ? { element, offset: element.getBoundingClientRect().top - top, at: this.#scroller.scrollTop } : null;
  }

  /** Puts the view back to where it was, if something moved it that was not the reader. */
  #keep() {
    if (this.atEnd && this.follows) {
      this.#scroller.scrollTop = this.#scroller.scrollHeight;
      this.#scrolledTo = this.#scroller.scrollTop;
    } else if (this.#anchor?.element.isConnected) {
      const { element, offset, at } = this.#anchor;
      // The reader may have gone on since.
      const gone = this.#scroller.scrollTop - at;
      const moved = element.getBoundingClientRect().top - this.#top - offset + gone;
      if (Math.abs(moved) >= 0.5) this.#scroller.scrollTop += moved;
      this.#anchor = { element, offset: offset - gone, at: this.#scroller.scrollTop };
    }
  }

  /** Something was sized otherwise, and nothing is painted yet. */
  #settle() {
    this.#keep();
    this.#measure();
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.arrange();
      this.#scrolled();
    });
  }

  /** Guesses by what is unfolded. */
  #measure() {
    let [height, count] = [0, 0];
    for (const { element, items } of this.#open) [height, count] = [height + element.offsetHeight, count + items.length];
    if (count >= SIZE && height > 0) this.#rowHeight = height / count;
  }
}

/** The first of `count` for which it holds; `count` if it holds for none. */
function halve(count, holds) {
  let [low, high] = [0, count];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
