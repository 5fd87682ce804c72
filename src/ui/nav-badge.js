/**
 * The number beside a navigation item, and in the title of the window.
 *
 *   showBadge(document.querySelector("[data-testid=badge]"), 3, "unread messages");
 */
import { setText } from "./dom.js";

const TITLE = document.title;

/** @param {string} meaning what is counted, for those who hear the page */
export function showBadge(element, count, meaning) {
  element.hidden = count === 0;
  setText(element, count > 99 ? "99+" : String(count));
  element.setAttribute("aria-label", `${count} ${meaning}`);
  document.title = count > 0 ? `(${element.textContent}) ${TITLE}` : TITLE;
}
