/**
 * What is loaded of a conversation, on the page: a stretch of it that begins at
 * the newest, or at any record, and grows both ways as it is scrolled.
 *
 *   const stretch = new Stretch({ client, thread, log, content, beginning, announcer, changed });
 *   await stretch.open(null);            // at the newest, or where the reader left off; or open(number)
 *   stretch.take(changes);               // what came since the last frame
 *   stretch.show(number);                // brings a record into view that it holds
 *   stretch.again();                     // what failed is asked for once more
 *   stretch.leave();
 */
import { Conversation, saidBy } from "./conversation.js";
import { isShown } from "./grouping.js";
import { ownSide } from "./message-row.js";
import { Roll } from "./roll.js";
import { Rows } from "./rows.js";

/** @typedef {import("./conversation.js").Item} Item */

const PAGE = 50;
/** This near to what is not loaded the next page is asked for, in pixels. */
const NEAR = 1_500;
/** At the end a long conversation lets its oldest records go: past `most`, down to `kept`. */
const RECORDS = { most: 3_000, kept: 2_000 };
/** So many pages back the place is looked for where the reader left off. */
const BACK = 4;

export class Stretch {
  /** What arrived while the view was elsewhere. */
  missed = 0;

  #client;
  #thread;
  #log;
  #beginning;
  #announcer;
  #changed;
  #conversation;
  #rows;
  #roll;
  #loading = { older: false, newer: false };
  /** A page could not be had. Its reader says when it is to be asked for again. */
  #failed = false;
  /** Its reader has gone to the end, and is not led elsewhere. */
  #settled = false;
  #left = false;

  /**
   * @param {object} parts
   * @param {import("../client.js").CrewlineClient} parts.client
   * @param {string | undefined} parts.thread a customer's is undefined
   * @param {HTMLElement} parts.log what scrolls
   * @param {HTMLElement} parts.content of it, where the rows go
   * @param {import("./beginning.js").Beginning} parts.beginning
   * @param {import("./announcer.js").Announcer} parts.announcer
   * @param {() => void} parts.changed the view, or what there is over and under it
   */
  constructor({ client, thread, log, content, beginning, announcer, changed }) {
    this.#client = client;
    this.#thread = thread;
    this.#log = log;
    this.#beginning = beginning;
    this.#announcer = announcer;
    this.#changed = changed;
    this.#conversation = new Conversation(client.you?.role === "customer" ? "customer" : "staff");
    this.#rows = new Rows(client, thread, this.#conversation, log);
    this.#roll = new Roll(log, content, this.#rows, () => this.#scrolled());
  }

  leave() {
    this.#left = true;
    this.#rows.stop();
    this.#roll.stop();
  }

  get loaded() {
    return this.#conversation.loaded;
  }

  /** The highest seq that is in this view; undefined before anything is. */
  get lastSeq() {
    return this.loaded ? this.#conversation.lastSeq : undefined;
  }

  /** Whether it reaches the newest. */
  get whole() {
    return this.loaded && this.#conversation.after === null;
  }

  get atEnd() {
    return this.whole && this.#roll.atEnd;
  }

  /** Pixels of it under the view. */
  get below() {
    return this.#roll.below;
  }

  holds(number) {
    return this.loaded && this.#conversation.holds(number);
  }

