/**
 * A socket that comes back by itself, and the only place that touches one:
 * dials, says `hello`, listens for life, waits with full jitter, renews the
 * token once when it is refused. What the frames mean is not its business.
 *
 *   const line = new Line(tokens, {
 *     hello: () => ({ cursor, log }),         // what goes along with the token
 *     frame: (frame) => apply(frame),
 *     state: (state) => show(state),          // "connecting", "offline", "signed-out"
 *     down: () => requeue(),                  // whatever was under way may be lost
 *     over: (reason) => ask(reason),          // "token" or "forbidden": it stays down
 *   });
 *   line.open();
 *   line.welcomed(heartbeatMs);               // from now on `send` sends
 *   line.send(frame);                         // false while it is down
 *   line.again();                             // hang up, if it is up or nearly so, and dial again
 *   line.close();
 */
/**
 * @import { ClientFrame, ServerFrame } from "./wire.js"
 * @import { Tokens } from "./token.js"
 */
import { Pulse } from "./pulse.js";
import { Timers, jitter } from "./timers.js";

const PROTOCOL = "crewline.v1";
const WELCOME_MS = 10_000;
/** A line that held this long was a good one: the next try starts early again. */
const STABLE_MS = 5_000;
const TOKEN_REFUSED = 4401;
const FORBIDDEN = 4403;

/**
 * @typedef {object} Told what a line says, and asks for
 * @property {() => { cursor?: number, log?: string | null }} hello what goes along with the token
 * @property {(frame: ServerFrame) => void} frame
 * @property {(state: "connecting" | "offline" | "signed-out", reason?: "token" | "forbidden") => void} state
 * @property {() => void} down whatever was under way may be lost
 * @property {(reason: "token" | "forbidden") => void} over it stays down
 */

export class Line {
  #tokens;
  #on;
  #options;
  /** @type {WebSocket | null} */
  #socket = null;
  #wanted = false;
  #up = false;
  #dial = 0;
  #attempt = 0;
  #renewed = false;
  #retryAfter = 0;
  #timers = new Timers();
  #pulse = new Pulse({ ask: () => this.send({ type: "ping" }), dead: () => this.again() });

  /**
   * @param {Tokens} tokens
   * @param {Told} on
   * @param {{url?: string, WebSocket?: typeof WebSocket, random?: () => number, fetch?: typeof fetch}} options
   */
  constructor(tokens, on, options) {
    this.#tokens = tokens;
    this.#on = on;
    this.#options = options;
  }

