/**
 * <crewline-inbox>: the team's shared inbox: the list of conversations, the one
 * that is open, search, and what needs a hand.
 *
 *   <script type="module" src="https://hub.example/ui/inbox.js"></script>
 *   <crewline-inbox token-url="/my-backend/crewline-token"></crewline-inbox>
 *
 *   undo-seconds   so long what was sent can be taken back; 0: not at all
 *   inbox.selected = thread;      // opens it; null closes it
 *   inbox.reveal(thread, rev);    // opens it and goes back to that record
 *   inbox.addEventListener("crewline-select", ({ detail }) => …);    // {thread}, when its user opens or closes one
 *
 * Keys: j and k or the arrows, Enter, u, r, n, e, /, ? for the list of all; see inbox/keys.js.
 * It fills the box that it is given, and shows list or conversation where both
 * find no room. Colours are custom properties, see styles/theme.css; token,
 * events and the rest are in base/element.js.
 */
import { h, setText } from "./base/dom.js";
import { CrewlineElement } from "./base/element.js";
import { Presence, Typists, listed } from "./base/people.js";
import { sheets } from "./base/sheet.js";
import "./inbox/contact-header.js";
import { icon } from "./inbox/icons.js";
import { Keys } from "./inbox/keys.js";
import "./inbox/line-notice.js";
import "./inbox/list.js";
import "./inbox/unrouted-list.js";
import { Viewers } from "./inbox/viewers.js";
import "./search/search-box.js";
import "./thread/state-line.js";
import { followHandler } from "./thread/handler.js";
import "./thread/pane.js";

const SHEETS = await sheets("theme.css", "thread.css", "composer.css", "inbox.css", "search.css");
/** So long a colleague's answer is told beside the name. */
const JUST_NOW_MS = 60_000;

export class CrewlineInbox extends CrewlineElement {
  static sheets = SHEETS;

  /** @type {string | null} */
  #selected = null;
  /** Ends with the open thread. */
  #following = new AbortController();
  /** @type {Presence} */
  #presence;
  /** @type {Typists} */
  #typists;
  /** @type {Viewers} */
  #viewers;
  /** The colleague who answered last in the open thread, for a minute. */
  #answered = { name: "", timer: 0 };

  #search = h("crewline-search");
  #colleagues = h("p", { class: "presence", "data-testid": "colleagues" });
  #state = h("crewline-state");
  #notice = h("crewline-line-notice");
  #unrouted = h("crewline-unrouted", { role: "region", "aria-label": "Texts that reached nobody" });
  #list = h("crewline-inbox-list", { role: "region", "aria-label": "Conversations" });
  #header = h("crewline-contact-header");
  #ai = h("p", { class: "banner", role: "status", "data-testid": "handler", hidden: true }, "The AI receptionist may still answer here, until one of you does.");
  #goesOn = h("a", { href: "#" }, "the conversation goes on there");
  #attached = h("p", { class: "banner", role: "status", "data-testid": "attached", hidden: true }, "This number was attached to a contact: ", this.#goesOn, ".");
  #pane = h("crewline-pane", { placeholder: "Write to the customer", notes: true });
  #nothing = h("p", { class: "plain" }, "Choose a conversation.");
  #frame = h("div", { class: "frame" });
  #opened = h("div", { class: "opened", hidden: true }, this.#header, this.#ai, this.#attached, this.#pane);

