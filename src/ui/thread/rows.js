/**
 * Makes the rows of a conversation, keeps them true, and notices when they are
 * read: what Roll asks for when it unfolds and folds.
 *
 *   const rows = new Rows(client, thread, conversation, scroller);
 *   rows.unread = number;          // over this one stands "New"; null: over none
 *   rows.told(event);              // a click: shows or hides the exact times of what was clicked
 *   rows.stop();
 */
import { h, setText } from "../base/dom.js";
import { dayLabel } from "../base/time.js";
import { saidBy } from "./conversation.js";
import { patchTranscript } from "./handoff-card.js";
import { ownSide, patchReceipt, recordRow } from "./message-row.js";
import { patchPhotos } from "./photo-row.js";
import { Reading } from "./reading.js";
import { patchTexts } from "./text-lines.js";
import { toggleTimes } from "./told-times.js";

/** @typedef {import("./conversation.js").Item} Item */

export class Rows {
  /** @type {number | null} */
  unread = null;

  #client;
  #thread;
  #conversation;
  #reading;
  /** The own mark, as far as it was told from here. */
  #read = 0;
  /** @type {WeakMap<Element, Item>} */
  #items = new WeakMap();

  /** @param {import("./conversation.js").Conversation} conversation @param {Element} scroller */
  constructor(client, thread, conversation, scroller) {
    this.#client = client;
    this.#thread = thread;
    this.#conversation = conversation;
    this.#reading = new Reading(scroller, (seq) => {
      this.#read = Math.max(this.#read, seq);
      client.read(thread, seq);
    });
  }

  stop() {
    this.#reading.stop();
  }

  /** How far this person has read. */
  get read() {
    const side = ownSide(this.#client);
    return Math.max(this.#read, this.#conversation.readBy(side, side === "team" ? this.#client.you.sub : undefined));
  }

  /** Whether it is something new to this person. @param {Item} item */
  isNew({ record }) {
    return ![null, ownSide(this.#client)].includes(saidBy(record)) && record.seq > this.read;
  }

  /** @param {Item} item */
  build(item) {
    const row = recordRow(item, this.#client);
    this.#items.set(row, item);
    this.patch(row, item);
    if (this.isNew(item)) this.#reading.watch(row, item.record.seq);
    return row;
  }

  /** @param {HTMLElement} row @param {Item} item */
  patch(row, item) {
    const { kind } = item.record;
    if (kind === "note" || kind === "message") patchPhotos(row, item, this.#client);
    if (kind === "handoff") patchTranscript(row, item);
    if (!saidBy(item.record)) return;
    // What was told later may not be loaded yet.
    if (this.#conversation.after === null || item.delivered_at !== null) patchReceipt(row, item, this.#client);
    patchTexts(row, item, this.#client, (attempts) => this.#client.resend(this.#thread, attempts));
  }

  /** @param {HTMLElement} row */
  release(row) {
    this.#reading.unwatch(row);
  }

  /** @param {Item} item @param {boolean} day whether a day begins with it */
  over({ number, record: { at } }, day) {
    return [
      day ? h("h2", { class: "day", "data-at": at }, dayLabel(at)) : null,
      number === this.unread ? h("p", { class: "unread", "data-testid": "unread" }, "New") : null,
    ].filter(Boolean);
  }

  /** @param {Event} click */
  told(click) {
    const target = /** @type {Element} */ (click.target);
    const button = target.closest(".receipt");
    if (!button && target.closest("a, button, summary, input, details")) return;
    // Who selects a text wants to copy it.
    if (!button && String(getSelection()) !== "") return;
    const row = target.closest(".message");
    const item = row && this.#items.get(row);
    if (item && (button || target.closest(".bubble"))) toggleTimes(row, item, this.#client);
  }
}

/** Today becomes yesterday. @param {ParentNode} content */
export function labelDays(content) {
  for (const day of content.querySelectorAll(".day")) setText(day, dayLabel(Number(day.getAttribute("data-at"))));
}
