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
 *   view.reveal(number);              // goes back to this record of the reader's view
 *   view.leave();                     // also when it is taken from the page
 */
import { Conversation, saidBy } from "./conversation.js";
import { h, setText } from "../base/dom.js";
import { gather } from "./handoff-card.js";
import { ownSide, patchReceipt, pendingRow, recordRow } from "./message-row.js";
import { patchPhotos } from "./photo-row.js";
import { Reading } from "./reading.js";
import { patchTexts } from "./text-lines.js";
import { dayKey, dayLabel } from "../base/time.js";

const PAGE = 50;
/** This near to the top the next older page is asked for, in pixels. */
const NEAR = 600;
/** This near to the end the view stays at the end. */
const AT_END = 48;
const TICK_MS = 60_000;

class Messages extends HTMLElement {
  #client = null;
  #thread;
  #conversation = null;
  #rows = new Map();
  #pending = new Map();
  #reading = null;
  #loading = false;
  #atEnd = true;
  #leaving = null;
  /** The number that is being gone back to. */
  #sought = null;

  #start = h("p", { class: "start", "data-testid": "start", hidden: true }, "Start of the conversation");
  #days = h("div");
  #outgoing = h("div");
  #log = h("div", { class: "log", role: "log", tabindex: "0", "aria-label": "Conversation", "data-testid": "thread" },
    this.#start, this.#days, this.#outgoing);
  #newer = h("button", { type: "button", class: "newer", hidden: true, onclick: () => this.#toEnd() }, "New messages ↓");

