/**
 * The start page of a demo: a link to each person's page. A hub that is not a
 * demo has no people to show and only says what it is.
 */
import { h } from "../base/dom.js";

const people = document.querySelector("#people");

const answer = await fetch("/demo.json").catch(() => null);
if (answer?.ok) showDemo(await answer.json());
else people.replaceChildren(h("p", { "data-testid": "hub" }, "This is a Crewline hub. There is nothing to see here: customers and staff open their pages by a personal link."));

function showDemo({ org, customers, staff, phones }) {
  people.replaceChildren(
    h("p", {}, `A demo of ${org?.name ?? org}. Open two people and the phones side by side and let them talk.`),
    group("Customers, in the portal", customers.map(({ name, phone, page }) => person(name, phone, page))),
    group("Staff, in the CRM", staff.map(({ name, sub, page }) => person(name, sub, page))),
    ...(phones ? [group("Their phones", [person("Every text, on the phone that gets it", "", phones)])] : []),
  );
}

function group(title, items) {
  return h("section", {}, h("h2", {}, title), h("ul", {}, ...items));
}

/** Each in a window of its own, which keeps the one person's token to itself. */
function person(name, hint, page) {
  return h("li", {},
    h("a", { href: new URL(page, location.origin).href, target: "_blank", rel: "noopener" }, name),
    hint ? h("span", { class: "hint" }, hint) : null);
}
