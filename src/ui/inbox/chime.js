/**
 * A short, soft sound, for those who want it. A browser lets a page sound only
 * after its user has done something on it; until then it is silent.
 *
 *   const chime = new Chime(() => wanted, signal);
 *   chime.play();
 *   await chime.wake();               // on a click
 */
/** Two notes, in Hz and in seconds from the start. */
const NOTES = [[659.25, 0], [880, 0.11]];
const LOUDNESS = 0.06;
const SECONDS = 0.32;
/** Many messages at once are one sound. */
const PAUSE_MS = 3_000;

export class Chime {
  /** It takes a thread and the sound card as long as it runs. @type {AudioContext | null} */
  #context = null;
  #allowed = false;
  #last = -Infinity;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #rest;

  /** @param {() => boolean} wanted @param {AbortSignal} signal */
  constructor(wanted, signal) {
    const wake = () => wanted() && this.wake();
    for (const type of ["pointerdown", "keydown"]) document.addEventListener(type, wake, { signal, passive: true });
    signal.addEventListener("abort", () => {
      clearTimeout(this.#rest);
      this.#context?.close();
    });
  }

  async wake() {
    if (this.#allowed) return;
    this.#context ??= new AudioContext();
    if (!await this.#runs()) return;
    this.#allowed = true;
    this.#restAfter(0);
  }

  async play(now = performance.now()) {
    if (!this.#context || !this.#allowed || now - this.#last < PAUSE_MS) return;
    this.#last = now;
    clearTimeout(this.#rest);
    if (!await this.#runs()) return;
    const start = this.#context.currentTime;
    for (const [pitch, after] of NOTES) note(this.#context, pitch, start + after);
    this.#restAfter(2 * SECONDS * 1_000);
  }

  /** False if it was closed meanwhile. */
  async #runs() {
    await this.#context?.resume().catch(() => {});
    return this.#context?.state === "running";
  }

  #restAfter(ms) {
    clearTimeout(this.#rest);
    this.#rest = setTimeout(() => this.#context?.suspend(), ms);
  }
}

/** @param {AudioContext} context @param {number} pitch @param {number} start */
function note(context, pitch, start) {
  const [tone, gain] = [context.createOscillator(), context.createGain()];
  tone.frequency.value = pitch;
  gain.gain.setValueAtTime(0, start);
  gain.gain.linearRampToValueAtTime(LOUDNESS, start + 0.02);
  gain.gain.exponentialRampToValueAtTime(0.0001, start + SECONDS);
  tone.connect(gain).connect(context.destination);
  tone.start(start);
  tone.stop(start + SECONDS);
}
