/**
 * When a message was written, delivered and read, to the second: shown at its
 * receipt on demand.
 *
 *   toggleTimes(row, item, client);
 */
import { h } from "../base/dom.js";
import { exactTime } from "../base/time.js";
import { saidBy } from "./conversation.js";
import { ownSide } from "./message-row.js";

export function toggleTimes(row, item, client) {
  const open = row.classList.toggle("told");
  row.querySelector(".receipt")?.setAttribute("aria-expanded", String(open));
  row.querySelector("[data-testid=times]")?.remove();
  if (open) row.querySelector("[data-testid=receipt]").after(times(item, client));
}

/** @param {import("./conversation.js").Item} item */
function times({ record, delivered_at, read_at, readers }, client) {
  const list = h("dl", { class: "times", "data-testid": "times" });
  const line = (label, ms) => ms && list.append(h("div", {}, h("dt", {}, label), h("dd", {}, exactTime(ms))));
  line("Written", record.copied_from?.at ?? record.said_at);
  line(record.copied_from || record.said_at ? "Copied" : "Sent", record.at);
  const side = saidBy(record);
  if (side === ownSide(client)) {
    line("Delivered", delivered_at);
    line("Read", read_at);
  } else if (side && client.you.role === "staff") {
    for (const { name, at } of readers.values()) line(`Read by ${name}`, at);
  }
  return list;
}
