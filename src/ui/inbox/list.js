/**
 * <crewline-inbox-list>: the staff's list of conversations, live, with its filters.
 *
 *   <crewline-inbox-list></crewline-inbox-list>
 *
 *   list.open(client, about, signal);     // `about` tells of people, see row.js
 *   list.selected = thread;               // it stays in the list, even if it comes to be seen to
 *   list.need(thread);                    // one that may not be loaded
 *   list.refresh();                       // something that `about` tells has changed
 *   list.step(1);                         // the focus to the next row; -1 to the one before
 *   list.addEventListener("select", ({ detail }) => open(detail.thread));     // `pointed`: not by a key
 *   list.addEventListener("row", ({ detail: row }) => show(row));     // the selected one changed
 *
 * What arrives in a burst is drawn once a frame.
 */
import { saidBy } from "../thread/conversation.js";
import { h, keepFocus, setText } from "../base/dom.js";
import { Loader } from "./loader.js";
import { remember, remembered } from "./remembered.js";
import { InboxRow } from "./row.js";
import { Inbox } from "./rows.js";
import { VirtualRows } from "./virtual-rows.js";

const FILTERS = { all: "All", new: "New", waiting: "Waiting", failed: "Failed", handoff: "Calls" };
const EMPTY = {
  all: ["No conversations yet", "When a customer writes, it appears here."],
  new: ["Nothing new", "All that customers wrote has been read."],
  waiting: ["All is seen to", "Nobody waits for an answer."],
  failed: ["All texts got through", "A text that fails stands here until a later one gets through."],
  handoff: ["No calls to follow up", "What the AI receptionist hands over stands here until somebody answers."],
};
/** Views that are loaded ahead of the one that is shown. */
const AHEAD = 6;
const TICK_MS = 30_000;
/** How long a page that nobody looks at gathers changes. */
const UNSEEN_MS = 250;

export class InboxList extends HTMLElement {
  /** @type {any} CrewlineClient, once it is open */
  #client = null;
  /** @type {any} */
  #about = null;
  #inbox = new Inbox();
  /** @type {any} a Loader, once it is open */
  #loader = null;
  /** @type {any} VirtualRows, once it is open */
  #rows = null;
  /** @type {import("./rows.js").Filter} */
  #filter = "all";
  #selected = null;
  #frame = 0;
  #timer;
  #told = true;

