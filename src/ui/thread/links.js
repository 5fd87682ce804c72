/**
 * A text with its addresses as links: http and https alone.
 *
 *   h("p", {}, ...linked("see https://example.com/a."))
 *   onlyEmoji("👍")                                     // is shown large
 */
import { h } from "../base/dom.js";

const ADDRESS = /\bhttps?:\/\/[^\s<>"'“”‘’«»]+/giu;
/** What a sentence puts behind an address. */
const PUNCTUATION = /[.,:;!?…)\]}*_~]$/u;
const EMOJI = /^(?=.*(?:\p{Extended_Pictographic}|\p{Regional_Indicator}))(?:\p{Extended_Pictographic}|\p{Regional_Indicator}|\p{Emoji_Modifier}|[\u200d\ufe0f\s])+$/u;
/** More than these are a text. */
const FEW = 3;

/** @param {string} text @returns {(string | HTMLElement)[]} */
export function linked(text) {
  const parts = [];
  let end = 0;
  for (const { 0: found, index } of text.matchAll(ADDRESS)) {
    const address = trimmed(found);
    if (!URL.canParse(address)) continue;
    parts.push(text.slice(end, index), h("a", { href: address, target: "_blank", rel: "noopener noreferrer nofollow ugc" }, address));
    end = index + address.length;
  }
  return [...parts, text.slice(end)].filter((part) => part !== "");
}

/** @param {string} text */
export function onlyEmoji(text) {
  return text.length <= 40 && EMOJI.test(text) && [...new Intl.Segmenter().segment(text.replace(/\s/gu, ""))].length <= FEW;
}

/** Without what belongs to the sentence; a bracket that the address itself opened stays. */
function trimmed(address) {
  let kept = address;
  while (PUNCTUATION.test(kept) && !(kept.endsWith(")") && kept.split("(").length >= kept.split(")").length)) kept = kept.slice(0, -1);
  return kept;
}
