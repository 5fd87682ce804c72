/**
 * <crewline-contact-header>: whose conversation is open, whether they are
 * here, who of the team looks at it too, and what can be done with it.
 *
 *   header.show({ row, here, colleagues: "Kim is looking", live: true });
 *   header.panel = true;              // the contact's panel is open
 *   header.addEventListener("back", …);
 *   header.addEventListener("handled", …);
 *   header.addEventListener("panel", …);
 *   header.attach                     // the control for unknown numbers, see attach-control.js
 */
import { h, setText } from "../base/dom.js";
import "./attach-control.js";
import { named } from "./contact.js";
import { icon } from "../base/icon.js";

export class ContactHeader extends HTMLElement {
  #back = h("button", { type: "button", class: "back plain-icon", "aria-label": "Back to the list", title: "Back to the list (u)", "data-testid": "back", onclick: () => this.#say("back") }, icon("back"));
  #name = h("h2", { "data-testid": "contact", dir: "auto" });
  #phone = h("span", { class: "phone", dir: "ltr", "data-testid": "contact-phone" });
  #unknown = h("span", { class: "unknown", "data-testid": "contact-unknown", hidden: true }, "unknown number");
  #presence = h("span", { class: "presence", "data-testid": "presence" });
  #looking = h("span", { class: "looking", role: "status", "data-testid": "looking" });
  #handled = h("button", { type: "button", title: "Nothing here waits for an answer (e)", "data-testid": "handled", "aria-disabled": "true", onclick: () => this.#say("handled") }, icon("done"), h("span", { class: "word" }, "Mark handled"));
  #panel = h("button", { type: "button", class: "plain-icon", "aria-label": "Contact", title: "Contact (i)", "aria-expanded": "false", "data-testid": "contact-toggle", onclick: () => this.#say("panel") }, icon("contact"));

  attach = h("crewline-attach");

  connectedCallback() {
    this.replaceChildren(this.#back,
      h("div", { class: "about" }, this.#name, h("p", {}, this.#presence, this.#phone, this.#unknown, this.#looking)),
      this.attach, this.#handled, this.#panel);
  }

  /** The button that opens the contact's panel. */
  focus() {
    this.#panel.focus();
  }

  set panel(open) {
    this.#panel.setAttribute("aria-expanded", String(open));
  }

  /** @param {{row: import("./rows.js").Row | undefined, here: boolean, colleagues: string, live: boolean}} shown */
  show({ row, here, colleagues, live }) {
    setText(this.#name, row ? named(row.contact) : "");
    setText(this.#phone, row?.contact.phone && row.contact.phone !== row.contact.name ? row.contact.phone : "");
    this.#unknown.hidden = !row?.contact.unknown;
    this.#presence.classList.toggle("is-here", here);
    setText(this.#presence, row ? (here ? "online" : "offline") : "");
    setText(this.#looking, colleagues);
    // Not really disabled: whoever has just pressed it would lose the focus.
    this.#handled.setAttribute("aria-disabled", String(!row || row.waiting_since === null || !live));
  }

  #say(type) {
    this.dispatchEvent(new Event(type));
  }
}

customElements.define("crewline-contact-header", ContactHeader);
