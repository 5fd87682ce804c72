/**
 * <crewline-contact-choice>: one of the contacts, by a part of their name or
 * phone: a combobox.
 *
 *   <crewline-contact-choice label="Contact" testid="attach-contact"></crewline-contact-choice>
 *
 *   choice.open(client, { unknown: false });     // without numbers that are nobody's
 *   choice.open(client, { first });              // these while nothing is typed
 *   choice.addEventListener("choose", ({ detail }) => …);      // {thread, contact}
 *   choice.addEventListener("none", …);          // nobody is called what was typed
 *   choice.value                      // what was chosen, or null
 *   choice.text                       // what was typed
 *   choice.clear();
 */
import { h, setText } from "../base/dom.js";
import { initials, named } from "./contact.js";

/** So long after the last keystroke it looks. */
const PAUSE_MS = 120;
let lists = 0;

/** @typedef {{thread: string, contact: import("./contact.js").Contact}} Choice */

export class ContactChoice extends HTMLElement {
  /** @type {Choice | null} */
  value = null;

  /** @type {any} CrewlineClient, once it is open */
  #client = null;
  #withUnknown = true;
  /** @type {Choice[]} */
  #first = [];
  /** @type {Choice[]} */
  #found = [];
  #place = -1;
  #pause;
  /** What was typed is being looked up. */
  #looking = false;
  /** Enter came before the answer did. */
  #hurried = false;
  #turn = 0;

  #list = h("ul", { role: "listbox", id: `contacts-${(lists += 1)}`, "aria-label": "Contacts", hidden: true });
  #status = h("p", { class: "soft", role: "status" });
  #field = h("input", {
    type: "text", role: "combobox", autocomplete: "off", autocapitalize: "off", spellcheck: "false", "aria-autocomplete": "list",
    "aria-expanded": "false", "aria-controls": this.#list.id, oninput: () => this.#typed(), onkeydown: (event) => this.#key(event), onfocus: () => this.value || this.#look(),
  });

  constructor() {
    super();
    this.addEventListener("focusout", ({ relatedTarget }) => this.contains(/** @type {Node | null} */ (relatedTarget)) || this.#leave());
  }

  connectedCallback() {
    this.#field.placeholder = this.getAttribute("placeholder") ?? "Name or phone";
    this.#field.setAttribute("data-testid", this.getAttribute("testid") ?? "contact-choice");
    this.replaceChildren(h("label", {}, this.getAttribute("label") ?? "Contact", this.#field), this.#list, this.#status);
  }

  disconnectedCallback() {
    clearTimeout(this.#pause);
  }

  get text() {
    return this.#field.value.trim();
  }

  /** @param {any} client @param {{unknown?: boolean, first?: Choice[]}} [options] */
  open(client, { unknown = true, first = [] } = {}) {
    this.#client = client;
    this.#withUnknown = unknown;
    this.#first = first;
    this.clear();
  }

  clear() {
    this.#field.value = "";
    this.#choose(null);
    this.#show([]);
    setText(this.#status, "");
  }

  focus() {
    this.#field.focus();
  }

  #typed() {
    this.#choose(null);
    clearTimeout(this.#pause);
    // An answer that is under way is to something else.
    this.#turn += 1;
    this.#looking = true;
    this.#hurried = false;
    this.#pause = setTimeout(() => this.#look(), PAUSE_MS);
  }

  async #look() {
    const turn = (this.#turn += 1);
    const { text } = this;
    const found = await this.#client.contacts(text).catch((error) => error);
    if (turn !== this.#turn) return;
    this.#looking = false;
    if (found instanceof Error) return setText(this.#status, `Contacts could not be looked up: ${found.message}`);
    const first = text ? [] : this.#first;
    const others = found.contacts.filter(({ thread, contact }) => (this.#withUnknown || !contact.unknown) && first.every((one) => one.thread !== thread));
    const contacts = [...first, ...others];
    this.#show(contacts);
    const none = contacts.length === 0 && text !== "";
    setText(this.#status, none ? "Nobody by that name or phone" : "");
    if (none) this.dispatchEvent(new CustomEvent("none"));
    else if (this.#hurried) this.#choose(contacts[Math.max(this.#place, 0)]);
    this.#hurried = false;
  }

  #show(found) {
    const marked = this.#found[this.#place]?.thread;
    this.#found = found;
    this.#place = -1;
    this.#list.hidden = found.length === 0;
    this.#field.setAttribute("aria-expanded", String(found.length > 0));
    this.#field.removeAttribute("aria-activedescendant");
    this.#list.replaceChildren(...found.map((one, place) => h("li",
      { role: "option", id: `${this.#list.id}-${place}`, "aria-selected": "false", "data-testid": "contact-option", "data-contact": one.contact.id, onmousedown: (event) => event.preventDefault(), onclick: () => this.#choose(one) },
      h("span", { class: "face", "aria-hidden": "true" }, initials(one.contact)),
      h("span", {}, h("b", { dir: "auto" }, named(one.contact)), h("span", { class: "soft", dir: "ltr" }, one.contact.phone ?? "")))));
    // What was marked while an answer was under way stays so.
    if (marked !== undefined && found.length > 0) this.#mark(Math.max(0, found.findIndex(({ thread }) => thread === marked)));
  }

  #key(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && this.#found.length > 0) {
      event.preventDefault();
      this.#mark((this.#place + step + this.#found.length) % this.#found.length);
    } else if (event.key === "Enter" && this.#looking) {
      event.preventDefault();
      this.#hurried = true;
    } else if (event.key === "Enter" && this.#place >= 0) {
      event.preventDefault();
      this.#choose(this.#found[this.#place]);
    }
  }

  #leave() {
    this.#stop();
    this.#show([]);
  }

  /** What is being looked up is not wanted any more. */
  #stop() {
    clearTimeout(this.#pause);
    this.#turn += 1;
    this.#looking = false;
  }

  #mark(place) {
    this.#place = place;
    [...this.#list.children].forEach((option, each) => option.setAttribute("aria-selected", String(each === place)));
    this.#field.setAttribute("aria-activedescendant", `${this.#list.id}-${place}`);
    this.#list.children[place].scrollIntoView({ block: "nearest" });
  }

  #choose(one) {
    this.value = one;
    if (!one) return;
    this.#stop();
    this.#field.value = named(one.contact);
    this.#show([]);
    this.dispatchEvent(new CustomEvent("choose", { detail: one }));
  }
}

customElements.define("crewline-contact-choice", ContactChoice);
