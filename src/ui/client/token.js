/**
 * The person's token: the one in hand, a new one when it is refused, and whose
 * it is. The claims are read to find the person's queue, never to trust them.
 *
 *   const tokens = new Tokens({ token, getToken, onPerson: (person) => outbox.open(person) });
 *   await tokens.current();            // null: there is none, and none to be had
 *   await tokens.current(refused);     // a newer one than `refused`
 */
export class Tokens {
  /** @type {string | null} */
  #held = null;
  #getToken;
  /** @type {Promise<string | null> | null} */
  #renewing = null;
  #onPerson;

  /** @param {{ token?: string, getToken?: () => Promise<string | null>, onPerson: (person: string) => void }} options */
  constructor({ token, getToken, onPerson }) {
    this.#getToken = getToken;
    this.#onPerson = onPerson;
    if (token) this.#hold(token);
  }

  get renewable() {
    return Boolean(this.#getToken);
  }

  /** @param {string | null} [refused] @returns {Promise<string | null>} */
  async current(refused) {
    if (this.#held && this.#held !== refused) return this.#held;
    if (!this.#getToken) return null;
    this.#renewing ??= this.#getToken().finally(() => { this.#renewing = null; });
    const token = await this.#renewing;
    if (token) this.#hold(token);
    return token;
  }

  /** The page has this one. @param {string} token @returns {boolean} whether it is another than the one in hand */
  renew(token) {
    if (token === this.#held) return false;
    this.#hold(token);
    return true;
  }

  /** What is held is gone, or soon will be. @returns {Promise<string | null>} */
  newer() {
    return this.current(this.#held ?? undefined);
  }

  /** @param {string} token */
  #hold(token) {
    this.#held = token;
    const person = personIn(token);
    if (person) this.#onPerson(person);
  }
}

/**
 * @param {{ org: string, role: string, contact?: string, sub: string }} claims
 * @returns {string} a person's name in the storage: a customer is the contact, all others the sub
 */
export function personKey({ org, role, contact, sub }) {
  return [org, role, contact ?? sub].map(encodeURIComponent).join("/");
}

/** Whose a token is, or null if it is none. @param {string | null} token */
export function personIn(token) {
  if (!token) return null;
  try {
    const part = token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    const bytes = Uint8Array.from(atob(part), (char) => char.charCodeAt(0));
    return personKey(JSON.parse(new TextDecoder().decode(bytes)));
  } catch {
    return null;
  }
}
