/**
 * The texts on a phone's screen, in order, as its own app would show them.
 *
 *   const texts = new Texts(log, { answer: (tag) => …, told: () => numbers.length > 1 });
 *   texts.show(phone, hub);            // all of them
 *   texts.put(text);                   // a new one, or the same one further on; true: it just came
 *
 * What is still on its way is not shown: a phone does not know of it.
 */
import { h } from "../base/dom.js";
import { dayLabel, timeElement } from "../base/time.js";
import { TAG } from "./feed.js";

/** After such a pause the time is told again. */
const PAUSE_MS = 15 * 60_000;
const OVER = ["delivered", "undelivered", "failed"];

const FAILED = {
  30003: "the phone was off",
  30004: "the phone blocks these texts",
  30006: "this is a landline",
  63019: "the photo could not be fetched",
};

export class Texts {
  #log;
  #list = h("div", { class: "list" });
  #options;
  #hub = "";
  /** By SID. @type {Map<string, HTMLElement>} */
  #rows = new Map();

  /** @param {{answer: (tag: string) => void, told: () => boolean}} options `told`: whether it is said which number wrote */
  constructor(log, options) {
    this.#log = log;
    this.#log.append(this.#list);
    this.#options = options;
  }

  /** @param {import("./feed.js").Phone} phone */
  show(phone, hub) {
    this.#hub = hub;
    this.#rows.clear();
    this.#list.replaceChildren();
    for (const text of phone.texts.values()) this.put(text);
  }

  /** @param {import("./feed.js").Text} text @returns {boolean} */
  put(text) {
    const own = text.by === "phone";
    if (!own && !OVER.includes(text.status)) return false;
    const row = this.#row(text, own);
    const before = this.#rows.get(text.sid);
    if (before) before.replaceWith(row);
    else this.#list.insertBefore(row, this.#below(text.n));
    this.#rows.set(text.sid, row);
    this.#tellTime(row);
    // Its end is where it starts, see phone.css: it stays there by itself.
    if (own) this.#log.scrollTop = 0;
    return !before && text.status === "delivered";
  }

  /** The row that stands below one with this number. @param {number} n */
  #below(n) {
    const rows = /** @type {HTMLElement[]} */ ([...this.#list.children]);
    return rows[rows.findLastIndex((row) => Number(row.dataset.n) < n) + 1] ?? null;
  }

  /** Above the first one, and after every pause. */
  #tellTime(row) {
    const above = /** @type {HTMLElement | null} */ (row.previousElementSibling);
    const at = Number(row.dataset.at);
    if (above && (!("at" in above.dataset) || at - Number(above.dataset.at) < PAUSE_MS)) return;
    row.before(h("p", { class: "when", "data-n": row.dataset.n }, `${dayLabel(at)} `, timeElement(at)));
  }

  #row({ n, sid, by, number, text, media, status, code, at }, own) {
    const failed = status === "undelivered" || status === "failed";
    const pictures = media.map(({ url, content_type: kind }) => {
      const there = new URL(url, this.#hub).href;
      return kind.startsWith("image/") ? h("img", { src: there, alt: "Photo" }) : h("a", { href: there, download: true }, kind);
    });
    return h("article", { class: own ? "text own" : failed ? "text failed" : "text", "data-testid": "text", "data-sid": sid, "data-n": n, "data-at": at, "data-by": by, "data-status": status },
      h("span", { class: "unseen" }, own ? "Sent: " : "Received: "),
      ...pictures,
      text ? h("p", { dir: "auto" }, ...this.#words(text, own)) : null,
      failed ? h("footer", {}, `Never arrived: ${FAILED[code] ?? "it failed"} (${code ?? status})`) : null,
      this.#options.told() ? h("footer", {}, number) : null);
  }

  /** A tag leads to an answer with the same one. */
  #words(text, own) {
    const [tag] = own ? [] : TAG.exec(text) ?? [];
    if (!tag) return [text];
    const button = h("button", { type: "button", class: "tag", title: `Answer ${tag}`, "data-testid": "tag", onclick: () => this.#options.answer(tag) }, tag);
    return [button, text.slice(tag.length)];
  }
}
