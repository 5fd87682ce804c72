/**
 * <crewline-attach>: says whose an unknown number is. What was said is copied to
 * the contact's conversation, for good, so it asks twice.
 *
 *   <crewline-attach></crewline-attach>
 *
 *   control.open(client, { thread, number: "+14155550199", seen: () => view.lastSeq });
 *   control.addEventListener("attached", ({ detail }) => open(detail.thread));
 *   control.close();
 */
import { h, setText } from "../base/dom.js";
import "./contact-choice.js";

/** @typedef {{thread: string, number: string, seen: () => number | undefined}} Asked */

export class AttachControl extends HTMLElement {
  /** @type {any} CrewlineClient, once it is open */
  #client = null;
  /** @type {Asked | null} */
  #asked = null;
  /** What its dialog is about: whoever says yes says it to this. @type {Asked | null} */
  #shown = null;

  #open = h("button", { type: "button", "data-testid": "attach", title: "Whose number is this?", onclick: () => this.#show() }, "Attach…");
  #choice = h("crewline-contact-choice", { label: "Contact", placeholder: "Name, phone, or the CRM's id", testid: "attach-contact" });
  #explained = h("p", {}, "");
  #error = h("p", { class: "error", role: "alert" });
  #sure = h("input", { type: "checkbox", required: true, "data-testid": "attach-sure" });
  #form = h("form", { method: "dialog" },
    h("h3", {}, "Whose number is this?"),
    this.#choice,
    this.#explained,
    h("label", { class: "sure" }, this.#sure, " Yes, it is theirs. This cannot be taken back."),
    this.#error,
    h("div", { class: "actions" },
      h("button", { type: "button", onclick: () => this.#dialog.close() }, "Cancel"),
      h("button", { type: "submit", class: "primary", "data-testid": "attach-confirm" }, "Attach")));
  #dialog = h("dialog", { class: "sheet attach", "aria-label": "Whose number is this?" }, this.#form);

  constructor() {
    super();
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#attach();
    });
  }

  connectedCallback() {
    this.hidden = true;
    this.replaceChildren(this.#open, this.#dialog);
  }

  /** @param {Asked} asked */
  open(client, asked) {
    if (asked.thread !== this.#shown?.thread) this.#dialog.close();
    this.#client = client;
    this.#asked = asked;
    this.hidden = false;
  }

  close() {
    this.hidden = true;
    this.#dialog.close();
  }

  #show() {
    if (!this.#asked) return;
    this.#shown = this.#asked;
    const { number } = this.#shown;
    setText(this.#explained, `All that was said with ${number} is copied to the contact's conversation, where the customer sees it, too; what ${number} texts later goes there.`);
    setText(this.#error, "");
    this.#form.reset();
    this.#choice.open(this.#client, { unknown: false });
    this.#dialog.showModal();
    this.#choice.focus();
  }

  async #attach() {
    if (!this.#shown) return;
    const { thread, seen } = this.#shown;
    const { value, text } = this.#choice;
    const contact = value?.contact.id ?? /\(([^()\s]+)\)$/.exec(text)?.[1] ?? text;
    if (!contact) return this.#choice.focus();
    setText(this.#error, "");
    try {
      const done = await this.#client.attach(thread, contact, { seen: seen() });
      this.#dialog.close();
      this.dispatchEvent(new CustomEvent("attached", { detail: done }));
    } catch (/** @type {any} */ error) {
      setText(this.#error, error.code === "not_found" ? "There is no such contact." : `Not attached: ${error.message}`);
    }
  }
}

customElements.define("crewline-attach", AttachControl);
