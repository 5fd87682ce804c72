/**
 * Says by hand where a text belongs that reached nobody: its candidates first,
 * then every contact.
 *
 *   item.append(routeControl(client, record));
 */
import { h, setText } from "../base/dom.js";
import "./contact-choice.js";

export function routeControl(client, { rev, candidates }) {
  const error = h("p", { class: "error", role: "alert" });
  const choice = h("crewline-contact-choice", { label: "It belongs to", testid: "route-thread" });
  const button = h("button", { type: "submit", "data-testid": "route" }, "Put it there");
  choice.open(client, { first: candidates.map(({ thread, tag, name }) => ({ thread, contact: { id: thread, name: tag ? `#${tag} ${name}` : name, phone: null } })) });
  return h("form", { class: "route", onsubmit: send }, choice, button, error);

  async function send(event) {
    event.preventDefault();
    if (button.ariaDisabled === "true") return;
    if (!choice.value) return choice.focus();
    // Not really disabled: whoever has just pressed it would lose the focus.
    button.ariaDisabled = "true";
    setText(error, "");
    try {
      await client.route(rev, choice.value.thread);
    } catch (/** @type {any} */ failed) {
      setText(error, `Not routed: ${failed.message}`);
    }
    button.ariaDisabled = "false";
  }
}
