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
 *   view.whole                        // it reaches the newest; view.toNewest() leads there
 *   view.addEventListener("edit", ({ detail: entry }) => composer.putBack(entry));
 *   view.reveal(number);              // opens it at this record of the reader's view
 *   view.leave();                     // also when it is taken from the page
 */
import { h, setText } from "../base/dom.js";
import { Announcer } from "./announcer.js";
import { Beginning } from "./beginning.js";
import { Outgoing } from "./outgoing.js";
import { Pace } from "./pace.js";
import { labelDays } from "./rows.js";
import { Stretch } from "./stretch.js";

/** Of a burst so many changes are taken at once; the others at the next frame. */
const AT_ONCE = 200;
const TICK_MS = 60_000;

/** @typedef {import("../client.js").CrewlineClient} CrewlineClient */

export class Messages extends HTMLElement {
  /** @type {CrewlineClient | null} */
  #client = null;
  /** @type {string | undefined} */
  #thread;
  /** @type {Stretch | null} */
  #stretch = null;
  /** @type {Outgoing | null} */
  #outgoing = null;
  /** Changes that are not shown yet. @type {any[]} */
  #changes = [];
  #pace = new Pace(() => this.#update());
  /** @type {AbortController | null} */
  #leaving = null;
  /** The number that is to be shown, before it can be. @type {number | null} */
  #sought = null;

  #beginning = new Beginning(() => this.#stretch?.again());
  #announcer = new Announcer();
  #content = h("div", { class: "content" });
  #log = h("div", { class: "log", role: "log", "aria-live": "off", tabindex: "0", "aria-label": "Conversation", "data-testid": "thread", onclick: (event) => this.#stretch?.told(event) });
  #newest = h("button", { type: "button", class: "newest", hidden: true, "data-testid": "newest", onclick: () => this.toNewest() });

  connectedCallback() {
    this.replaceChildren(this.#log, this.#newest, this.#announcer.element);
  }

  disconnectedCallback() {
    this.leave();
  }

  /** The highest seq that is in this view; undefined before anything is. */
  get lastSeq() {
    return this.#stretch?.lastSeq;
  }

  get whole() {
    return this.#stretch?.whole ?? false;
  }

  /** @param {CrewlineClient} client @param {string | undefined} thread */
  open(client, thread) {
    this.leave();
    this.#client = client;
    this.#thread = thread;
    const { signal } = (this.#leaving = new AbortController());
    const on = (target, type, heard) => target.addEventListener(type, heard, { signal });
    on(client, "welcome", ({ detail }) => (detail.fresh || !this.#stretch) && this.#begin(this.#sought));
    on(client, "reset", () => this.#clear());
    on(client, "signed-out", () => this.#stretch?.loaded || this.#giveUp());
    on(client, "change", ({ detail }) => this.#change(detail));
    on(client, "outbox", () => this.#pace.soon());
    on(client, "state", () => this.#pace.soon());
    // Whoever comes back finds what is new since then.
    on(window, "blur", () => this.#away());
    on(document, "visibilitychange", () => document.visibilityState === "hidden" && this.#away());
    const tick = setInterval(() => labelDays(this.#content), TICK_MS);
    signal.addEventListener("abort", () => clearInterval(tick));
    this.#outgoing = new Outgoing(client, thread, {
      edit: (entry) => this.dispatchEvent(new CustomEvent("edit", { detail: entry })),
      seen: () => this.lastSeq,
    });
    this.#log.replaceChildren(this.#beginning.element, this.#content, this.#outgoing.element);
    this.#outgoing.show();
    if (client.cursor !== null) this.#begin(this.#sought);
  }

  leave() {
    this.#leaving?.abort();
    this.#leaving = null;
    this.#sought = null;
    this.#clear();
    this.#beginning.more();
    this.#outgoing = null;
    this.#log.replaceChildren();
  }

  /** A record that is not loaded is opened at once, and what is around it loaded both ways. @param {number} number */
  reveal(number) {
    if (this.#stretch?.holds(number)) return this.#stretch.show(number);
    this.#sought = number;
    if (this.#client && this.#client.cursor !== null) this.#begin(number);
  }

  #clear() {
    this.#pace.stop();
    this.#stretch?.leave();
    this.#stretch = null;
    this.#changes = [];
    this.#newest.hidden = true;
    this.#announcer.clear();
    this.#beginning.loading();
  }

  /** Nothing will come, as long as nobody signs in. */
  #giveUp() {
    this.#clear();
    this.#beginning.more();
  }

  /** Opens it at the record of this number, or at the newest. @param {number | null} number */
  #begin(number) {
    this.#clear();
    this.#sought = null;
    if (!this.#client) return;
    this.#stretch = new Stretch({
      client: this.#client, thread: this.#thread, log: this.#log, content: this.#content,
      beginning: this.#beginning, announcer: this.#announcer, changed: () => this.#showNewest(),
    });
    this.#stretch.open(number);
  }

  #change(record) {
    if (!this.#stretch || (this.#thread && record.thread !== this.#thread)) return;
    this.#changes.push(record);
    this.#pace.soon();
  }

  /** Everything that came since the last frame. */
  #update() {
    const written = this.#outgoing?.show();
    const changes = this.#changes.splice(0, AT_ONCE);
    this.#stretch?.take(changes);
    // Who writes wants to see it.
    if (written) this.toNewest();
    this.#showNewest();
    if (this.#changes.length > 0) this.#pace.soon();
  }

  toNewest() {
    if (this.#stretch?.whole) this.#stretch.toEnd();
    else if (this.#stretch?.loaded) this.#begin(null);
    // The button goes, and with it the focus.
    if (this.#newest.matches(":focus")) this.#log.focus({ preventScroll: true });
  }

  #away() {
    if (this.#stretch?.atEnd) this.#stretch.seen();
  }

  #showNewest() {
    const { loaded = false, whole = true, atEnd = true, below = 0, missed = 0 } = this.#stretch ?? {};
    const far = loaded && (!whole || below > this.#log.clientHeight / 2 || (missed > 0 && !atEnd));
    this.#newest.hidden = !far;
    setText(this.#newest, missed === 0 ? "Newest" : missed === 1 ? "1 new message" : `${missed} new messages`);
  }
}

customElements.define("crewline-messages", Messages);
