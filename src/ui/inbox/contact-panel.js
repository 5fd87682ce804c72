/**
 * <crewline-contact-panel>: who the open conversation is with: numbers, whether
 * texts go there and since when, the tag, who answers, who has read. Beside the
 * conversation where there is room, else over it.
 *
 *   panel.open(client, thread, signal);
 *   panel.show({ row, here });
 *   panel.toggle();                   // remembered for where there is room
 *   panel.roomy = true;
 *   panel.addEventListener("toggle", ({ detail }) => …);      // {open, left}: it had the focus
 */
import { h, keepFocus, setText } from "../base/dom.js";
import { listed } from "../base/people.js";
import { nearTime, shortTime, timeElement, waited } from "../base/time.js";
import { ContactFacts } from "./contact-facts.js";
import { initials, named } from "./contact.js";
import { icon } from "../base/icon.js";
import { remember, remembered } from "./remembered.js";

/** How far back it looks by itself, in records. */
const BACK = 400;
/** Changes in a burst are asked about once. */
const GATHER_MS = 250;
const SAID = { on: "Texts are on", off: "Texts are off" };

export class ContactPanel extends HTMLElement {
  /** @type {any} CrewlineClient, once it is open */
  #client = null;
  /** @type {any} */
  #thread = null;
  /** @type {any} */
  #signal = null;
  /** What the hub says of the thread. @type {any} */
  #state = null;
  #facts = new ContactFacts();
  /** @type {import("./rows.js").Row | null} */
  #row = null;
  #roomy = false;
  #wanted = remembered("panel") !== "closed";
  #looking = false;

