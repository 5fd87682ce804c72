/**
 * What happens on a simulator's phones: one long poll for all phones of a page,
 * however many they are. It speaks the simulator's own HTTP.
 *
 *   const { feed, leave } = follow("http://127.0.0.1:4010");
 *   feed.phones.get("+14155550112");            // a Phone, or nothing is known of it yet
 *   feed.addEventListener("loaded", () => …);   // everything, at first and after an absence
 *   feed.addEventListener("phone", ({ detail: { phone, message } }) => …);   // one changed, perhaps by a message
 *   feed.addEventListener("trouble", () => say(feed.trouble));
 *   await feed.put(phone, { switch: "unreachable" });
 *   await feed.text(phone, { to: feed.numbers[0], body: "Hello", media: [] });
 *   leave();
 *
 * @typedef {object} Text
 * @property {string} sid
 * @property {number} n later ones have higher numbers
 * @property {"phone" | "number"} by who wrote it
 * @property {string} number the other end
 * @property {string} text
 * @property {{url: string, content_type: string}[]} media
 * @property {string} status
 * @property {number | null} code why it failed
 * @property {number} at ms
 *
 * @typedef {object} Phone
 * @property {string} phone its number
 * @property {string | null} name whose it is
 * @property {string} switch what is wrong with it
 * @property {string[]} stopped the numbers that it wants no texts from
 * @property {boolean} business it is told what customers write
 * @property {Map<string, Text>} texts by SID
 */
import { Shared } from "../base/shared.js";

/** The simulator holds an answer so long; seconds. */
const HOLD = 20;
const AGAIN_MS = 1_000;
/** How a customer's text begins on a business phone: `#12 Ana: …`. */
export const TAG = /^#\d+(?= )/;

/** By address. @type {Shared<Feed>} */
const feeds = new Shared((feed) => feed.close());

/** @param {string} hub its address @returns {{feed: Feed, leave: () => void}} */
export function follow(hub) {
  const { one: feed, leave } = feeds.join(hub, () => new Feed(hub));
  return { feed, leave };
}

export class Feed extends EventTarget {
  /** By number. @type {Map<string, Phone>} */
  phones = new Map();
  /** What can be texted. @type {string[]} */
  numbers = [];
  /** Why nothing comes, for people; "" if all is well. */
  trouble = "";

  #hub;
  #closed = new AbortController();

  /** @param {string} hub */
  constructor(hub) {
    super();
    this.#hub = hub;
    this.#follow();
  }

  close() {
    this.#closed.abort();
  }

  /** @param {{switch?: string, name?: string}} change */
  put(phone, change) {
    return this.#tell("PUT", `phones/${encodeURIComponent(phone)}`, change);
  }

  /**
   * @param {{to: string, body: string, media: {content_type: string, base64: string}[]}} text
   * @returns {Promise<{webhook?: {status?: number}}>} how the number's webhook answered
   */
  text(phone, text) {
    return this.#tell("POST", `phones/${encodeURIComponent(phone)}/texts`, text);
  }

  /** Loads everything, then what changes; from the start again when it was away too long. */
  async #follow() {
    let last = null;
    while (!this.#closed.signal.aborted) {
      try {
        last ??= this.#load(await this.#get("phones"));
        this.#say("");
        const news = await this.#get(`events?after=${last}&wait=${HOLD}`);
        for (const { phone, message } of news.events ?? []) this.#apply(phone, message);
        last = news.reset ? null : news.last;
      } catch {
        last = null;
        if (this.#closed.signal.aborted) return;
        this.#say("The simulator does not answer. Trying again…");
        await new Promise((resume) => setTimeout(resume, AGAIN_MS));
      }
    }
  }

  #load({ phones, numbers, last }) {
    this.numbers = numbers;
    this.phones.clear();
    for (const { messages, ...about } of phones) {
      this.#know(about);
      for (const message of messages) this.#put(about.phone, message);
    }
    this.dispatchEvent(new Event("loaded"));
    return last;
  }

  #apply(about, message) {
    this.#know(about);
    if (message) this.#put(about.phone, message);
    this.dispatchEvent(new CustomEvent("phone", { detail: { phone: about.phone, message } }));
  }

  #know(about) {
    const { business, texts } = this.phones.get(about.phone) ?? { business: false, texts: new Map() };
    this.phones.set(about.phone, { ...about, business, texts });
  }

  /** @param {string} number @param {Text} message */
  #put(number, message) {
    const phone = /** @type {Phone} */ (this.phones.get(number));
    phone.texts.set(message.sid, message);
    phone.business ||= message.by === "number" && TAG.test(message.text);
  }

  #say(trouble) {
    if (trouble === this.trouble) return;
    this.trouble = trouble;
    this.dispatchEvent(new Event("trouble"));
  }

  async #get(path) {
    const answer = await fetch(new URL(`/simulator/${path}`, this.#hub), { signal: this.#closed.signal });
    if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
    return answer.json();
  }

  /** @returns {Promise<any>} */
  async #tell(method, path, body) {
    const request = { method, headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
    const answer = await fetch(new URL(`/simulator/${path}`, this.#hub), request).catch(() => null);
    if (!answer) throw new Error("the simulator does not answer");
    const said = await answer.json().catch(() => ({}));
    if (!answer.ok) throw new Error(said.error ?? `HTTP ${answer.status}`);
    return said;
  }
}
