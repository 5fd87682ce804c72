/**
 * <crewline-search>: looks for words in what was said, and leads there.
 *
 *   <crewline-search></crewline-search>              over what is below it, until the focus is elsewhere
 *   <crewline-search stays></crewline-search>        in the place of that, until it is cleared
 *
 *   const box = document.querySelector("crewline-search");
 *   box.open(client, signal);
 *   box.addEventListener("choose", ({ detail: { thread, number } }) => show(thread, number));
 *   box.addEventListener("toggle", ({ detail: { open } }) => …);
 *   box.step(1);                      // the focus to the next that was found
 *
 * Arrow keys go through what was found, Escape closes it.
 */
import { h, setText } from "../base/dom.js";
import { Search, summary } from "./search.js";
import { shortTime, timeElement } from "../base/time.js";

/** So long after the last keystroke it looks by itself. */
const PAUSE_MS = 300;

export class SearchBox extends HTMLElement {
  /** @type {any} CrewlineClient, once it is open */
  #client = null;
  #search = new Search((asked) => this.#client.search(asked), () => this.#show());
  /** @type {number | undefined} */
  #pause;
  #shown = 0;

  #field = h("input", {
    type: "search", name: "q", maxlength: "200", autocomplete: "off", placeholder: "Search messages",
    "aria-label": "Search messages", "data-testid": "search",
    oninput: () => this.#soon(), onfocus: () => this.#toggle(true),
  });
  #newest = h("input", { type: "checkbox", "data-testid": "search-newest", onchange: () => this.#look() });
  #status = h("p", { role: "status", class: "said", "data-testid": "search-status" });
  #list = h("ul", { "data-testid": "search-hits", "aria-label": "What was found" });
  #more = h("button", { type: "button", hidden: true, "data-testid": "search-more", onclick: () => this.#search.more() }, "More");
  #found = h("div", { class: "found", hidden: true },
    h("div", { class: "line" }, this.#status, h("label", {}, this.#newest, " Newest first")), this.#list, this.#more);

  constructor() {
    super();
    this.addEventListener("keydown", (event) => this.#key(event));
    this.addEventListener("focusout", ({ relatedTarget }) => this.contains(/** @type {Node | null} */ (relatedTarget)) || this.#stays || this.#toggle(false));
  }

  connectedCallback() {
    const form = h("form", { role: "search", onsubmit: (event) => { event.preventDefault(); this.#look(); } }, this.#field);
    this.replaceChildren(form, this.#found);
  }

  disconnectedCallback() {
    clearTimeout(this.#pause);
  }

  get #stays() {
    return this.hasAttribute("stays");
  }

  get isOpen() {
    return !this.#found.hidden;
  }

  /** @param {number} by @returns {boolean} false if there is nowhere to go */
  step(by) {
    const stops = [this.#field, ...this.#list.querySelectorAll("button")];
    const { activeElement } = /** @type {ShadowRoot | Document} */ (this.getRootNode());
    // From where one is, else from what is open.
    const from = this.contains(activeElement) ? activeElement : this.#list.querySelector("[aria-current]");
    const next = stops[Math.max(0, stops.findIndex((stop) => stop === from)) + by];
    next?.focus();
    return Boolean(next);
  }

  focus() {
    this.#field.focus();
    this.#field.select();
  }

  /** What was found before was another person's, perhaps. */
  open(client, signal) {
    this.#client = client;
    client.addEventListener("reset", () => this.#clear(), { signal });
    client.addEventListener("state", () => this.#heed(), { signal });
    this.#clear();
    this.#heed();
  }

  /** Nobody who is signed out can look for anything. */
  #heed() {
    this.#field.disabled = this.#client.state === "signed-out";
    if (this.#field.disabled) this.#toggle(false);
  }

  #soon() {
    clearTimeout(this.#pause);
    this.#pause = setTimeout(() => this.#look(), PAUSE_MS);
  }

  #look() {
    clearTimeout(this.#pause);
    this.#search.look(this.#field.value, this.#newest.checked ? "newest" : "rank");
    this.#toggle(true);
  }

  #show() {
    const { hits, hasMore, state } = this.#search;
    setText(this.#status, summary(this.#search));
    if (hits.length < this.#shown || state === "idle") this.#list.replaceChildren();
    // Before it goes with its focus, and the box with that. An arrow leads on from there.
    if (!hasMore && this.#more.matches(":focus")) /** @type {HTMLElement | null} */ (this.#list.querySelector("li:last-child button"))?.focus();
    this.#more.hidden = !hasMore;
    this.#list.append(...hits.slice(this.#list.childElementCount).map((hit) => this.#row(hit)));
    this.#shown = hits.length;
    this.#toggle(state !== "idle");
  }

  /** @param {import("./search.js").Hit | any} hit */
  #row({ record, contact, pieces }) {
    const own = this.#client.isMe(record.from);
    // A copy was said when the first one was.
    const at = record.copied_from?.at ?? record.said_at ?? record.at;
    const who = own ? "You" : record.from?.name ?? record.by?.name ?? record.tag;
    const note = record.kind === "note" ? "Internal note" : null;
    return h("li", {}, h("button", { type: "button", class: "hit", "data-testid": "search-hit", onclick: (event) => this.#choose(record, event.currentTarget) },
      h("span", { class: "line" },
        h("b", { class: "name" }, contact ? contact.name || contact.phone || "Unknown" : who),
        timeElement(at, shortTime(at))),
      h("span", { class: "text", dir: "auto" },
        contact && who && (note || who !== contact.name) ? `${[note, who].filter(Boolean).join(" by ")}: ` : null,
        ...pieces.map(({ text, hit }) => (hit ? h("mark", {}, text) : text)))));
  }

  #choose(record, hit) {
    if (!this.#stays) this.#toggle(false);
    for (const other of this.#list.querySelectorAll("[aria-current]")) other.removeAttribute("aria-current");
    hit.setAttribute("aria-current", "true");
    const detail = { thread: record.thread, number: this.#client.numberOf(record) };
    this.dispatchEvent(new CustomEvent("choose", { detail }));
  }

  #key(event) {
    if (event.key === "Escape" && !this.#found.hidden) {
      event.preventDefault();
      this.#field.focus();
      if (this.#stays) this.#clear();
      else this.#toggle(false);
    }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && !this.#found.hidden && this.step(step)) event.preventDefault();
  }

  #clear() {
    this.#field.value = "";
    this.#look();
  }

  #toggle(open) {
    const hidden = !open || this.#search.state === "idle";
    if (hidden !== this.#found.hidden) this.dispatchEvent(new CustomEvent("toggle", { detail: { open: !hidden } }));
    this.#found.hidden = hidden;
  }
}

customElements.define("crewline-search", SearchBox);
