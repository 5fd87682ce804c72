/**
 * Whether the other end still lives: silence is asked, and silence again is
 * the end.
 *
 *   const pulse = new Pulse({ ask: () => line.send({ type: "ping" }), dead: () => line.again() });
 *   pulse.start(heartbeatMs);
 *   pulse.heard();     // for anything that comes in
 *   pulse.check();     // the network came back, or the person did
 *   pulse.stop();
 */
import { Timers } from "./timers.js";

const ANSWER_MS = 8_000;
/** Heard this lately, the line needs no check. */
const FRESH_MS = 5_000;

export class Pulse {
  #timers = new Timers();
  #heartbeat = Infinity;
  #heardAt = 0;
  #ask;
  #dead;

  /** @param {{ ask: () => void, dead: () => void }} told */
  constructor({ ask, dead }) {
    this.#ask = ask;
    this.#dead = dead;
  }

  /** @param {number} heartbeatMs how long silence is life */
  start(heartbeatMs) {
    this.#heartbeat = heartbeatMs;
    this.heard();
  }

  stop() {
    this.#timers.clear();
    this.#heartbeat = Infinity;
  }

  heard() {
    if (this.#heartbeat === Infinity) return;
    this.#heardAt = Date.now();
    this.#timers.clear("dead");
    this.#timers.set("ask", this.#heartbeat, () => this.#question());
  }

  check() {
    if (this.#heartbeat === Infinity || this.#timers.has("dead")) return;
    if (Date.now() - this.#heardAt > FRESH_MS) this.#question();
  }

  #question() {
    this.#timers.set("dead", ANSWER_MS, () => this.#dead());
    this.#ask();
  }
}
