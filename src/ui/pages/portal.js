/**
 * The customer's page: the one conversation with the business, live. A link to
 * one message is `/portal#message=12`, also behind the token:
 * `/portal#token=…&message=12`.
 */
import { dress } from "../base/accent.js";
import { join } from "../base/connection.js";
import { signIn } from "./session.js";

const thread = /** @type {import("../thread.js").CrewlineThread} */ (document.querySelector("crewline-thread"));

document.addEventListener("crewline-welcome", ({ detail: { org } }) => {
  dress(document.documentElement, org?.color);
  if (org?.name) document.title = document.title.replace(/(?:Messages.*)$/u, `Messages · ${org.name}`);
});

// Only the address changes when a link to another message is followed.
window.addEventListener("hashchange", showMessage);
showMessage();

const known = signIn(/** @type {Element} */ (document.querySelector("main")), document.querySelectorAll("crewline-badge, crewline-thread"));
// The elements come after this script. They find the line that was dialled meanwhile.
if (known) join({ hub: location.origin, token: thread.token });

function showMessage() {
  const seq = new URLSearchParams(location.hash.slice(1)).get("message");
  if (!seq || !/^[1-9]\d{0,14}$/u.test(seq)) return;
  if (thread.client) thread.reveal(Number(seq));
  else thread.setAttribute("message", seq);
}
