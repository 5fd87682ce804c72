/**
 * Tells that a message was really read: at least half of it visible (or half
 * of the window filled by it), in a focused page, for a full second.
 *
 *   const reading = new Reading(scroller, (seq) => client.read(thread, seq));
 *   reading.watch(element, seq);
 *   reading.unwatch(element);
 *   reading.stop();
 */
const LOOK_MS = 1_000;
/** A message taller than the window is never half visible: ask at every tenth. */
const STEPS = Array.from({ length: 21 }, (_, i) => i / 20);

export class Reading {
  #watched = new Map();
  #observer;
  #root;
  #onRead;

  /** @param {Element} root what scrolls */
  constructor(root, onRead) {
    this.#root = root;
    this.#onRead = onRead;
    this.#observer = new IntersectionObserver((entries) => this.#seen(entries), { root, threshold: STEPS });
    window.addEventListener("focus", this.#attention);
    window.addEventListener("blur", this.#attention);
    document.addEventListener("visibilitychange", this.#attention);
  }

  watch(element, seq) {
    this.#watched.set(element, { seq, visible: false, timer: null });
    this.#observer.observe(element);
  }

  unwatch(element) {
    clearTimeout(this.#watched.get(element)?.timer);
    this.#observer.unobserve(element);
    this.#watched.delete(element);
  }

  stop() {
    window.removeEventListener("focus", this.#attention);
    window.removeEventListener("blur", this.#attention);
    document.removeEventListener("visibilitychange", this.#attention);
    this.#observer.disconnect();
    for (const look of this.#watched.values()) clearTimeout(look.timer);
    this.#watched.clear();
  }

  #seen(entries) {
    for (const { target, intersectionRatio, intersectionRect } of entries) {
      const look = this.#watched.get(target);
      if (!look) continue;
      look.visible = intersectionRatio >= 0.5 || intersectionRect.height >= this.#root.clientHeight / 2;
      this.#time(target, look);
    }
  }

  #attention = () => {
    for (const [element, look] of this.#watched) this.#time(element, look);
  };

  #time(element, look) {
    const looking = look.visible && document.visibilityState === "visible" && document.hasFocus();
    if (!looking) {
      clearTimeout(look.timer);
      look.timer = null;
    } else if (look.timer === null) {
      look.timer = setTimeout(() => this.#read(element, look), LOOK_MS);
    }
  }

  #read(element, { seq }) {
    this.unwatch(element);
    this.#onRead(seq);
  }
}
