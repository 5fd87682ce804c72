/**
 * The staff's page: the shared inbox. The open conversation stands in the
 * address, so that "back" closes it and a reload keeps it.
 */
import "../badge.js";
import { dress } from "../base/accent.js";
import "../inbox.js";
import { signIn } from "./session.js";

const MARK = "#thread=";
const inbox = /** @type {import("../inbox.js").CrewlineInbox} */ (document.querySelector("crewline-inbox"));

document.addEventListener("crewline-welcome", ({ detail: { org } }) => dress(document.documentElement, org?.color));
inbox.addEventListener("crewline-select", ({ detail: { thread } }) => {
  history.pushState(null, "", thread ? MARK + thread : location.pathname + location.search);
});
window.addEventListener("popstate", openFromAddress);

if (signIn(/** @type {Element} */ (document.querySelector("main")), document.querySelectorAll("crewline-badge, crewline-inbox"))) openFromAddress();

function openFromAddress() {
  inbox.selected = location.hash.startsWith(MARK) ? location.hash.slice(MARK.length) : null;
}
