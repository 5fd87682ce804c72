/**
 * The row of one record, and of one message on its way out.
 *
 *   const row = recordRow(item, client);        // null: this kind shows nothing here
 *   patchReceipt(row, item, client);            // at first, and whenever it was touched
 *   const pending = pendingRow(entry, client, { retry, edit, discard });
 *
 * Own side on the right, the other side on the left, notes and events apart.
 */
import { saidBy, sideOf } from "./conversation.js";
import { markCopy } from "./copies.js";
import { h } from "../base/dom.js";
import { handoffRow } from "./handoff-card.js";
import { markerChip } from "./marker-chip.js";
import { nearTime, timeElement } from "../base/time.js";

const VIA = { sms: bySms, ai: () => "by phone" };

/** @param {import("./conversation.js").Item} item */
export function recordRow(item, client) {
  const row = ROWS[item.record.kind]?.(item, client) ?? null;
  if (row) markCopy(row, item.record);
  return row;
}

/** Shows what is known of delivery and reading, where it concerns the reader. */
export function patchReceipt(row, item, client) {
  const shown = row.querySelector("[data-testid=receipt]");
  if (shown) shown.replaceChildren(...receiptParts(item, client));
}

const ROWS = {
  message: (item, client) => {
    const { record } = item;
    const own = ownSide(client) === sideOf(record.from);
    const row = bubble({
      className: own ? "message own" : "message",
      testid: "message",
      author: `${record.from.kind} ${record.from.sub ?? record.from.id}`,
      name: client.you.role === "customer" && own ? "You" : record.from.name,
      note: VIA[record.via]?.(record),
      time: record.at,
      text: record.text,
      data: { seq: record.seq, rev: record.rev, id: record.id },
    });
    row.append(h("div", { class: "texts", "data-testid": "texts" }));
    return row;
  },

  note: ({ record }) => bubble({
    className: "message own note",
    testid: "note",
    author: `note ${record.from.sub}`,
    name: record.from.name,
    note: "Internal note",
    time: record.at,
    text: record.text,
    data: { rev: record.rev, id: record.id },
  }),

  handoff: handoffRow,

  marker: markerChip,

  thread: ({ record }, client) => {
    const said = client.you.role === "staff" && EVENTS[record.event]?.(record);
    return said ? chip(record, said) : null;
  },

  consent: ({ record }, client) => chip(record, client.you.role === "customer"
    ? `Texts are ${record.texts} for your number`
    : `Texts to ${record.phone} are ${record.texts}: ${CONSENT_WORDS[record.word] ?? `it sent “${record.word}”`}`),
};

/** What Twilio itself says instead of a word from the phone. */
const CONSENT_WORDS = { 21610: "its network says so" };

const EVENTS = {
  contact: ({ name, phone, unknown }) => unknown ? `A number that no contact has: ${phone}` : ["Contact:", name, phone].filter(Boolean).join(" "),
  handled: ({ by }) => `${by?.name ?? "Somebody"} marked this as handled`,
  handler: ({ handler, by }) => handler === "human" ? `${by.name} answers now, not the AI` : "The AI answers now",
  attached: ({ by, copies }) => `${by.name} attached this number to a contact: ${copies} copied, and it goes on there`,
  routed: ({ by }) => `${by.name} put the text before this one here`,
};

/**
 * A message that the server does not have yet, or would not take.
 * @param {import("../client/outbox.js").Outgoing} entry
 * @param {{retry: Function, edit: Function, discard: Function}} actions each is given the entry
 */
export function pendingRow(entry, client, actions) {
  const row = bubble({
    className: entry.internal ? "message own note pending" : "message own pending",
    testid: entry.internal ? "note" : "message",
    author: "pending",
    name: client.you && client.you.role !== "customer" ? client.you.name : "You",
    note: entry.internal ? "Internal note" : null,
    time: entry.at,
    text: entry.text,
    data: { id: entry.id, state: entry.state },
  });
  row.querySelector("[data-testid=receipt]").append(PENDING[entry.state](entry, client));
  if (entry.state === "stale") row.append(between(entry, client));
  if (entry.state === "refused" || entry.state === "stale") {
    const button = (label, act, testid) =>
      h("button", { type: "button", "data-testid": testid, onclick: () => act(entry) }, label);
    row.append(h("div", { class: "actions" },
      button(entry.state === "stale" ? "Send anyway" : "Try again", actions.retry, "retry"),
      button("Edit", actions.edit, "edit"),
      button("Discard", actions.discard, "discard")));
  }
  return row;
}

const PENDING = {
  held: () => "Not sent yet",
  queued: (entry, client) => (client.state === "live" || client.state === "catching-up" ? "Sending…" : "Waiting to be sent"),
  sending: () => "Sending…",
  sent: () => "Sent",
  refused: ({ message }) => `Not sent: ${message ?? "the server would not take it"}`,
  stale: () => "Not sent yet: there is something new that you had not seen",
};

/** What came in between, so that the writer can decide. */
function between({ records = [] }, client) {
  const said = records.filter(saidBy);
  if (said.length === 0) return "";
  return h("ul", { class: "between", "aria-label": "What came in between" },
    ...said.map((record) => h("li", {},
      h("b", {}, record.tag ?? (client.isMe(record.from) ? "You" : record.from.name)), " ", timeElement(record.at), " ", record.text ?? record.brief?.summary)));
}

function chip({ rev, at }, said) {
  return h("p", { class: "chip", "data-testid": "event", "data-rev": rev }, said, " · ", timeElement(at));
}

/** The team sees which phone it was, unless that is the name already. */
function bySms({ phone, from }) {
  return phone && !from.name.includes(phone) ? `by SMS from ${phone}` : "by SMS";
}

function bubble({ className, testid, author, name, note, time, text, data }) {
  const attributes = Object.fromEntries(Object.entries(data).map(([key, value]) => [`data-${key}`, value]));
  return h("article", { class: className, "data-testid": testid, "data-author": author, ...attributes },
    h("header", {},
      h("b", { "data-testid": "name" }, name),
      note ? h("span", { class: "via" }, note) : null,
      timeElement(time, undefined, { "data-testid": "time" })),
    h("p", { "data-testid": "text", dir: "auto" }, text),
    h("footer", { "data-testid": "receipt" }));
}

/** Own messages: how far they came. The other side's, for staff: who of the team has read. */
function receiptParts({ record, delivered_at, read_at, readers }, client) {
  if (saidBy(record) !== ownSide(client)) {
    if (client.you.role === "customer" || readers.size === 0) return [];
    const named = [...readers.values()].flatMap(({ name, at }) => [`, ${name} `, nearTime(at, record.at)]);
    named[0] = named[0].slice(2);
    return ["Read by ", ...named];
  }
  const parts = [];
  if (delivered_at) parts.push("Delivered ", nearTime(delivered_at, record.at));
  if (read_at) parts.push(" · Read ", nearTime(read_at, record.at));
  return parts.length > 0 ? parts : ["Sent"];
}

export function ownSide(client) {
  return client.you.role === "customer" ? "customer" : "team";
}