  #counts = Object.fromEntries(Object.keys(FILTERS).map((filter) => [filter, h("span", { class: "count" })]));
  #tabs = Object.fromEntries(Object.entries(FILTERS).map(([filter, label]) => [filter, h("button",
    { type: "button", "data-testid": `filter-${filter}`, onclick: () => this.#choose(filter) }, label, " ", this.#counts[filter])]));
  #list = h("ul", { class: "rows", role: "list", "aria-label": "Conversations", "data-testid": "rows" });
  #probe = h("div", { class: "row probe", "aria-hidden": "true" });
  #note = h("div", { class: "empty", role: "status", "data-testid": "list-note" });
  #scroller = h("div", { class: "scroller" }, this.#probe, this.#list, this.#note);

  connectedCallback() {
    this.replaceChildren(h("div", { class: "filters", role: "group", "aria-label": "Show" }, ...Object.values(this.#tabs)), this.#scroller);
  }

  /** @returns {import("./rows.js").Row | undefined} */
  row(thread) {
    return this.#inbox.rows.get(thread);
  }

  set selected(thread) {
    this.#selected = thread;
    this.#pin();
    this.#soon();
  }

  /** @param {import("./row.js").About} about @param {AbortSignal} signal */
  open(client, about, signal) {
    this.#client = client;
    this.#about = about;
    const { scroller, list, probe } = { scroller: this.#scroller, list: this.#list, probe: this.#probe };
    const make = () => new InboxRow((thread, pointed) => this.#select(thread, pointed));
    this.#rows = new VirtualRows({ scroller, list, probe, make, show: (row, thread) => this.#showRow(row, thread) }, signal);
    this.#showFilter(/** @type {any} */ (remembered("filter")));
    this.#begin();
    const listen = (type, heard) => client.addEventListener(type, ({ detail }) => heard(detail), { signal });
    listen("welcome", ({ fresh }) => fresh && this.#begin());
    listen("caught-up", () => this.#loader.goOn());
    listen("reset", () => this.#begin());
    listen("change", (record) => this.#change(record));
    listen("badge", () => this.#soon());
    for (const type of ["scroll", "measured"]) this.#scroller.addEventListener(type, () => this.#loadAhead(), { signal, passive: true });
    const tick = setInterval(() => {
      // How long the open one waits is told elsewhere, too.
      this.#told = false;
      this.#soon();
    }, TICK_MS);
    signal.addEventListener("abort", () => {
      clearInterval(tick);
      clearTimeout(this.#timer);
      cancelAnimationFrame(this.#frame);
      this.#frame = 0;
      this.#loader.stop();
    });
  }

  need(thread) {
    if (!this.row(thread)) this.#loader.ask(thread);
  }

  refresh() {
    this.#soon();
  }

  /** @param {number} by @returns {boolean} false if there is nowhere to go */
  step(by) {
    const key = this.#rows.beside(this.#rows.focused ?? this.#selected, by);
    if (!key) return false;
    this.#rows.reveal(key)?.button.focus({ preventScroll: true });
    return true;
  }

  /** The focus to a thread's row, or to the first; to the filter if there is none. @param {string | null} thread */
  focusOn(thread) {
    const key = this.#rows.beside(thread, 0);
    const row = key && this.#rows.reveal(key);
    if (row) row.button.focus({ preventScroll: true });
    else this.#tabs[this.#filter].focus();
  }

  #choose(filter) {
    remember("filter", filter);
    this.#showFilter(filter);
    this.#pin();
    this.#scroller.scrollTop = 0;
    this.#loadAhead();
    this.#draw();
  }

  /** What is open does not vanish from where it was found. */
  #pin() {
    this.#inbox.pinned = null;
    const there = this.#selected !== null && this.#inbox.indexOf(this.#filter, this.#selected) >= 0;
    this.#inbox.pinned = there ? this.#selected : null;
  }

  #showFilter(filter) {
    if (Object.hasOwn(FILTERS, filter ?? "")) this.#filter = filter;
    for (const [name, tab] of Object.entries(this.#tabs)) tab.setAttribute("aria-pressed", String(name === this.#filter));
    const [inbox, shown] = [this.#inbox, this.#filter];
    this.#rows.release();
    this.#rows.source = {
      count: () => inbox.count(shown), at: (index) => inbox.at(shown, index),
      indexOf: (thread) => inbox.indexOf(shown, thread), rank: (thread) => inbox.rows.get(thread)?.active,
    };
  }

  /** Anew, since another log or another person begins. */
  #begin() {
    this.#loader?.stop();
    this.#inbox = new Inbox();
    this.#loader = new Loader(this.#client, this.#inbox, (threads) => this.#arrived(threads));
    this.#rows.clear();
    this.#showFilter(this.#filter);
    // Before the line is up nobody knows whose list it is.
    if (this.#client.cursor !== null) {
      this.#loadAhead();
      if (this.#selected) this.need(this.#selected);
    }
    this.#soon();
  }

  #loadAhead() {
    if (this.#client.cursor === null) return;
    const { loaded, view } = { loaded: this.#inbox.loaded(this.#filter), view: this.#rows.view };
    if (!loaded || (view > 0 && this.#rows.below < AHEAD * view)) this.#loader.load(this.#filter);
    // These two nobody counts but this list.
    if (loaded) for (const filter of /** @type {const} */ (["failed", "handoff"])) if (!this.#inbox.loaded(filter)) this.#loader.load(filter);
  }

  /** A page, or a thread that was asked for. @param {import("./rows.js").Row[]} rows */
  #arrived(rows) {
    for (const { thread, last, new: unread } of rows) {
      if (unread) this.#received(last);
      if (thread === this.#selected) this.#told = false;
    }
    if (rows.some(({ thread }) => thread === this.#selected)) this.#pin();
    this.#rows.release();
    this.#draw();
    this.#loadAhead();
  }

  #change(record) {
    this.#received(record);
    const { thread, unsure } = this.#inbox.apply(record) ?? {};
    if (!thread) return;
    if (thread === this.#selected) this.#told = false;
    if (unsure) this.#loader.ask(thread, record.rev);
    this.#soon();
  }

  /** A customer's message is on this device, whether its thread is open or not. */
  #received(record) {
    if (record && saidBy(record) === "customer") this.#client.received(record.thread, record.seq);
  }

  #soon() {
    if (this.#frame || !this.#rows) return;
    const draw = () => {
      clearTimeout(this.#timer);
      cancelAnimationFrame(this.#frame);
      this.#frame = 0;
      this.#draw();
    };
    this.#frame = requestAnimationFrame(draw);
    // A hidden page has no frames.
    this.#timer = setTimeout(draw, UNSEEN_MS);
  }

  #draw() {
    this.#count();
    this.#say();
    this.#rows.render();
    if (this.#told || !this.#selected) return;
    this.#told = true;
    this.dispatchEvent(new CustomEvent("row", { detail: this.row(this.#selected) }));
  }

  #showRow(row, thread) {
    const state = this.row(thread);
    if (state) row.show(state, { ...this.#about(thread, state.contact.id), selected: thread === this.#selected });
  }

  #select(thread, pointed) {
    this.dispatchEvent(new CustomEvent("select", { detail: { thread, pointed } }));
  }

  /** New and waiting are the hub's numbers; of the others it is known how many are loaded. */
  #count() {
    const badge = this.#client.badge;
    setText(this.#counts.new, String(badge?.new ?? ""));
    setText(this.#counts.waiting, String(badge?.waiting ?? ""));
    for (const filter of /** @type {const} */ (["failed", "handoff"])) {
      const more = this.#inbox.next(filter) ? "+" : "";
      setText(this.#counts[filter], this.#inbox.loaded(filter) ? `${this.#inbox.tally(filter)}${more}` : "");
    }
    for (const [filter, tab] of Object.entries(this.#tabs)) {
      if (filter !== "all") tab.classList.toggle("is-none", /^0?$/.test(this.#counts[filter].textContent));
    }
  }

  #say() {
    const { problem } = this.#loader;
    const next = this.#inbox.next(this.#filter);
    const state = problem ? `problem ${problem}` : next === undefined || next !== null ? "loading" : this.#inbox.count(this.#filter) === 0 ? `empty ${this.#filter}` : "";
    if (this.#note.dataset.state === state) return;
    this.#note.dataset.state = state;
    keepFocus(this.#note, () => this.#note.replaceChildren(...this.#sentences(state, problem)), () => this.#tabs[this.#filter]);
  }

  #sentences(state, problem) {
    if (problem) {
      const again = h("button", { type: "button", onclick: () => this.#loader.goOn() }, "Try again");
      return [h("b", {}, "The list could not be loaded"), h("p", {}, problem), again];
    }
    if (state === "loading") return [h("p", { class: "loading" }, "Loading…")];
    if (state === "") return [];
    const [title, sentence] = EMPTY[this.#filter];
    return [h("b", {}, title), h("p", {}, sentence)];
  }
}

customElements.define("crewline-inbox-list", InboxList);
