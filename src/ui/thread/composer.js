/**
 * <crewline-composer>: where a message is written, with its photos.
 *
 *   <crewline-composer placeholder="Write a message" notes></crewline-composer>
 *
 *   composer.carrier = client;                           // who uploads its photos
 *   composer.addEventListener("send", (event) => client.send(event.detail));     // {text, internal, photos}
 *   composer.addEventListener("typing", ({ detail }) => client.typing(thread, detail.on, detail.internal));
 *   composer.addEventListener("change", () => keep(composer.draft));
 *   composer.addEventListener("leave", () => …);         // Escape
 *   composer.limit = client.limits.text_chars;
 *   composer.texted = true;                              // it goes out as text messages too: tells how many
 *   composer.draft = { text: "", internal: false };      // to read and to set
 *   composer.putBack({ text, internal, photos });        // in front of what is written
 *   composer.add(files);                                 // as if they were chosen
 *   composer.disabled = true;
 *
 * Enter sends and Shift+Enter makes a new line; where fingers type Enter makes a
 * new line and the button sends. Ctrl+Enter sends in either case.
 *
 * What was written leaves the composer only when the listener to `send` has
 * taken it: one that cannot prevents the default, and says why with `refuse`.
 * While photos upload, sending waits for them, and `draft.waits` says so: who
 * takes the draft away sends it when they are there.
 *
 * With the attribute `notes` it also writes internal notes, by switch or Alt+N.
 * That stays until it is switched back: who takes a note for a message loses a
 * minute, who takes a message for a note tells it the customer. For the same
 * reason what comes together with a note is a note.
 */
import { h, setText } from "../base/dom.js";
import { icon } from "../base/icon.js";
import "./photo-tray.js";
import { cost } from "./segments.js";

/** From here on the characters that are left are told. */
const TELL = 200;
const FINGERS = globalThis.matchMedia?.("(pointer: coarse)");

/**
 * @import { Photo } from "./photo-tray.js"
 * @typedef {object} Written
 * @property {string} text
 * @property {boolean} internal
 * @property {Photo[]} [photos]
 * @property {boolean} [waits] sent, but for the photos that still upload
 */

export class Composer extends HTMLElement {
  #text = h("textarea", { rows: "1", dir: "auto", "data-testid": "composer" });
  #label = h("span");
  #send = h("button", { type: "submit", class: "primary", "data-testid": "send" }, icon("send"), this.#label);
  #cost = h("span", { class: "cost", "data-testid": "segments" });
  #told = h("span", { class: "told", "aria-live": "polite", "data-testid": "composer-says" });
  #toggle = h("input", { type: "checkbox", role: "switch", "data-testid": "note-toggle", "aria-keyshortcuts": "Alt+N" });
  #tray = h("crewline-photos");
  #attach = h("button", { type: "button", class: "add-photos", "aria-label": "Add photos", title: "Add photos", "data-testid": "attach", onclick: () => this.#tray.choose() }, icon("photo"));
  /** Grows with the text, which it holds once more, unseen: measuring would make the messages jump. */
  #room = h("div", { class: "room" }, this.#text);
  #form = h("form", {}, this.#attach, this.#room, this.#send);
  #limit = 4000;
  #disabled = false;
  #texted = false;
  #waits = false;
  /** Why it was not taken. */
  #refused = "";

  constructor() {
    super();
    this.#text.addEventListener("input", () => this.#typed());
    this.#text.addEventListener("keydown", (event) => this.#key(event));
    this.#text.addEventListener("paste", (event) => this.#pasted(event));
    this.#toggle.addEventListener("change", () => this.#switched());
    this.#tray.addEventListener("change", () => this.#photosChanged());
    this.#tray.addEventListener("uploaded", () => this.#say("uploaded"));
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
  }

