/**
 * <crewline-new-conversation>: with a contact that is known, or with somebody
 * whose name and phone are typed in.
 *
 *   const beginning = h("crewline-new-conversation");
 *   beginning.open(client);
 *   beginning.addEventListener("begun", ({ detail }) => open(detail.thread));
 *   beginning.close();
 */
import { h, setText } from "../base/dom.js";
import "./contact-choice.js";
import { icon } from "../base/icon.js";

/** As the hub takes it: the country, and 8 to 15 digits in all. */
const E164 = /^\+[1-9]\d{7,14}$/;

export class NewConversation extends HTMLElement {
  /** @type {any} CrewlineClient, once it is open */
  #client = null;

  #choice = h("crewline-contact-choice", { label: "With", testid: "new-contact" });
  #name = h("input", { type: "text", name: "name", autocomplete: "off", maxlength: "200", "data-testid": "new-name" });
  #phone = h("input", { type: "tel", name: "phone", autocomplete: "off", placeholder: "+1 415 555 0100", dir: "ltr", "data-testid": "new-number" });
  #error = h("p", { class: "error", role: "alert", "data-testid": "new-error" });
  #begin = h("button", { type: "submit", class: "primary", "data-testid": "new-begin" }, "Begin");
  #form = h("form", {},
    h("label", {}, "Name", this.#name), h("label", {}, "Mobile phone", this.#phone), this.#error,
    h("div", { class: "actions" }, h("button", { type: "button", onclick: () => this.close() }, "Cancel"), this.#begin));
  #summary = h("summary", { onclick: () => this.#fill() }, "Somebody new");
  #other = h("details", { "data-testid": "new-somebody" }, this.#summary, this.#form);
  #dialog = h("dialog", { class: "sheet", "aria-label": "New conversation", "data-testid": "new-dialog" },
    h("header", {}, h("h2", {}, "New conversation"), h("button", { type: "button", class: "plain-icon", "aria-label": "Close", onclick: () => this.close() }, icon("close"))),
    this.#choice, this.#other);

  constructor() {
    super();
    this.#choice.addEventListener("choose", () => this.#choice.value && this.#begun(this.#choice.value.thread));
    this.#choice.addEventListener("none", () => {
      this.#other.open = true;
      this.#fill();
    });
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#make();
    });
  }

  connectedCallback() {
    this.replaceChildren(this.#dialog);
  }

  disconnectedCallback() {
    this.close();
  }

  open(client) {
    if (this.#dialog.open) return;
    this.#client = client;
    this.#form.reset();
    this.#other.open = false;
    setText(this.#error, "");
    this.#choice.open(client);
    this.#dialog.showModal();
    this.#choice.focus();
  }

  close() {
    this.#dialog.close();
  }

  /** What was looked for in vain is the name, or the phone, of somebody new. */
  #fill() {
    const { text } = this.#choice;
    const isName = /\p{L}/u.test(text);
    this.#name.value = isName ? text : "";
    this.#phone.value = isName ? "" : text;
  }

  async #make() {
    const phone = dialled(this.#phone.value);
    const name = this.#name.value.trim() || phone;
    if (!name) return this.#name.focus();
    if (phone && !E164.test(phone)) {
      setText(this.#error, "Write the phone with its country, such as +1 415 555 0100.");
      return this.#phone.focus();
    }
    setText(this.#error, "");
    this.#begin.disabled = true;
    try {
      const { thread } = await this.#client.newContact({ name, phone: phone || undefined });
      this.#begun(thread);
    } catch (/** @type {any} */ error) {
      setText(this.#error, `Not begun: ${error.message}`);
    }
    this.#begin.disabled = false;
  }

  #begun(thread) {
    this.close();
    this.dispatchEvent(new CustomEvent("begun", { detail: { thread } }));
  }
}

/** Without what people put between the digits. */
function dialled(phone) {
  return phone.replace(/[\s().\-/]/g, "");
}

customElements.define("crewline-new-conversation", NewConversation);
