/**
 * <crewline-thread>: a customer's conversation with the business, live: the
 * whole portal in one element.
 *
 *   <script type="module" src="https://hub.example/ui/thread.js"></script>
 *   <crewline-thread token-url="/my-backend/crewline-token"></crewline-thread>
 *
 *   placeholder    of the composer: "Write a message"
 *   search         above it a field that finds words in what was said
 *   undo-seconds   so long what was sent can be taken back; 0: not at all
 *   message        the number (seq) of the message that it opens at
 *   thread.reveal(seq)            goes back to that message
 *   thread.focus()                the composer
 *
 * What stands in it with `slot="head"` is shown in a bar above the messages.
 * It fills the box that it is given. Colours and such are custom properties,
 * see styles/theme.css; token, events and the rest are in base/element.js.
 */
import { wearColour } from "./base/accent.js";
import { h } from "./base/dom.js";
import { CrewlineElement } from "./base/element.js";
import { icon } from "./base/icon.js";
import { sheets } from "./base/sheet.js";
import "./search/search-box.js";
import "./thread/pane.js";

const SHEETS = await sheets("theme.css", "thread.css", "composer.css", "search.css");

export class CrewlineThread extends CrewlineElement {
  static sheets = SHEETS;

  /** @type {any} */
  #search = h("crewline-search");
  #lens = h("button", { type: "button", class: "lens", "aria-label": "Search messages", "aria-expanded": "false", "data-testid": "search-open", onclick: () => this.#look(true) }, icon("lens"));
  #bar = h("div", { class: "bar" }, h("slot", { name: "head" }));
  /** @type {any} */
  #pane = h("crewline-pane", { state: true });

  constructor() {
    super();
    this.#search.addEventListener("choose", ({ detail: { number } }) => {
      this.#look(false);
      this.reveal(number);
    });
    this.#search.addEventListener("focusout", ({ relatedTarget }) => {
      if (!this.#search.contains(relatedTarget) && !this.#field?.value) this.#look(false);
    });
    this.#search.addEventListener("keydown", ({ key, defaultPrevented }) => {
      if (key !== "Escape" || defaultPrevented) return;
      this.#look(false);
      if (this.#lens.offsetParent) this.#lens.focus();
    });
  }

  opened(client, signal) {
    wearColour(this, client, signal);
    this.#pane.setAttribute("placeholder", this.getAttribute("placeholder") ?? "Write a message");
    this.#pane.undoSeconds = Number(this.getAttribute("undo-seconds"));
    if (this.hasAttribute("search")) this.#bar.append(this.#search, this.#lens);
    this.#bar.hidden = !this.hasAttribute("search") && !this.querySelector(':scope > [slot="head"]');
    this.root.replaceChildren(h("div", { class: "frame" }, this.#bar, this.#pane));
    this.#search.open(client, signal);
    this.#look(false);
    this.#pane.open(client, undefined);
    const message = Number(this.getAttribute("message"));
    if (message > 0) this.reveal(message);
    signal.addEventListener("abort", () => this.#pane.leave());
  }

  reveal(seq) {
    this.#pane.reveal(seq);
  }

  focus() {
    this.#pane.focus();
  }

  /** Where there is little room, the field takes the whole bar. */
  #look(on) {
    this.#bar.classList.toggle("searching", on);
    this.#lens.setAttribute("aria-expanded", String(on));
    if (on) this.#field?.focus();
  }

  get #field() {
    return this.#search.querySelector("input");
  }
}

customElements.define("crewline-thread", CrewlineThread);
