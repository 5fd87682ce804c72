/**
 * <crewline-search>: looks for words in what was said, and leads there.
 *
 *   <crewline-search></crewline-search>
 *
 *   const box = document.querySelector("crewline-search");
 *   box.open(client, signal);
 *   box.addEventListener("choose", ({ detail: { thread, number } }) => show(thread, number));
 *
 * Arrow keys go through what was found, Escape closes it.
 */
import { h, setText } from "../base/dom.js";
import { Search, summary } from "./search.js";
import { shortTime, timeElement } from "../base/time.js";

/** So long after the last keystroke it looks by itself. */
const PAUSE_MS = 300;

class SearchBox extends HTMLElement {
  #client = null;
  #search = new Search((asked) => this.#client.search(asked), () => this.#show());
  #pause = null;
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

  connectedCallback() {
    const form = h("form", { role: "search", onsubmit: (event) => { event.preventDefault(); this.#look(); } }, this.#field);
    this.replaceChildren(form, this.#found);
    this.addEventListener("keydown", (event) => this.#key(event));
    this.addEventListener("focusout", ({ relatedTarget }) => this.contains(relatedTarget) || this.#toggle(false));
  }

  disconnectedCallback() {
    clearTimeout(this.#pause);
  }

  focus() {
    this.#field.focus();
    this.#field.select();
  }

  open(client, signal) {
    this.#client = client;
    client.addEventListener("signed-out", () => {
      this.#field.disabled = true;
      this.#toggle(false);
    }, { signal });
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
    this.#more.hidden = !hasMore;
    if (hits.length < this.#shown || state === "idle") this.#list.replaceChildren();
    this.#list.append(...hits.slice(this.#list.childElementCount).map((hit) => this.#row(hit)));
    this.#shown = hits.length;
    this.#toggle(state !== "idle");
  }

  #row({ record, contact, pieces }) {
    const own = this.#client.isMe(record.from);
    const who = own ? "You" : record.from?.name ?? record.by?.name ?? record.tag;
    const note = record.kind === "note" ? "Internal note" : null;
    return h("li", {}, h("button", { type: "button", class: "row", "data-testid": "search-hit", onclick: () => this.#choose(record) },
      h("span", { class: "line" },
        h("b", { class: "name" }, contact ? contact.name || contact.phone || "Unknown" : who),
        timeElement(record.at, shortTime(record.at))),
      h("span", { class: "text", dir: "auto" },
        contact && who ? `${[note, who].filter(Boolean).join(" by ")}: ` : null,
        ...pieces.map(({ text, hit }) => (hit ? h("mark", {}, text) : text)))));
  }

  #choose(record) {
    this.#toggle(false);
    const detail = { thread: record.thread, number: this.#client.numberOf(record) };
    this.dispatchEvent(new CustomEvent("choose", { detail }));
  }

  #key(event) {
    if (event.key === "Escape" && !this.#found.hidden) {
      event.preventDefault();
      this.#field.focus();
      this.#toggle(false);
    }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || this.#found.hidden) return;
    const stops = [this.#field, ...this.#list.querySelectorAll("button")];
    const next = stops[stops.indexOf(this.getRootNode().activeElement) + step];
    if (!next) return;
    event.preventDefault();
    next.focus();
  }

  #toggle(open) {
    const hidden = !open || this.#search.state === "idle";
    if (hidden !== this.#found.hidden) this.dispatchEvent(new CustomEvent("toggle", { detail: { open: !hidden } }));
    this.#found.hidden = hidden;
  }
}

customElements.define("crewline-search", SearchBox);