  connectedCallback() {
    this.replaceChildren(this.#log, this.#newer);
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
    client.addEventListener("welcome", ({ detail }) => detail.fresh && this.#begin(), { signal });
    client.addEventListener("reset", () => this.#clear(), { signal });
    client.addEventListener("change", ({ detail }) => this.#change(detail), { signal });
    client.addEventListener("outbox", () => this.#showPending(), { signal });
    client.addEventListener("state", () => this.#showPending(), { signal });
    this.#log.addEventListener("scroll", () => this.#scrolled(), { signal, passive: true });
    const resized = new ResizeObserver(() => this.#resized());
    for (const part of [this.#log, this.#days, this.#outgoing]) resized.observe(part);
    const tick = setInterval(() => this.#labelDays(), TICK_MS);
    signal.addEventListener("abort", () => {
      resized.disconnect();
      clearInterval(tick);
    });
    this.#showPending();
    if (client.cursor !== null) this.#begin();
  }

  leave() {
    this.#leaving?.abort();
    this.#leaving = null;
    this.#clear();
    this.#sought = null;
    this.#pending.clear();
    this.#outgoing.replaceChildren();
  }

  /** Loads page after page until it is there. */
  reveal(number) {
    this.#sought = number;
    this.#seek();
  }

  #seek() {
    if (this.#sought === null || !this.#conversation?.loaded) return;
    const row = this.#rows.get(this.#sought);
    const { before } = this.#conversation;
    if (row) {
      this.#sought = null;
      this.#showThere(row.isConnected ? row : this.#log.querySelector(`.handoff[data-seq="${row.dataset.of}"]`));
    } else if (before !== null && before > this.#sought) {
      this.#older();
    } else {
      this.#sought = null;
    }
  }

  /** A part of a transcript is in the card of the first one. */
  #showThere(row) {
    if (!row) return;
    this.#atEnd = false;
    this.#log.querySelector(".sought")?.classList.remove("sought");
    row.querySelector("details")?.setAttribute("open", "");
    row.classList.add("sought");
    row.tabIndex = -1;
    row.focus({ preventScroll: true });
    row.scrollIntoView({ block: "center" });
  }

  #clear() {
    this.#reading?.stop();
    this.#reading = null;
    this.#conversation = null;
    this.#rows.clear();
    this.#days.replaceChildren();
    this.#start.hidden = true;
    this.#newer.hidden = true;
    this.#atEnd = true;
    this.#loading = false;
  }

  #begin() {
    this.#clear();
    this.#conversation = new Conversation(this.#client.you.role);
    this.#reading = new Reading(this.#log, (seq) => this.#client.read(this.#thread, seq));
    this.#older();
  }

  /** Asks for the page before what is loaded; the first time, for the newest. */
  async #older() {
    const conversation = this.#conversation;
    if (this.#loading || !conversation || conversation.before === null) return;
    this.#loading = true;
    let page;
    try {
      page = await this.#client.history(this.#thread, { before: conversation.before, limit: PAGE });
    } catch (error) {
      if (conversation === this.#conversation && error.code !== "reset" && error.code !== "closed") this.#failed(error);
      return;
    }
    if (conversation !== this.#conversation) return;
    this.#loading = false;
    const first = !conversation.loaded;
    this.#prepend(conversation.merge(page));
    if (first) {
      this.#toEnd();
      this.#received();
    }
    this.#seek();
    this.#olderIfNear();
  }

  #olderIfNear() {
    // A view without a size (another pane is shown) would load everything.
    if (this.#log.clientHeight > 0 && this.#log.scrollTop < NEAR) this.#older();
  }

  #failed(error) {
    setText(this.#start, `This conversation cannot be shown: ${error.message}`);
    this.#start.hidden = false;
  }

  #change(record) {
    if (!this.#conversation || (this.#thread && record.thread !== this.#thread)) return;
    const { added, touched } = this.#conversation.apply(record);
    for (const item of touched) {
      const row = this.#rows.get(item.number);
      if (row) this.#patch(row, item);
    }
    for (const item of added) this.#append(item);
    if (added.length > 0) this.#received();
  }

  #append(item) {
    const row = this.#row(item);
    if (!row) return;
    let day = this.#days.lastElementChild;
    if (day?.dataset.day !== dayKey(item.record.at)) this.#days.append((day = daySection(item.record.at)));
    day.append(row);
    joinToPrevious(row);
    gather(this.#days);
    if (this.#atEnd || this.#client.isMe(item.record.from)) this.#toEnd();
    else this.#newer.hidden = saidBy(item.record) === null && this.#newer.hidden;
  }

  /** What is in view stays where it is. */
  #prepend(items) {
    const fromEnd = this.#log.scrollHeight - this.#log.scrollTop;
    this.#log.setAttribute("aria-busy", "true");
    for (const item of items.toReversed()) {
      const row = this.#row(item);
      if (!row) continue;
      let day = this.#days.firstElementChild;
      if (day?.dataset.day !== dayKey(item.record.at)) this.#days.prepend((day = daySection(item.record.at)));
      day.firstElementChild.after(row);
      if (row.nextElementSibling) joinToPrevious(row.nextElementSibling);
    }
    gather(this.#days);
    this.#start.hidden = this.#conversation.before !== null;
    this.#log.scrollTop = this.#log.scrollHeight - fromEnd;
    this.#log.removeAttribute("aria-busy");
  }

  #row(item) {
    const row = recordRow(item, this.#client);
    if (!row) return null;
    this.#rows.set(item.number, row);
    const { record } = item;
    if (saidBy(record)) this.#patch(row, item);
    if (record.kind === "note") patchPhotos(row, item, this.#client);
    const side = ownSide(this.#client);
    const mark = this.#conversation.readBy(side, side === "team" ? this.#client.you.sub : undefined);
    if (![null, side].includes(saidBy(record)) && record.seq > mark) this.#reading.watch(row, record.seq);
    return row;
  }

  /** How the message fares. */
  #patch(row, item) {
    patchReceipt(row, item, this.#client);
    patchPhotos(row, item, this.#client);
    patchTexts(row, item, this.#client, (attempts) => this.#client.resend(this.#thread, attempts));
  }

  /** It is on this device now. */
  #received() {
    const seq = this.#conversation.lastFor(ownSide(this.#client));
    if (seq > 0) this.#client.received(this.#thread, seq);
  }

  #showPending() {
    const entries = this.#client.outbox.filter(({ thread }) => thread === this.#thread);
    const gone = new Set(this.#pending.keys());
    for (const entry of entries) {
      gone.delete(entry.id);
      const look = `${entry.state} ${this.#client.state} ${this.#client.you?.name}`;
      const shown = this.#pending.get(entry.id);
      if (shown?.look === look) continue;
      const row = pendingRow(entry, this.#client, this.#actions);
      if (entry.photos) patchPhotos(row, { record: { photos: entry.photos.map((id) => ({ id })) } }, this.#client);
      if (shown) shown.row.replaceWith(row);
      else this.#outgoing.append(row);
      this.#pending.set(entry.id, { row, look });
      if (!shown || this.#atEnd) this.#toEnd();
    }
    for (const id of gone) {
      this.#pending.get(id).row.remove();
      this.#pending.delete(id);
    }
  }

  #actions = {
    retry: ({ id }) => this.#client.retry(id),
    discard: ({ id }) => this.#client.discard(id),
    edit: (entry) => {
      this.#client.discard(entry.id);
      this.dispatchEvent(new CustomEvent("edit", { detail: entry }));
    },
  };

  #scrolled() {
    const { scrollHeight, scrollTop, clientHeight } = this.#log;
    this.#atEnd = scrollHeight - scrollTop - clientHeight < AT_END;
    if (this.#atEnd) this.#newer.hidden = true;
    this.#olderIfNear();
  }

  #resized() {
    if (this.#atEnd) this.#toEnd();
    this.#olderIfNear();
  }

  #toEnd() {
    this.#log.scrollTop = this.#log.scrollHeight;
    this.#atEnd = true;
    this.#newer.hidden = true;
  }

  #labelDays() {
    for (const day of this.#days.children) setText(day.firstElementChild, dayLabel(Number(day.dataset.at)));
  }
}

customElements.define("crewline-messages", Messages);

function daySection(at) {
  return h("section", { class: "day", "data-day": dayKey(at), "data-at": at }, h("h3", {}, dayLabel(at)));
}

/** A message right after one by the same person need not say the name again to the eye. */
function joinToPrevious(row) {
  row.classList.toggle("joined", row.previousElementSibling?.dataset.author === row.dataset.author && "author" in row.dataset);
}
