/**
 * Who is here, as the hub tells staff: everybody after each welcome, then who
 * comes and goes.
 *
 *   client.presence = new Presence(client);
 *   client.presence.staff
 *   client.presence.hasContact("ana")
 */
/**
 * @import { Typed } from "./events.js"
 * @import { Who } from "./wire.js"
 */

export class Presence {
  /** @type {Map<string, Who>} */
  #online = new Map();

  /** @param {Typed} client whose other listeners hear of it later than this */
  constructor(client) {
    client.addEventListener("welcome", () => this.#online.clear());
    client.addEventListener("presence", ({ detail: { online = [], offline = [] } }) => {
      for (const who of online) this.#online.set(keyOf(who), who);
      for (const who of offline) this.#online.delete(keyOf(who));
    });
  }

  get staff() {
    return [...this.#online.values()].filter(({ kind }) => kind === "staff");
  }

  /** @param {string} contact */
  hasContact(contact) {
    return this.#online.has(`customer ${contact}`);
  }
}

/**
 * One name for a person in presence, in typing and in a record's `from`; a customer knows staff by name alone.
 * @param {Who} who
 */
export function keyOf({ kind, contact, sub, name }) {
  return `${kind} ${contact ?? sub ?? name}`;
}
