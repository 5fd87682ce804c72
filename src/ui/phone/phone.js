/**
 * <crewline-phone>: one simulated phone, with its texts and what is wrong with it.
 *
 *   phone.show({ phone: "+1415…", name: "Ana", switch: "normal", stopped: [] }, ["+1415…"]);
 *   phone.put(message);                  // new, or the same one further on
 *   phone.warn("Sent, but …");           // "" takes it back
 *   phone.addEventListener("text", ({ detail }) => …);      // {to, body, media}
 *   phone.addEventListener("switch", ({ detail }) => …);    // {switch}
 */
import "../thread/composer.js";
import { h, setText } from "../base/dom.js";
import { timeElement } from "../base/time.js";

/** Twilio cuts what is longer. */
const LONGEST = 1600;
const NEAR_END_PX = 80;

const SWITCHES = {
  normal: "Works",
  unreachable: "Is switched off",
  landline: "Is a landline",
  blocked: "Blocks our texts",
  invalid: "Has no valid number",
};

const FAILED = {
  30003: "the phone was off",
  30004: "the phone blocks these texts",
  30006: "this is a landline",
  63019: "the photo could not be fetched",
};

class Phone extends HTMLElement {
  #about = null;
  /** By SID; what is on the screen, in order. */
  #rows = new Map();
  #name = h("h2", { "data-testid": "owner" });
  #number = h("p", { "data-testid": "number" });
  #log = h("div", { class: "texts", role: "log", tabindex: "0", "data-testid": "texts" });
  #warning = h("p", { class: "warning", role: "status", "data-testid": "warning", hidden: true });
  #composer = h("crewline-composer", { placeholder: "Text message" });
  #to = h("select", { "aria-label": "To which number" });
  #photo = h("input", { type: "file", accept: "image/*", multiple: true, class: "unseen", tabindex: "-1", "aria-hidden": "true" });
  #stop = h("button", { type: "button", "data-testid": "stop" });
  #switch = h("select", { "data-testid": "switch" },
    ...Object.entries(SWITCHES).map(([value, label]) => h("option", { value }, label)));

  constructor() {
    super();
    this.#composer.limit = LONGEST;
    this.#composer.addEventListener("send", ({ detail }) => this.#text(detail.text));
    this.#stop.addEventListener("click", () => this.#text(this.#hasStopped ? "START" : "STOP"));
    this.#switch.addEventListener("change", () => this.#say("switch", { switch: this.#switch.value }));
    this.#photo.addEventListener("change", () => this.#sendPhotos());
  }

  connectedCallback() {
    const attach = h("button", { type: "button", class: "attach", "data-testid": "photo", onclick: () => this.#photo.click() }, "Photo");
    this.replaceChildren(
      h("section", { class: "body" },
        h("div", { class: "screen" },
          h("header", {}, this.#name, this.#number),
          this.#log,
          this.#warning,
          this.#composer,
          h("div", { class: "keys" }, attach, this.#stop, this.#to, this.#photo))),
      h("label", { class: "fault" }, "This phone ", this.#switch));
  }

  show(about, numbers) {
    const chosen = this.#to.value;
    this.#about = about;
    this.dataset.phone = about.phone;
    this.dataset.switch = about.switch;
    setText(this.#name, about.name ?? "Somebody");
    setText(this.#number, about.phone);
    this.#log.setAttribute("aria-label", `Texts of ${about.name ?? about.phone}`);
    this.#switch.value = about.switch;
    if (this.#to.childElementCount !== numbers.length) {
      this.#to.replaceChildren(...numbers.map((number) => h("option", { value: number }, `to ${number}`)));
      if (numbers.includes(chosen)) this.#to.value = chosen;
    }
    this.#to.hidden = numbers.length < 2;
    this.#composer.disabled = numbers.length === 0;
    this.#showStop();
  }

  /** @param {{sid: string, by: "phone" | "number", number: string, text: string, media: object[], status: string, code: number | null, at: number}} message */
  put(message) {
    const row = rowOf(message, this.#to.childElementCount > 1);
    const before = this.#rows.get(message.sid);
    if (!row) return;
    const atEnd = this.#log.scrollHeight - this.#log.scrollTop - this.#log.clientHeight < NEAR_END_PX;
    if (before) before.replaceWith(row);
    else this.#log.insertBefore(row, this.#after(message.n));
    this.#rows.set(message.sid, row);
    // Who answers, answers the number that wrote last.
    if (!before && message.by === "number") this.#to.value = message.number;
    if (atEnd || message.by === "phone") this.#log.scrollTop = this.#log.scrollHeight;
    this.#showStop();
  }

  warn(text) {
    this.#warning.hidden = text === "";
    setText(this.#warning, text);
  }

  get #hasStopped() {
    return this.#about?.stopped.includes(this.#to.value) ?? false;
  }

  #showStop() {
    setText(this.#stop, this.#hasStopped ? "START" : "STOP");
    this.#stop.title = this.#hasStopped ? "Texts from this number are off: turn them on" : "Turn texts from this number off";
    this.toggleAttribute("data-stopped", this.#hasStopped);
  }

  /** The row that stands below one with this number. */
  #after(n) {
    let below = null;
    for (let row = this.#log.lastElementChild; row && Number(row.dataset.n) > n; row = row.previousElementSibling) below = row;
    return below;
  }

  #text(body, media = []) {
    this.#say("text", { to: this.#to.value, body, media });
  }

  async #sendPhotos() {
    const media = await Promise.all([...this.#photo.files].map(pictureOf));
    this.#photo.value = "";
    if (media.length > 0) this.#text("", media);
  }

  #say(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/** Nothing for what is still on its way: a phone does not know of it. */
function rowOf({ n, sid, by, number, text, media, status, code, at }, tellNumber) {
  const own = by === "phone";
  const failed = status === "undelivered" || status === "failed";
  if (!own && !failed && status !== "delivered") return null;
  const pictures = media.map(({ url, content_type: kind }) =>
    kind.startsWith("image/") ? h("img", { src: url, alt: "Photo" }) : h("a", { href: url, download: true }, kind));
  return h("article", { class: own ? "text own" : failed ? "text failed" : "text", "data-testid": "text", "data-sid": sid, "data-n": n, "data-by": by, "data-status": status },
    ...pictures,
    text ? h("p", { dir: "auto" }, text) : null,
    h("footer", {},
      failed ? `Never arrived: ${FAILED[code] ?? "it failed"} (${code ?? status}) · ` : null,
      tellNumber ? `${number} · ` : null,
      timeElement(at)));
}

async function pictureOf(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return { content_type: file.type, base64: btoa(binary) };
}

customElements.define("crewline-phone", Phone);
