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
 * It fills the box that it is given, and shows list or conversation where both
 * find no room. Colours are custom properties, see styles/theme.css; token,
 * events and the rest are in base/element.js.
 */
import { h, setText } from "./base/dom.js";
import { CrewlineElement } from "./base/element.js";
import { Presence } from "./base/people.js";
import { sheets } from "./base/sheet.js";
import "./inbox/contact-header.js";
import "./inbox/line-notice.js";
import "./inbox/list.js";
import "./inbox/unrouted-list.js";
import { Viewers } from "./inbox/viewers.js";
import "./search/search-box.js";
import "./thread/state-line.js";
import { followHandler } from "./thread/handler.js";
import "./thread/pane.js";

const SHEETS = await sheets("theme.css", "thread.css", "composer.css", "inbox.css", "search.css");

export class CrewlineInbox extends CrewlineElement {
  static sheets = SHEETS;

  /** @type {string | null} */
  #selected = null;
  /** Ends with the open thread. */
  #following = new AbortController();
  #presence = null;
  #viewers = null;

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
    this.#header.addEventListener("back", () => this.#choose(null));
    this.#header.addEventListener("handled", () => this.client?.handled(this.#selected, this.#pane.lastSeq));
    this.#header.attach.addEventListener("attached", ({ detail: { thread } }) => this.#choose(thread));
    this.#list.addEventListener("select", ({ detail: { thread } }) => {
      this.#choose(thread);
      // A keyboard on a phone would hide the conversation that was just opened.
      if (matchMedia("(pointer: fine)").matches) this.#pane.focus();
    });
    this.#list.addEventListener("row", ({ detail: row }) => row.thread === this.#selected && this.#showContact());
    this.#search.addEventListener("choose", ({ detail: { thread, number } }) => {
      this.#choose(thread);
      this.#pane.reveal(number);
    });
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
    this.#frame.replaceChildren(
      h("div", { class: "list" }, h("div", { class: "above" }, this.#search, this.#colleagues, this.#state), this.#notice, this.#unrouted, this.#list),
      h("section", { class: "pane", "aria-label": "Conversation" }, this.#nothing, this.#opened));
    this.root.replaceChildren(this.#frame);
    this.#presence = new Presence(client, (people) => {
      this.#list.present(people.map(({ contact }) => contact));
      this.#showPresence();
    }, { signal });
    this.#viewers = new Viewers(client, () => this.#showContact(), { signal });
    client.addEventListener("state", () => this.#showContact(), { signal });
    this.#pane.undoSeconds = Number(this.getAttribute("undo-seconds"));
    this.#state.watch(client);
    this.#search.open(client, signal);
    this.#list.open(client, this.#presence, signal);
    this.#notice.open(client, signal);
    this.#unrouted.open(client, () => this.#list.loaded, signal);
    signal.addEventListener("abort", () => this.#pane.leave());
    this.#open(this.#selected);
  }

  /** By its user. */
  #choose(thread) {
    if (thread === this.#selected) return;
    this.#open(thread);
    this.dispatchEvent(new CustomEvent("crewline-select", { detail: { thread } }));
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

  #showPresence() {
    const others = this.#presence.staff.filter(({ sub }) => sub !== this.client.you?.sub).map(({ name }) => name);
    setText(this.#colleagues, others.length > 0 ? `Also here: ${others.join(", ")}` : "");
    this.#showContact();
  }

  #showContact() {
    if (!this.client) return;
    const thread = this.#selected;
    const row = thread ? this.#list.row(thread) : undefined;
    this.#header.show({
      row,
      here: Boolean(row && this.#presence.hasContact(row.contact.id)),
      looking: thread ? this.#viewers.sentence(thread) : "",
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
