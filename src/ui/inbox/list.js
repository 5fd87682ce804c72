/**
 * <crewline-inbox-list>: the staff's list of conversations, live, with its filters.
 *
 *   <crewline-inbox-list></crewline-inbox-list>
 *
 *   list.open(client, presence, signal);
 *   list.selected = thread;           // it stays in the list, whatever the filter
 *   list.need(thread);                // one that may not be loaded
 *   list.addEventListener("select", ({ detail }) => open(detail.thread));
 *   list.addEventListener("row", ({ detail: row }) => show(row));     // whenever a row changed
 */
import { saidBy } from "../thread/conversation.js";
import { h, setText } from "../base/dom.js";
import { InboxRow } from "./row.js";
import { Inbox, matches } from "./rows.js";

const FILTERS = { all: "All", new: "New", waiting: "Waiting", failed: "Failed", handoff: "Calls" };
const NEAR = 400;
const TICK_MS = 30_000;

class InboxList extends HTMLElement {
  #client = null;
  #presence = null;
  #inbox = new Inbox();
  #filter = "all";
  #selected = null;
  #rows = new Map();
  #unsure = new Set();
  #asking = false;
  #loading = null;

  #tabs = Object.fromEntries(Object.entries(FILTERS).map(([filter, label]) => [filter, h("button",
    { type: "button", "data-testid": `filter-${filter}`, "aria-pressed": String(filter === "all"), onclick: () => this.#choose(filter) },
    label, " ", h("span", { class: "count" }))]));
  #list = h("ul", { class: "rows", role: "list" });
  #note = h("p", { class: "plain", role: "status" });
  #scroller = h("div", { class: "scroller" }, this.#list, this.#note);

  connectedCallback() {
    this.replaceChildren(h("div", { class: "filters", role: "group", "aria-label": "Show" }, ...Object.values(this.#tabs)), this.#scroller);
  }

  /** @returns {import("./rows.js").Row | undefined} */
  row(thread) {
    return this.#inbox.rows.get(thread);
  }

  /** All that are loaded, the newest activity first. @returns {import("./rows.js").Row[]} */
  get loaded() {
    return this.#inbox.listed("all");
  }

  set selected(thread) {
    const before = this.#selected;
    this.#selected = thread;
    for (const each of [before, thread]) if (each) this.#place(each);
  }

  open(client, presence, signal) {
    this.#client = client;
    this.#presence = presence;
    this.#clear();
    client.addEventListener("welcome", ({ detail }) => detail.fresh && this.#begin(), { signal });
    client.addEventListener("caught-up", () => this.#inbox.loaded || this.#load(), { signal });
    client.addEventListener("reset", () => this.#clear(), { signal });
    client.addEventListener("change", ({ detail }) => this.#change(detail), { signal });
    client.addEventListener("badge", ({ detail }) => this.#count(detail), { signal });
    this.#scroller.addEventListener("scroll", () => this.#moreIfNear(), { signal, passive: true });
    const tick = setInterval(() => this.#rows.forEach((row) => row.tick()), TICK_MS);
    signal.addEventListener("abort", () => clearInterval(tick));
    // The line may have been up before: then no welcome comes.
    if (client.cursor !== null) {
      if (client.badge) this.#count(client.badge);
      this.#begin();
    }
  }

  need(thread) {
    if (!this.row(thread)) this.#ask(thread);
  }

  /** Who came or left shows on their rows. */
  present(contacts) {
    const wanted = new Set(contacts);
    for (const { thread, contact } of this.#inbox.rows.values()) if (wanted.has(contact.id)) this.#place(thread);
  }

  #choose(filter) {
    this.#filter = filter;
    for (const [name, tab] of Object.entries(this.#tabs)) tab.setAttribute("aria-pressed", String(name === filter));
    this.#begin();
  }

  #begin() {
    this.#clear();
    this.#load();
  }

  #clear() {
    this.#inbox = new Inbox();
    this.#rows.clear();
    this.#unsure.clear();
    this.#loading = null;
    this.#list.replaceChildren();
    setText(this.#note, "");
  }

  async #load() {
    const inbox = this.#inbox;
    if (this.#loading || inbox.next === null) return;
    const loading = (this.#loading = {});
    try {
      const page = await this.#client.inbox({ filter: this.#filter, after: inbox.next });
      if (loading !== this.#loading) return;
      const later = inbox.load(page);
      for (const { thread } of page.threads) this.#place(thread);
      for (const { thread, unsure } of later) unsure ? this.#ask(thread) : this.#place(thread);
      page.threads.forEach(({ thread, last }) => this.row(thread).new && this.#received(last));
      if (this.#selected) this.need(this.#selected);
      this.#say();
    } catch (error) {
      if (loading === this.#loading) setText(this.#note, `The list could not be loaded: ${error.message}`);
    }
    if (loading !== this.#loading) return;
    this.#loading = null;
    if (inbox.loaded) this.#moreIfNear();
  }

  #moreIfNear() {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    if (this.#inbox.loaded && clientHeight > 0 && scrollHeight - scrollTop - clientHeight < NEAR) this.#load();
  }

  #change(record) {
    this.#received(record);
    const { thread, unsure } = this.#inbox.apply(record) ?? {};
    if (!thread) return;
    if (this.row(thread)) this.#place(thread);
    if (unsure) this.#ask(thread);
    this.#say();
  }

  /** A customer's message is on this device, whether its thread is open or not. */
  #received(record) {
    if (record && saidBy(record) === "customer") this.#client.received(record.thread, record.seq);
  }

  /** One at a time: a long absence may leave many threads to ask for. */
  async #ask(thread) {
    this.#unsure.add(thread);
    if (this.#asking) return;
    this.#asking = true;
    for (const each of this.#unsure) {
      const inbox = this.#inbox;
      this.#unsure.delete(each);
      const snapshot = await this.#client.thread(each).catch(() => null);
      if (!snapshot || inbox !== this.#inbox) continue;
      if (inbox.refresh(snapshot)) this.#place(each);
      else this.#unsure.add(each);
    }
    this.#asking = false;
    this.#say();
  }

  /** Puts the row where it belongs, or takes it out; leaves all others alone. */
  #place(thread) {
    const state = this.row(thread);
    if (!state) return;
    const selected = thread === this.#selected;
    let row = this.#rows.get(thread);
    if (!selected && !matches(state, this.#filter)) {
      row?.element.remove();
      this.#rows.delete(thread);
    } else {
      if (!row) this.#rows.set(thread, (row = new InboxRow(thread, () => this.#select(thread))));
      const moved = row.active !== (state.active ?? 0) || !row.element.isConnected;
      row.show(state, { me: this.#client.you, here: this.#presence.hasContact(state.contact.id), selected });
      if (moved) this.#insert(row);
    }
    this.dispatchEvent(new CustomEvent("row", { detail: state }));
  }

  #insert(row) {
    const after = [...this.#rows.values()].filter((other) => other !== row && other.element.isConnected && other.active > row.active);
    const focused = this.getRootNode().activeElement === row.button;
    // The one just above it is the least active of those above.
    const above = after.reduce((least, other) => (!least || other.active < least.active ? other : least), null);
    if (above) above.element.after(row.element);
    else this.#list.prepend(row.element);
    if (focused) row.button.focus();
  }

  #select(thread) {
    this.dispatchEvent(new CustomEvent("select", { detail: { thread } }));
  }

  #count(badge) {
    setText(this.#tabs.new.lastElementChild, String(badge.new ?? badge.unread ?? ""));
    setText(this.#tabs.waiting.lastElementChild, String(badge.waiting ?? ""));
  }

  #say() {
    const empty = this.#inbox.loaded && this.#inbox.next === null && this.#rows.size === 0;
    setText(this.#note, !empty ? "" : this.#filter === "all" ? "No conversations yet." : "Nothing here: all is seen to.");
  }
}

customElements.define("crewline-inbox-list", InboxList);
