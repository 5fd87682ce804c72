/**
 * <crewline-messages>: one conversation, live. Loads itself, scrolls back to the
 * very first message, acknowledges what it shows, and touches only the rows
 * that change.
 *
 *   <crewline-messages></crewline-messages>
 *
 *   const view = document.querySelector("crewline-messages");
 *   view.open(client, thread);        // a customer's thread is undefined
 *   view.lastSeq                      // what its reader has in view
 *   view.addEventListener("edit", ({ detail: entry }) => composer.take(entry));
 *   view.reveal(number);              // opens it at this record of the reader's view
 *   view.leave();                     // also when it is taken from the page
 */
import { h, setText } from "../base/dom.js";
import { Announcer } from "./announcer.js";
import { Beginning } from "./beginning.js";
import { Conversation, saidBy } from "./conversation.js";
import { isShown } from "./grouping.js";
import { ownSide } from "./message-row.js";
import { Outgoing } from "./outgoing.js";
import { Pace } from "./pace.js";
import { Roll } from "./roll.js";
import { Rows, labelDays } from "./rows.js";

const PAGE = 50;
/** This near to what is not loaded the next page is asked for, in pixels. */
const NEAR = 1_500;
/** Of a burst so many changes are taken at once; the others at the next frame. */
const AT_ONCE = 200;
/** At the end a long conversation lets its oldest records go: past `most`, down to `kept`. */
const RECORDS = { most: 3_000, kept: 2_000 };
/** So many pages back the place is looked for where the reader left off. */
const BACK = 4;
const TICK_MS = 60_000;

class Messages extends HTMLElement {
  #client = null;
  #thread;
  /** @type {Conversation | null} */
  #conversation = null;
  /** @type {Rows | null} */
  #rows = null;
  /** @type {Roll | null} */
  #roll = null;
  /** @type {Outgoing | null} */
  #outgoing = null;
  /** Changes that are not shown yet. */
  #changes = [];
  #pace = new Pace(() => this.#update());
  #loading = { older: false, newer: false };
  #leaving = null;
  /** The number that is to be shown. @type {number | null} */
  #sought = null;
  /** What arrived while the view was elsewhere. */
  #missed = 0;

  #beginning = new Beginning();
  #announcer = new Announcer();
  #content = h("div", { class: "content" });
  #log = h("div", { class: "log", role: "log", "aria-live": "off", tabindex: "0", "aria-label": "Conversation", "data-testid": "thread", onclick: (event) => this.#rows?.told(event) });
  #newest = h("button", { type: "button", class: "newest", hidden: true, "data-testid": "newest", onclick: () => this.#toNewest() });

