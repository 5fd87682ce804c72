/**
 * <crewline-pane>: one conversation to read and to write in: its messages, who
 * is typing, whether texts go out, and the composer. Customers and staff have
 * the same one; `notes` lets it write internal notes, and with `state` it says
 * itself how the line is.
 *
 *   const pane = h("crewline-pane", { placeholder: "Write to the customer", notes: true });
 *   pane.undoSeconds = 5;             // how long what was sent can be taken back; at first 0
 *   pane.open(client, thread);        // a customer's thread is undefined
 *   pane.lastSeq                      // what its reader has in view
 *   pane.whole                        // that reaches the newest; pane.toNewest() leads there
 *   pane.reveal(number);              // goes back to this record of the reader's view
 *   pane.focus();
 *   pane.leave();
 *
 * What is begun in a thread stays there: it is back when the thread is opened
 * again, after a reload too; what was sent before its photos were there goes
 * when they are, whichever thread is open then. What was sent and can still be
 * taken back goes at once when the next one is sent in its thread, and when the
 * page is left or out of sight, since nobody knows whether it comes back. Escape
 * takes it back; where nothing is to be taken back it leads from the composer to
 * the messages.
 */
import { h, keepFocus, setText } from "../base/dom.js";
import { icon } from "../base/icon.js";
import { Typists } from "../base/people.js";
import { EMPTY } from "../client/drafts.js";
import "./composer.js";
import { followConsent } from "./consent.js";
import { dropTarget } from "./drop-target.js";
import "./messages.js";
import "./state-line.js";
import "./undo.js";

/**
 * @import { CrewlineClient } from "../client.js"
 * @import { Draft } from "../client/drafts.js"
 * @import { Outgoing } from "../client/outbox.js"
 * @import { Written } from "./composer.js"
 *
 * @typedef {Required<Written> & {seen: number | undefined}} Left what was begun in a thread, and the last seq that was in view there
 */

export class Pane extends HTMLElement {
  undoSeconds = 0;

  /** @type {CrewlineClient} */
  #client = /** @type {any} */ (null);
  /** @type {string | undefined} */
  #thread;
  /** @type {AbortController | null} */
  #leaving = null;
  /** What was begun in the other threads, with the uploads that go on, for each client. @type {WeakMap<CrewlineClient, Map<string | undefined, Left>>} */
  #begun = new WeakMap();
  #closed = false;

  #messages = h("crewline-messages");
  #typing = h("p", { class: "typing", "data-testid": "typing" });
  #textsOff = h("p", { class: "banner", role: "status", "data-testid": "texts-off", hidden: true });
  #state = h("crewline-state");
  #undo = h("crewline-undo");
  #composer = h("crewline-composer");
  #drop = h("p", { class: "drop", "data-testid": "drop", hidden: true }, icon("photo"), "Drop photos to add them");

