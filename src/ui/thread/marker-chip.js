/**
 * What the CRM told in the thread: a chip, with its link.
 *
 *   const row = markerChip(item, client);
 */
import { h } from "../base/dom.js";
import { nearTime } from "../base/time.js";

export function markerChip({ record }, client) {
  const { text, link, rev, at, copied_from, said_at } = record;
  const said = link ? h("a", { href: link, target: "_blank", rel: "noopener noreferrer nofollow ugc" }, text) : text;
  const internal = client.you.role === "staff" && !record.public;
  return h("p", { class: internal ? "chip marker internal" : "chip marker", "data-testid": "marker", "data-rev": rev },
    said, internal ? " · only the team sees this" : "", " · ", nearTime(copied_from?.at ?? said_at ?? at, at));
}
