/**
 * The customer's page: the one conversation with the business, live. A link to
 * one message is `/portal#message=12`, also behind the token:
 * `/portal#token=…&message=12`.
 */
import "../badge.js";
import { dress } from "../base/accent.js";
import "../thread.js";
import { signIn } from "./session.js";

const thread = /** @type {import("../thread.js").CrewlineThread} */ (document.querySelector("crewline-thread"));

document.addEventListener("crewline-welcome", ({ detail: { org } }) => {
  dress(document.documentElement, org?.color);
  if (org?.name) document.title = document.title.replace(/(?:Messages.*)$/u, `Messages · ${org.name}`);
});

// Only the address changes when a link to another message is followed.
window.addEventListener("hashchange", showMessage);
showMessage();

signIn(/** @type {Element} */ (document.querySelector("main")), document.querySelectorAll("crewline-badge, crewline-thread"));

function showMessage() {
  const seq = new URLSearchParams(location.hash.slice(1)).get("message");
  if (!seq || !/^[1-9]\d{0,14}$/u.test(seq)) return;
  if (thread.client) thread.reveal(Number(seq));
  else thread.setAttribute("message", seq);
}
