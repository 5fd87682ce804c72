/**
 * Frames that wait for the one answer with their id. A question outlives the
 * line: it is asked again when the line is back.
 *
 *   const questions = new Questions((frame) => line.send(frame));
 *   const page = await questions.ask({ type: "history", id, before: 12 });
 *   questions.answer(id, page);       // or questions.refuse(error)
 */
/** @import { ClientFrame, Problem } from "./wire.js" */
import { CrewlineError } from "./api.js";
import { Timers, jitter } from "./timers.js";

/** @typedef {Extract<ClientFrame, { type: "history" }>} Question */

export class Questions {
  /** @type {Map<string, { frame: Question, resolve: (value: any) => void, reject: (error: CrewlineError) => void, attempts: number }>} */
  #open = new Map();
  #timers = new Timers();
  #send;
  #random;

  /**
   * @param {(frame: ClientFrame) => boolean} send
   * @param {() => number} [random]
   */
  constructor(send, random) {
    this.#send = send;
    this.#random = random;
  }

  /** @param {Question} frame @returns {Promise<any>} */
  ask(frame) {
    return new Promise((resolve, reject) => {
      this.#open.set(frame.id, { frame, resolve, reject, attempts: 0 });
      this.#send(frame);
    });
  }

  askAgain() {
    this.#timers.clear();
    for (const { frame } of this.#open.values()) this.#send(frame);
  }

  /**
   * @param {string} id
   * @param {unknown} value
   */
  answer(id, value) {
    this.#open.get(id)?.resolve(value);
    this.#open.delete(id);
  }

  /** @param {Problem} error @returns {boolean} whether it was about a question */
  refuse(error) {
    const { id = "", retry } = error;
    const question = this.#open.get(id);
    if (!question) return false;
    if (retry) {
      const again = () => this.#open.has(id) && this.#send(question.frame);
      this.#timers.set(id, jitter(++question.attempts, this.#random), again);
    } else {
      this.#open.delete(id);
      question.reject(new CrewlineError(error));
    }
    return true;
  }

  /**
   * Nobody will answer any more.
   * @param {string} code
   * @param {string} message
   */
  giveUp(code, message) {
    this.#timers.clear();
    const open = [...this.#open.values()];
    this.#open.clear();
    for (const { reject } of open) reject(new CrewlineError({ code, message }));
  }
}
