/**
 * Tells those who do not see the page what newly arrived, politely; never what
 * is only loaded.
 *
 *   const announcer = new Announcer();
 *   announcer.element
 *   announcer.tell(records);
 */
import { h } from "../base/dom.js";

/** More at once are told by their number. */
const FEW = 3;

export class Announcer {
  element = h("div", { class: "unseen", role: "status", "data-testid": "announcer" });

  /** @param {any[]} records messages and hand-offs */
  tell(records) {
    if (records.length === 0) return;
    const said = records.length > FEW ? [`${records.length} new messages`] : records.map(sentence);
    this.element.replaceChildren(...said.map((one) => h("p", {}, one)));
  }

  clear() {
    this.element.replaceChildren();
  }
}

function sentence({ from, text, tag, photos = [] }) {
  if (tag) return tag;
  const pictures = photos.length === 0 ? "" : photos.length === 1 ? "a photo" : `${photos.length} photos`;
  return `${from.name}: ${[text, pictures].filter(Boolean).join(", ")}`;
}