  #face = h("span", { class: "face", "aria-hidden": "true" });
  #name = h("h3", { dir: "auto", "data-testid": "panel-name" });
  #here = h("p", { class: "presence" });
  #phone = h("dd", { "data-testid": "panel-phone" });
  #texts = h("dd", { "data-testid": "panel-texts" });
  #tag = h("dd", { "data-testid": "panel-tag" });
  #answers = h("dd", { "data-testid": "panel-handler" });
  #waiting = h("dd", { "data-testid": "panel-waiting" });
  #read = h("dd", { "data-testid": "panel-read" });
  #customer = h("dd", { "data-testid": "panel-customer-read" });
  #link = h("a", { target: "_blank", rel: "noopener noreferrer", "data-testid": "panel-link" });
  #history = h("ol", { class: "consents", "data-testid": "panel-consents" });
  #older = h("button", { type: "button", class: "link", "data-testid": "panel-older", onclick: () => this.#look(BACK) }, "Look further back");
  #nothing = h("p", { class: "soft" }, "No STOP or START so far.");
  #consents = h("section", { "aria-label": "Consent", tabindex: "-1" }, h("h4", {}, "STOP and START"), this.#history, this.#nothing, this.#older);
  #dialog = h("dialog", { class: "panel", "aria-label": "Contact", "data-testid": "contact-panel" },
    h("header", {}, this.#face, h("div", {}, this.#name, this.#here),
      h("button", { type: "button", class: "plain-icon", "aria-label": "Close", "data-testid": "panel-close", onclick: () => this.#want(false) }, icon("close"))),
    h("dl", {},
      ...line("Phone", this.#phone), ...line("Texts", this.#texts), ...line("Tag", this.#tag),
      ...line("Answers", this.#answers), ...line("Waiting", this.#waiting),
      ...line("Read by", this.#read), ...line("Customer", this.#customer)),
    this.#link, this.#consents);

  constructor() {
    super();
    this.#dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      this.#want(false);
    });
    // A click beside it closes it.
    this.#dialog.addEventListener("click", (event) => event.target === this.#dialog && !this.#roomy && this.#want(false));
  }

  connectedCallback() {
    this.replaceChildren(this.#dialog);
  }

  /** Whether there is room beside the conversation. */
  set roomy(roomy) {
    if (roomy === this.#roomy) return;
    this.#roomy = roomy;
    this.#be(roomy && this.#wanted);
  }

  toggle() {
    this.#want(!this.#dialog.open);
  }

  /** @param {import("../client.js").CrewlineClient} client @param {string | null} thread @param {AbortSignal} signal */
  open(client, thread, signal) {
    [this.#client, this.#thread, this.#signal] = [client, thread, signal];
    this.#facts = new ContactFacts();
    this.#state = this.#row = null;
    this.#looking = false;
    if (!this.#roomy || thread === null) this.#be(false);
    if (thread === null) return;
    let timer;
    const ask = () => {
      timer ??= setTimeout(() => {
        timer = undefined;
        this.#ask(client, thread, signal);
      }, GATHER_MS);
    };
    signal.addEventListener("abort", () => clearTimeout(timer));
    client.addEventListener("change", ({ detail }) => {
      if (detail.thread !== thread) return;
      this.#facts.apply(detail);
      if (this.#state && ["receipt", "thread", "consent", "handoff", "message"].includes(detail.kind)) ask();
    }, { signal });
    client.addEventListener("welcome", ({ detail }) => detail.fresh && this.#begin(), { signal });
    if (this.#roomy && this.#wanted) this.#be(true);
  }

  /** @param {{row: import("./rows.js").Row | undefined, here: boolean}} shown */
  show({ row, here }) {
    this.#row = row ?? null;
    setText(this.#here, row ? (here ? "online" : "offline") : "");
    this.#here.classList.toggle("is-here", here);
    this.#show();
  }

  #want(open) {
    this.#wanted = open;
    if (this.#roomy) remember("panel", open ? "open" : "closed");
    this.#be(open);
  }

  #be(open) {
    open &&= this.#thread !== null;
    // One that lay over the page gives the focus back itself.
    const left = this.#dialog.matches(":focus-within:not(:modal)") && !open;
    if (this.#dialog.open) this.#dialog.close();
    this.#dialog.classList.toggle("is-beside", this.#roomy);
    // Beside the conversation it takes no focus.
    if (open && this.#roomy) this.#dialog.open = true;
    else if (open && this.isConnected) this.#dialog.showModal();
    this.#show();
    if (open) this.#begin();
    this.dispatchEvent(new CustomEvent("toggle", { detail: { open, left } }));
  }

  /** Nothing is asked for while nobody looks. */
  #begin() {
    if (!this.#dialog.open || this.#client.cursor === null) return;
    this.#ask(this.#client, this.#thread, this.#signal);
    if (this.#facts.before === undefined) this.#look(BACK);
  }

  async #ask(client, thread, signal) {
    const found = await client.thread(thread).catch(() => null);
    if (!found || signal.aborted || found.as_of < (this.#state?.as_of ?? 0)) return;
    this.#state = found;
    this.#show();
  }

  async #look(count) {
    const [facts, signal, thread] = [this.#facts, this.#signal, this.#thread];
    if (this.#looking) return;
    this.#looking = true;
    for (let seen = 0; seen < count && facts.before !== null;) {
      const page = await this.#client.history(thread, { before: facts.before, limit: 200 }).catch(() => null);
      if (signal.aborted || facts !== this.#facts) return;
      if (!page) break;
      facts.take(page);
      seen += page.records.length;
      this.#show();
    }
    this.#looking = false;
    this.#show();
  }

  #show() {
    const contact = this.#row?.contact ?? this.#state?.contact;
    if (!this.#dialog.open) return;
    setText(this.#face, contact ? initials(contact) : "");
    setText(this.#name, contact ? named(contact) : "");
    // A heading without words is read out as one.
    this.#name.hidden = !contact;
    say(this.#phone, !contact ? "" : contact.phone ? h("a", { href: `tel:${contact.phone}`, dir: "ltr" }, contact.phone) : "None is known");
    const wait = this.#row ? this.#row.waiting_since : this.#state?.waiting_since;
    say(this.#waiting, ...(wait ? [...(waited(wait) ? [waited(wait), ", since "] : ["Since "]), nearTime(wait, Date.now())] : [contact ? "Nobody waits" : ""]));
    this.#showState(this.#state);
    const { link, consents, before } = this.#facts;
    this.#link.hidden = !link;
    if (link) {
      this.#link.href = link.href;
      this.#link.title = link.text;
      setText(this.#link, "Open in the CRM");
    }
    patch(this.#history, consents.map((consent) => h("li", {},
      h("b", {}, consent.word || (consent.texts === "off" ? "STOP" : "START")), " ", consent.texts === "off" ? "texts off" : "texts on", ", ",
      h("span", { dir: "ltr" }, consent.phone ?? ""), " ", timeElement(consent.at, shortTime(consent.at)))));
    this.#nothing.hidden = consents.length > 0 || before !== null;
    keepFocus(this.#older, () => { this.#older.hidden = before === null || before === undefined; }, () => this.#consents);
  }

  /** Before the hub has told, and if it does not, nothing is known. @param {any} state */
  #showState(state) {
    if (!state) return [this.#texts, this.#tag, this.#answers, this.#read, this.#customer].forEach((value) => say(value, ""));
    const [latest] = this.#facts.consents;
    const since = latest && latest.texts === state.texts ? [" since ", nearTime(latest.at, Date.now())] : [];
    say(this.#texts, ...(state.texts ? [h("b", { class: `consent is-${state.texts}` }, SAID[state.texts]), ...since] : ["No texts go there"]));
    say(this.#tag, state.tag ? h("span", { title: `A text from a business phone that begins with #${state.tag} lands here` }, `#${state.tag}`) : "");
    say(this.#answers, state.attached_to ? "Closed: it goes on with the contact" : state.handler === "ai" ? "The AI receptionist, until one of you does" : "Your team");
    const upTo = Math.max(0, ...(state.readers ?? []).map((reader) => reader.up_to));
    const readers = (state.readers ?? []).filter((reader) => reader.up_to === upTo && upTo > 0).map(({ name }) => name);
    say(this.#read, readers.length === 0 ? "Nobody yet" : `${listed(readers)}${state.unread > 0 ? `, but for ${state.unread} new` : ""}`);
    const { read, delivered } = state.marks.customer;
    say(this.#customer, read === 0 && delivered === 0 ? "Has not opened the portal" : read >= delivered ? "Has read what was delivered" : "Has not read all that was delivered");
  }
}

function line(term, value) {
  return [h("dt", {}, term), value];
}

/** A line that has nothing to say is not there. */
function say(value, ...said) {
  value.hidden = value.previousElementSibling.hidden = said.length === 1 && said[0] === "";
  patch(value, said);
}

/** What is the same is left alone: somebody may have the focus there, or have marked it. */
function patch(place, children) {
  const [there, made] = [[...place.childNodes], [...h("div", {}, ...children).childNodes]];
  if (there.length !== made.length || there.some((node, i) => !node.isEqualNode(made[i]))) place.replaceChildren(...made);
}

customElements.define("crewline-contact-panel", ContactPanel);
