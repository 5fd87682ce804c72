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
 *   thread.reveal(seq)            goes back to that message
 *   thread.focus()                the composer
 *
 * It fills the box that it is given. Colours and such are custom properties,
 * see styles/theme.css; token, events and the rest are in base/element.js.
 */
import { h } from "./base/dom.js";
import { CrewlineElement } from "./base/element.js";
import { sheets } from "./base/sheet.js";
import "./search/search-box.js";
import "./thread/pane.js";

const SHEETS = await sheets("theme.css", "thread.css", "composer.css", "search.css");

export class CrewlineThread extends CrewlineElement {
  static sheets = SHEETS;

  #search = h("crewline-search");
  #pane = h("crewline-pane", { state: true });

  constructor() {
    super();
    this.#search.addEventListener("choose", ({ detail: { number } }) => this.reveal(number));
  }

  opened(client, signal) {
    this.#pane.setAttribute("placeholder", this.getAttribute("placeholder") ?? "Write a message");
    this.#pane.undoSeconds = Number(this.getAttribute("undo-seconds"));
    const search = this.hasAttribute("search") ? [h("div", { class: "above" }, this.#search)] : [];
    this.root.replaceChildren(h("div", { class: "frame" }, ...search, this.#pane));
    this.#search.open(client, signal);
    this.#pane.open(client, undefined);
    signal.addEventListener("abort", () => this.#pane.leave());
  }

  reveal(seq) {
    this.#pane.reveal(seq);
  }

  focus() {
    this.#pane.focus();
  }
}

customElements.define("crewline-thread", CrewlineThread);
