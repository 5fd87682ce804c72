/**
 * <crewline-contact-header>: whose conversation is open, whether they are
 * here, who of the team looks at it too, and what can be done with it.
 *
 *   header.show({ row, here, looking: "Kim is looking", live: true });
 *   header.addEventListener("back", …);
 *   header.addEventListener("handled", …);
 *   header.attach                     // the control for unknown numbers, see attach-control.js
 */
import { h, setText } from "../base/dom.js";
import "./attach-control.js";

class ContactHeader extends HTMLElement {
  #back = h("button", { type: "button", class: "back", "aria-label": "Back to the list", "data-testid": "back", onclick: () => this.dispatchEvent(new Event("back")) }, "←");
  #name = h("h2", { "data-testid": "contact" });
  #phone = h("span");
  #unknown = h("span", { class: "unknown", "data-testid": "contact-unknown", hidden: true }, "unknown number");
  #presence = h("span", { class: "presence", "data-testid": "presence" });
  #looking = h("span", { class: "looking", "data-testid": "looking" });
  #handled = h("button", { type: "button", "data-testid": "handled", disabled: true, onclick: () => this.dispatchEvent(new Event("handled")) }, "Mark handled");

  attach = h("crewline-attach");

  connectedCallback() {
    this.replaceChildren(this.#back,
      h("div", { class: "about" }, this.#name, h("p", {}, this.#phone, " ", this.#unknown, " ", this.#presence, " ", this.#looking)),
      this.attach, this.#handled);
  }

  /** @param {{row: import("./rows.js").Row | undefined, here: boolean, looking: string, live: boolean}} shown */
  show({ row, here, looking, live }) {
    setText(this.#name, row ? row.contact.name || row.contact.phone || "Unknown" : "");
    setText(this.#phone, row?.contact.phone && row.contact.phone !== row.contact.name ? row.contact.phone : "");
    this.#unknown.hidden = !row?.contact.unknown;
    this.#presence.classList.toggle("is-here", here);
    setText(this.#presence, row ? (here ? "online" : "offline") : "");
    setText(this.#looking, looking);
    this.#handled.disabled = !row || row.waiting_since === null || !live;
  }
}

customElements.define("crewline-contact-header", ContactHeader);