  constructor() {
    super();
    const on = (/** @type {HTMLElement} */ from, /** @type {string} */ type, /** @type {(event: CustomEvent) => void} */ heard) =>
      from.addEventListener(type, (event) => heard(/** @type {CustomEvent} */ (event)));
    on(this.#composer, "send", (event) => this.#send(event));
    on(this.#composer, "typing", ({ detail }) => this.#client.typing(this.#thread, detail.on, detail.internal));
    on(this.#composer, "change", () => this.#keep(this.#thread, this.#composer.draft));
    on(this.#composer, "uploaded", () => this.#drafts.forEach((left, thread) => this.#uploaded(thread, left)));
    on(this.#composer, "leave", () => this.#undo.take() || this.#log?.focus());
    on(this.#undo, "undo", ({ detail: { id } }) => {
      const entry = this.#client.takeBack(id);
      if (entry) this.#putBack(entry);
    });
    on(this.#messages, "edit", ({ detail }) => this.#putBack(detail));
    dropTarget(this, this.#drop, (files) => this.#composer.add(files), { when: () => !this.#composer.disabled });
  }

  connectedCallback() {
    for (const name of ["placeholder", "notes"]) {
      const value = this.getAttribute(name);
      if (value !== null) this.#composer.setAttribute(name, value);
    }
    const state = this.hasAttribute("state") ? [this.#state] : [];
    this.replaceChildren(this.#messages, this.#typing, this.#textsOff, ...state, this.#undo, this.#composer, this.#drop);
  }

  disconnectedCallback() {
    this.leave();
  }

  get lastSeq() {
    return this.#messages.lastSeq;
  }

  get whole() {
    return this.#messages.whole;
  }

  toNewest() {
    this.#messages.toNewest();
  }

  /** While there is nothing to be written here. */
  set closed(closed) {
    this.#closed = closed;
    this.#heed();
  }

  open(client, thread) {
    this.leave();
    this.#client = client;
    this.#thread = thread;
    const { signal } = (this.#leaving = new AbortController());
    const typists = new Typists(client, (where) => {
      if (!thread || where === thread) setText(this.#typing, typists.sentence(where));
    }, { signal });
    const limit = () => { this.#composer.limit = client.limits.text_chars; };
    this.#composer.carrier = client;
    this.closed = false;
    this.#composer.draft = this.#drafts.get(thread) ?? this.#kept();
    this.#drafts.delete(thread);
    client.addEventListener("welcome", () => this.#welcomed(), { signal });
    client.addEventListener("welcome", limit, { signal });
    client.addEventListener("reset", ({ detail: { reason } }) => reason === "person" && this.#forAnother(), { signal });
    client.addEventListener("state", ({ detail: { state } }) => {
      this.#heed();
      if (state === "live") this.#composer.retry();
    }, { signal });
    client.addEventListener("outbox", () => this.#showHeld(), { signal });
    limit();
    this.#showHeld();
    this.#state.watch(client);
    this.#showConsent(null);
    followConsent(client, thread, (texts) => this.#showConsent(texts), signal);
    this.#messages.open(client, thread);
  }

  leave() {
    if (this.#leaving) {
      const { draft } = this.#composer;
      if (draft.text !== "" || draft.internal || draft.photos.length > 0) this.#drafts.set(this.#thread, { ...draft, seen: this.lastSeq });
      this.#composer.draft = { text: "", internal: false };
      this.#client.typing(this.#thread, false);
    }
    this.#leaving?.abort();
    this.#leaving = null;
    this.#undo.show(null);
    this.#messages.leave();
    setText(this.#typing, "");
  }

  reveal(number) {
    this.#messages.reveal(number);
  }

  focus() {
    this.#composer.focus();
  }

  /** To be written next: a message, or an internal note. What was begun as a note stays one. */
  write(/** @type {{internal: boolean}} */ { internal }) {
    const { text, photos, internal: isNote } = this.#composer.draft;
    this.#composer.draft = { text, photos, internal: internal || (isNote && (text !== "" || photos.length > 0)) };
    this.#keep(this.#thread, this.#composer.draft);
    this.#composer.focus();
  }

  /** Nobody who is signed out can write. */
  #heed() {
    this.#composer.disabled = this.#closed || this.#client?.state === "signed-out";
  }

  /** @returns {HTMLElement | null} */
  get #log() {
    return this.querySelector("[role=log]");
  }

  /** @returns {Map<string | undefined, Left>} */
  get #drafts() {
    const drafts = this.#begun.get(this.#client) ?? new Map();
    this.#begun.set(this.#client, drafts);
    return drafts;
  }

  /** Of this thread, before this page was loaded. @returns {Written} */
  #kept() {
    const { photos, ...rest } = this.#client.draft(this.#thread) ?? EMPTY;
    return { ...rest, photos: photos.map((id) => ({ id })) };
  }

  /** What was sent in a thread before its photos were there goes now, whichever thread is on screen. @param {string | undefined} thread @param {Left} left */
  #uploaded(thread, left) {
    const { text, internal, photos, waits, seen } = left;
    this.#keep(thread, left);
    if (!waits || photos.some(({ upload }) => upload)) return;
    left.waits = false;
    if (photos.some(({ failed }) => failed)) return;
    try {
      this.#say(thread, { text: text.trim(), internal, photos: photos.flatMap(({ id }) => id ?? []) }, seen);
      this.#keep(thread, { text: "", internal });
    } catch { /* it stays what was begun there */ }
  }

  /** @param {string | undefined} thread @param {Written} written */
  #keep(thread, { text, internal, photos = [] }) {
    this.#client.keepDraft(thread, { text, internal, photos: photos.flatMap(({ id }) => id ?? []) });
  }

  /** Only now it may be known whose drafts are to be shown. */
  #welcomed() {
    const { text, internal, photos } = this.#composer.draft;
    if (text === "" && !internal && photos.length === 0) this.#composer.draft = this.#kept();
  }

  #forAnother() {
    this.#drafts.clear();
    this.#composer.draft = this.#kept();
  }

  /** @param {Outgoing} entry */
  #putBack({ text, internal, photos = [] }) {
    this.#composer.putBack({ text, internal, photos: photos.map((id) => ({ id })) });
  }

  /** @param {CustomEvent<Draft>} event */
  #send(event) {
    try {
      this.#say(this.#thread, event.detail, this.lastSeq);
    } catch (error) {
      event.preventDefault();
      this.#composer.refuse(`Not sent: ${/** @type {Error} */ (error).message}.`);
    }
  }

  /** @param {string | undefined} thread @param {Draft} draft @param {number | undefined} seen what its writer had in view */
  #say(thread, { text, internal, photos }, seen) {
    // A customer's message is never stale: nobody else answers for them.
    const view = thread && !internal ? seen : undefined;
    this.#client.send({ thread, text, internal, photos, seen: view, hold: this.undoSeconds * 1_000 });
    this.#drafts.delete(thread);
  }

  #showHeld() {
    const held = this.#client.outbox.find(({ thread, state }) => thread === this.#thread && state === "held");
    keepFocus(this.#undo, () => this.#undo.show(held ?? null), () => this.#log);
  }

  #showConsent(texts) {
    this.#textsOff.hidden = texts !== "off";
    setText(this.#textsOff, this.#thread
      ? "Texts are off for this number: what you write is seen in the portal only."
      : "Texts are off for your number: you see what we write here only. To turn them on again, text START to the number that our texts came from.");
    this.#composer.texted = Boolean(this.#thread) && texts === "on";
  }
}

customElements.define("crewline-pane", Pane);
