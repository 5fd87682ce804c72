/**
 * <crewline-pane>: one conversation to read and to write in: its messages, who
 * is typing, whether texts go out, and the composer. Customers and staff have
 * the same one; `notes` lets it write internal notes, and with `state` it says
 * itself how the line is.
 *
 *   const pane = h("crewline-pane", { placeholder: "Write to the customer", notes: true });
 *   pane.open(client, thread);        // a customer's thread is undefined
 *   pane.lastSeq                      // what its reader has in view
 *   pane.reveal(number);              // goes back to this record of the reader's view
 *   pane.focus();
 *   pane.leave();
 */
import { h, setText } from "../base/dom.js";
import { Typists } from "../base/people.js";
import "./composer.js";
import { followConsent } from "./consent.js";
import "./messages.js";
import "./state-line.js";

export class Pane extends HTMLElement {
  #client = null;
  #thread;
  #leaving = null;
  /** What was begun in other threads. */
  #drafts = new Map();

  #messages = h("crewline-messages");
  #typing = h("p", { class: "typing", "data-testid": "typing" });
  #textsOff = h("p", { class: "banner", role: "status", "data-testid": "texts-off", hidden: true });
  #state = h("crewline-state");
  #composer = h("crewline-composer");

  constructor() {
    super();
    this.#composer.addEventListener("send", ({ detail }) => this.#send(detail));
    this.#composer.addEventListener("typing", ({ detail: { on, internal } }) => this.#client.typing(this.#thread, on, internal));
    this.#messages.addEventListener("edit", ({ detail: { text, internal, photos = [] } }) => {
      this.#composer.draft = { text, internal, photos: photos.map((id) => ({ id })) };
      this.#composer.focus();
    });
  }

  connectedCallback() {
    for (const name of ["placeholder", "notes"]) {
      if (this.hasAttribute(name)) this.#composer.setAttribute(name, this.getAttribute(name));
    }
    const state = this.hasAttribute("state") ? [this.#state] : [];
    this.replaceChildren(this.#messages, this.#typing, this.#textsOff, ...state, this.#composer);
  }

  disconnectedCallback() {
    this.leave();
  }

  get lastSeq() {
    return this.#messages.lastSeq;
  }

  /** While there is nothing to be written here. */
  set closed(closed) {
    this.#composer.disabled = closed || this.#client?.state === "signed-out";
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
    client.addEventListener("welcome", limit, { signal });
    client.addEventListener("signed-out", () => { this.#composer.disabled = true; }, { signal });
    limit();
    this.#composer.client = client;
    this.#composer.disabled = client.state === "signed-out";
    this.#composer.draft = this.#drafts.get(thread) ?? { text: "", internal: false };
    this.#state.watch(client);
    this.#showConsent(null);
    followConsent(client, thread, (texts) => this.#showConsent(texts), signal);
    this.#messages.open(client, thread);
  }

  leave() {
    if (this.#leaving) this.#drafts.set(this.#thread, this.#composer.draft);
    this.#leaving?.abort();
    this.#leaving = null;
    this.#messages.leave();
    setText(this.#typing, "");
  }

  reveal(number) {
    this.#messages.reveal(number);
  }

  focus() {
    this.#composer.focus();
  }

  /** To be written next: a message, or an internal note. */
  write({ internal }) {
    this.#composer.draft = { ...this.#composer.draft, internal };
    this.#composer.focus();
  }

  #send({ text, internal, photos }) {
    this.#drafts.delete(this.#thread);
    // A customer's message is never stale: nobody else answers for them.
    const seen = this.#thread && !internal ? this.lastSeq : undefined;
    this.#client.send({ thread: this.#thread, text, internal, photos, seen });
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