  constructor() {
    super();
    this.#header.addEventListener("back", () => this.#back());
    this.#header.addEventListener("handled", () => this.#handled());
    this.#header.attach.addEventListener("attached", ({ detail: { thread } }) => this.#choose(thread));
    this.#list.addEventListener("select", ({ detail: { thread, pointed } }) => {
      this.#choose(thread);
      // By keys one goes on through the list; and on a phone, the keyboard would hide what was just opened.
      if (pointed && matchMedia("(pointer: fine)").matches) this.#pane.focus();
    });
    this.#list.addEventListener("row", () => this.#showContact());
    this.#search.addEventListener("choose", ({ detail: { thread, number } }) => {
      this.#choose(thread);
      this.#pane.reveal(number);
    });
    this.#search.addEventListener("toggle", ({ detail: { open } }) => this.#frame.classList.toggle("is-searching", open));
    this.#unrouted.addEventListener("open", ({ detail: { thread } }) => this.#choose(thread));
  }

  get selected() {
    return this.#selected;
  }

  set selected(thread) {
    if (thread !== this.#selected) this.#open(thread);
  }

  reveal(thread, rev) {
    this.selected = thread;
    this.#pane.reveal(rev);
  }

  opened(client, signal) {
    const keys = new Keys(this, this.#keys(), signal);
    const help = h("button", { type: "button", class: "plain-icon", "aria-label": "Keys", title: "Keys (?)", onclick: () => keys.help() }, icon("keys"));
    this.#frame.replaceChildren(
      h("div", { class: "list" },
        h("div", { class: "above" }, h("div", { class: "tools" }, this.#search, help), this.#colleagues, this.#state),
        this.#notice, this.#unrouted, this.#list),
      h("section", { class: "pane", "aria-label": "Conversation" }, this.#nothing, this.#opened));
    this.root.replaceChildren(this.#frame, keys.dialog);
    this.#presence = new Presence(client, () => this.#showPeople(), { signal });
    this.#typists = new Typists(client, () => this.#showPeople(), { signal });
    this.#viewers = new Viewers(client, () => this.#showPeople(), { signal });
    client.addEventListener("state", () => this.#showContact(), { signal });
    this.#pane.undoSeconds = Number(this.getAttribute("undo-seconds"));
    client.addEventListener("change", ({ detail }) => this.#someoneAnswered(detail), { signal });
    this.#state.watch(client);
    this.#search.open(client, signal);
    this.#list.open(client, (thread, contact) => this.#about(thread, contact), signal);
    this.#notice.open(client, signal);
    this.#unrouted.open(client, () => this.#list.loaded, signal);
    signal.addEventListener("abort", () => {
      this.#following.abort();
      clearTimeout(this.#answered.timer);
      this.#pane.leave();
    });
    this.#open(this.#selected);
  }

  #keys() {
    const next = () => this.#list.step(1);
    const previous = () => this.#list.step(-1);
    // Elsewhere an arrow scrolls what has the focus.
    const inList = (act) => (path) => (path.includes(this.#list) || !path.includes(this) ? act() : false);
    const opened = (act) => () => (this.#selected === null ? false : act());
    return {
      j: next, ArrowDown: inList(next), k: previous, ArrowUp: inList(previous),
      u: () => this.#back(), Escape: opened(() => this.#back()),
      r: opened(() => this.#pane.write({ internal: false })), n: opened(() => this.#pane.write({ internal: true })),
      e: opened(() => this.#handled()),
      "/": () => this.#search.focus(),
    };
  }

  /** By its user. */
  #choose(thread) {
    if (thread === this.#selected) return;
    this.#open(thread);
    this.dispatchEvent(new CustomEvent("crewline-select", { detail: { thread } }));
  }

  #back() {
    const thread = this.#selected;
    this.#choose(null);
    this.#list.focusOn(thread);
  }

  #handled() {
    const row = this.#list.row(this.#selected);
    if (row && row.waiting_since !== null) this.client?.handled(this.#selected, this.#pane.lastSeq);
  }

  #open(thread) {
    this.#selected = thread;
    this.#following.abort();
    this.#following = new AbortController();
    this.#frame.classList.toggle("has-thread", thread !== null);
    this.#opened.hidden = thread === null;
    this.#nothing.hidden = thread !== null;
    if (!this.client) return;
    this.#showHandler({});
    this.#sayAnswered("");
    this.#viewers.look(thread);
    this.#list.selected = thread;
    if (thread === null) {
      this.#pane.leave();
    } else {
      this.#pane.open(this.client, thread);
      followHandler(this.client, thread, (told) => this.#showHandler(told), this.#following.signal);
      if (this.client.cursor !== null) this.#list.need(thread);
    }
    this.#showContact();
  }

  #showHandler({ handler, attached_to }) {
    this.#ai.hidden = handler !== "ai";
    this.#attached.hidden = !attached_to;
    this.#pane.closed = Boolean(attached_to);
    this.#goesOn.onclick = (event) => {
      event.preventDefault();
      this.#choose(attached_to);
    };
  }

  /** @type {import("./inbox/row.js").About} */
  #about(thread, contact) {
    return {
      me: this.client?.you ?? null,
      here: this.#presence.hasContact(contact),
      colleagues: this.#typists.answering(thread) || this.#viewers.sentence(thread),
      typing: this.#typists.customer(thread),
    };
  }

  #showPeople() {
    const others = this.#presence.staff.filter(({ sub }) => sub !== this.client?.you?.sub).map(({ name }) => name);
    setText(this.#colleagues, others.length > 0 ? `Also here: ${listed(others)}` : "");
    this.#list.refresh();
    this.#showContact();
  }

  #someoneAnswered({ kind, thread, from }) {
    if (kind === "message" && thread === this.#selected && from.kind === "staff") this.#sayAnswered(this.client?.isMe(from) ? "" : from.name);
  }

  #sayAnswered(name) {
    clearTimeout(this.#answered.timer);
    const over = () => {
      this.#answered.name = "";
      this.#showContact();
    };
    this.#answered = { name, timer: name ? setTimeout(over, JUST_NOW_MS) : 0 };
    this.#showContact();
  }

  #showContact() {
    if (!this.client) return;
    const thread = this.#selected;
    const row = thread ? this.#list.row(thread) : undefined;
    const about = thread && row ? this.#about(thread, row.contact.id) : null;
    const answered = this.#answered.name && `${this.#answered.name} answered just now`;
    this.#header.show({
      row,
      here: about?.here ?? false,
      colleagues: (thread && this.#typists.answering(thread)) || answered || about?.colleagues || "",
      live: this.client.state === "live",
    });
    if (row?.contact.unknown && row.contact.phone) {
      const contacts = () => this.#list.loaded.map(({ contact }) => contact).filter(({ unknown }) => !unknown);
      this.#header.attach.open(this.client, { thread, number: row.contact.phone, seen: () => this.#pane.lastSeq, contacts });
    } else {
      this.#header.attach.close();
    }
  }
}

customElements.define("crewline-inbox", CrewlineInbox);
