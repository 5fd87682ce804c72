/**
 * All who talk with each other, on one page: each panel is the element that
 * their own page has, with their own token.
 *
 *   show(people, tour, stage);       // people: what /demo.json says
 */
import { h, setText } from "../base/dom.js";
import "../badge.js";
import "../inbox.js";
import "../phone.js";
import "../thread.js";
import { Tour } from "./tour.js";

export function show({ customers, staff, phones, business_phones: [truck] }, tour, stage) {
  const badge = h("crewline-badge");
  const business = h("b", { dir: "auto" });
  const portal = h("crewline-thread", { search: true }, h("p", { slot: "head", class: "site" }, business, badge));
  const inbox = h("crewline-inbox");
  const crewPhone = phones ? h("crewline-phone", { phone: truck }) : null;
  const ownPhone = phones ? h("crewline-phone") : null;
  const panels = [
    panel("portal", h("div", { class: "device" }, portal)),
    panel("office", h("div", { class: "window" }, inbox)),
    ...(phones ? [panel("crew", crewPhone), panel("phone", ownPhone)] : []),
  ];
  const crew = staff.map(({ name }) => name.split(" ")[0]).join(" and ");
  const steps = new Tour();
  const choice = h("select", { "data-testid": "customer", onchange: () => choose(customers[choice.selectedIndex]) },
    ...customers.map(({ name }) => h("option", {}, name)));

  // What was said belongs to the customer who is shown.
  document.addEventListener("crewline-welcome", ({ target, detail: { you, org } }) => {
    if (target !== portal) return;
    setText(business, org?.name ?? "Messages");
    inbox.selected = you.thread ?? null;
  });

  const tabs = h("nav", { class: "tabs", "aria-label": "Who" }, ...panels.map(({ tab }) => tab));
  tour.append(steps.element, h("label", { class: "choice" }, h("span", {}, "Customer"), choice), windows({ customers, staff, phones }), tabs);
  stage.replaceChildren(...panels.map(({ section }) => section));
  follow(panels, stage);
  inbox.token = staff[0].token;
  choose(customers[0]);

  function choose(customer) {
    const first = customer.name.split(" ")[0];
    portal.token = badge.token = customer.token;
    ownPhone?.setAttribute("phone", customer.phone);
    const [inPortal, inOffice, onTruck, onPhone] = panels;
    inPortal.call({ short: first, long: `${first}, a customer, in the portal`, about: "On any device, with a personal link", page: customer.page });
    inOffice.call({ short: "Office", long: "The office, in the CRM", about: `${crew} share one inbox`, page: staff[0].page });
    onTruck?.call({ short: "Plumber", long: "The plumber’s phone", about: "No app: only texts", page: phones });
    onPhone?.call({ short: `${first}’s phone`, long: `${first}’s phone`, about: "Gets every answer as a text, too", page: phones });
    if (portal.client && inbox.client) steps.follow({ first, truck, portal: portal.client, inbox: inbox.client });
  }
}

/** Who it is, a link to the page of their own, and what they see. */
function panel(name, content) {
  const tab = h("button", { type: "button", "data-testid": `tab-${name}`, onclick: () => section.scrollIntoView({ inline: "start", block: "nearest" }) });
  const title = h("h2");
  const link = h("a", { target: "_blank", rel: "noopener", title: "Open in a window of its own" }, h("span", { class: "unseen" }, "Open in a window of its own"), h("span", { "aria-hidden": "true" }, "↗"));
  const explained = h("p");
  const section = h("section", { class: `panel ${name}`, "data-testid": `panel-${name}` }, h("header", {}, title, link, explained), content);
  const call = ({ short, long, about, page }) => {
    setText(tab, short);
    setText(title, long);
    setText(explained, about);
    link.href = new URL(page, location.origin).href;
    section.setAttribute("aria-label", long);
  };
  return { section, tab, call };
}

/** Where not all find room, the tabs tell which are in view. */
function follow(panels, stage) {
  const seen = new IntersectionObserver((entries) => {
    for (const { target, intersectionRatio } of entries) {
      const { tab } = panels.find(({ section }) => section === target);
      tab.setAttribute("aria-current", String(intersectionRatio > 0.6));
    }
  }, { root: stage, threshold: [0, 0.6, 1] });
  for (const { section } of panels) seen.observe(section);
}

/** Each opens in a window of its own, which keeps the one person's token to itself. */
function windows({ customers, staff, phones }) {
  const link = (name, page) => h("li", {}, h("a", { href: new URL(page, location.origin).href, target: "_blank", rel: "noopener" }, name));
  const group = (title, items) => h("section", {}, h("h2", {}, title), h("ul", {}, ...items));
  return h("details", { class: "windows" }, h("summary", {}, h("span", {}, "In windows of their own")),
    h("div", { id: "people" },
      group("Customers, in the portal", customers.map(({ name, page }) => link(name, page))),
      group("Staff, in the CRM", staff.map(({ name, page }) => link(name, page))),
      ...(phones ? [group("Their phones", [link("All of them", phones)])] : [])));
}
