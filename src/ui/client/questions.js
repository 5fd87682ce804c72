/**
 * Frames that wait for the one answer with their id. A question outlives the
 * line: it is asked again when the line is back.
 *
 *   const questions = new Questions((frame) => line.send(frame));
 *   const page = await questions.ask({ type: "history", id, before: 12 });
 *   questions.answer(id, page);       // or questions.refuse(error)
 */
import { CrewlineError } from "./api.js";
import { Timers, jitter } from "./timers.js";

export class Questions {
  #open = new Map();
  #timers = new Timers();
  #send;
  #random;

  constructor(send, random) {
    this.#send = send;
    this.#random = random;
  }

  /** @returns {Promise<any>} */
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

  answer(id, value) {
    this.#open.get(id)?.resolve(value);
    this.#open.delete(id);
  }

  /** @returns {boolean} whether the error was about a question */
  refuse(error) {
    const question = this.#open.get(error.id);
    if (!question) return false;
    if (error.retry) {
      const again = () => this.#open.has(error.id) && this.#send(question.frame);
      this.#timers.set(error.id, jitter(++question.attempts, this.#random), again);
    } else {
      this.#open.delete(error.id);
      question.reject(new CrewlineError(error));
    }
    return true;
  }

  /** Nobody will answer any more. */
  giveUp(code, message) {
    this.#timers.clear();
    const open = [...this.#open.values()];
    this.#open.clear();
    for (const { reject } of open) reject(new CrewlineError({ code, message }));
  }
}
