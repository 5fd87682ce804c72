/**
 * <crewline-bell>: whether this browser tells of new messages, and how. Nothing
 * is asked for until its user says so.
 *
 *   bell.open(notifier);
 */
import { h, setText } from "../base/dom.js";
import { icon } from "../base/icon.js";

const EXPLAINED = {
  on: "",
  off: "",
  blocked: "Your browser blocks notifications of this site. Allow them in its settings for this site.",
  impossible: "This browser cannot show notifications.",
};

export class Bell extends HTMLElement {
  /** @type {any} a Notifier, once it is open */
  #notifier = null;

  #button = h("button", { type: "button", class: "plain-icon", "aria-label": "Notifications", title: "Notifications", "data-testid": "bell", onclick: () => this.#dialog.showModal() });
  #notify = h("input", { type: "checkbox", role: "switch", "data-testid": "bell-notify", onchange: () => this.#allow() });
  #sound = h("input", { type: "checkbox", role: "switch", "data-testid": "bell-sound", onchange: () => this.#play() });
  #explained = h("p", { class: "soft", role: "status" });
  #dialog = h("dialog", { class: "sheet bell", "aria-label": "Notifications", "data-testid": "bell-dialog" },
    h("header", {}, h("h2", {}, "Notifications"), h("button", { type: "button", class: "plain-icon", "aria-label": "Close", onclick: () => this.#dialog.close() }, icon("close"))),
    h("label", { class: "sure" }, this.#notify, h("span", {}, "Tell me of new messages and calls while I look elsewhere")),
    h("label", { class: "sure" }, this.#sound, h("span", {}, "With a soft sound")),
    this.#explained);

  connectedCallback() {
    this.replaceChildren(this.#button, this.#dialog);
  }

  disconnectedCallback() {
    this.#dialog.close();
  }

  open(notifier) {
    this.#notifier = notifier;
    this.#show();
  }

  async #allow() {
    await this.#notifier.allow(this.#notify.checked);
    this.#show();
  }

  #play() {
    this.#notifier.sound = this.#sound.checked;
    this.#show();
  }

  #show() {
    const { state, sound } = this.#notifier;
    this.#button.replaceChildren(icon(state === "on" || sound ? "bell" : "bell-off"));
    this.#button.classList.toggle("is-off", state !== "on" && !sound);
    this.#notify.checked = state === "on";
    this.#notify.disabled = state === "blocked" || state === "impossible";
    this.#sound.checked = sound;
    setText(this.#explained, EXPLAINED[state]);
  }
}

customElements.define("crewline-bell", Bell);
