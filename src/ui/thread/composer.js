/**
 * <crewline-composer>: where a message is written. Enter sends, Shift+Enter makes
 * a new line. With the attribute `notes` it also writes internal notes.
 *
 *   <crewline-composer placeholder="Write a message" notes></crewline-composer>
 *
 *   composer.client = client;                            // who uploads its photos
 *   composer.addEventListener("send", ({ detail }) => client.send(detail));      // {text, internal, photos}
 *   composer.addEventListener("typing", ({ detail }) => client.typing(thread, detail.on, detail.internal));
 *   composer.limit = client.limits.text_chars;
 *   composer.texted = true;                              // it goes out as text messages too: tells how many
 *   composer.draft = { text: "", internal: false };      // to read and to set
 *   composer.disabled = true;
 */
import { h, setText } from "../base/dom.js";
import "./photo-tray.js";
import { cost } from "./segments.js";

/** From here on the characters that are left are told. */
const TELL = 200;

class Composer extends HTMLElement {
  limit = 4000;

  #text = h("textarea", { rows: "1", "aria-label": "Message", "data-testid": "composer", enterkeyhint: "send" });
  #send = h("button", { type: "submit", class: "primary", "data-testid": "send" }, "Send");
  #cost = h("span", { class: "cost", "data-testid": "segments" });
  #left = h("span", { class: "left", "aria-live": "polite" });
  #toggle = h("input", { type: "checkbox", role: "switch", "data-testid": "note-toggle" });
  #tray = h("crewline-photos");
  #attach = h("button", { type: "button", class: "add-photos", "aria-label": "Add photos", title: "Add photos", "data-testid": "attach", onclick: () => this.#tray.choose() }, "+");
  #form = h("form", {}, this.#attach, this.#text, this.#send);
  #disabled = false;
  #texted = false;

  constructor() {
    super();
    this.#text.addEventListener("input", () => this.#typed());
    this.#text.addEventListener("keydown", (event) => this.#key(event));
    this.#toggle.addEventListener("change", () => this.#switched());
    this.#tray.addEventListener("change", () => this.#show());
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
  }

  connectedCallback() {
    const below = h("div", { class: "below" });
    if (this.hasAttribute("notes")) below.append(h("label", { class: "switch" }, this.#toggle, "Internal note"));
    below.append(this.#cost, this.#left);
    this.replaceChildren(this.#tray, this.#form, below);
    this.#show();
  }

  get draft() {
    return { text: this.#text.value, internal: this.#toggle.checked, photos: this.#tray.photos };
  }

  set draft({ text, internal, photos = [] }) {
    this.#text.value = text;
    this.#toggle.checked = internal;
    // Shows the rest as well.
    this.#tray.photos = [...photos];
  }

  /** Whose photos are uploaded. */
  set client(client) {
    this.#tray.client = client;
  }

  set disabled(disabled) {
    this.#disabled = disabled;
    this.#show();
  }

  set texted(texted) {
    this.#texted = texted;
    this.#show();
  }

  focus() {
    this.#text.focus();
  }

  get #length() {
    return [...this.#text.value].length;
  }

  #typed() {
    this.#say("typing", { on: this.#text.value !== "", internal: this.#toggle.checked });
    this.#show();
  }

  #switched() {
    this.#say("typing", { on: false, internal: !this.#toggle.checked });
    this.#show();
    this.focus();
  }

  #key(event) {
    // While a character is being composed, Enter belongs to that.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    this.#submit();
  }

  #submit() {
    const { text, internal } = this.draft;
    if (this.#send.disabled) return;
    this.#say("typing", { on: false, internal });
    const photos = this.#tray.ids;
    this.draft = { text: "", internal };
    this.focus();
    this.#say("send", { text: text.trim(), internal, photos: photos.length > 0 ? photos : undefined });
  }

  #show() {
    const note = this.#toggle.checked;
    const left = this.limit - this.#length;
    this.classList.toggle("writes-note", note);
    this.#text.placeholder = note ? "Only the team sees this" : this.getAttribute("placeholder") ?? "Write a message";
    this.#text.setAttribute("aria-label", note ? "Internal note" : "Message");
    this.#text.disabled = this.#disabled;
    this.#attach.disabled = this.#disabled;
    const nothing = this.#text.value.trim() === "" && this.#tray.ids.length === 0;
    this.#send.disabled = this.#disabled || left < 0 || nothing || this.#tray.busy;
    setText(this.#send, note ? "Add note" : "Send");
    setText(this.#left, left < 0 ? `${-left} characters too many` : left < TELL ? `${left} characters left` : "");
    setText(this.#cost, this.#texted && !note ? costSentence(this.#text.value.trim()) : "");
    this.#text.style.height = "auto";
    if (this.#text.scrollHeight > 0) this.#text.style.height = `${this.#text.scrollHeight + 2}px`;
  }

  #say(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

function costSentence(text) {
  if (text === "") return "";
  const { segments, encoding } = cost(text);
  return `${segments} ${segments === 1 ? "text" : "texts"} (${encoding})`;
}

customElements.define("crewline-composer", Composer);
