/**
 * What to try on the start page, and what of it has happened.
 *
 *   const tour = new Tour();
 *   header.append(tour.element);
 *   tour.follow({ first: "Ana", truck, portal: client, inbox: client });     // anew
 */
import { h, setText } from "../base/dom.js";
import { TAG, follow } from "../phone/feed.js";

/** In the order in which they are to happen; `hint` says what is to be done for it. */
const STEPS = {
  written: { label: (first) => `${first} writes`, hint: (first) => `Write something as ${first}, like “The water runs down the wall”.` },
  seen: { label: () => "The office sees it", hint: () => "The office gets it…" },
  buzzed: { label: () => "The plumber’s phone buzzes", hint: () => "It goes to the plumber’s phone…" },
  answered: { label: () => "Somebody answers", hint: () => "Now answer on the plumber’s phone: press the number like #1, write, send. Or answer from the office." },
  read: { label: (first) => `${first} has it`, hint: (first) => `It goes to ${first}’s portal and phone…` },
};
/** So much of a message is looked for on the phone, where a long one comes in parts. */
const COMPARED = 60;
const DONE = "One conversation, in the portal, in the office and on the phones. Try a photo, an internal note, STOP on a phone.";

/** @import { CrewlineClient } from "../client.js" */

export class Tour {
  #hint = h("p", { class: "hint", role: "status", "data-testid": "hint" });
  #steps = Object.fromEntries(Object.keys(STEPS).map((name) => [name, h("li", { "data-testid": `step-${name}` })]));
  element = h("div", { class: "steps" }, this.#hint, h("ol", {}, ...Object.values(this.#steps)));

  #first = "";
  #done = new Set();
  #following = new AbortController();

  /**
   * @param {{first: string, truck: string, portal: CrewlineClient, inbox: CrewlineClient}} who
   *   `first`: the customer's first name; `portal` and `inbox`: their clients; `truck`: the plumber's number
   */
  follow({ first, truck, portal, inbox }) {
    this.#following.abort();
    const { signal } = (this.#following = new AbortController());
    this.#first = first;
    this.#done.clear();
    for (const [name, step] of Object.entries(this.#steps)) setText(step, STEPS[name].label(first));
    this.#show();

    /** @type {string | null} */
    let said = null;
    /** @type {Record<"seen" | "buzzed", string[]>} */
    const heard = { seen: [], buzzed: [] };
    // Who hears of it first is chance.
    const compare = () => {
      const looked = said;
      if (looked === null) return;
      const about = Object.entries(heard).filter(([, texts]) => texts.some((text) => text.includes(looked)));
      this.#happened("written", ...about.map(([name]) => name));
    };
    portal.addEventListener("change", ({ detail: { kind, from, text } }) => {
      if (kind !== "message") return;
      if (from.kind === "customer") said = text.slice(0, COMPARED);
      else if (said !== null) this.#happened("answered", "read");
      compare();
    }, { signal });
    inbox.addEventListener("change", ({ detail: { kind, text } }) => {
      if (kind === "message") heard.seen.push(text);
      compare();
    }, { signal });
    const { feed, leave } = follow(location.origin);
    signal.addEventListener("abort", leave);
    feed.addEventListener("phone", (event) => {
      const { phone, message } = /** @type {CustomEvent} */ (event).detail;
      if (phone === truck && message?.status === "delivered" && TAG.test(message.text)) heard.buzzed.push(message.text);
      compare();
    }, { signal });
  }

  #happened(...names) {
    for (const name of names) this.#done.add(name);
    this.#show();
  }

  #show() {
    const next = Object.keys(STEPS).find((name) => !this.#done.has(name));
    for (const [name, step] of Object.entries(this.#steps)) {
      step.toggleAttribute("data-done", this.#done.has(name));
      if (name === next) step.setAttribute("aria-current", "step");
      else step.removeAttribute("aria-current");
    }
    setText(this.#hint, next ? STEPS[next].hint(this.#first) : DONE);
  }
}
