/**
 * A copy stands where it was appended, and tells when it was said.
 *
 *   markCopy(row, record);            // nothing, if it is none
 */
import { h } from "../base/dom.js";
import { nearTime } from "../base/time.js";

export function markCopy(row, record) {
  const at = record.copied_from?.at ?? record.said_at;
  const time = at && row.querySelector("[data-testid=time]");
  if (!time) return;
  const said = nearTime(at, record.at);
  said.dataset.testid = "time";
  // The team sees from which phone it was.
  const via = record.phone ? null : h("span", { class: "via", "data-testid": "copied" }, "from another number");
  time.replaceWith(...[via, said].filter(Boolean));
}
