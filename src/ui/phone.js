/**
 * <crewline-phone>: one simulated phone: what it was texted, what somebody
 * answers on it, and what can be wrong with it. It needs a hub that is a demo,
 * or a simulator of its own process.
 *
 *   <script type="module" src="https://hub.example/ui/phone.js"></script>
 *   <crewline-phone phone="+14155550112"></crewline-phone>
 *
 *   hub            the address of the demo or simulator; by default where this script came from
 *   phone.focus()  where it is written
 *
 * All phones of a page share one long poll. It fills the box that it is given,
 * or is as high as `--crewline-phone-height`; colours are custom properties, see styles/theme.css
 * and styles/phone.css; `::part(owner)` is what stands above its case.
 */
import { h, setText } from "./base/dom.js";
import { sheets } from "./base/sheet.js";
import { CameraRoll } from "./phone/camera-roll.js";
import { follow } from "./phone/feed.js";
import { Texts } from "./phone/texts.js";
import "./thread/composer.js";

const SHEETS = await sheets("theme.css", "composer.css", "phone.css");
const HERE = new URL(import.meta.url).origin;
/** Twilio cuts what is longer. */
const LONGEST = 1600;
const BUZZ_MS = 600;
const CLOCK_MS = 5_000;

const SWITCHES = {
  normal: "works",
  unreachable: "is switched off",
  landline: "is a landline",
  blocked: "blocks our texts",
  invalid: "has no valid number",
};

/** What it says of itself then. */
const TROUBLES = { unreachable: "No service", landline: "Gets no texts", blocked: "Blocks texts", invalid: "Gets no texts" };

export class CrewlinePhone extends HTMLElement {
  static observedAttributes = ["hub", "phone"];

  root = this.attachShadow({ mode: "open" });

  /** @type {import("./phone/feed.js").Feed} */
  #feed = /** @type {any} */ (null);
  #leaving = new AbortController();
  #roll = new CameraRoll();
  #buzzing = 0;
  /** By phone. @type {Map<string | null, import("./thread/composer.js").Written>} */
  #begun = new Map();

