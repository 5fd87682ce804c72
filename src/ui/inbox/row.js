/**
 * One row of the staff's list: made once, then patched, also for another thread.
 *
 *   const row = new InboxRow((thread, pointed) => select(thread));
 *   list.append(row.element);
 *   row.show(state, { me: client.you, here: true, colleagues: "Kim is looking", selected: false });
 *
 * @typedef {object} Told what is known of the people around a thread
 * @property {{sub?: string} | null} me
 * @property {boolean} here the customer is online
 * @property {string} colleagues "Sam is answering", "Kim is looking", or nothing
 * @property {boolean} [typing] the customer is
 *
 * @typedef {(thread: string, contact: string) => Told} About
 */
import { h, setText } from "../base/dom.js";
import { shortTime, timeElement, waited } from "../base/time.js";
import { initials, named } from "./contact.js";

const SNIPPET = 160;

export class InboxRow {
  #thread = "";
  #at = 0;
  #initials = h("span", {});
  #dot = h("span", { class: "dot", hidden: true, role: "img", "aria-label": "is online", title: "is online" });
  #name = h("b", { class: "name", dir: "auto" });
  #unknown = h("span", { class: "flag unknown-number", "data-testid": "unknown", title: "A number that is no contact's", hidden: true }, "unknown");
  #time = h("span", { class: "when" });
  #text = h("span", { class: "text", dir: "auto", "data-testid": "row-text" });
  #unread = h("span", {});
  #new = h("span", { class: "new", "data-testid": "flag-new" }, this.#unread, h("span", { class: "unseen" }, " new"));
  #failed = h("span", { class: "flag failed", "data-testid": "flag-failed", title: "The last text to the customer failed, or may have" }, "Text failed");
  #handoff = h("span", { class: "flag handoff", "data-testid": "flag-handoff", title: "A call that nobody has answered" }, "AI hand-off");
  #waiting = h("span", { class: "flag waiting", "data-testid": "flag-waiting" });
  #colleagues = h("span", { class: "flag colleagues", "data-testid": "row-colleagues" });
  #second = h("span", { class: "line second" }, this.#text);
  #flags = h("span", { class: "flags" });

  /** @param {(thread: string, pointed: boolean) => void} select */
  constructor(select) {
    this.button = h("button", { type: "button", class: "row", "data-testid": "thread-row", onclick: ({ detail }) => select(this.#thread, detail > 0) },
      h("span", { class: "face", "aria-hidden": "true" }, this.#initials), this.#dot,
      h("span", { class: "line first" }, this.#name, this.#time),
      this.#second, h("span", { class: "line third" }, this.#flags, this.#unknown));
    this.element = h("li", {}, this.button);
  }

  /** @param {import("./rows.js").Row} row @param {Told & {selected: boolean}} told */
  show(row, { me, here, colleagues, typing, selected }) {
    const { contact, last, unread, waiting_since } = row;
    if (row.thread !== this.#thread) this.button.dataset.thread = this.#thread = row.thread;
    setText(this.#initials, initials(contact));
    setText(this.#name, named(contact));
    this.#dot.hidden = !here;
    this.#showTime(last);
    setText(this.#text, typing ? "is writing…" : snippet(last, me));
    this.#text.classList.toggle("is-note", !typing && last?.kind === "note");
    this.button.classList.toggle("is-new", row.new);
    setText(this.#unread, unread > 99 ? "99+" : String(Math.max(unread, 1)));
    if (waiting_since !== null) setText(this.#waiting, `Waiting ${waited(waiting_since)}`.trim());
    setText(this.#colleagues, colleagues);
    showIn(this.#second, row.new ? [this.#text, this.#new] : [this.#text]);
    const flags = [[this.#failed, row.failed], [this.#waiting, waiting_since !== null], [this.#handoff, row.handoff], [this.#colleagues, colleagues !== ""]];
    this.#unknown.hidden = !contact.unknown;
    showIn(this.#flags, flags.filter(([, there]) => there).map(([flag]) => flag));
    this.button.classList.toggle("has-state", this.#flags.childElementCount > 0 || Boolean(contact.unknown));
    if (selected) this.button.setAttribute("aria-current", "true");
    else this.button.removeAttribute("aria-current");
  }

  #showTime(last) {
    const at = last?.at ?? 0;
    if (at !== this.#at) this.#time.replaceChildren(...(last ? [timeElement(at, shortTime(at))] : []));
    else if (last && this.#time.firstElementChild) setText(this.#time.firstElementChild, shortTime(at));
    this.#at = at;
  }
}

function showIn(parent, children) {
  if (children.length === parent.childElementCount && children.every((child, place) => parent.children[place] === child)) return;
  parent.replaceChildren(...children);
}

function snippet(last, me) {
  if (!last) return last === null ? "No messages yet" : "…";
  if (last.kind === "handoff") return `Call: ${last.brief?.summary ?? ""}`.slice(0, SNIPPET);
  const text = (last.text || "Photo").slice(0, SNIPPET);
  if (last.from.kind === "customer") return text;
  const author = last.from.sub === me?.sub ? "You" : last.from.name;
  return last.kind === "note" ? `Note by ${author}: ${text}` : `${author}: ${text}`;
}
