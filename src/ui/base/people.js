/**
 * Who is writing, as far as it was told, until the signal ends it.
 *
 *   const typists = new Typists(client, (thread) => setText(line, typists.sentence(thread)), { signal });
 *   typists.answering(thread)         // of colleagues: "Sam is answering"
 *   typists.customer(thread)          // whether the customer is writing
 */
import { keyOf } from "../client/presence.js";

/** Typing that is not repeated has ended. */
const TYPING_MS = 6_000;

export class Typists {
  /** By thread, then by person. */
  #typing = new Map();
  #changed;

  /** @param {(thread: string) => void} changed */
  constructor(client, changed, options = {}) {
    this.#changed = changed;
    client.addEventListener("typing", ({ detail: { thread, who, on } }) => {
      if (who.kind !== client.you.role || (who.kind === "staff" && who.sub !== client.you.sub)) this.#set(thread, who, on);
    }, options);
    client.addEventListener("change", ({ detail: { kind, thread, from } }) => {
      if (kind === "message" || kind === "note") this.#set(thread, from, false);
    }, options);
    options.signal?.addEventListener("abort", () => this.#stop());
  }

  /** @param {string} thread */
  sentence(thread) {
    const names = this.#in(thread).map(({ name }) => name);
    if (names.length === 0) return "";
    if (names.length > 2) return "Several people are typing…";
    return `${listed(names)} ${names.length === 1 ? "is" : "are"} typing…`;
  }

  /** Of those of the team who are writing in a thread. @param {string} thread */
  answering(thread) {
    const names = this.#in(thread).filter(({ kind }) => kind === "staff").map(({ name }) => name);
    return names.length === 0 ? "" : `${listed(names)} ${names.length === 1 ? "is" : "are"} answering`;
  }

  /** @param {string} thread */
  customer(thread) {
    return this.#in(thread).some(({ kind }) => kind === "customer");
  }

  #in(thread) {
    return [...(this.#typing.get(thread)?.values() ?? [])];
  }

  #set(thread, who, on) {
    const people = this.#typing.get(thread) ?? new Map();
    const key = keyOf(who);
    if (!on && !people.has(key)) return;
    clearTimeout(people.get(key)?.timer);
    people.delete(key);
    if (on) people.set(key, { kind: who.kind, name: who.name, timer: setTimeout(() => this.#set(thread, who, false), TYPING_MS) });
    this.#typing.set(thread, people);
    if (people.size === 0) this.#typing.delete(thread);
    this.#changed(thread);
  }

  #stop() {
    for (const people of this.#typing.values()) for (const { timer } of people.values()) clearTimeout(timer);
    this.#typing.clear();
  }
}

/** "Ana", "Ana and Ben", "Ana, Ben and Kim". @param {string[]} names */
export function listed(names) {
  return names.length < 3 ? names.join(" and ") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}