  /** @param {number | null} number of the record that it opens at; null: at the newest */
  async open(number) {
    const page = await this.#page(number === null ? {} : { around: number });
    if (!page) return;
    const items = this.#conversation.merge(page);
    this.#roll.follows = this.whole;
    this.#top();
    this.#roll.append(this.#shown(items));
    this.#received();
    if (number === null) await this.#leftOff();
    else this.show(number);
    if (!this.#left) this.#scrolled();
  }

  /** What failed is asked for once more; where it could not be opened, it opens at the newest. */
  again() {
    this.#failed = false;
    if (!this.loaded) {
      this.#beginning.loading();
      return this.open(null);
    }
    this.#top();
    this.#scrolled();
  }

  /** @param {any[]} changes of this thread */
  take(changes) {
    const added = [];
    const touched = new Set();
    for (const record of changes) {
      const told = this.#conversation.apply(record);
      added.push(...told.added);
      for (const item of told.touched) touched.add(item);
      if (this.loaded && !this.whole && this.#isOthers(record)) this.missed += 1;
    }
    const arrived = this.#shown(added);
    if (arrived.length > 0) this.#arrive(arrived);
    for (const item of touched) this.#roll.patch(item);
    // Who wrote has seen what was new. The view was brought here when it was written, and may be elsewhere now.
    if (added.some(({ record }) => this.#client.isMe(record.from))) this.seen();
    if (added.length > 0) this.#received();
  }

  /** Brings a record into view, or the one that it is a part of; one that is not shown, nothing. */
  show(number) {
    const found = this.#conversation.find(number);
    const item = found?.whole ?? found;
    const row = item && this.#roll.show(item.number, "center");
    if (!row) return;
    this.#log.querySelector(".sought")?.classList.remove("sought");
    row.querySelector("details")?.setAttribute("open", "");
    row.classList.add("sought");
    row.tabIndex = -1;
    row.focus({ preventScroll: true });
  }

  /** To the newest, and what was new is so no more. */
  toEnd() {
    this.#settled = true;
    this.seen();
    this.#roll.toEnd();
  }

  /** The line that says what is new goes. */
  seen() {
    const { unread } = this.#rows;
    if (unread === null) return;
    this.#rows.unread = null;
    this.#roll.regroup(unread);
  }

  /** Something was clicked. @param {Event} click */
  told(click) {
    this.#rows.told(click);
  }

  /** @param {{before?: number, after?: number, around?: number}} where @returns {Promise<any>} null if there is none to be had, or nobody waits for it any more */
  async #page(where) {
    try {
      const page = await this.#client.history(this.#thread, { ...where, limit: PAGE });
      return this.#left ? null : page;
    } catch (thrown) {
      const { code, message } = /** @type {import("../client.js").CrewlineError} */ (thrown);
      this.#failed = !this.#left && code !== "reset" && code !== "closed";
      if (this.#failed) this.#beginning.failed(message);
      return null;
    }
  }

  async #older() {
    const { before } = this.#conversation;
    if (!this.loaded || this.#loading.older || typeof before !== "number") return;
    this.#loading.older = true;
    const page = await this.#page({ before });
    this.#loading.older = false;
    if (!page) return;
    const items = this.#conversation.merge(page);
    // What had come before what it belongs to.
    for (const { parts } of items) for (const part of parts) this.#roll.remove(part);
    this.#top();
    this.#roll.prepend(this.#shown(items));
    this.#scrolled();
  }

  async #newer() {
    const { after } = this.#conversation;
    if (!this.loaded || this.#loading.newer || after === null) return;
    this.#loading.newer = true;
    this.#conversation.extending();
    const page = await this.#page({ after });
    this.#loading.newer = false;
    if (!page) return;
    this.#roll.append(this.#shown(this.#conversation.extend(page)));
    this.#roll.follows = this.whole;
    this.#roll.patchAll();
    this.#received();
    this.#scrolled();
  }

  /** What stands over the oldest. */
  #top() {
    if (this.#conversation.before !== null) return this.#beginning.more();
    this.#beginning.start();
    if (this.#shown(this.#conversation.items).length === 0) this.#invite();
  }

  async #invite() {
    const { you, org } = this.#client;
    if (you?.role !== "customer") return this.#beginning.invite({ head: "Nothing was said here yet", text: "" });
    const head = `Write to ${org?.name ?? "us"}`;
    this.#beginning.invite({ head, text: "You get the answer here." });
    const { texts } = await this.#client.thread(you.thread).catch(() => ({ texts: null }));
    const stillEmpty = !this.#left && !this.#roll.last;
    if (texts === "on" && stillEmpty) this.#beginning.invite({ head, text: "You get the answer here and as a text." });
  }

  /** Where the reader left off, if what is new does not fit into the view, and unless they have gone elsewhere meanwhile. */
  async #leftOff() {
    const side = ownSide(this.#client);
    for (let turn = 0; turn < BACK && !this.#left && !this.#failed && !this.#settled && this.#roll.atEnd; turn++) {
      // Who answered has seen what was before.
      const mark = Math.max(this.#conversation.readBy(side), this.#conversation.lastOf(side));
      const shown = this.#shown(this.#conversation.items);
      const first = shown.findIndex(({ record }) => this.#isOthers(record) && record.seq > mark);
      if (first < 0) return;
      if (first > 0 && (mark > 0 || this.#conversation.before === null)) return this.#showUnread(shown[first].number);
      if (this.#conversation.before === null) return;
      await this.#older();
    }
  }

  #showUnread(number) {
    this.#rows.unread = number;
    this.#roll.regroup(number);
    const row = this.#roll.row(number);
    if (!row || row.offsetTop < this.#roll.above) this.#roll.show(number, "start");
  }

  /** @param {Item[]} items */
  #arrive(items) {
    this.#beginning.invite(null);
    const others = items.filter(({ record }) => this.#isOthers(record));
    const looks = this.#roll.atEnd && document.visibilityState === "visible" && document.hasFocus();
    if (!looks && others.length > 0 && this.#rows.unread === null && this.#roll.last) this.#rows.unread = others[0].number;
    if (!this.#roll.atEnd) this.missed += others.length;
    this.#roll.append(items);
    this.#announcer.tell(others.map(({ record }) => record));
    if (this.#roll.atEnd && this.#conversation.items.length > RECORDS.most) this.#letGo();
  }

  #letGo() {
    this.#conversation.keep(RECORDS.kept);
    this.#roll.forgetBefore(this.#conversation.items[0].number);
    this.#top();
  }

  #scrolled() {
    if (this.#log.clientHeight === 0) return;
    if (this.atEnd) this.missed = 0;
    this.#changed();
    if (this.#failed) return;
    if (this.#roll.above < NEAR) this.#older();
    if (this.#roll.below < NEAR) this.#newer();
  }

  /** It is on this device now. */
  #received() {
    const seq = this.#conversation.lastFor(ownSide(this.#client));
    if (seq > 0) this.#client.received(this.#thread, seq);
  }

  #isOthers(record) {
    return ![null, ownSide(this.#client)].includes(saidBy(record));
  }

  /** @param {Item[]} items */
  #shown(items) {
    return items.filter((item) => isShown(item, this.#conversation.role));
  }
}
