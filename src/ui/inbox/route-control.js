/**
 * Says by hand where a text belongs that reached nobody: its candidates first,
 * then every conversation that is loaded.
 *
 *   item.append(routeControl(client, record, () => rows));
 */
import { h, setText } from "../base/dom.js";

export function routeControl(client, { rev, candidates }, conversations) {
  const error = h("span", { class: "error", role: "alert" });
  const choice = h("select", { "aria-label": "Conversation", "data-testid": "route-thread", onfocus: fill, onpointerdown: fill });
  const button = h("button", { type: "submit", "data-testid": "route" }, "Put it there");
  const form = h("form", { class: "route", onsubmit: send }, choice, button, error);
  fill();
  return form;

  function fill() {
    const chosen = choice.value;
    const named = new Map(candidates.map(({ thread, tag, name }) => [thread, tag ? `#${tag} ${name}` : name]));
    for (const { thread, contact } of conversations()) {
      if (!named.has(thread)) named.set(thread, contact.name || contact.phone || "Unknown");
    }
    choice.replaceChildren(h("option", { value: "" }, "It belongs to…"), ...[...named].map(([thread, name]) => h("option", { value: thread }, name)));
    choice.value = named.has(chosen) ? chosen : "";
  }

  async function send(event) {
    event.preventDefault();
    if (!choice.value) return choice.focus();
    button.disabled = true;
    setText(error, "");
    try {
      await client.route(rev, choice.value);
    } catch (failed) {
      setText(error, `Not routed: ${failed.message}`);
    }
    button.disabled = false;
  }
}
