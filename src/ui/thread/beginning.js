/**
 * What stands over the oldest message that is loaded: that it is the start,
 * that more is on its way, or why nothing can be shown; and, where nothing was
 * said yet, what this is.
 *
 *   const beginning = new Beginning(() => load());      // again, after it failed
 *   beginning.element
 *   beginning.loading(); beginning.more(); beginning.start(); beginning.failed(message);
 *   beginning.invite(words);          // null: there is something to be read
 */
import { h, keepFocus, setText } from "../base/dom.js";

/** What comes sooner needs no announcement, in ms. */
const PATIENCE_MS = 400;

export class Beginning {
  #start = h("p", { class: "start", "data-testid": "start", hidden: true }, "Start of the conversation");
  #trouble = h("span", {});
  #failed = h("p", { class: "start", role: "alert", "data-testid": "load-failed", hidden: true }, this.#trouble);
  /** Shapes of what is to come. */
  #shapes = h("div", { class: "shapes", "aria-hidden": "true", hidden: true }, ...["", "own", "", "own"].map((side) => h("i", { class: side })));
  #head = h("b", {});
  #invitation = h("p", { class: "invitation", "data-testid": "invitation", hidden: true }, this.#head);
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  element = h("div", { class: "beginning" }, this.#start, this.#failed, this.#shapes, this.#invitation);

  /** @param {() => void} again */
  constructor(again) {
    this.#failed.append(" ", h("button", { type: "button", "data-testid": "load-again", onclick: () => keepFocus(this.element, again, () => this.element.closest("[role=log]")) }, "Try again"));
  }

  /** Nothing is here yet. */
  loading() {
    this.more();
    this.invite(null);
    this.#timer = setTimeout(() => { this.#shapes.hidden = false; }, PATIENCE_MS);
  }

  /** There is more over what is shown. */
  more() {
    clearTimeout(this.#timer);
    for (const part of [this.#start, this.#failed, this.#shapes]) part.hidden = true;
  }

  start() {
    this.more();
    this.#start.hidden = false;
  }

  failed(message) {
    this.more();
    this.#failed.hidden = false;
    setText(this.#trouble, `This conversation cannot be shown: ${message}`);
  }

  /** @param {{head: string, text: string} | null} words */
  invite(words) {
    this.#invitation.hidden = words === null;
    if (words) this.#start.hidden = true;
    if (words) this.#invitation.replaceChildren(this.#head, words.text);
    setText(this.#head, words?.head ?? "");
  }
}