  connectedCallback() {
    const below = h("div", { class: "below" });
    if (this.hasAttribute("notes")) below.append(h("label", { class: "switch", title: "Alt+N" }, this.#toggle, "Internal note"));
    below.append(this.#cost, this.#told);
    const accept = this.getAttribute("accept");
    if (accept) this.#tray.setAttribute("accept", accept);
    this.replaceChildren(h("div", { class: "field" }, this.#tray, this.#form), below);
    this.#show();
  }

  /** @returns {Required<Written>} */
  get draft() {
    return { text: this.#text.value, internal: this.#toggle.checked, photos: this.#tray.photos, waits: this.#waits };
  }

  /** @param {Written} draft */
  set draft({ text, internal, photos = [], waits = false }) {
    this.#text.value = text;
    this.#toggle.checked = internal;
    this.#waits = waits;
    this.#refused = "";
    this.#tray.photos = [...photos];
    this.#show();
  }

  /** @param {import("./photo-tray.js").Carrier} carrier */
  set carrier(carrier) {
    this.#tray.carrier = carrier;
  }

  set limit(limit) {
    this.#limit = limit;
    this.#show();
  }

  get disabled() {
    return this.#disabled;
  }

  set disabled(disabled) {
    this.#disabled = disabled;
    this.#show();
  }

  set texted(texted) {
    this.#texted = texted;
    this.#show();
  }

  /** Something that was sent is to be written again; nothing that was begun meanwhile is lost. @param {Written} sent */
  putBack({ text, internal, photos = [] }) {
    const begun = this.draft;
    this.draft = {
      text: [text, begun.text].filter(Boolean).join("\n"),
      internal: internal || (begun.internal && (begun.text !== "" || begun.photos.length > 0)),
      photos: [...photos, ...begun.photos],
    };
    this.#say("change");
    this.focus();
    this.#text.setSelectionRange(text.length, text.length);
  }

  /** It could not be taken. @param {string} why a sentence */
  refuse(why) {
    this.#refused = why;
    this.#show();
  }

  /** @param {File[]} files */
  add(files) {
    this.#tray.add(files);
  }

  /** The line is back: what broke off is tried again. */
  retry() {
    this.#tray.retry();
  }

  focus() {
    this.#text.focus();
  }

  #typed() {
    this.#waits = false;
    this.#refused = "";
    this.#say("typing", { on: this.#text.value !== "", internal: this.#toggle.checked });
    this.#say("change");
    this.#show();
  }

  #switched() {
    this.#say("typing", { on: false, internal: !this.#toggle.checked });
    this.#waits = false;
    this.#say("change");
    this.#show();
    this.focus();
  }

  #photosChanged() {
    this.#say("change");
    this.#show();
    if (!this.#waits || this.#tray.busy) return;
    this.#waits = false;
    this.#submit();
  }

  #key(event) {
    // While a character is being composed, keys belong to that.
    if (event.isComposing || event.keyCode === 229) return;
    if (event.key === "Escape") this.#say("leave");
    else if (event.altKey && event.code === "KeyN" && this.hasAttribute("notes")) this.#toggle.click();
    else if (event.key === "Enter" && (event.ctrlKey || event.metaKey || !(event.shiftKey || FINGERS?.matches))) this.#submit();
    else return;
    event.preventDefault();
  }

  /** Programs for writing and reckoning put a picture beside their text: the text is meant. */
  #pasted(event) {
    const { files, types } = event.clipboardData ?? {};
    if (!files?.length || types.includes("text/plain")) return;
    event.preventDefault();
    this.#tray.add([...files]);
  }

  #submit() {
    if (this.#disabled || this.#obstacle !== "" || this.#isEmpty) return this.#show();
    this.#waits = this.#tray.busy;
    if (this.#waits) return this.#show();
    const { text, internal } = this.draft;
    const photos = this.#tray.ids;
    this.#say("typing", { on: false, internal });
    if (!this.#say("send", { text: text.trim(), internal, photos: photos.length > 0 ? photos : undefined })) return;
    this.draft = { text: "", internal, photos: [] };
    this.#say("change");
    this.focus();
  }

  get #isEmpty() {
    return this.#text.value.trim() === "" && this.#tray.photos.length === 0;
  }

  /** Why it cannot be sent as it is, for people. */
  get #obstacle() {
    const left = this.#left;
    if (left < 0) return `${-left} characters too many`;
    if (this.#tray.failed) return "A photo is missing: try it again, or take it out.";
    if (this.#tray.photos.length > 0 && this.#tray.tooMany) return "Too many photos for one message: take some out.";
    return "";
  }

  get #left() {
    return this.#limit - [...this.#text.value.trim()].length;
  }

  #show() {
    const note = this.#toggle.checked;
    const left = this.#left;
    const obstacle = this.#obstacle;
    this.classList.toggle("writes-note", note);
    this.#text.placeholder = note ? "Only the team sees this" : this.getAttribute("placeholder") ?? "Write a message";
    this.#text.setAttribute("aria-label", note ? "Internal note" : "Message");
    this.#text.setAttribute("enterkeyhint", FINGERS?.matches ? "enter" : "send");
    this.#text.disabled = this.#disabled;
    this.#attach.disabled = this.#disabled;
    this.#send.disabled = this.#disabled || obstacle !== "" || this.#isEmpty;
    this.#toggle.disabled = this.#disabled;
    setText(this.#label, note ? "Add note" : "Send");
    this.#send.title = note ? "Only the team sees it" : "";
    const told = this.#refused || obstacle || (this.#waits ? "It goes as soon as the photos are there." : left < TELL ? `${left} characters left` : "");
    this.#told.classList.toggle("wrong", Boolean(this.#refused || obstacle));
    setText(this.#told, told);
    setText(this.#cost, this.#texted && !note ? costSentence(this.#text.value.trim()) : "");
    this.#room.dataset.text = this.#text.value;
  }

  /** @param {string} type @param {object} [detail] @returns {boolean} whether nobody prevented it */
  #say(type, detail) {
    return this.dispatchEvent(new CustomEvent(type, { detail, cancelable: type === "send" }));
  }
}

function costSentence(text) {
  if (text === "") return "";
  const { segments, encoding } = cost(text);
  return `${segments} ${segments === 1 ? "text" : "texts"} (${encoding})`;
}

customElements.define("crewline-composer", Composer);