  #name = h("h2", { "data-testid": "owner" });
  #number = h("p", { class: "number", "data-testid": "number" });
  #kind = h("span", { class: "kind", "data-testid": "kind", hidden: true }, "Business phone");
  #clock = h("span", { "aria-hidden": "true" });
  #service = h("span", { class: "service", "data-testid": "service" });
  #with = h("p", { class: "with" });
  #to = h("select", { "aria-label": "To which number" });
  #log = h("div", { class: "texts", role: "log", tabindex: "0", "data-testid": "texts" });
  #warning = h("p", { class: "warning", role: "status", "data-testid": "warning", hidden: true });
  #composer = h("crewline-composer", { placeholder: "Text message", accept: "image/*" });
  #stop = h("button", { type: "button", "data-testid": "stop", onclick: () => this.#text({ text: this.#hasStopped ? "START" : "STOP" }) });
  #switch = h("select", { "data-testid": "switch", onchange: () => this.#turn() },
    ...Object.entries(SWITCHES).map(([value, label]) => h("option", { value }, label)));
  #case = h("section", { class: "case" },
    h("div", { class: "screen" },
      h("div", { class: "status" }, this.#clock, h("span", { class: "signal", "aria-hidden": "true" }), h("span", { class: "battery", "aria-hidden": "true" })),
      h("header", {}, h("span", { class: "face", "aria-hidden": "true" }), this.#with, this.#to, this.#service),
      this.#log,
      this.#warning,
      h("div", { class: "keys" }, this.#stop),
      this.#composer,
      h("span", { class: "bar", "aria-hidden": "true" })));
  #frame = h("div", { class: "phone" },
    h("div", { class: "owner", part: "owner" }, this.#name, this.#kind, this.#number),
    this.#case,
    h("label", { class: "fault" }, "This phone ", this.#switch));
  #texts = new Texts(this.#log, { answer: (tag) => this.#answer(tag), told: () => this.#feed.numbers.length > 1 });

  constructor() {
    super();
    this.root.adoptedStyleSheets = SHEETS;
    this.root.append(this.#frame);
    this.#composer.carrier = this.#roll;
    this.#composer.limit = LONGEST;
    this.#composer.addEventListener("send", (event) => this.#text(/** @type {CustomEvent} */ (event).detail));
    this.#to.addEventListener("change", () => this.#show());
  }

  connectedCallback() {
    this.#open();
  }

  disconnectedCallback() {
    this.#leaving.abort();
  }

  /** @param {string} name @param {string | null} before @param {string | null} now */
  attributeChangedCallback(name, before, now) {
    if (name === "phone" && before !== now) this.#turnTo(now, before);
    if (this.isConnected) this.#open();
  }

  /** What was begun on one phone stays there. @param {string | null} phone @param {string | null} before */
  #turnTo(phone, before) {
    this.#begun.set(before, this.#composer.draft);
    this.#composer.draft = this.#begun.get(phone) ?? { text: "", internal: false };
  }

  focus() {
    this.#composer.focus();
  }

  get #phone() {
    return this.getAttribute("phone") ?? "";
  }

  get #hub() {
    return this.getAttribute("hub") ?? HERE;
  }

  /** What is known of it: anybody may text from a number that the simulator has not met. @returns {import("./phone/feed.js").Phone} */
  get #about() {
    return this.#feed.phones.get(this.#phone) ?? { phone: this.#phone, name: null, switch: "normal", stopped: [], business: false, texts: new Map() };
  }

  get #hasStopped() {
    return this.#about.stopped.includes(this.#to.value);
  }

  #open() {
    this.#leaving.abort();
    const { signal } = (this.#leaving = new AbortController());
    const { feed, leave } = follow(this.#hub);
    this.#feed = feed;
    feed.addEventListener("loaded", () => this.#load(), { signal });
    feed.addEventListener("phone", (event) => {
      const { phone, message } = /** @type {CustomEvent} */ (event).detail;
      if (phone === this.#phone) this.#changed(message);
    }, { signal });
    feed.addEventListener("trouble", () => this.#warn(feed.trouble), { signal });
    this.#tick();
    const clock = setInterval(() => this.#tick(), CLOCK_MS);
    signal.addEventListener("abort", () => {
      leave();
      clearInterval(clock);
      clearTimeout(this.#buzzing);
    });
    this.#load();
    this.#warn(feed.trouble);
  }

  #load() {
    const { numbers } = this.#feed;
    const chosen = this.#to.value;
    this.#to.replaceChildren(...numbers.map((number) => h("option", { value: number }, pretty(number))));
    if (numbers.includes(chosen)) this.#to.value = chosen;
    this.#show();
    this.#texts.show(this.#about, this.#hub);
  }

  #changed(message) {
    // Who answers, answers the number that wrote last.
    if (message?.by === "number") this.#to.value = message.number;
    if (message && this.#texts.put(message) && message.by === "number") this.#buzz();
    this.#show();
  }

  #show() {
    const about = this.#about;
    const { numbers } = this.#feed;
    const name = about.name ?? "Somebody";
    this.#frame.dataset.phone = about.phone;
    this.#frame.dataset.switch = about.switch;
    this.#frame.toggleAttribute("data-stopped", this.#hasStopped);
    this.#frame.toggleAttribute("data-business", about.business);
    this.#kind.hidden = !about.business;
    setText(this.#name, name);
    setText(this.#number, pretty(about.phone));
    setText(this.#with, pretty(this.#to.value));
    this.#with.hidden = numbers.length > 1;
    this.#to.hidden = numbers.length < 2;
    this.#case.setAttribute("aria-label", `The phone of ${name}`);
    this.#log.setAttribute("aria-label", `Texts of ${name}`);
    setText(this.#service, TROUBLES[about.switch] ?? "");
    this.#switch.value = about.switch;
    this.#composer.disabled = numbers.length === 0;
    this.#stop.disabled = numbers.length === 0;
    setText(this.#stop, this.#hasStopped ? "START" : "STOP");
    this.#stop.title = this.#hasStopped ? "Texts from this number are off: turn them on" : "Turn texts from this number off";
  }

  /** @param {{text: string, photos?: string[]}} written */
  async #text({ text, photos = [] }) {
    try {
      const { webhook } = await this.#feed.text(this.#phone, { to: this.#to.value, body: text, media: await this.#roll.media(photos) });
      this.#roll.forget(photos);
      const status = webhook?.status ?? 0;
      this.#warn(status >= 200 && status < 300 ? "" : `Sent, but the webhook answered ${status || "nothing"}.`);
    } catch (error) {
      this.#warn(`Not sent: ${/** @type {Error} */ (error).message}.`);
      this.#composer.putBack({ text, internal: false, photos: photos.map((id) => ({ id })) });
    }
  }

  async #turn() {
    try {
      await this.#feed.put(this.#phone, { switch: this.#switch.value });
    } catch (error) {
      this.#warn(`Not done: ${/** @type {Error} */ (error).message}.`);
      this.#show();
    }
  }

  #answer(tag) {
    const { draft } = this.#composer;
    const rest = draft.text.replace(/^#\d+ */, "");
    this.#composer.draft = { ...draft, text: `${tag} ${rest}` };
    this.#composer.focus();
  }

  #warn(text) {
    this.#warning.hidden = text === "";
    setText(this.#warning, text);
  }

  #buzz() {
    clearTimeout(this.#buzzing);
    this.#frame.setAttribute("data-buzz", "");
    this.#buzzing = setTimeout(() => this.#frame.removeAttribute("data-buzz"), BUZZ_MS);
  }

  #tick() {
    setText(this.#clock, CLOCK.format(Date.now()));
  }
}

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });

/** A number as it is written where it is from, if that is known here. */
function pretty(number) {
  const [, area, exchange, line] = /^\+1(\d{3})(\d{3})(\d{4})$/.exec(number) ?? [];
  return area ? `(${area}) ${exchange}-${line}` : number;
}

customElements.define("crewline-phone", CrewlinePhone);
