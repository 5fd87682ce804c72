/**
 * <crewline-badge>: how much is new, as a number; nothing when nothing is. For
 * a customer these are unread messages, for staff conversations.
 *
 *   <script type="module" src="https://hub.example/ui/badge.js"></script>
 *   <a href="/messages">Messages <crewline-badge token-url="/my-backend/crewline-token" in-title></crewline-badge></a>
 *
 *   in-title       the number also stands before the page's title
 *   badge.count    the number
 *
 * Colours are custom properties, see styles/theme.css; token, events and the
 * rest are in base/element.js.
 */
import { wearColour } from "./base/accent.js";
import { h, setText } from "./base/dom.js";
import { CrewlineElement } from "./base/element.js";
import { sheets } from "./base/sheet.js";

const SHEETS = await sheets("theme.css", "badge.css");

export class CrewlineBadge extends CrewlineElement {
  static sheets = SHEETS;

  count = 0;
  #number = h("span", { class: "badge", role: "status", "data-testid": "badge", hidden: true }, "0");

  opened(client, signal) {
    this.root.replaceChildren(this.#number);
    wearColour(this, client, signal);
    const show = () => this.#show(client.badge?.new ?? client.badge?.unread ?? 0, client.you?.role);
    client.addEventListener("badge", show, { signal });
    client.addEventListener("reset", show, { signal });
    signal.addEventListener("abort", () => this.#show(0, undefined));
    show();
  }

  #show(count, role) {
    this.count = count;
    const shown = count > 99 ? "99+" : String(count);
    this.#number.hidden = count === 0;
    setText(this.#number, shown);
    this.#number.setAttribute("aria-label", `${count} ${role === "customer" ? "unread messages" : "new conversations"}`);
    // The page may have changed its own title meanwhile.
    const title = document.title.replace(/^\(\d+\+?\) /u, "");
    if (this.hasAttribute("in-title")) document.title = count > 0 ? `(${shown}) ${title}` : title;
  }
}

customElements.define("crewline-badge", CrewlineBadge);
