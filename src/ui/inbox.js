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
import { wearColour } from "./base/accent.js";
import { h, keepFocus, setText } from "./base/dom.js";
import { CrewlineElement } from "./base/element.js";
import { Typists, listed } from "./base/people.js";
import { sheets } from "./base/sheet.js";
import "./inbox/bell.js";
import "./inbox/contact-header.js";
import "./inbox/contact-panel.js";
import { icon } from "./base/icon.js";
import { Keys } from "./inbox/keys.js";
import "./inbox/line-notice.js";
import "./inbox/list.js";
import "./inbox/new-conversation.js";
import "./inbox/unrouted-list.js";
import { named } from "./inbox/contact.js";
import { Notifier } from "./inbox/notifier.js";
import { Viewers } from "./inbox/viewers.js";
import "./search/search-box.js";
import "./thread/state-line.js";
import { followHandler } from "./thread/handler.js";
import "./thread/pane.js";

const SHEETS = await sheets("theme.css", "thread.css", "composer.css", "inbox.css", "search.css");
/** From this width on, in pixels, the contact's panel stands beside the conversation. */
const ROOMY = 1200;
/** So long a colleague's answer is told beside the name. */
const JUST_NOW_MS = 60_000;

export class CrewlineInbox extends CrewlineElement {
  static sheets = SHEETS;

  /** @type {string | null} */
  #selected = null;
  /** Ends with the open thread. */
  #following = new AbortController();
  /** @type {any} Typists, once it is open; so are the next two */
  #typists;
  /** @type {any} */
  #viewers;
  /** @type {any} */
  #notifier;
  /** The colleague who answered last in the open thread, for a minute. */
  #answered = { name: "", timer: 0 };

  #search = h("crewline-search", { stays: true, title: "Search (/)" });
  #colleagues = h("p", { class: "presence", "data-testid": "colleagues" });
  #state = h("crewline-state");
  #notice = h("crewline-line-notice");
  #unrouted = h("crewline-unrouted", { role: "region", "aria-label": "Texts that reached nobody" });
  #list = h("crewline-inbox-list", { role: "region", "aria-label": "Conversations" });
  #header = h("crewline-contact-header");
  #ai = h("p", { class: "banner", role: "status", "data-testid": "handler", hidden: true }, "The AI receptionist may still answer here, until one of you does.");
  #goesOn = h("a", { href: "#" }, "the conversation goes on there");
  #attached = h("p", { class: "banner", role: "status", "data-testid": "attached", hidden: true }, "This number was attached to a contact: ", this.#goesOn, ".");
  #pane = h("crewline-pane", { placeholder: "Write to the customer", notes: true, state: true });
  #panel = h("crewline-contact-panel");
  #bell = h("crewline-bell");
  #beginning = h("crewline-new-conversation");
  #nothing = h("div", { class: "nothing" }, h("b", {}, "Choose a conversation"), h("p", {}, h("kbd", {}, "j"), " and ", h("kbd", {}, "k"), " go through the list, ", h("kbd", {}, "?"), " shows all keys."));
  #frame = h("div", { class: "frame" });
  #opened = h("div", { class: "opened", hidden: true }, h("div", { class: "talk" }, this.#header, this.#ai, this.#attached, this.#pane), this.#panel);

