/**
 * The keys of the inbox: each does one thing, and none but Escape while somebody writes.
 *
 *   const keys = new Keys(element, { j: () => list.step(1), … }, signal);
 *   root.append(keys.dialog);
 *   keys.help();                      // which ones there are
 *
 * They are heard in the element, and on a page where nothing has the focus; a
 * page that has taken a key for itself keeps it.
 */
import { h } from "../base/dom.js";
import { icon } from "../base/icon.js";

/** By key: what it does, in words. Those on one line do the same. */
/** @type {[string[], string][]} */
const HELP = [
  [["j", "↓"], "Next conversation"],
  [["k", "↑"], "Previous conversation"],
  [["Enter"], "Open it"],
  [["u", "Esc"], "Back to the list"],
  [["r"], "Answer"],
  [["n"], "Write an internal note"],
  [["e"], "Mark handled"],
  [["i"], "Contact"],
  [["c"], "New conversation"],
  [["/"], "Search"],
  [["?"], "These keys"],
];

export class Keys {
  /** @param {HTMLElement} host @param {Record<string, (path: EventTarget[]) => boolean | void>} actions by key, given where it was pressed; false: it was not for us */
  constructor(host, actions, signal) {
    const rows = HELP.map(([keys, what]) => h("div", {}, h("dt", {}, ...keys.flatMap((key) => [" ", h("kbd", {}, key)])), h("dd", {}, what)));
    const close = h("button", { type: "button", class: "plain-icon", "aria-label": "Close", onclick: () => this.dialog.close() }, icon("close"));
    this.dialog = h("dialog", { class: "sheet keys", "aria-label": "Keys", "data-testid": "keys" },
      h("header", {}, h("h2", {}, "Keys"), close), h("dl", {}, ...rows));
    const heard = (event) => this.#heard(event, host, { ...actions, "?": () => this.help() });
    // In the document, so that they work before anything has the focus.
    document.addEventListener("keydown", heard, { signal });
    signal.addEventListener("abort", () => this.dialog.close());
  }

  help() {
    if (!this.dialog.open) this.dialog.showModal();
  }

  #heard(event, host, actions) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const path = event.composedPath();
    const nowhere = event.target === document.body || event.target === document.documentElement;
    if (!nowhere && !path.includes(host)) return;
    if ((isWriting(path[0]) && event.key !== "Escape") || path.some((node) => node instanceof HTMLDialogElement && node.matches(":modal"))) return;
    const key = keyOf(event);
    const action = Object.hasOwn(actions, key) ? actions[key] : undefined;
    if (action && action(path) !== false) event.preventDefault();
  }
}

/** Where the letters are others, it goes by the place that they have on a Latin keyboard. */
function keyOf({ key, code }) {
  const [, letter] = /^Key([A-Z])$/.exec(code) ?? [];
  return letter && !/^[\x20-\x7e]/.test(key) ? letter.toLowerCase() : key;
}

/** Where a letter is a letter. */
function isWriting(target) {
  return target instanceof HTMLElement
    && (target.isContentEditable || target.matches("textarea, select, input:not([type=checkbox], [type=radio], [type=button])"));
}
