/**
 * The start page of a demo: a customer in the portal, the office in the CRM and
 * their phones beside each other, with a hint what to try. A hub that is not a
 * demo has no people to show and only says what it is.
 */
import { h } from "../base/dom.js";

const [tour, stage] = /** @type {HTMLElement[]} */ (["#tour", "#stage"].map((id) => document.querySelector(id)));

const answer = await fetch("/demo.json").catch(() => null);
if (answer?.ok) {
  const { show } = await import("./demo.js");
  show(await answer.json(), tour, stage);
} else {
  document.body.className = "";
  stage.replaceChildren(h("p", { class: "plain", "data-testid": "hub" }, "This is a Crewline hub. There is nothing to see here: customers and staff open their pages by a personal link."));
}
