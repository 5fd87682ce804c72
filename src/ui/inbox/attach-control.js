/**
 * <crewline-attach>: says whose an unknown number is. What was said is copied to
 * the contact's conversation, for good, so it asks twice.
 *
 *   <crewline-attach></crewline-attach>
 *
 *   control.open(client, { thread, number: "+14155550199", seen: () => view.lastSeq, contacts: () => [{ id, name, phone }] });
 *   control.addEventListener("attached", ({ detail }) => open(detail.thread));
 *   control.close();
 */
import { h, setText } from "../base/dom.js";

class AttachControl extends HTMLElement {
  #client = null;
  #asked = null;

  #open = h("button", { type: "button", "data-testid": "attach", title: "Whose number is this?", onclick: () => this.#show() }, "Attach…");
  #options = h("datalist", { id: "attach-contacts" });
  #contact = h("input", { list: "attach-contacts", required: true, autocomplete: "off", placeholder: "Name, or the CRM's id", "data-testid": "attach-contact" });
  #explained = h("p", {}, "");
  #error = h("p", { class: "error", role: "alert" });
  #sure = h("input", { type: "checkbox", required: true, "data-testid": "attach-sure" });
  #form = h("form", { method: "dialog" },
    h("h3", {}, "Whose number is this?"),
    h("label", {}, "Contact ", this.#contact),
    this.#explained,
    h("label", { class: "sure" }, this.#sure, " Yes, it is theirs. This cannot be taken back."),
    this.#error,
    h("div", { class: "actions" },
      h("button", { type: "button", onclick: () => this.#dialog.close() }, "Cancel"),
      h("button", { type: "submit", class: "primary", "data-testid": "attach-confirm" }, "Attach")));
  #dialog = h("dialog", { class: "attach", "aria-label": "Whose number is this?" }, this.#options, this.#form);

  connectedCallback() {
    this.hidden = true;
    this.replaceChildren(this.#open, this.#dialog);
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#attach();
    });
  }

  /** @param {{thread: string, number: string, seen: () => number | undefined, contacts: () => object[]}} asked */
  open(client, asked) {
    this.#client = client;
    this.#asked = asked;
    this.hidden = false;
  }

  close() {
    this.hidden = true;
    this.#dialog.close();
  }

  #show() {
    const { number, contacts } = this.#asked;
    this.#options.replaceChildren(...contacts().map(({ id, name, phone }) =>
      h("option", { value: `${name} (${id})` }, phone ?? "")));
    setText(this.#explained, `All that was said with ${number} is copied to the contact's conversation, where the customer sees it, too; what ${number} texts later goes there.`);
    setText(this.#error, "");
    this.#form.reset();
    this.#dialog.showModal();
  }

  async #attach() {
    const { thread, seen } = this.#asked;
    const typed = this.#contact.value.trim();
    const contact = /\(([^()\s]+)\)$/.exec(typed)?.[1] ?? typed;
    setText(this.#error, "");
    try {
      const done = await this.#client.attach(thread, contact, { seen: seen() });
      this.#dialog.close();
      this.dispatchEvent(new CustomEvent("attached", { detail: done }));
    } catch (error) {
      setText(this.#error, error.code === "not_found" ? "There is no such contact." : `Not attached: ${error.message}`);
    }
  }
}

customElements.define("crewline-attach", AttachControl);
