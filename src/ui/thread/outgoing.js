/**
 * Messages on their way out, and those that the server would not take, under
 * the conversation.
 *
 *   const outgoing = new Outgoing(client, thread, { edit, seen });
 *   outgoing.element
 *   outgoing.show();             // whenever the outbox or the line changed; true: there is a new one
 */
import { saidBy } from "./conversation.js";
import { h, keepFocus, setText } from "../base/dom.js";
import { bubble } from "./message-row.js";
import { patchPhotos } from "./photo-row.js";
import { timeElement } from "../base/time.js";

/** @typedef {import("../client/outbox.js").Outgoing} Entry */

export class Outgoing {
  element = h("div", { class: "outgoing" });
  #client;
  #thread;
  #edit;
  #seen;
  /** By id; `records` came in between when it was last decided on. @type {Map<string, {row: HTMLElement, state?: string, records?: any[]}>} */
  #rows = new Map();

  /**
   * @param {import("../client.js").CrewlineClient} client
   * @param {string | undefined} thread a customer's is undefined
   * @param {object} view
   * @param {(entry: Entry) => void} view.edit its text goes back to where it was written
   * @param {() => number | undefined} view.seen the last seq that is in view
   */
  constructor(client, thread, { edit, seen }) {
    this.#client = client;
    this.#thread = thread;
    this.#edit = edit;
    this.#seen = seen;
  }

  show() {
    const entries = this.#client.outbox.filter(({ thread }) => thread === this.#thread);
    const gone = new Set(this.#rows.keys()).difference(new Set(entries.map(({ id }) => id)));
    const grown = entries.some(({ id }) => !this.#rows.has(id));
    keepFocus(this.element, () => {
      for (const entry of entries) this.#patch(this.#rows.get(entry.id) ?? this.#add(entry), entry);
      for (const id of gone) {
        this.#rows.get(id)?.row.remove();
        this.#rows.delete(id);
      }
    }, () => this.element.closest("[role=log]"));
    [...this.element.children].forEach((row, i) => row.classList.toggle("joined", i > 0));
    return grown;
  }

  /** @param {Entry} entry */
  #add(entry) {
    const row = bubble({
      className: entry.internal ? "message own note pending ends" : "message own pending ends",
      testid: entry.internal ? "note" : "message",
      name: "",
      nameless: true,
      note: entry.internal ? "Internal note" : null,
      time: entry.at,
      text: entry.text,
      data: { id: entry.id },
    });
    if (entry.photos) patchPhotos(row, { record: { photos: entry.photos.map((id) => ({ id })) } }, this.#client);
    this.element.append(row);
    const added = { row };
    this.#rows.set(entry.id, added);
    return added;
  }

  /** What is the same is left alone: somebody may be about to press a button there. */
  #patch(shown, entry) {
    const { row } = shown;
    const { state, records } = entry;
    const { you } = this.#client;
    setText(row.querySelector("[data-testid=name]"), you && you.role !== "customer" ? you.name : "You");
    setText(row.querySelector("[data-testid=receipt]"), STATES[state](entry, this.#client));
    if (shown.state === state && shown.records === records) return;
    Object.assign(shown, { state, records });
    row.dataset.state = state;
    for (const each of row.querySelectorAll(".between, .actions")) each.remove();
    if (state === "stale") row.append(between(entry, this.#client));
    if (state === "refused" || state === "stale") row.append(this.#actions(entry));
  }

  #actions(entry) {
    const button = (label, testid, act) => h("button", { type: "button", "data-testid": testid, onclick: act }, label);
    const copy = button("Copy", "copy", async ({ currentTarget }) => {
      await navigator.clipboard.writeText(entry.text).then(() => { currentTarget.textContent = "Copied"; }, () => {});
    });
    return h("div", { class: "actions" },
      button(entry.state === "stale" ? "Send anyway" : "Try again", "retry", () => this.#client.retry(entry.id, this.#seen())),
      button("Edit", "edit", () => {
        this.#client.discard(entry.id);
        this.#edit(entry);
      }),
      // Pages without TLS may not.
      navigator.clipboard && entry.text !== "" ? copy : null,
      button("Discard", "discard", () => this.#client.discard(entry.id)));
  }
}

/** @type {Record<string, (entry: Entry, client: import("../client.js").CrewlineClient) => string>} */
const STATES = {
  held: () => "Not sent yet",
  queued: (entry, client) => (client.state === "live" || client.state === "catching-up" ? "Sending…" : "Waiting to be sent"),
  sending: () => "Sending…",
  sent: () => "Sent",
  refused: ({ message }) => `Not sent: ${message ?? "the server would not take it"}`,
  stale: () => "Not sent yet: there is something new that you had not seen",
};

/** What came in between, so that the writer can decide. @param {Entry} entry @param {import("../client.js").CrewlineClient} client */
function between(entry, client) {
  /** @type {any[]} */
  const said = (entry.records ?? []).filter((record) => saidBy(/** @type {any} */ (record)));
  if (said.length === 0) return "";
  return h("ul", { class: "between", "aria-label": "What came in between" },
    ...said.map((record) => h("li", {},
      h("b", {}, record.tag ?? (client.isMe(record.from) ? "You" : record.from.name)), " ", timeElement(record.at), " ", record.text ?? record.brief?.summary)));
}
