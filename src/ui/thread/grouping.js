/**
 * What stands together: messages of one person, soon after one another, are a
 * group. Its first one shows name and time, its last one the receipt.
 *
 *   isShown(item, role)             // whether it has a row at all
 *   goesOn(item, before)            // of one group with the one before it
 *   beginsDay(item, before)         // a day's heading stands between them
 */
import { dayKey } from "../base/time.js";

/** What is further apart shows its time again, in ms. */
const PAUSE_MS = 5 * 60_000;
const OF_THE_TEAM = new Set(["contact", "handled", "handler", "attached", "routed"]);

/** @typedef {import("./conversation.js").Item} Item */

/** @param {Item} item @param {"customer" | "staff"} role */
export function isShown({ record, whole }, role) {
  switch (record.kind) {
    case "message": case "note": case "marker": case "consent": return true;
    case "handoff": return whole === null;
    case "thread": return role === "staff" && OF_THE_TEAM.has(record.event);
    default: return false;
  }
}

/** @param {Item} item @param {Item | undefined} before */
export function goesOn(item, before) {
  if (!before) return false;
  const author = authorOf(item.record);
  return author !== undefined && author === authorOf(before.record)
    && item.record.at - before.record.at < PAUSE_MS && !beginsDay(item, before);
}

/** @param {Item} item @param {Item | undefined} before */
export function beginsDay(item, before) {
  return !before || dayKey(item.record.at) !== dayKey(before.record.at);
}

/** Who said it, and by which way; undefined for what is a card or a chip. */
function authorOf({ kind, from, via, phone, copied_from, said_at }) {
  if (kind !== "message" && kind !== "note") return undefined;
  return [kind, from.kind, from.sub ?? from.id, via === "portal" || via === "crm" ? "" : via, phone, (copied_from?.at ?? said_at) !== undefined].join(" ");
}
