/**
 * <crewline-unrouted>: the texts that reached nobody, behind one line that says how
 * many there are. Nothing while there are none.
 *
 *   <crewline-unrouted></crewline-unrouted>
 *
 *   unrouted.open(client, signal);
 *   unrouted.addEventListener("open", ({ detail }) => show(detail.thread));
 *   unrouted.addEventListener("left", () => list.focusOn(…));      // it is not there any more, and had the focus
 */
import { h, keepFocus, setText } from "../base/dom.js";
import { routeControl } from "./route-control.js";
import { shortTime, timeElement } from "../base/time.js";
import { Unrouted, reasonOf } from "./unrouted.js";

export class UnroutedList extends HTMLElement {
  /** @type {any} CrewlineClient, once it is open */
  #client = null;
  #unrouted = new Unrouted();
  /** @type {object | null} */
  #loading = null;

  #sentence = h("summary", { "data-testid": "unrouted-summary" });
  #list = h("ul", { role: "list" });
  #older = h("button", { type: "button", hidden: true, onclick: () => this.#load() }, "Older ones");
  #details = h("details", {}, this.#sentence, h("div", { class: "texts-kept" }, this.#list, this.#older));

  connectedCallback() {
    this.hidden = true;
    this.replaceChildren(this.#details);
  }

  open(client, signal) {
    this.#client = client;
    client.addEventListener("welcome", ({ detail }) => detail.fresh && this.#begin(), { signal });
    client.addEventListener("caught-up", () => this.#unrouted.before === undefined && this.#load(), { signal });
    client.addEventListener("reset", () => this.#clear(), { signal });
    client.addEventListener("change", ({ detail }) => this.#unrouted.apply(detail) && this.#show(), { signal });
    if (client.cursor !== null) this.#begin();
  }

  #begin() {
    this.#clear();
    this.#load();
  }

  #clear() {
    this.#unrouted = new Unrouted();
    this.#loading = null;
    this.#list.replaceChildren();
    this.#show();
  }

  async #load() {
    if (this.#loading) return;
    const loading = (this.#loading = {});
    // What cannot be loaded now is asked for again when the line is next up.
    const page = await this.#client.unrouted({ before: this.#unrouted.before }).catch(() => null);
    if (loading !== this.#loading) return;
    this.#loading = null;
    if (page) this.#unrouted.load(page);
    this.#show();
  }

  #show() {
    setText(this.#sentence, this.#unrouted.sentence);
    // In the one that goes, or on the button under the last.
    const items = [...this.#list.children];
    const place = items.findIndex((item) => item.matches(":focus-within"));
    keepFocus(this, () => this.#draw(), () => this.#goOn(place < 0 ? items.length : place));
  }

  /** The focus to what stands in this place now, or last. */
  #goOn(place) {
    const { children } = this.#list;
    if (children.length === 0) return void this.dispatchEvent(new Event("left"));
    const item = /** @type {HTMLElement} */ (children[Math.min(place, children.length - 1)]);
    item.tabIndex = -1;
    return item;
  }

  #draw() {
    const { records, before } = this.#unrouted;
    this.hidden = records.length === 0;
    this.#older.hidden = !before;
    const shown = new Map([.../** @type {HTMLCollectionOf<HTMLElement>} */ (this.#list.children)].map((item) => [item.dataset.rev ?? "", item]));
    const open = new Set(records.map(({ rev }) => String(rev)));
    for (const [rev, item] of shown) if (!open.has(rev)) item.remove();
    records.forEach((record, place) => {
      const item = shown.get(String(record.rev)) ?? this.#item(record);
      if (this.#list.children[place] !== item) this.#list.insertBefore(item, this.#list.children[place] ?? null);
    });
  }

  #open(thread) {
    this.dispatchEvent(new CustomEvent("open", { detail: { thread } }));
  }

  #item(record) {
    const { rev, at, from, text, media = [], candidates, answer } = record;
    const line = (testid, ...said) => h("p", { "data-testid": testid }, ...said);
    const links = candidates.flatMap(({ thread, tag, name }) =>
      [", ", h("button", { type: "button", class: "link", "data-thread": thread, onclick: () => this.#open(thread) }, tag ? `#${tag} ${name}` : name)]).slice(1);
    return h("li", { "data-testid": "unrouted", "data-rev": rev },
      h("header", {}, h("b", {}, from), timeElement(at, shortTime(at))),
      h("blockquote", { dir: "auto", "data-testid": "unrouted-text" }, text || (media.length > 0 ? "Pictures or files, without words" : "An empty text")),
      line("unrouted-reason", reasonOf(record)),
      links.length > 0 ? line("unrouted-candidates", "Perhaps for ", ...links) : null,
      answer ? line("unrouted-answer", "The phone was told: ", h("q", {}, answer)) : null,
      routeControl(this.#client, record));
  }
}

customElements.define("crewline-unrouted", UnroutedList);
