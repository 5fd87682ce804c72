/**
 * What the embeddable elements have in common: where the hub is, whose token
 * it is, one line for all of them, a shadow root with their style sheets.
 *
 *   <crewline-thread token-url="/my-backend/crewline-token"></crewline-thread>
 *
 *   hub         the hub's address; by default where this script came from
 *   token       the person's token (attribute or property); setting a newer one renews it
 *   token-url   where this page's own site answers with a fresh token, as text
 *
 *   element.getToken = async () => token;        // instead of token-url
 *
 * Events, seen from anywhere in the page: `crewline-welcome` {you, org} when
 * the hub knows the person, `crewline-signed-out` {reason} when there is no
 * valid token and none to be had.
 */
import { join } from "./connection.js";

const HERE = new URL(import.meta.url).origin;

export class CrewlineElement extends HTMLElement {
  static observedAttributes = ["hub", "token", "token-url"];
  /** @type {CSSStyleSheet[]} */
  static sheets = [];

  /** @type {import("../client.js").CrewlineClient | null} */
  client = null;
  root = this.attachShadow({ mode: "open", delegatesFocus: false });

  /** @type {string | null} */
  #token = null;
  /** @type {(() => Promise<string | null>) | null} */
  #getToken = null;
  /** @type {(() => void) | null} */
  #leave = null;

  constructor() {
    super();
    this.root.adoptedStyleSheets = /** @type {typeof CrewlineElement} */ (this.constructor).sheets;
    // Set before this script was there, they would hide the accessors. It joins
    // when it is whole, in connectedCallback.
    this.#token = this.#taken("token") || null;
    this.#getToken = this.#taken("getToken") ?? null;
  }

  /** What was set under this name before there was an accessor. @param {string} name */
  #taken(name) {
    const own = /** @type {any} */ (this);
    if (!Object.hasOwn(own, name)) return undefined;
    const value = own[name];
    delete own[name];
    return value;
  }

  /** @returns {string | null} */
  get token() {
    return this.#token;
  }

  set token(token) {
    this.#token = token || null;
    this.#rejoin();
  }

  /** @param {(() => Promise<string | null>) | null} getToken */
  set getToken(getToken) {
    this.#getToken = getToken;
    this.#rejoin();
  }

  connectedCallback() {
    this.#rejoin();
  }

  disconnectedCallback() {
    this.#part();
  }

  /**
   * @param {string} name
   * @param {string | null} _
   * @param {string | null} value
   */
  attributeChangedCallback(name, _, value) {
    if (name === "token") this.token = value;
    else this.#rejoin();
  }

  /**
   * The line is there, though perhaps not up yet. For the element to say what it does then.
   * @param {import("../client.js").CrewlineClient} _client
   * @param {AbortSignal} _signal ends when the element leaves, or serves another person
   */
  opened(_client, _signal) {}

  /** The same source leads to the same line, and a newer token renews it. */
  #rejoin() {
    if (!this.isConnected) return;
    const tokenUrl = this.getAttribute("token-url");
    if (!this.#token && !tokenUrl && !this.#getToken) return this.#part();
    const { client, leave } = join({
      hub: this.getAttribute("hub") ?? HERE, token: this.#token, getToken: this.#getToken,
      tokenUrl: tokenUrl && new URL(tokenUrl, document.baseURI).href,
    });
    if (client === this.client) return leave();
    this.#part();
    const leaving = new AbortController();
    const { signal } = leaving;
    this.client = client;
    this.#leave = () => {
      leaving.abort();
      leave();
    };
    const tell = (/** @type {string} */ type, /** @type {object} */ detail) => this.dispatchEvent(new CustomEvent(type, { detail, bubbles: true, composed: true }));
    const welcome = () => tell("crewline-welcome", { you: client.you, org: client.org });
    client.addEventListener("welcome", welcome, { signal });
    client.addEventListener("signed-out", ({ detail }) => tell("crewline-signed-out", detail), { signal });
    this.opened(client, signal);
    if (client.you) welcome();
  }

  #part() {
    this.#leave?.();
    this.#leave = null;
    this.client = null;
  }
}
