/**
 * Some neighbouring rows of a conversation. Far from the view it is folded: it
 * keeps its height and lets its rows go.
 *
 *   const block = new Block(items, rowHeight);
 *   block.unfold(rows, before, after);        // the items around it, if any
 *   block.fold(rows);                         // false: somebody is in it
 */
import { h } from "../base/dom.js";
import { beginsDay, goesOn } from "./grouping.js";

/** @typedef {import("./conversation.js").Item} Item */

export class Block {
  /** By number; null while it is folded. @type {Map<number, HTMLElement> | null} */
  rows = null;
  element = h("div", { class: "block" });

  /** @param {Item[]} items oldest first @param {number} rowHeight a guess, in pixels */
  constructor(items, rowHeight) {
    this.items = items;
    this.guess(rowHeight);
  }

  guess(rowHeight) {
    if (!this.rows) this.#holdHeight(rowHeight * this.items.length);
  }

  unfold(rows, before, after) {
    if (this.rows) return;
    this.rows = new Map();
    this.element.style.height = "";
    this.items.forEach((item, i) => this.#build(rows, item, this.items[i - 1] ?? before, this.items[i + 1] ?? after));
  }

  fold(rows) {
    if (!this.rows) return true;
    if (this.element.matches(":focus-within") || this.element.querySelector("details[open], .told")) return false;
    this.#holdHeight(this.element.getBoundingClientRect().height);
    for (const row of this.rows.values()) rows.release(row);
    this.rows = null;
    this.element.replaceChildren();
    return true;
  }

  /** Adds an item at the end. */
  push(rows, item, before) {
    this.items.push(item);
    if (this.rows) this.#build(rows, item, before, undefined);
  }

  remove(rows, item) {
    this.items.splice(this.items.indexOf(item), 1);
    const row = this.rows?.get(item.number);
    if (!row) return;
    rows.release(row);
    this.rows?.delete(item.number);
    clearOver(row);
    row.remove();
  }

  /** The neighbours of one item changed: whom it belongs to, and what stands over it. */
  regroup(rows, item, before, after) {
    const row = this.rows?.get(item.number);
    if (!row) return;
    clearOver(row);
    row.before(...rows.over(item, beginsDay(item, before)));
    this.#group(row, item, before, after);
  }

  #build(rows, item, before, after) {
    const row = rows.build(item);
    this.rows?.set(item.number, row);
    this.#group(row, item, before, after);
    for (const one of [...rows.over(item, beginsDay(item, before)), row]) this.element.append(one);
  }

  #group(row, item, before, after) {
    row.classList.toggle("joined", goesOn(item, before));
    row.classList.toggle("ends", !(after && goesOn(after, item)));
  }

  #holdHeight(pixels) {
    this.element.style.height = `${pixels}px`;
  }
}

/** What stands over a row, a day or a line, goes. */
function clearOver(row) {
  while (row.previousElementSibling?.matches(".day, .unread")) row.previousElementSibling.remove();
}