  connectedCallback() {
    this.replaceChildren(this.#log, this.#newest, this.#announcer.element);
  }

  disconnectedCallback() {
    this.leave();
  }

  /** The highest seq that is in this view; undefined before anything is. */
  get lastSeq() {
    return this.#conversation?.loaded ? this.#conversation.lastSeq : undefined;
  }

  open(client, thread) {
    this.leave();
    this.#client = client;
    this.#thread = thread;
    const { signal } = (this.#leaving = new AbortController());
    const on = (target, type, heard) => target.addEventListener(type, heard, { signal });
    on(client, "welcome", ({ detail }) => detail.fresh && this.#begin(this.#sought));
    on(client, "reset", () => this.#clear());
    on(client, "change", ({ detail }) => this.#change(detail));
    on(client, "outbox", () => this.#pace.soon());
    on(client, "state", () => this.#pace.soon());
    on(window, "blur", () => this.#away());
    on(document, "visibilitychange", () => document.visibilityState === "hidden" && this.#away());
    const tick = setInterval(() => labelDays(this.#content), TICK_MS);
    signal.addEventListener("abort", () => clearInterval(tick));
    this.#outgoing = new Outgoing(client, thread, (entry) => this.dispatchEvent(new CustomEvent("edit", { detail: entry })));
    this.#log.replaceChildren(this.#beginning.element, this.#content, this.#outgoing.element);
    this.#outgoing.show();
    this.#beginning.loading();
    if (client.cursor !== null) this.#begin(this.#sought);
  }

  leave() {
    this.#leaving?.abort();
    this.#leaving = null;
    this.#sought = null;
    this.#clear();
    this.#log.replaceChildren();
  }

  /** A record that is not loaded is opened at once, and what is around it loaded both ways. */
  reveal(number) {
    this.#sought = number;
    if (!this.#client || this.#client.cursor === null) return;
    if (this.#conversation?.loaded && this.#conversation.holds(number)) this.#seek();
    else this.#begin(number);
  }

  #clear() {
    this.#pace.stop();
    this.#rows?.stop();
    this.#roll?.stop();
    this.#rows = this.#roll = this.#conversation = null;
    this.#changes = [];
    this.#missed = 0;
    this.#loading = { older: false, newer: false };
    this.#newest.hidden = true;
    this.#announcer.clear();
    this.#beginning.loading();
  }

  /** Opens it at the record of this number, or at the newest. @param {number | null} number */
  async #begin(number) {
    this.#clear();
    const conversation = new Conversation(this.#client.you.role);
    this.#conversation = conversation;
    this.#rows = new Rows(this.#client, this.#thread, conversation, this.#log);
    this.#roll = new Roll(this.#log, this.#content, this.#rows, () => this.#scrolled());
    const page = await this.#page(number === null ? {} : { around: number });
    if (!page || conversation !== this.#conversation) return;
    const items = conversation.merge(page);
    this.#roll.follows = conversation.after === null;
    this.#top();
    this.#roll.append(this.#shown(items));
    this.#received();
    if (this.#sought !== null) this.#seek();
    else if (number === null) await this.#leftOff();
    this.#scrolled();
  }

  /** @param {{before?: number, after?: number, around?: number}} where @returns {Promise<any>} null if there is none to be had */
  async #page(where) {
    const conversation = this.#conversation;
    try {
      return await this.#client.history(this.#thread, { ...where, limit: PAGE });
    } catch (error) {
      const matters = conversation === this.#conversation && error.code !== "reset" && error.code !== "closed";
      if (matters) this.#beginning.failed(error.message, () => this.#begin(null));
      return null;
    }
  }

  async #older() {
    const conversation = this.#conversation;
    if (!conversation?.loaded || this.#loading.older || conversation.before === null) return;
    this.#loading.older = true;
    const page = await this.#page({ before: conversation.before });
    if (!page || conversation !== this.#conversation) return;
    this.#loading.older = false;
    const items = conversation.merge(page);
    // What had come before what it belongs to.
    for (const { parts } of items) for (const part of parts) this.#roll.remove(part);
    this.#roll.prepend(this.#shown(items));
    this.#top();
    this.#scrolled();
  }

  async #newer() {
    const conversation = this.#conversation;
    if (!conversation?.loaded || this.#loading.newer || conversation.after === null) return;
    this.#loading.newer = true;
    conversation.extending();
    const page = await this.#page({ after: conversation.after });
    if (!page || conversation !== this.#conversation) return;
    this.#loading.newer = false;
    this.#roll.append(this.#shown(conversation.extend(page)));
    this.#roll.follows = conversation.after === null;
    this.#roll.patchAll();
    this.#received();
    this.#scrolled();
  }

  /** What stands over the oldest. */
  #top() {
    const { before, items } = this.#conversation;
    if (before !== null) return this.#beginning.more();
    this.#beginning.start();
    if (!items.some((item) => this.#isShown(item))) this.#invite();
  }

  async #invite() {
    if (this.#client.you.role !== "customer") return this.#beginning.invite({ head: "Nothing was said here yet", text: "" });
    const head = `Write to ${this.#client.org?.name ?? "us"}`;
    this.#beginning.invite({ head, text: "You get the answer here." });
    const conversation = this.#conversation;
    const { texts } = await this.#client.thread(this.#client.you.thread).catch(() => ({ texts: null }));
    const stillEmpty = conversation === this.#conversation && !this.#roll.last;
    if (texts === "on" && stillEmpty) this.#beginning.invite({ head, text: "You get the answer here and as a text." });
  }

  /** The first time: where the reader left off, if what is new does not fit into the view. */
  async #leftOff() {
    const conversation = this.#conversation;
    const side = ownSide(this.#client);
    for (let turn = 0; turn < BACK; turn++) {
      const mark = conversation.readBy(side);
      const shown = this.#shown(conversation.items);
      const first = shown.findIndex((item) => this.#isOthers(item) && item.record.seq > mark);
      if (first < 0) return;
      if (first > 0 && (mark > 0 || conversation.before === null)) {
        this.#rows.unread = shown[first].number;
        this.#roll.regroup(shown[first].number);
        const row = this.#roll.row(shown[first].number);
        if (!row || row.offsetTop < this.#roll.above) this.#roll.show(shown[first].number, "start");
        return;
      }
      if (conversation.before === null) return;
      await this.#older();
      if (conversation !== this.#conversation) return;
    }
  }

  #change(record) {
    if (!this.#conversation || (this.#thread && record.thread !== this.#thread)) return;
    this.#changes.push(record);
    this.#pace.soon();
  }

  /** Everything that came since the last frame. */
  #update() {
    const grown = this.#outgoing?.show();
    if (!this.#conversation) return;
    const added = [];
    const touched = new Set();
    for (const record of this.#changes.splice(0, AT_ONCE)) {
      const told = this.#conversation.apply(record);
      added.push(...told.added);
      for (const item of told.touched) touched.add(item);
      if (this.#conversation.after !== null && this.#isOthers({ record })) this.#missed += 1;
    }
    const arrived = this.#shown(added);
    if (arrived.length > 0) this.#arrive(arrived);
    for (const item of touched) this.#roll.patch(item);
    if (grown || added.some(({ record }) => this.#client.isMe(record.from))) this.#toOwn();
    if (added.length > 0) this.#received();
    this.#showNewest();
    if (this.#changes.length > 0) this.#pace.soon();
  }

  /** @param {import("./conversation.js").Item[]} items */
  #arrive(items) {
    this.#beginning.invite(null);
    const others = items.filter((item) => this.#isOthers(item));
    const looks = this.#roll.atEnd && document.visibilityState === "visible" && document.hasFocus();
    if (!looks && others.length > 0 && this.#rows.unread === null && this.#roll.last) this.#rows.unread = others[0].number;
    if (!this.#roll.atEnd) this.#missed += others.length;
    this.#roll.append(items);
    this.#announcer.tell(others.map(({ record }) => record));
    if (this.#roll.atEnd && this.#conversation.items.length > RECORDS.most) this.#letGo();
  }

  #letGo() {
    this.#conversation.keep(RECORDS.kept);
    this.#roll.forgetBefore(this.#conversation.items[0].number);
    this.#top();
  }

  /** Who writes sees it, and has seen what was new. */
  #toOwn() {
    this.#seen();
    if (this.#conversation.after !== null) this.#begin(null);
    else this.#roll.toEnd();
  }

  #toNewest() {
    // The button goes, and with it the focus.
    this.#log.focus({ preventScroll: true });
    if (this.#conversation?.after !== null) this.#begin(null);
    else this.#roll.toEnd();
  }

  /** Whoever comes back finds what is new since then. */
  #away() {
    if (this.#roll?.atEnd) this.#seen();
  }

  #seen() {
    const { unread } = this.#rows;
    if (unread === null) return;
    this.#rows.unread = null;
    this.#roll.regroup(unread);
  }

  #seek() {
    const sought = this.#conversation.find(this.#sought);
    this.#sought = null;
    const item = sought?.whole ?? sought;
    const row = item && this.#roll.show(item.number, "center");
    if (!row) return;
    this.#log.querySelector(".sought")?.classList.remove("sought");
    row.querySelector("details")?.setAttribute("open", "");
    row.classList.add("sought");
    row.tabIndex = -1;
    row.focus({ preventScroll: true });
  }

  #scrolled() {
    if (!this.#roll || this.#log.clientHeight === 0) return;
    if (this.#roll.atEnd) this.#missed = 0;
    this.#showNewest();
    if (this.#roll.above < NEAR) this.#older();
    if (this.#roll.below < NEAR) this.#newer();
  }

  #showNewest() {
    const { after, loaded } = this.#conversation;
    const far = loaded && (after !== null || this.#roll.below > this.#log.clientHeight / 2 || (this.#missed > 0 && !this.#roll.atEnd));
    this.#newest.hidden = !far;
    setText(this.#newest, this.#missed === 0 ? "Newest" : this.#missed === 1 ? "1 new message" : `${this.#missed} new messages`);
  }

  /** It is on this device now. */
  #received() {
    const seq = this.#conversation.lastFor(ownSide(this.#client));
    if (seq > 0) this.#client.received(this.#thread, seq);
  }

  #isOthers({ record }) {
    return ![null, ownSide(this.#client)].includes(saidBy(record));
  }

  #isShown(item) {
    return isShown(item, this.#client.you.role);
  }

  #shown(items) {
    return items.filter((item) => this.#isShown(item));
  }
}

customElements.define("crewline-messages", Messages);