  open() {
    if (this.#wanted) return;
    this.#wanted = true;
    // It may be long ago that a token was refused.
    this.#renewed = false;
    for (const [target, type] of WAKES) target.addEventListener(type, this.#wake);
    globalThis.addEventListener?.("offline", this.#cut);
    this.#connect();
  }

  close() {
    this.#leave("offline");
  }

  again() {
    if (this.#socket) this.#lost(0);
  }

  /** @param {number} heartbeatMs */
  welcomed(heartbeatMs) {
    this.#up = true;
    this.#timers.clear("welcome");
    this.#timers.set("stable", STABLE_MS, () => {
      this.#attempt = 0;
      this.#renewed = false;
    });
    this.#pulse.start(heartbeatMs);
  }

  /** The server said when it wants to see us again. @param {number} ms */
  comeBackAfter(ms) {
    this.#retryAfter = ms;
  }

  /** @param {ClientFrame} frame @returns {boolean} */
  send(frame) {
    if (!this.#up || !this.#socket) return false;
    this.#socket.send(JSON.stringify(frame));
    return true;
  }

  /** @param {boolean} [renew] the token in hand was refused */
  async #connect(renew = false) {
    const dial = ++this.#dial;
    this.#timers.clear("retry");
    this.#on.state("connecting");
    let token;
    try {
      token = await (renew ? this.#tokens.newer() : this.#tokens.current());
    } catch {
      if (dial === this.#dial) this.#later();
      return;
    }
    if (dial !== this.#dial) return;
    if (!token) return this.#giveUp("token");

    const { url = urlOfThisHost(), WebSocket = globalThis.WebSocket } = this.#options;
    const socket = new WebSocket(url, PROTOCOL);
    this.#socket = socket;
    let opened = false;
    socket.onopen = () => {
      opened = true;
      socket.send(JSON.stringify({ type: "hello", token, ...this.#on.hello() }));
    };
    socket.onmessage = ({ data }) => {
      this.#pulse.heard();
      this.#on.frame(JSON.parse(data));
    };
    socket.onclose = ({ code }) => {
      this.#lost(code);
      if (!opened && this.#attempt > 1) this.#lookWhyNot(url);
    };
    this.#timers.set("welcome", WELCOME_MS, () => this.again());
  }

  /** @param {number} code of its close, 0 if it was not told */
  #lost(code) {
    this.#hangUp();
    if (!this.#wanted) return;
    if (code === FORBIDDEN) return this.#giveUp("forbidden");
    if (code !== TOKEN_REFUSED) return this.#later();
    if (!this.#tokens.renewable || this.#renewed) return this.#giveUp("token");
    this.#renewed = true;
    this.#connect(true);
  }

  /**
   * Not let in, and not told why: the hub is away, or this page's site is not on its list. Such a page may
   * load what the elements are made of, and ask nothing else.
   * @param {string} url
   */
  async #lookWhyNot(url) {
    const { fetch = globalThis.fetch } = this.#options;
    const reads = (/** @type {string} */ path, /** @type {RequestInit} */ asked) =>
      fetch(new URL(path, url.replace(/^ws/, "http")), { cache: "no-store", ...asked }).then(() => true, () => false);
    const isThere = () => reads("/ui/client.js", { method: "HEAD" });
    const barred = await isThere() && !await reads("/v1/line", { headers: { authorization: "Bearer none" } }) && await isThere();
    if (barred && this.#wanted && !this.#up) this.#giveUp("forbidden");
  }

  /** Does not wait for a dead socket to admit that it is closed. */
  #hangUp() {
    this.#dial += 1;
    this.#up = false;
    this.#timers.clear();
    this.#pulse.stop();
    const socket = this.#socket;
    this.#socket = null;
    if (socket) {
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close();
    }
    this.#on.down();
  }

  #later() {
    const wait = this.#retryAfter + jitter(this.#attempt++, this.#options.random);
    this.#retryAfter = 0;
    this.#timers.set("retry", wait, () => this.#connect());
    this.#on.state("offline");
  }

  /** @param {"token" | "forbidden"} reason */
  #giveUp(reason) {
    this.#leave("signed-out", reason);
    this.#on.over(reason);
  }

  /**
   * @param {"offline" | "signed-out"} state
   * @param {"token" | "forbidden"} [reason]
   */
  #leave(state, reason) {
    this.#wanted = false;
    for (const [target, type] of WAKES) target.removeEventListener(type, this.#wake);
    globalThis.removeEventListener?.("offline", this.#cut);
    this.#hangUp();
    this.#on.state(state, reason);
  }

  /** The network, or the person, is back: no more waiting. */
  #wake = () => {
    if (globalThis.document?.visibilityState === "hidden") return;
    if (this.#timers.has("retry")) this.#connect();
    else this.#pulse.check();
  };

  /** The device says that its network is gone: there is no need to listen for long. */
  #cut = () => this.#lost(0);
}

const WAKES = /** @type {[EventTarget, string][]} */ ([[globalThis, "online"], [globalThis.document, "visibilitychange"]])
  .filter(([target]) => target?.addEventListener);

function urlOfThisHost() {
  const { protocol, host } = globalThis.location;
  return `${protocol === "https:" ? "wss" : "ws"}://${host}/v1/ws`;
}
