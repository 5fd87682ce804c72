/**
 * A short, soft sound. A browser lets a page sound only after its user has done
 * something on it; until then it is silent.
 *
 *   const chime = new Chime(signal);
 *   chime.play();
 */
/** Two notes, in Hz and in seconds from the start. */
const NOTES = [[659.25, 0], [880, 0.11]];
const LOUDNESS = 0.06;
const SECONDS = 0.32;
/** Many messages at once are one sound. */
const PAUSE_MS = 3_000;

export class Chime {
  /** @type {AudioContext | null} */
  #context = null;
  #last = -Infinity;

  /** @param {AbortSignal} signal */
  constructor(signal) {
    const wake = () => this.#wake();
    for (const type of ["pointerdown", "keydown"]) document.addEventListener(type, wake, { signal, passive: true });
    signal.addEventListener("abort", () => this.#context?.close());
  }

  play(now = performance.now()) {
    if (this.#context?.state !== "running" || now - this.#last < PAUSE_MS) return;
    this.#last = now;
    const start = this.#context.currentTime;
    for (const [pitch, after] of NOTES) note(this.#context, pitch, start + after);
  }

  #wake() {
    this.#context ??= new AudioContext();
    if (this.#context.state === "suspended") this.#context.resume();
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