  constructor() {
    super();
    /** @param {EventTarget} from @param {string} type @param {(detail: any) => void} heard */
    const on = (from, type, heard) => from.addEventListener(type, (event) => heard(/** @type {CustomEvent} */ (event).detail));
    on(this.#header, "back", () => this.#back());
    on(this.#header, "handled", () => this.#handled());
    on(this.#header, "panel", () => this.#panel.toggle());
    on(this.#panel, "toggle", ({ open, left }) => {
      this.#header.panel = open;
      if (left) this.#header.focus();
    });
    on(this.#beginning, "begun", ({ thread }) => {
      this.#choose(thread);
      this.#pane.focus();
    });
    on(this.#header.attach, "attached", ({ thread }) => {
      this.#choose(thread);
      this.#pane.focus();
    });
    on(this.#list, "select", ({ thread, pointed }) => {
      this.#choose(thread);
      // By keys one goes on through the list; and on a phone, the keyboard would hide what was just opened.
      if (pointed && matchMedia("(pointer: fine)").matches) this.#pane.focus();
    });
    on(this.#list, "row", () => this.#showContact());
    on(this.#search, "choose", ({ thread, number }) => {
      this.#choose(thread);
      this.#pane.reveal(number);
    });
    on(this.#search, "toggle", ({ open }) => this.#frame.classList.toggle("is-searching", open));
    on(this.#unrouted, "open", ({ thread }) => this.#choose(thread));
    on(this.#unrouted, "left", () => this.#list.focusOn(this.#selected));
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
    wearColour(this, client, signal);
    const keys = new Keys(this, this.#keys(), signal);
    const help = h("button", { type: "button", class: "plain-icon", "aria-label": "Keys", title: "Keys (?)", onclick: () => keys.help() }, icon("keys"));
    const begin = h("button", { type: "button", class: "plain-icon", "aria-label": "New conversation", title: "New conversation (c)", "data-testid": "new-conversation", onclick: () => this.#beginning.open(client) }, icon("pen"));
    this.#frame.replaceChildren(
      h("div", { class: "list" },
        h("div", { class: "head" }, h("div", { class: "tools" }, this.#search, begin, this.#bell, help), this.#colleagues, this.#state),
        this.#notice, this.#unrouted, this.#list),
      h("section", { class: "pane", "aria-label": "Conversation" }, this.#nothing, this.#opened));
    this.root.replaceChildren(this.#frame, this.#beginning, keys.dialog);
    const width = new ResizeObserver(([{ contentRect }]) => { this.#panel.roomy = contentRect.width >= ROOMY; });
    width.observe(this);
    signal.addEventListener("abort", () => width.disconnect());
    client.addEventListener("presence", () => this.#showPeople(), { signal });
    this.#typists = new Typists(client, () => this.#showPeople(), { signal });
    this.#viewers = new Viewers(client, () => this.#showPeople(), { signal });
    client.addEventListener("state", () => this.#showContact(), { signal });
    this.#pane.undoSeconds = Number(this.getAttribute("undo-seconds"));
    client.addEventListener("change", ({ detail }) => this.#someoneAnswered(detail), { signal });
    this.#notifier = new Notifier(client, {
      name: (thread) => {
        const row = this.#list.row(thread);
        return row ? named(row.contact) : "";
      },
      open: (thread) => this.#choose(thread),
    }, signal);
    this.#bell.open(this.#notifier);
    this.#state.watch(client);
    this.#search.open(client, signal);
    this.#list.open(client, (thread, contact) => this.#about(thread, contact), signal);
    this.#notice.open(client, signal);
    this.#unrouted.open(client, signal);
    signal.addEventListener("abort", () => {
      this.#following.abort();
      clearTimeout(this.#answered.timer);
      this.#pane.leave();
    });
    this.#open(this.#selected);
    this.#showPeople();
  }

  #keys() {
    const next = () => (this.#search.isOpen ? this.#search : this.#list).step(1);
    const previous = () => (this.#search.isOpen ? this.#search : this.#list).step(-1);
    // Elsewhere an arrow scrolls what has the focus.
    const inList = (act) => (path) => (path.includes(this.#list) || !path.includes(this) ? act() : false);
    const opened = (act) => (path) => (this.#selected === null ? false : act(path));
    return {
      j: next, ArrowDown: inList(next), k: previous, ArrowUp: inList(previous),
      u: () => this.#back(), Escape: opened((path) => this.#escape(path)),
      r: opened(() => this.#pane.write({ internal: false })), n: opened(() => this.#pane.write({ internal: true })),
      e: opened(() => this.#handled()),
      i: opened(() => this.#panel.toggle()),
      c: () => this.#beginning.open(this.client),
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

  /** Out of the composer it leads to the messages; a field of its own knows what Escape is. */
  #escape(path) {
    const [target] = path;
    if (target instanceof HTMLInputElement || target instanceof HTMLSelectElement) return false;
    else this.#back();
  }

  #handled() {
    const row = this.#selected === null ? undefined : this.#list.row(this.#selected);
    if (!row || row.waiting_since === null) return;
    // What came after that which is in view is to be looked at first.
    if (this.#pane.whole) this.client?.handled(row.thread, this.#pane.lastSeq);
    else this.#pane.toNewest();
  }

  /** On a phone the list goes, or the conversation, and with it what had the focus. */
  #open(thread) {
    const before = this.#selected;
    const next = () => (thread === null ? this.#list.focusOn(before) : /** @type {HTMLElement | null} */ (this.#pane.querySelector("[role=log]")));
    keepFocus(this.#frame, () => this.#show(thread), next);
  }

  #show(thread) {
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
    this.#panel.open(this.client, thread, this.#following.signal);
    if (thread === null) {
      this.#pane.leave();
    } else {
      this.#notifier.read(thread);
      this.#pane.open(this.client, thread);
      followHandler(this.client, thread, (told) => this.#showHandler(told), this.#following.signal);
      if (this.client.cursor !== null) this.#list.need(thread);
    }
    this.#showContact();
  }

  /** @param {{handler?: string, attached_to?: string | null}} told */
  #showHandler({ handler, attached_to }) {
    this.#ai.hidden = handler !== "ai";
    this.#attached.hidden = !attached_to;
    this.#pane.closed = Boolean(attached_to);
    this.#goesOn.onclick = (event) => {
      event.preventDefault();
      this.#choose(attached_to ?? null);
    };
  }

  /** @type {import("./inbox/row.js").About} */
  #about(thread, contact) {
    return {
      me: this.client?.you ?? null,
      here: this.client?.presence.hasContact(contact) ?? false,
      colleagues: this.#typists.answering(thread) || this.#viewers.sentence(thread),
      typing: this.#typists.customer(thread),
    };
  }

  #showPeople() {
    const others = (this.client?.presence.staff ?? []).filter(({ sub }) => sub !== this.client?.you?.sub).map(({ name }) => name);
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
    this.#panel.show({ row, here: about?.here ?? false });
    if (row?.contact.unknown && row.contact.phone) {
      this.#header.attach.open(this.client, { thread: row.thread, number: row.contact.phone, seen: () => this.#pane.lastSeq });
    } else {
      this.#header.attach.close();
    }
  }
}

customElements.define("crewline-inbox", CrewlineInbox);
