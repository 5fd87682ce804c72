/**
 * The row of one record.
 *
 *   const row = recordRow(item, client);
 *   patchReceipt(row, item, client);            // at first, and whenever it was touched
 *   bubble({ … });                              // the frame of everything that somebody says
 *
 * Own side at the end of the line, the other side at its start, notes and
 * events apart.
 */
import { saidBy, sideOf } from "./conversation.js";
import { markCopy } from "./copies.js";
import { h, setText } from "../base/dom.js";
import { handoffRow } from "./handoff-card.js";
import { linked, onlyEmoji } from "./links.js";
import { markerChip } from "./marker-chip.js";
import { exactTime, nearText, timeElement } from "../base/time.js";

const VIA = { sms: bySms, ai: () => "by the AI" };

/** @param {import("./conversation.js").Item} item one that is shown */
export function recordRow(item, client) {
  const row = ROWS[item.record.kind](item, client);
  markCopy(row, item.record);
  return row;
}

/** Shows what is known of delivery and reading, where it concerns the reader. */
export function patchReceipt(row, item, client) {
  const place = row.querySelector("[data-testid=receipt]");
  if (!place || !saidBy(item.record)) return;
  const { said, title } = receipt(item, client);
  if (said === "") return place.replaceChildren();
  let button = place.firstElementChild;
  // Somebody may have the focus there.
  if (!button) place.append((button = h("button", { type: "button", class: "receipt", "aria-expanded": "false" })));
  setText(button, said);
  button.title = title;
}

const ROWS = {
  message: ({ record }, client) => {
    const own = ownSide(client) === sideOf(record.from);
    const row = bubble({
      className: own ? "message own" : "message",
      testid: "message",
      name: client.you.role === "customer" && own ? "You" : record.from.name,
      // Whose bubble it is shows at once; the team are several.
      nameless: client.you.role === "customer" && own,
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
    name: record.from.name,
    note: "Internal note",
    time: record.at,
    text: record.text,
    data: { rev: record.rev, id: record.id },
  }),

  handoff: handoffRow,

  marker: markerChip,

  thread: ({ record }) => chip(record, EVENTS[record.event](record)),

  consent: ({ record }, client) => chip(record, client.you.role === "customer"
    ? `Texts are ${record.texts} for your number`
    : `Texts to ${record.phone} are ${record.texts}: ${CONSENT_WORDS[record.word] ?? `it sent “${record.word}”`}`),
};

/** What Twilio itself says instead of a word from the phone. */
const CONSENT_WORDS = { 21610: "its network says so" };

/** Those that grouping.js shows. */
const EVENTS = {
  contact: ({ name, phone, unknown }) => unknown ? `A number that no contact has: ${phone}` : ["Contact:", name, phone].filter(Boolean).join(" "),
  handled: ({ by }) => `${by?.name ?? "Somebody"} marked this as handled`,
  handler: ({ handler, by }) => handler === "human" ? `${by.name} answers now, not the AI` : "The AI answers now",
  attached: ({ by, copies }) => `${by.name} attached this number to a contact: ${copies} copied, and it goes on there`,
  routed: ({ by }) => `${by.name} put the text before this one here`,
};

function chip({ rev, at }, said) {
  return h("p", { class: "chip", "data-testid": "event", "data-rev": rev }, said, " · ", timeElement(at));
}

/** The team sees which phone it was, unless that is the name already. */
function bySms({ phone, from }) {
  return phone && !from.name.includes(phone) ? `by SMS from ${phone}` : "by SMS";
}

/** @param {{className: string, testid: string, name: string, nameless?: boolean, note?: string | null, time: number, text: string, data: Record<string, any>}} parts */
export function bubble({ className, testid, name, nameless = false, note, time, text, data }) {
  const attributes = Object.fromEntries(Object.entries(data).map(([key, value]) => [`data-${key}`, value]));
  return h("article", { class: onlyEmoji(text) ? `${className} emoji` : className, "data-testid": testid, ...attributes },
    h("header", {},
      h("b", { class: nameless ? "unseen" : null, "data-testid": "name", dir: "auto" }, name),
      note ? h("span", { class: "via" }, note) : null,
      timeElement(time, undefined, { "data-testid": "time" })),
    h("div", { class: text === "" ? "bubble bare" : "bubble" },
      h("p", { "data-testid": "text", dir: "auto" }, ...linked(text))),
    h("footer", { "data-testid": "receipt" }));
}

/** Own messages: how far they came. The other side's, for staff: who of the team has read. */
function receipt({ record, delivered_at, read_at, readers }, client) {
  const near = (ms) => nearText(ms, record.at);
  if (saidBy(record) !== ownSide(client)) {
    if (client.you.role === "customer" || readers.size === 0) return { said: "", title: "" };
    const people = [...readers.values()];
    return {
      said: `Read by ${people.map(({ name, at }) => `${name} ${near(at)}`).join(", ")}`,
      title: people.map(({ name, at }) => `${name}: ${exactTime(at)}`).join("\n"),
    };
  }
  const title = [["Sent", record.at], ["Delivered", delivered_at], ["Read", read_at]].filter(([, ms]) => ms)
    .map(([label, ms]) => `${label} ${exactTime(ms)}`).join("\n");
  // Nobody sent a call.
  if (record.kind === "handoff" && !read_at) return { said: "", title };
  return { said: read_at ? `Read ${near(read_at)}` : delivered_at ? "Delivered" : "Sent", title };
}

/** @returns {"customer" | "team"} */
export function ownSide(client) {
  return client.you.role === "customer" ? "customer" : "team";
}
