/**
 * That somebody types, told often enough to hold and no more.
 *
 *   const typing = new Typing((thread, on, internal) => line.send(…));
 *   typing.say(thread, true, false);       // on every keystroke
 *   typing.say(thread, false, false);      // at once, if it was told before
 *   typing.lost();                         // the line went down: nobody knows of it any more
 */

/** It holds for 6 s. */
const AGAIN_MS = 3_000;

export class Typing {
  /** @type {{ thread: string | undefined, internal: boolean, at: number } | null} */
  #told = null;
  #send;

  /** @param {(thread: string | undefined, on: boolean, internal: true | undefined) => boolean} send false while the line is down */
  constructor(send) {
    this.#send = send;
  }

  /**
   * @param {string | undefined} thread
   * @param {boolean} on
   * @param {boolean} internal
   */
  say(thread, on, internal) {
    const now = Date.now();
    const told = this.#told?.thread === thread && this.#told?.internal === internal ? this.#told : null;
    if (on ? told && now - told.at < AGAIN_MS : !told) return;
    const said = this.#send(thread, on, internal || undefined);
    this.#told = on && said ? { thread, internal, at: now } : null;
  }

  lost() {
    this.#told = null;
  }
}
