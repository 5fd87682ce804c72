/**
 * One row of the staff's list: made once, then patched.
 *
 *   const row = new InboxRow(thread, () => select(thread));
 *   list.append(row.element);
 *   row.show(state, { me: client.you, here: presence.hasContact(state.contact.id), selected: false });
 *   row.tick();                       // "waiting" grows without any change
 */
import { h, setText } from "../base/dom.js";
import { shortTime, timeElement, waited } from "../base/time.js";

const SNIPPET = 160;

export class InboxRow {
  #state = null;
  #name = h("b", { class: "name" });
  #unknown = h("span", { class: "unknown", "data-testid": "unknown", hidden: true }, "unknown number");
  #dot = h("span", { class: "dot", hidden: true, role: "img", "aria-label": "is here", title: "is here" });
  #time = h("span", { class: "when" });
  #text = h("span", { class: "text", dir: "auto", "data-testid": "row-text" });
  #new = h("span", { class: "flag new", "data-testid": "flag-new" });
  #waiting = h("span", { class: "flag waiting", "data-testid": "flag-waiting" });
  #handoff = h("span", { class: "flag handoff", "data-testid": "flag-handoff", title: "A call that nobody has answered" }, "AI hand-off");
  #failed = h("span", { class: "flag failed", "data-testid": "flag-failed", title: "The last text to the customer failed, or may have" }, "Failed");
  #flags = h("span", { class: "flags" });

  constructor(thread, select) {
    this.button = h("button", { type: "button", class: "row", "data-testid": "thread-row", "data-thread": thread, onclick: select },
      h("span", { class: "line" }, h("span", { class: "who" }, this.#name, this.#unknown, this.#dot), this.#time),
      h("span", { class: "line" }, this.#text, this.#flags));
    this.element = h("li", {}, this.button);
  }

  get active() {
    return this.#state?.active ?? 0;
  }

  /** @param {import("./rows.js").Row} state */
  show(state, { me, here, selected }) {
    const { contact, last } = state;
    setText(this.#name, contact.name || contact.phone || "Unknown");
    this.#unknown.hidden = !contact.unknown;
    this.#dot.hidden = !here;
    if (last?.at !== this.#state?.last?.at) this.#time.replaceChildren(...(last ? [timeElement(last.at, shortTime(last.at))] : []));
    setText(this.#text, snippet(last, me));
    this.#text.classList.toggle("is-note", last?.kind === "note");
    this.button.classList.toggle("is-new", state.new);
    if (selected) this.button.setAttribute("aria-current", "true");
    else this.button.removeAttribute("aria-current");
    this.#state = { ...state };
    this.tick();
  }

  tick() {
    const { unread, waiting_since, last } = this.#state;
    setText(this.#new, unread > 1 ? `${unread} new` : "New");
    if (waiting_since !== null) setText(this.#waiting, `Waiting ${waited(waiting_since)}`.trim());
    toggle(this.#flags, this.#handoff, this.#state.handoff);
    toggle(this.#flags, this.#failed, this.#state.failed);
    toggle(this.#flags, this.#new, this.#state.new);
    toggle(this.#flags, this.#waiting, waiting_since !== null);
    if (last) setText(this.#time.firstChild, shortTime(last.at));
  }
}

function toggle(parent, child, there) {
  if (there && child.parentNode !== parent) parent.append(child);
  if (!there) child.remove();
}

function snippet(last, me) {
  if (!last) return last === null ? "No messages yet" : "…";
  if (last.kind === "handoff") return `Call: ${last.brief?.summary ?? ""}`.slice(0, SNIPPET);
  const text = (last.text || "Photo").slice(0, SNIPPET);
  if (last.from.kind === "customer") return text;
  const author = last.from.sub === me?.sub ? "You" : last.from.name;
  return last.kind === "note" ? `Note by ${author}: ${text}` : `${author}: ${text}`;
}
