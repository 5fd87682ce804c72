/**
 * <crewline-undo>: a message that waits a little before it goes, how long it
 * still does, and the button that takes it back.
 *
 *   undo.show(entry);              // what is held back, see client/outbox.js; null: nothing is
 *   undo.addEventListener("undo", ({ detail: { id } }) => client.takeBack(id));
 *   undo.take();                   // as if the button were pressed; false: there is nothing
 */
import { h, setText } from "../base/dom.js";

const TICK_MS = 200;

export class Undo extends HTMLElement {
  /** @type {import("../client/outbox.js").Outgoing | null} */
  #entry = null;
  #tick = 0;

  /** Told once: a countdown that speaks every second would not let anybody listen. */
  #told = h("span", { class: "unseen", role: "status" });
  #left = h("span", { "aria-hidden": "true" });
  #button = h("button", { type: "button", class: "link", title: "Escape does the same", "data-testid": "undo", onclick: () => this.take() }, "Undo");
  #line = h("p", { class: "undo", "data-testid": "held", hidden: true }, this.#left, h("span", { "aria-hidden": "true" }, "·"), this.#button);

  connectedCallback() {
    this.replaceChildren(this.#told, this.#line);
  }

  disconnectedCallback() {
    this.show(null);
  }

  /** @param {import("../client/outbox.js").Outgoing | null} entry */
  show(entry) {
    if (entry?.id === this.#entry?.id) return;
    this.#entry = entry;
    clearInterval(this.#tick);
    this.#line.hidden = !entry;
    setText(this.#told, entry ? `Sending in ${secondsLeft(entry)} seconds. Escape takes it back.` : "");
    if (!entry) return;
    this.#count();
    this.#tick = setInterval(() => this.#count(), TICK_MS);
  }

  take() {
    if (!this.#entry) return false;
    this.dispatchEvent(new CustomEvent("undo", { detail: this.#entry }));
    return true;
  }

  #count() {
    const left = secondsLeft(this.#entry);
    setText(this.#left, left > 0 ? `Sending in ${left} s` : "Sending…");
  }
}

/** @param {import("../client/outbox.js").Outgoing | null} entry */
function secondsLeft(entry) {
  return Math.max(0, Math.ceil(((entry?.until ?? 0) - Date.now()) / 1000));
}

customElements.define("crewline-undo", Undo);
