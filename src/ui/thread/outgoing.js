/**
 * Messages on their way out, and those that the server would not take, under
 * the conversation.
 *
 *   const outgoing = new Outgoing(client, thread, { edit, seen });
 *   outgoing.element
 *   outgoing.show();             // whenever the outbox or the line changed; true: there is a new one
 */
import { saidBy } from "./conversation.js";
import { h } from "../base/dom.js";
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
  /** @type {Map<string, {row: HTMLElement, look: string}>} */
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
    const gone = new Set(this.#rows.keys());
    let grown = false;
    for (const entry of entries) {
      gone.delete(entry.id);
      const look = `${entry.state} ${this.#client.state} ${this.#client.you?.name}`;
      const shown = this.#rows.get(entry.id);
      if (shown?.look === look) continue;
      const row = this.#row(entry);
      if (shown) shown.row.replaceWith(row);
      else this.element.append(row);
      this.#rows.set(entry.id, { row, look });
      grown ||= !shown;
    }
    for (const id of gone) {
      this.#rows.get(id)?.row.remove();
      this.#rows.delete(id);
    }
    [...this.#rows.values()].forEach(({ row }, i) => row.classList.toggle("joined", i > 0));
    return grown;
  }

  /** @param {Entry} entry */
  #row(entry) {
    const row = bubble({
      className: entry.internal ? "message own note pending ends" : "message own pending ends",
      testid: entry.internal ? "note" : "message",
      name: this.#client.you && this.#client.you.role !== "customer" ? this.#client.you.name : "You",
      nameless: true,
      note: entry.internal ? "Internal note" : null,
      time: entry.at,
      text: entry.text,
      data: { id: entry.id, state: entry.state },
    });
    row.querySelector("[data-testid=receipt]")?.append(STATES[entry.state](entry, this.#client));
    if (entry.photos) patchPhotos(row, { record: { photos: entry.photos.map((id) => ({ id })) } }, this.#client);
    if (entry.state === "stale") row.append(between(entry, this.#client));
    if (entry.state === "refused" || entry.state === "stale") row.append(this.#actions(entry));
    return row;
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
