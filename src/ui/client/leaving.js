/**
 * Hears when the page is left or out of sight: nobody knows whether it comes
 * back, so what waits must not wait for that.
 *
 *   const leaving = new Leaving(() => letGo());
 *   leaving.watch();
 *   leaving.unwatch();
 */
export class Leaving {
  #act;

  /** @param {() => void} act */
  constructor(act) {
    this.#act = act;
  }

  watch() {
    globalThis.addEventListener?.("pagehide", this.#heard);
    globalThis.document?.addEventListener("visibilitychange", this.#heard);
  }

  unwatch() {
    globalThis.removeEventListener?.("pagehide", this.#heard);
    globalThis.document?.removeEventListener("visibilitychange", this.#heard);
  }

  /** @param {Event} event */
  #heard = ({ type }) => {
    if (type === "pagehide" || globalThis.document.visibilityState === "hidden") this.#act();
  };
}
